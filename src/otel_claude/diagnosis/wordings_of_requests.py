"""What the API's words about a request mean, as tables: its headers, length, fields, tools, model and content.

The language of the tables is that of `cases`. The wordings, with where they were seen, are in the tests. The limits of
sizes: https://platform.claude.com/docs/en/api/overview#request-size-limits
"""

_HEADERS = r"""
invalid_request -> invalid_request
    plain http request
        The address takes only HTTPS: begin the client's base_url with https.
    header or cookie too large
        The headers are too large: send fewer and shorter ones (tokens, cookies, betas), or raise the proxy's limit.
    anthropic[-_]version: (?:header is|field) required
        The header anthropic-version is missing: send 2023-06-01, or let the SDK send it; a proxy may drop it.
    anthropic[-_]version
        The header anthropic-version is wrong: send 2023-06-01 once; a proxy may have added a second one.
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
        {sent} are too much (limits: request 32 MB, batch 256 MB, file 500 MB): {less}.
        The request is too large (limits: request 32 MB, batch 256 MB, file 500 MB): {less}.
    <html|entity too large|payload too large|content too large
        A proxy takes fewer bytes than the {sent} sent: raise its limit (nginx: client_max_body_size), or send less.
        A proxy takes fewer bytes than were sent: raise its limit (nginx: client_max_body_size), or send less.
    *
        {sent} are too much (limits: request 32 MB, batch 256 MB, file 500 MB): {less}.
        The request is too large (limits: request 32 MB, batch 256 MB, file 500 MB): {less}.
"""

_COMPLAINTS = r"""
invalid_request -> tool_schema
    ^tools\.<tool>\b.{0,200}(?:too complex|too many (?:optional|union|strict)|too large)
        The schema of tool {tool} (counted from 0) is too complex: use fewer optional fields, or leave strict out.
invalid_request -> invalid_request
    too complex for compilation|compiled grammar is too large
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
    ^stop_sequences\b.{0,80}(?:non-whitespace|non-empty|must not be empty|cannot be empty)
        A stop sequence is empty or only white space: leave it out of stop_sequences.
    ^metadata\.user_id: string should have at most <limit>
        metadata.user_id is too long: send at most {limit:,} characters, such as a hash of the user's id.
    ^metadata\.user_id: .{0,60}(?:email|e-mail|phone)
        metadata.user_id tells who the user is: send an opaque id, such as a hash, without names or addresses.
    custom_id must be unique
        Two requests of the batch have the same custom_id: give each one of its own.
    disallowed by the websites robots
        The website's robots.txt forbids that its page is read: send the file itself.
    unable to download|download(?:ing)? (?:the )?file
        A file at a URL could not be read: check that the URL is public, or send the file itself.
    only https urls
        A URL does not begin with https: use one that does, or send the file itself.
    domains are not accessible to our user agent
        A domain does not let Anthropic's crawler in: leave it out of allowed_domains of the web tool.
    authorization token for mcp server
        The MCP server refused its token: renew authorization_token in mcp_servers.
    connection error while communicating with mcp server|(?:connect|communicat)\w{0,5} (?:to|with) (?:the )?mcp server
        The MCP server was not reached: check its url in mcp_servers, and that it answers from the internet.
    ^mcp server \S{1,80} not found
        A toolset names an MCP server that the request lacks: add it to mcp_servers, by the same name.
    guardrail
        A guardrail of the gateway stopped it: change the prompt, or have the rule changed there.
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
    \beffort\b
        The model does not take this effort: the message lists the levels that it takes.
"""

_TOOLS = r"""
invalid_request server other -> tool_schema
    tool names must be unique|^duplicate tool names?\b
        Two tools have the same name: give each a name of its own, also where tools come from several servers.
    ^tools\.<tool>\.(?:\w{1,40}\.)?name:
        The name of tool {tool} (counted from 0) is not valid: use 1 to 128 letters, digits, _ and - only.
    ^tools\.<tool>\..{0,60}does not support oneof
        The schema of tool {tool} (counted from 0) has oneOf, allOf or anyOf at its top: put them inside a property.
    ^tools\.<tool>\.(?:\w{1,40}\.)?input_schema\.type:
        The schema of tool {tool} (counted from 0) must have type object at its top.
    ^tools\.<tool>(?:: input tag function|\.function|\.(?:\w{1,40}\.)?(?:input_schema|name): field required)
        Tool {tool} (counted from 0) has another API's form: send name, description and input_schema.
    ^tools\.<tool>\.(?:\w{1,40}\.)?input_schema
        The input_schema of tool {tool} (counted from 0) is not valid: check it against JSON Schema draft 2020-12.
    ^tools\.<tool>\b
        Tool {tool} (counted from 0) is not valid: check its fields, its type, and the beta that it needs.
    malformed input request: #/(?:toolconfig/)?tools/<tool>\b
        Bedrock refuses tool {tool} (counted from 0): leave out the keys of its schema that the message names.
    ^(?:all tools|at least one tool)\b.{0,60}defer
        All tools are deferred: leave at least one without defer_loading, such as the tool search itself.
    function: null
        A tool has no valid definition: send name, description and input_schema, and check the schema's JSON.
invalid_request -> invalid_request
    without (?:\w{1,20}_)?tool_result blocks|did not find \d{1,4} (?:\w{1,20}_)?tool_result
        A tool_use has no tool_result: answer each tool_use in the next user message, and cut histories between pairs.
    tool_use block must have|tool_use ids must be
        A tool_use has no tool_result: answer each tool_use in the next user message, and cut histories between pairs.
    tool_use_id|tool_result block must have
        A tool_result has no tool_use before it: keep the assistant message with it when cutting histories.
    must define tools|tools= param
        The history has tool calls but the request has no tools: send the same tools again.
    ^tool reference\b
        A tool_reference names a tool that the request lacks: send its definition among the tools.
    ^tool_choice\b|^[^:]{0,80}tool_choice|in provided tools|^tool \S{1,80} not found
        tool_choice does not fit the tools: send tools with it, and name one of them.
"""

_MODELS = r"""
invalid_request -> invalid_request
    ^[^:]{0,80}unsupported for streaming
        The model does not stream on this platform: call it without stream.
invalid_request model_not_found -> model_not_found when no_field
    ^(?!publisher model)[^:]{0,80}not supported in this region|not available in (?:location|region)
        The model is not served in this region: call it in another one, or on the global endpoint.
    on-demand throughput|inference profile
        Bedrock serves this model through an inference profile: put us., eu., apac. or global. before its id.
    model identifier|at modelid failed to satisfy
        {family} is a known model, but not by this id in this region: check its prefix (us., eu., global.) and version.
        Bedrock has no model {model} in this region: the nearest known models are {nearest}.
        Bedrock has no model of this id in this region: check the id, its version, and the region of the client.
    publisher model|publishers/
        Google Cloud has no such model for this project: enable it in Model Garden, check its name and the region.
    healthy deployments?\b
        The gateway has no such model, or none that works: compare the name with the models that it lists.
    deployment
        Azure has no deployment of this name: pass the deployment's name as model, and check the resource.
    end of its life|end-of-life|retired|marked by provider as legacy
        The model is retired: the newest others of its line are {others}.
        The model is retired: choose a current one.
invalid_request -> invalid_request
    ^model: (?:string should|field required|input should)
        No model was named: pass the name of a model.
model_not_found invalid_request -> invalid_request
    \b(?:file(?:_id)?|container|skill|batch)\b.{0,100}(?:not found|not exist|not be found)
        No such object: check its id, that it has not expired, and that the key is of the workspace that made it.
model_not_found -> invalid_request
    ^no results available for batch
        The batch has not ended: read its results when its processing_status is ended.
    ^(?:agent|environment|session|thread|vault)\b.{0,60}not found
        No such object: check its id, that it has not expired, and that the key is of the workspace that made it.
    could not find
        No such object: check its id, that it has not expired, and that the key is of the workspace that made it.
invalid_request server other model_not_found -> model_not_found when no_field
    ^model: |invalid model|unknown model|model .{0,100}(?:not found|not exist)
        {retired} is retired on the Claude API: the newest of its line are {others}.
        {known_model} is a known name but is not served here: it is retired, or not enabled for this account or region.
        No model {model}: the nearest known names are {nearest}; names with a date are retired in time.
        No model {model}: compare it with the list of models; names with a date are retired in time.
        No such model: compare its name with the list of models; names with a date are retired in time.
model_not_found -> invalid_request when elsewhere
    *
        No such object: check its id, that it has not expired, and that the key is of the workspace that made it.
model_not_found -> invalid_request
    <html|<!doctype|resource not found|invalid url|not supported|cannot post|no route
        There is no such address: check the client's base_url (without /v1), and the paths that the gateway knows.
    detail: ?\nnot found|^(?:404 )?page not found|^404 not found|^error code: 404$|^\}$
        There is no such address: check the client's base_url (without /v1), and the paths that the gateway knows.
model_not_found -> model_not_found
    ^not[ _]found[.!]?(?:\}|, ?[a-z_]{1,20}:|$)
        Nothing is at this address: check base_url (without /v1), the paths that the gateway knows, then the model.
    *
        {retired} is retired on the Claude API: the newest of its line are {others}.
        {known_model} is a known name but is not served here: it is retired, or not enabled for this account or region.
        No model {model}: the nearest known names are {nearest}; names with a date are retired in time.
        No model {model}: compare it with the list of models; names with a date are retired in time.
        No such model: compare its name with the list of models; names with a date are retired in time.
"""

_CONTENT = r"""
invalid_request -> invalid_request
    image exceeds .{0,40}: <bytes> bytes > <limit> bytes
        An image has {bytes:,} bytes and the most is {limit:,}: make it smaller; it stays in the history.
    image dimensions exceed .{0,80}: <limit> pixels
        An image is larger than {limit:,} pixels on a side: make it smaller, or send fewer images at once.
    maximum of <limit> pdf pages
        The PDFs have more than {limit:,} pages: split them over several requests.
    malformed input request
        Bedrock does not know a key of the request, or misses one: leave out betas and fields that it lacks.
    input tag .{0,60}found using type
        A block has a type that is not known here: send the beta that it needs, or use a type that the message lists.
    not supported for (?:image|document) blocks
        A file of this type does not go into this block: put images into image blocks, PDFs and texts into documents.
    invalid base64
        The data is not base64: encode the bytes, without line breaks and without data: before them.
    ^[^:]{0,80}not downloadable
        The file cannot be read back: only files that skills and code execution have made can be.
    ^invalid filename
        The file's name is not valid: take one without slashes, colons and control characters, and not too long.
    \bpdf\b
        A PDF cannot be read: check that it is whole and not locked by a password.
    \bimages?\b|media[ _]type
        An image cannot be used: send JPEG, PNG, GIF or WebP under its true media_type, whole, and not too many.
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
        cache_control stands where it may not: set it on tools, system and text blocks, longer ttl first.
    content[ _](?:filter|management policy)|usage polic
        The content filter stopped it: change the prompt, since the same request will be stopped again.
    extra inputs|(?:unknown|unsupported) (?:field|parameter|name)|unrecognized
        A field that the message names is not known here: send the beta that it needs, or leave it out.
    output_(?:config\.)?format|structured output|grammar|additionalproperties
        The output schema was refused: set additionalProperties to false on each object, and make it simpler.
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
        This model or platform does not support what was asked: leave it out, or choose another model.
    *
        The request is not valid: the message of the exception names the field and what it may be.
"""

TABLES = (_HEADERS, _LENGTH, _COMPLAINTS, _THINKING, _TOOLS, _MODELS, _CONTENT)
"""In the order in which they are tried."""
