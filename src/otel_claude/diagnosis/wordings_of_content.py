"""What words about content mean, as tables: images, PDFs, texts, roles, cache marks and citations.

The language of the tables is that of `cases`. The wordings, with where they were seen, are in the tests.
"""

_CONTENT = r"""
invalid_request -> invalid_request
    image exceeds .{0,40}: <bytes> bytes > <limit> bytes
        An image has {bytes:,} bytes and the most is {limit:,}: make it smaller; it stays in the history.
    image dimensions exceed .{0,80}: <limit> pixels
        An image is larger than {limit:,} pixels on a side: make it smaller, or send fewer images at once.
    too many images and documents: <images>[ +]{1,5}<more> > <limit>
        {images:,} + {more:,} images and documents are more than the {limit:,} of a request: leave older ones out.
    too many images: <images> > <limit>
        {images:,} images are more than the {limit:,} of a request: leave older ones out.
    more than <images> images .{0,40}limited to <limit> pixels
        With more than {images:,} images each may have {limit:,} pixels a side: make them smaller, or send fewer.
    maximum of <limit> pdf pages
        The PDFs have more than {limit:,} pages: split them over several requests.
    malformed input request
        Bedrock does not know a key of the request, or misses one: leave out betas and fields that it lacks.
    input tag .{0,60}found using type
        A block has a type that is not known here: send the beta that it needs, or use a type that the message lists.
    container_upload
        A file of this type goes into no document block: use container_upload with code execution, or send its text.
    citations must be enabled on all or none
        Citations are for all documents of a request or for none: turn them on or off for each of them.
    citations .{0,60}(?:output_format|structured output)
        Citations do not go with structured outputs: leave out one of them.
    not supported for (?:image|document) blocks
        A file of this type does not go into this block: put images into image blocks, PDFs and texts into documents.
    invalid base64
        The data is not base64: encode the bytes, without line breaks and without data: before them.
    ^[^:]{0,80}not downloadable
        The file cannot be read back: only files that skills and code execution have made can be.
    ^invalid filename|^filename contains
        The file's name is not valid: take one without slashes, colons and control characters, and not too long.
    \bpdf\b.{0,60}(?:password|encrypted|not valid|invalid|corrupt)|(?:process|read|open) (?:the )?pdf
        A PDF cannot be read: check that it is whole and not locked by a password.
    could not process image|image.{0,60}(?:media type|not valid|invalid|corrupt|unsupported|format)|\.media_type:
        An image cannot be used: send JPEG, PNG, GIF or WebP, whole, and under its true media_type.
    too many images|(?:number|count) of images .{0,60}(?:exceed|maximum|limit)
        There are too many images in the request: leave out older ones.
    \b(?:messages?|content|system|text)\b.{0,100}(?:non-empty|non-whitespace|(?:must not|cannot) be empty|is blank)
        A message or text block is empty: leave out blocks without text before sending.
    \b(?:messages|content|system|text)\b.{0,100}at least (?:one message|1 item|1 character)
        A message or text block is empty: leave out blocks without text before sending.
    trailing whitespace
        The last assistant message ends with white space: strip it.
    prefill|must end with a user
        The model takes no prefilled answer: end with a user message, and use structured outputs for the form.
    roles must alternate|alternate between user and assistant|first message must|unexpected role|role: input should
        Roles are out of order: begin with user, use only user and assistant, and pass system as its own field.
    maximum of <limit> blocks with cache_control
        More than {limit:,} blocks have cache_control: keep those at the ends of the longest shared prefixes.
    cache_control|cache control
        cache_control is not taken so: set it on tools, system and text blocks, with ttl 5m or 1h, longer ones first.
    content[ _](?:filter|management policy)|usage polic
        The content filter or usage policy stopped it: change the prompt, since the same request will be stopped again.
"""

TABLES = (_CONTENT,)
"""In the order in which they are tried."""
