"""What the API's words mean, as tables.

Words come after the code (`codes`), and only to split what one code leaves open. A table is a text of three levels:

    a code, what it stands for, or a status -> what it is then [when a condition holds]
        a pattern over the message
            a hint

The first row that fits counts. `*` stands for any message: it holds for wordings that nobody has seen yet. Patterns are
over a message in lower case, without quotes and cut in length, and are linear. `^` is where the API's own words begin,
behind what the SDK and gateways wrap around them; there stands the name of the field that a message is about. `<limit>`
stands for a number of that name. A hint may have fields: these numbers, and what `failures` knows of the call. Of
several hints, the first one counts whose fields are all known.

Conditions: `in_stream`, the answer had begun; `elsewhere`, the call was no inference; `by_client`, there was no
response; `no_field`, the message is about no field of the request but the model, so that it quotes no name of a tool or
file; `has_tools`, that and there are tools.

The wordings, with where they were seen, are in the tests. The limits of sizes:
https://platform.claude.com/docs/en/api/overview#request-size-limits
"""

_STATUSES = r"""
405 -> invalid_request
    *
        The address takes no POST: check base_url (without /v1), and that no redirect (http to https) makes it a GET.
407 -> connection
    *
        The network's proxy wants credentials: put them into HTTPS_PROXY (http://user:password@host:port).
409 -> invalid_request
    *
        The object was changed at the same time, or its state forbids this: read it again, then decide.
410 -> invalid_request
    *
        What was asked for is gone for good: a retired model or address, or an object that has expired.
415 -> invalid_request
    *
        The body's content type is not taken: send application/json; a default header or a proxy may change it.
499 -> timeout
    *
        The client or a proxy on the way gave up waiting: raise their read timeouts, and stream long answers.
520 -> server
    *
        Cloudflare got no valid answer from the server behind it: {pause} and try again; look at your own gateway's log.
521 522 523 530 -> server
    *
        Cloudflare did not reach the server behind it: {pause} and try again; check the firewall of your own gateway.
525 526 -> server
    *
        Cloudflare refused the TLS certificate of the server behind it: renew that of your own gateway, or try again.
"""

_ACCESS = r"""
billing -> billing
    more credits|can only afford
        The credits do not cover this request: buy credits, or lower max_tokens.
    higher (?:\w{1,20} )?limit|key limit exceeded
        The spend limit of this key is used up: raise it where the key was made.
invalid_request server other authentication permission billing rate_limited -> billing when no_field
    credit balance|purchase credits|insufficient[ _](?:credit|fund|balance|quota)|extra usage, not|of extra usage
        The credits are used up: buy credits or turn on auto-reload, in the organization of this key.
    reached your specified|api usage limits|spend(?:ing)? limit
        A spend limit of the organization or workspace was reached: raise it in the Console, or wait for its reset.
    budget (?:has been |is |was )?exceeded|exceeded ?budget|exceeded (?:your |the )?(?:\w{1,20} )?budget
        A budget that a gateway keeps for this key is used up: raise it there, or wait until it is reset.
    billing (?:to be enabled|is disabled|account)|billing_disabled|payment[ _](?:instrument|method|required)
        The cloud account has no valid billing: check the billing account and the payment method.
invalid_request server other authentication permission rate_limited -> permission when no_field
    organization has been disabled|account (?:has been |is )?(?:disabled|suspended)
        The organization of this key is disabled: check which key the process uses, then ask Anthropic's support.
authentication permission -> permission
    not allowed to access model|can only access models
        The gateway does not let this key use the model: add the model to the key or team there.
authentication permission -> permission
    lacks the required data action
        The Azure identity may not call the model: give it a role that has this data action on the resource.
authentication permission -> authentication
    authentication failed: please make sure your api key is valid
        The key was refused: check that it is whole, not expired, and of this platform and region.
    credential should be scoped|invalidsignature|incompletesignature
        AWS refused the credentials: check the access key, the region and the machine's clock.
    security token (?:\w{1,20} ){0,6}expired|expiredtoken
        The AWS credentials have expired: refresh them, and let the process read them again.
    security token|request signature|signature (?:expired|does not match)|unrecognizedclient|missing authentica
        AWS refused the credentials: check the access key, the region and the machine's clock.
NoCredentialsError CredentialRetrievalError -> authentication when by_client
    *
        No AWS credentials were found: set a profile, a role or AWS_ACCESS_KEY_ID, or pass them to the client.
DefaultCredentialsError -> authentication when by_client
    *
        No Google credentials were found: run gcloud auth application-default login, or name a service account.
RefreshError -> authentication when by_client
    *
        Google did not renew the credentials: sign in again, or check the service account and its key.
other authentication -> authentication when by_client
    could not resolve (?:aws )?credentials from session
        No AWS credentials were found: set a profile, a role or AWS_ACCESS_KEY_ID, or pass them to the client.
    no project_id was given|could not resolve project_id
        No Google Cloud project is known: set ANTHROPIC_VERTEX_PROJECT_ID, or pass project_id to the client.
    could not resolve (?:api token from the environment|a gcp access token)
        No Google credentials were found: run gcloud auth application-default login, or name a service account.
    could not resolve authentication method
        The client has no key: set ANTHROPIC_API_KEY, or pass api_key to the client.
    ^ascii codec cant encode
        A header cannot be sent: check the key for curly quotes and other characters that are not ASCII.
authentication -> authentication
    x-api-key header is required|api key (?:is )?(?:required|missing)|no api key
        No key was sent: set ANTHROPIC_API_KEY, or pass api_key to the client.
    expired
        The key or token has expired: create a new one, and start the process with it.
    oauth 2 access token|login cookie|google
        Google Cloud refused the credentials: check the service account, or renew the default credentials.
    aigatewayerror|cf-aig-authorization
        Cloudflare AI Gateway refused it: send a token of the gateway in cf-aig-authorization, besides the API key.
    subscription key|wrong api endpoint
        Azure refused the key: check that the key, the resource name and the endpoint belong together.
    proxy server token|virtual key|verificationtoken
        The gateway does not know the key: use one that the gateway has issued, not one of Anthropic.
    oauth|bearer
        The bearer token was refused: pass an API key as api_key (x-api-key), and only an OAuth token as auth_token.
    x-api-key|api[ -]?key
        The key was refused: check that it is whole, not revoked, without spaces, and of this platform.
    *
        The credentials were refused: check the key that this process was started with.
permission -> permission
    zscaler|netskope|fortiguard|forcepoint|cisco umbrella
        The company's web filter refused it: have the API's host allowed there.
    request not allowed|<html|<!doctype
        The network was refused: check the country, VPN or proxy that the request leaves from.
permission invalid_request -> permission when no_field
    not allowed from unsupported countries
        The country that the request comes from is not served: check the account's country, VPN and region.
    ^operation not allowed
        AWS does not let this account call the model: check its access to models, then ask AWS's support.
    only authorized for use with claude code|oauth
        This OAuth token may not be used here: use an API key of the organization.
    not enabled for (?:this|your)
        This is not enabled for the organization: have an administrator enable it in the Console.
permission invalid_request model_not_found -> permission when no_field
    use case details|access to (?:the|this) model|not allowed to use publisher model|marketplace|model access is denied
        The cloud account may not use this model: enable it there (access form, marketplace terms), in this region.
permission -> permission
    bedrock:|\biam\b|aiplatform|not authorized to perform|api has not been used|service_disabled
        The cloud role may not call the model: grant it the permission to invoke it, and enable the service.
    *
        The key may not use this: check the key's workspace, and that the model or feature is enabled for it.
budget -> budget
    does not answer
        Nothing was sent: the ledger of a budget is gone, and its ledger_failure is closed. Repair or restart it.
    *
        Nothing was sent: a budget of this application allows no more until it resets. The message says which.
billing -> billing
    *
        The account cannot pay: check billing and the payment method in the Console.
"""

_HEADERS = r"""
invalid_request -> invalid_request
    plain http request
        The address takes only HTTPS: begin the client's base_url with https.
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
    (?:prompt|input) is too long|context[ _]length|context limit|maximum context|too many input tokens
        The prompt is too long for the model: shorten the history, trim documents and tool results, or compact.
    context[ _]window[ _]exceeded|exceeds? (?:\w{1,20} ){0,4}context window
        The prompt is too long for the model: shorten the history, trim documents and tool results, or compact.
invalid_request server other -> invalid_request
    ^max_tokens: <max_tokens> > <limit>
        max_tokens is {max_tokens:,}, but the model gives at most {limit:,} output tokens: lower max_tokens.
    (?:model limit of|max_tokens is \[1,) <limit>
        max_tokens is {max_tokens:,}, but the model gives at most {limit:,} output tokens: lower max_tokens.
        The model gives at most {limit:,} output tokens: lower max_tokens.
invalid_request permission -> request_too_large when no_field
    storage limit
        The organization's storage for files is full: delete files, or ask for more.
    file too large|maximum file size|exceeds the maximum size
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
    schemas? contains? too many
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
    unable to download|download the file
        A file at a URL could not be read: check that the URL is public, or send the file itself.
    authorization token for mcp server
        The MCP server refused its token: renew authorization_token in mcp_servers.
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
    tool names must be unique
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
    without (?:\w{1,20}_)?tool_result blocks|tool_use block must have|tool_use ids must be
        A tool_use has no tool_result: answer each tool_use in the next user message, and cut histories between pairs.
    tool_use_id|tool_result block must have
        A tool_result has no tool_use before it: keep the assistant message with it when cutting histories.
    must define tools|tools= param
        The history has tool calls but the request has no tools: send the same tools again.
    tool_choice|in provided tools
        tool_choice does not fit the tools: send tools with it, and name one of them.
"""

_MODELS = r"""
invalid_request model_not_found -> model_not_found when no_field
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
        The model is retired: the nearest known names are {nearest}.
        The model is retired: choose a current one.
invalid_request -> invalid_request
    ^model: (?:string should|field required|input should)
        No model was named: pass the name of a model.
model_not_found invalid_request -> invalid_request
    \b(?:file(?:_id)?|container|skill|batch)\b.{0,100}(?:not found|not exist|not be found)
        No such object: check its id, that it has not expired, and that the key is of the workspace that made it.
model_not_found -> invalid_request
    could not find
        No such object: check its id, that it has not expired, and that the key is of the workspace that made it.
invalid_request server other model_not_found -> model_not_found when no_field
    ^model: |invalid model|unknown model|model .{0,100}(?:not found|not exist)
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
    \bpdf\b
        A PDF cannot be read: check that it is whole and not locked by a password.
    \bimages?\b|media[ _]type
        An image cannot be used: send JPEG, PNG, GIF or WebP under its true media_type, whole, and not too many.
    non-empty|non-whitespace|must not be empty|is blank|at least (?:one message|1 item|1 character)
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
    content filtering|usage polic
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

_SERVICE = r"""
rate_limited -> rate_limited
    processing queue|batch.{0,60}queue
        Too many batch requests wait to be processed: send more when earlier batches have ended, or ask for more.
    acceleration|usage increase rate|ramp up
        Traffic grew too fast: {pause}, and raise it step by step.
    per day|per_day|daily
        The quota of a day is used up: wait for the next day, ask for more, or use another model or region.
    aiplatform|resource[_ ](?:has been )?exhausted|quota exceeded
        The Google Cloud quota of this model is used up, or 0: {pause}, ask for more, or use another region.
    of <limit> input tokens per minute
        The limit of {limit:,} input tokens a minute was reached: {pause}, spread requests, or ask for a higher limit.
    of <limit> output tokens per minute
        The limit of {limit:,} output tokens a minute was reached: {pause}, spread requests, or ask for a higher limit.
    of <limit> (?:\w{1,20} )?tokens per minute
        The limit of {limit:,} tokens a minute was reached: {pause}, spread requests, or ask for a higher limit.
    of <limit> (?:\w{1,20} )?requests per minute
        The limit of {limit:,} requests a minute was reached: {pause}, spread requests, or ask for a higher limit.
    *
        The limit of {limits} was reached: {pause}, spread requests over time, or ask for a higher limit.
        A rate limit was reached: {pause}, spread requests over time, or ask for a higher limit.
server overloaded -> overloaded when in_stream
    overloaded|too many connections|capacity
        The API ran out of capacity in the middle of the answer: send it again, since the SDK does not retry then.
overloaded -> overloaded when in_stream
    *
        The API ran out of capacity in the middle of the answer: send it again, since the SDK does not retry then.
server -> overloaded
    overloaded|too many connections|unable to process your request|temporarily unavailable
        The API has too much to do: {pause} and try again, raise max_retries, or fall back to another model.
overloaded -> overloaded
    *
        The API has too much to do: {pause} and try again, raise max_retries, or fall back to another model.
server -> server when in_stream
    *
        The API failed in the middle of the answer: send it again, since the SDK does not retry then.
server -> server
    auth_unavailable|no (?:healthy|available) (?:deployment|account|channel|upstream|provider)
        The gateway has no account or backend left that it may use: {pause} and try again, then look at its own log.
    <html|<!doctype|bad gateway|cloudflare|nginx|upstream
        A gateway got no answer from the API: {pause} and try again, then look at the gateway's own log.
502 -> server
    *
        A gateway got no answer from the API: {pause} and try again, then look at the gateway's own log.
503 -> server
    *
        Nothing behind this address can answer now: {pause} and try again, then look at the status page or the gateway.
server -> server
    *
        The API failed: {pause} and try again; report the request id if it goes on.
timeout -> timeout when by_client
    ^connecttimeout: .{0,80}handshake
        The TLS handshake took more than {timeout}: check the proxy on the way, or raise the timeout's connect.
        The TLS handshake took too long: check the proxy on the way, or raise the timeout's connect.
    ^connecttimeout
        The host was not reached within {timeout}: check base_url, the firewall and proxies, or raise connect.
        The host was not reached in time: check base_url, the firewall and proxies, or raise the timeout's connect.
    ^pooltimeout
        No connection of the client was free within {timeout}: raise its max_connections, or have fewer calls at once.
        No connection of the client was free in time: raise its max_connections, or have fewer calls at once.
    ^writetimeout
        The request was not taken within {timeout}: send less, check the upload's speed, or raise the timeout's write.
        The request was not taken in time: send less, check the upload's speed, or raise the timeout's write.
    *
        No answer came within {timeout}: stream long answers, or raise the client's timeout.
        No answer came in time: stream long answers, or raise the client's timeout.
timeout -> timeout when in_stream
    *
        Nothing more came for {timeout} in the middle of the answer: send it again, or raise the timeout's read.
        Nothing more came in the middle of the answer: send it again, or raise the timeout's read.
timeout -> timeout
    <html|<!doctype|gateway time
        A proxy gave up waiting: stream long answers, and raise its read timeout (nginx: proxy_read_timeout).
    *
        The API took too long: stream long answers, or send them as a batch.
connection -> authentication
    illegal header value
        A header cannot be sent: check the key for line breaks, spaces, and for being empty.
connection -> connection
    wrong[_ ]version[_ ]number
        The address does not speak TLS: check the port, and http or https in base_url and in the proxy's address.
    unexpected[_ ]eof
        The other side broke off the TLS handshake: check the proxy or firewall on the way, then try again.
    ^unsupportedprotocol|missing an http
        The address is not whole: begin the client's base_url with https://.
    too many open files
        The process has too many open files: share one client instead of making many, or raise its limit (ulimit).
    client has been closed
        The client was closed before the call: share one client in the process, and close it after the last call.
    proxy authentication
        The network's proxy wants credentials: put them into HTTPS_PROXY (http://user:password@host:port).
    certificate|\bssl\b|\btls\b
        The TLS certificate was not accepted: give the client the root certificate of the company's proxy.
    name or service|getaddrinfo|name resolution|nodename
        The host's name was not found: check base_url, DNS, and the proxy settings.
    refused|unreachable|connection attempts failed
        Nothing answers at the address: check base_url, the firewall and the proxy settings.
    disconnected|reset by peer|connection reset|broken pipe
        The connection broke before the answer: try again, and look for a proxy that closes idle connections.
    *
        There was no connection: check the network, DNS, the firewall and the proxy settings.
stream_interrupted -> stream_interrupted
    *
        The answer broke off: send the request again, and raise the read timeout of the proxies on the way.
"""


TABLES = (_STATUSES, _ACCESS, _HEADERS, _LENGTH, _COMPLAINTS, _THINKING, _TOOLS, _MODELS, _CONTENT, _SERVICE)
