"""What words about a request mean, as tables: its headers, length, fields and thinking, and what holds for any.

The language of the tables is that of `cases`. The wordings, with where they were seen, are in the tests.
The limits of sizes: https://platform.claude.com/docs/en/api/overview#request-size-limits
"""

_HEADERS = r"""
invalid_request -> invalid_request
    x-portkey-(?:config|provider)
        Portkey does not know where to send it: set x-portkey-config or x-portkey-provider in default_headers.
    plain http request
        The address takes only HTTPS: begin the client's base_url with https.
    header or cookie too large
        The headers are too large: send fewer and shorter ones (tokens, cookies, betas), or raise the proxy's limit.
    anthropic[-_]version: (?:header is|field) required
        The header anthropic-version is missing: send 2023-06-01, or let the SDK send it; a proxy may drop it.
    anthropic[-_]version
        The header anthropic-version is wrong: send 2023-06-01 once; a proxy may have added a second one.
    (?:requires?|missing|must (?:send|include|set)|include|enable) .{0,60}(?:anthropic[-_]beta|beta header)
        It needs a beta: send in anthropic-beta the name that the message of the exception says.
    anthropic[-_]beta|beta (?:flag|header)
        A name in anthropic-beta is not known here: leave out betas that have ended, or that this platform lacks.
"""

_LENGTH = r"""
invalid_request server other request_too_large rate_limited permission -> context_length when no_field
    long context|extra usage is required|context-1m
        The account may not send long prompts: keep to 200K tokens, or enable usage credits for more.
invalid_request server other request_too_large -> context_length when no_field
    prompt is too long: <tokens> tokens? > <limit>
        The prompt has {tokens:,} tokens and the model takes {limit:,}: shorten the history, trim documents, compact.
    context (?:limit|window): <tokens>[ +]{1,5}<max_tokens> > <limit>
        Prompt ({tokens:,} tokens) and max_tokens ({max_tokens:,}) exceed {limit:,}: lower max_tokens or the prompt.
    maximum context length is <limit> tokens.{0,40}(?:requested|resulted in) <tokens> tokens
        The request has {tokens:,} tokens and the model takes {limit:,}: shorten the history or lower max_tokens.
    ^(?:\w{1,20} )?(?:prompt|input) is too long|context[ _]length|context limit|maximum context|too many input tokens
        The prompt is too long for the model: shorten the history, trim documents and tool results, or compact.
    context[ _]window[ _]exceeded|exceeds? (?:\w{1,20} ){0,4}context window
        The prompt is too long for the model: shorten the history, trim documents and tool results, or compact.
invalid_request server other -> invalid_request
    ^max_tokens: <max_tokens> > <limit>
        max_tokens is {max_tokens:,}, but the model gives at most {limit:,} output tokens: lower max_tokens.
    (?:model limit of|max_tokens is \[1,) <limit>
        max_tokens is {max_tokens:,}, but the model gives at most {limit:,} output tokens: lower max_tokens.
        The model gives at most {limit:,} output tokens: lower max_tokens.
invalid_request -> request_too_large
    ^(?:messages: )?too many total text bytes: <bytes> > <limit>
        The text has {bytes:,} bytes and the most is {limit:,}: shorten the history, or leave parts of it out.
invalid_request -> request_too_large when no_field
    ^[^:]{0,80}exceeds the maximum size of <limit> bytes
        The request is larger than {limit:,} bytes, the most that is taken here: {less}.
    ^[^:]{0,80}storage limit
        The organization's storage for files is full: delete files, or ask for more.
    ^[^:]{0,80}(?:file too large|maximum file size|exceeds the maximum size)
        {sent} are too much (limits: request 32 MB, batch 256 MB, file 500 MB): {less}.
        The request is too large (limits: request 32 MB, batch 256 MB, file 500 MB): {less}.
invalid_request -> invalid_request
    ^max_tokens: (?:field required|input should)
        max_tokens must be a whole number of at least 1: set it to the longest answer that you want.
request_too_large -> request_too_large
    cloudflare
        {sent} are too much for the Cloudflare before the API (32 MB, batch 256 MB, file 500 MB) or of a proxy: {less}.
        Too large for the Cloudflare before the API (32 MB, batch 256 MB, file 500 MB) or of a proxy: {less}.
    <html|entity too large|payload too large|content too large
        A proxy takes fewer bytes than the {sent} sent: raise its limit (nginx: client_max_body_size), or send less.
        A proxy takes fewer bytes than were sent: raise its limit (nginx: client_max_body_size), or send less.
request_too_large -> request_too_large when on_cloud
    *
        {sent} are too much for this platform, whose limits may be lower than the API's: {less}.
        The request is too large for this platform, whose limits may be lower than the API's: {less}.
request_too_large -> request_too_large
    *
        {sent} are too much (limits: request 32 MB, batch 256 MB, file 500 MB): {less}.
        The request is too large (limits: request 32 MB, batch 256 MB, file 500 MB): {less}.
"""

_COMPLAINTS = r"""
invalid_request -> tool_schema
    ^tools\.<tool>\b.{0,200}(?:too complex|too many (?:optional|union|strict)|too large)
        The schema of tool {tool} (counted from 0) is too complex: use fewer optional fields, or leave strict out.
invalid_request -> invalid_request
    too complex for compilation|compiled grammar is too large|grammar compilation timed out
        The output and strict schemas are too complex together: fewer strict tools, optional fields and nested levels.
    schemas? contains? too many|^too many strict tools
        The output and strict schemas have too much together: fewer strict tools, optional fields and unions.
    tool_use ids must be unique
        Two tool_use blocks have the same id: keep each one once in the history, or give each an id of its own.
    must have a single result|multiple tool_result blocks
        A tool_use has more than one tool_result: keep one of them.
    tool_use(?:_id|\.id): string should match pattern
        An id of a tool_use has other characters than letters, digits, _ and -: replace them on both sides.
    cache_control cannot be set for empty
        An empty text block has cache_control: leave out the block, or set the mark on one with text.
    not support the effort parameter
        The model takes no effort: leave output_config.effort out, or choose another model.
    strategy requires thinking
        A strategy of context_management needs thinking: turn thinking on, or leave the strategy out.
    ^thinking\.adaptive\.budget_tokens: extra inputs
        Adaptive thinking takes no budget_tokens: leave it out, and set output_config.effort instead.
    ^(?!tools\.|model:|max_tokens:)[a-z][^ :]{1,200}: field required
        A required field is missing: the message of the exception names it.
    ^(?!tools\.)[a-z][^ :]{1,200}: extra inputs are not permitted
        A field that the message names is not known here: send the beta that it needs, or leave it out.
    strategy must be (?:the )?first
        The strategies of context_management are out of order: put clear_thinking first in edits.
    ^context_management\.\S{0,100}\btrigger\b.{0,60}greater than or equal to <limit>
        The trigger of a strategy in context_management is too low: set at least {limit:,}.
    ^speed: .{0,60}not supported
        The model does not take this speed: leave speed out, or choose a model that has it.
    ^inference_geo: .{0,60}not supported
        The model does not take this inference_geo: leave it out, or choose another model.
    inference_geo\b.{0,40} not allowed
        The workspace does not allow this inference_geo: send one that it allows, or have its data residency changed.
    file sources are not supported in the token counting
        Token counting takes no files of the Files API: count with their content, or leave them out.
    container .{0,60}expired
        The container has expired: leave its id out, so that a new one is made.
    ^stop_sequences\b.{0,80}(?:non-whitespace|non-empty|must not be empty|cannot be empty)
        A stop sequence is empty or only white space: leave it out of stop_sequences.
    ^metadata\.user_id: string should have at most <limit>
        metadata.user_id is too long: send at most {limit:,} characters, such as a hash of the user's id.
    ^metadata\.user_id: .{0,60}(?:email|e-mail|phone)
        metadata.user_id tells who the user is: send an opaque id, such as a hash, without names or addresses.
    custom_id must be unique|duplicate custom_id
        Two requests of the batch have the same custom_id: give each one of its own.
    disallowed by the websites robots
        The website's robots.txt forbids that its page is read: send the file itself.
    unable to download|download(?:ing)? (?:the )?file
        A file at a URL could not be read: check that the URL is public, or send the file itself.
    only https urls
        A URL does not begin with https: use one that does, or send the file itself.
    guardrail identifier|guardrail.{0,60}(?:not exist|not found)
        There is no such guardrail: check its id and version, and the region and account of the call.
    (?:violat|block|interven|stopp|reject)\w{0,4} .{0,40}guardrail
        A guardrail stopped it: change the prompt, or have the rule changed where the guardrail is kept.
    guardrail.{0,40} (?:violat|block|interven|stopp|reject)
        A guardrail stopped it: change the prompt, or have the rule changed where the guardrail is kept.
"""

_THINKING = r"""
invalid_request -> invalid_request
    max_tokens must be greater than thinking|budget_tokens .{0,40}(?:less|smaller) than max_tokens
        max_tokens ({max_tokens:,}) must be greater than thinking.budget_tokens: raise it, or lower the budget.
        max_tokens must be greater than thinking.budget_tokens: raise it, or lower the budget.
    ^thinking\.(?:\w{1,40}\.)?budget_tokens: input should be greater than or equal to <limit>
        thinking.budget_tokens must be at least {limit:,}: raise it, and max_tokens above it.
    forces? tool use|forced tool|tool_choice.{0,60}thinking
        tool_choice cannot force a tool while thinking is on: use auto or none, or turn thinking off.
    (?:temperature|top_?p|top_?k).{0,120}thinking|thinking.{0,120}(?:temperature|top_?p|top_?k)
        temperature, top_p and top_k do not go with thinking: leave them out.
    temperature and top_p
        temperature and top_p cannot both be set for this model: leave one of them out.
    (?:temperature|top_?p|top_?k) (?:is|are) (?:deprecated|not supported|no longer)
        The model takes no temperature, top_p or top_k of one's own: leave them out.
    invalid signature|cannot be modified|expected thinking|redacted_thinking|thinking blocks?\b
        Send thinking blocks back as they came: first in their message, with their signature, to the same model.
    ^thinking\.type|adaptive|thinking.{0,40}not supported
        The model takes no thinking of this type: use adaptive for newer models, enabled for older ones.
    \beffort\b.{0,80}(?:not support|supported|input should be|invalid)|not support effort
        The model does not take this effort: send a level that the message of the exception lists, or leave it out.
"""

_REST = r"""
invalid_request -> invalid_request
    extra inputs|(?:unknown|unsupported) (?:field|parameter|name)|unrecognized
        A field that the message names is not known here: send the beta that it needs, or leave it out.
    circular reference|recursive (?:schema|ref)
        The output schema refers to itself: write out as many levels as are needed, since recursion is not taken.
    additionalproperties
        The output schema was refused: set additionalProperties to false on each object.
    ^output_(?:config\.)?format\S{0,40}: for \w{1,20} type, .{0,80}not supported
        The output schema has keywords that are not taken: leave them out, and say what they mean in descriptions.
    ^output_(?:config\.)?format\b.{0,60}schema
        The output schema was refused: the message of the exception says why; some of JSON Schema is not taken.
    (?:list|tuple) should have at most <limit> item
        A list is too long: the field that the message of the exception names takes at most {limit:,} items.
    (?:string|value) should have at most <limit> character
        A text is too long: the field that the message of the exception names takes at most {limit:,} characters.
    input should be greater than or equal to <limit>
        A number is too low: the field that the message of the exception names takes at least {limit:,}.
    input should be less than or equal to <limit>
        A number is too high: the field that the message of the exception names takes at most {limit:,}.
    input should be a valid
        A value has the wrong type: the message of the exception names the field and the type that it takes.
    input should be (?!greater|less|a )
        A value is none of those that are allowed: the message of the exception names the field and lists them.
    should match pattern
        A text has the wrong form: the message of the exception names the field and the pattern that it takes.
invalid_request -> tool_schema when has_tools
    \bschema\b
        A tool's schema is not valid: check each input_schema against JSON Schema draft 2020-12.
invalid_request server other -> invalid_request
    not valid json|invalid json|invalid utf|surrogate
        The body is not valid JSON: look for lone surrogates, control characters, and proxies that change it.
invalid_request -> invalid_request
    field required
        A required field is missing: the message of the exception names it.
    does not support|not (?:yet )?(?:supported|available)|isnt supported|not implemented
        What was asked is not supported here: leave out what the message of the exception says, or change the model.
invalid_request -> invalid_request when on_field
    *
        A field of the request is not valid: the message of the exception names the field and says why.
invalid_request -> invalid_request
    *
        The request was refused: the message of the exception says what is wrong with it.
other -> other when refused
    *
        The request was refused: read the message of the exception and the status, and check what answers at base_url.
"""

BEFORE = (_HEADERS, _LENGTH, _COMPLAINTS, _THINKING)
"""What is told before a request's tools, model and content."""

AFTER = (_REST,)
"""What holds for any field."""
