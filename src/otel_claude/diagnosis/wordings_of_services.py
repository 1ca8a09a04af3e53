"""What the words of platforms, gateways, proxies and networks mean, as tables: access, load, waiting, connections.

The language of the tables is that of `cases`. The wordings, with where they were seen, are in the tests.
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
414 -> invalid_request
    *
        The address is too long: check what base_url and the query of the request hold.
415 -> invalid_request
    *
        The body's content type is not taken: send application/json; a default header or a proxy may change it.
431 -> invalid_request
    *
        The headers are too large: send fewer and shorter ones (tokens, cookies, betas), or raise the proxy's limit.
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

_BILLING = r"""
billing -> billing
    more credits|can only afford
        The credits do not cover this request: buy credits, or lower max_tokens.
    higher (?:\w{1,20} )?limit|key limit exceeded
        The spend limit of this key is used up: raise it where the key was made.
invalid_request server other authentication permission billing rate_limited -> billing when no_field
    ^[^:]{0,80}(?:credit balance (?:is|was|has)|purchase (?:more )?credits|exceeded your current quota|extra usage, not)
        The credits are used up: buy credits or turn on auto-reload, in the organization of this key.
    ^[^:]{0,80}of extra usage|(?:^|: )insufficient[ _](?:credit|fund|balance|(?:\w{1,20}[ _])?quota)
        The credits are used up: buy credits or turn on auto-reload, in the organization of this key.
    ^[^:]{0,80}(?:reached|hit|exceeds?|exceeded) (?:\w{1,20} ){0,5}(?:usage limits|spend(?:ing)? limit)
        A spend limit of the organization or workspace was reached: raise it in the Console, or wait for its reset.
    ^[^:]{0,80}spend(?:ing)? limit (?:\w{1,20} ){0,2}(?:exceeded|reached|hit)
        A spend limit of the organization or workspace was reached: raise it in the Console, or wait for its reset.
    ^[^:]{0,80}(?:budget (?:\w{1,20} ){0,2}exceeded|exceeded ?(?:\w{1,20} ){0,2}(?:\w{1,10})?budget)
        A budget that a gateway keeps for this key is used up: raise it there, or wait until it is reset.
    (?:code|type): ?budget_exceeded
        A budget that a gateway keeps for this key is used up: raise it there, or wait until it is reset.
    ^[^:]{0,80}billing (?:to be enabled|is disabled|account|_disabled)|billing_disabled
        The cloud account has no valid billing: check the billing account and the payment method.
    ^[^:]{0,80}(?:payment[ _](?:instrument|method|required))
        The cloud account has no valid billing: check the billing account and the payment method.
"""

_ACCESS = r"""
invalid_request server other authentication permission rate_limited -> permission when no_field
    ^[^:]{0,80}(?:organization has been disabled|account (?:has been |is )?(?:disabled|suspended))
        The organization of this key is disabled: check which key the process uses, then ask Anthropic's support.
authentication permission -> permission
    not allowed to access model|can only access models
        The gateway does not let this key use the model: add the model to the key or team there.
    lacks the required data action
        The Azure identity may not call the model: give it a role that has this data action on the resource.
invalid_request authentication permission -> authentication when no_field
    ^[^:]{0,80}token tenant does not match|tenant provided in token does not match
        The Azure token is of another tenant: sign in to the tenant of the resource.
authentication permission -> authentication
    authentication failed: please make sure your api key is valid
        The key was refused: check that it is whole, not expired, and of this platform and region.
    ^authorization header is missing
        No key was sent: set AWS_BEARER_TOKEN_BEDROCK, or AWS credentials with which the client signs.
    credential should be scoped|invalidsignature|incompletesignature
        AWS refused the credentials: check the access key, the region and the machine's clock.
    security token (?:\w{1,20} ){0,6}expired|expiredtoken
        The AWS credentials have expired: refresh them, and let the process read them again.
    ^[^:]{0,80}\b(?:token|key|credentials?|session|bearer \S{1,20}) (?:\w{1,20} ){0,2}expired
        The key or token has expired: create a new one, and start the process with it.
    security token|request signature|signature (?:expired|does not match)|unrecognizedclient|missing authentica
        AWS refused the credentials: check the access key, the region and the machine's clock.
NoCredentialsError -> authentication when by_client
    *
        No AWS credentials were found: set a profile, a role or AWS_ACCESS_KEY_ID, or pass them to the client.
CredentialRetrievalError -> authentication when by_client
    *
        A source of AWS credentials was found, but it failed: try its role, process or sign-in by hand.
PartialCredentialsError -> authentication when by_client
    *
        A source of AWS credentials has only some of them: set access key, secret key and session token together.
ProfileNotFound -> authentication when by_client
    *
        There is no AWS profile of this name: check AWS_PROFILE, and which ~/.aws/config this process reads.
TokenRetrievalError UnauthorizedSSOTokenError SSOTokenLoadError -> authentication when by_client
    *
        The AWS sign-in has ended, or never took place here: sign in again (aws sso login), for the same profile.
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
    ^(?:ascii|_) codec cant encode
        A header cannot be sent: check the key for curly quotes and other characters that are not ASCII.
authentication -> authentication
    x-api-key header is required|api key (?:is )?(?:required|missing)|no api key
        No key was sent: set ANTHROPIC_API_KEY, or pass api_key to the client.
    \bexpired\b(?!-)
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
permission -> rate_limited
    out of call volume quota
        A gateway's quota of calls (Azure API Management) is used up: {pause}, or have it raised there.
permission -> request_too_large
    storage limit|storage quota
        The organization's storage for files is full: delete files, or ask for more.
permission -> permission
    ^<.{0,1500}(?:zscaler|netskope|fortiguard|forcepoint|cisco umbrella)
        The company's web filter refused it: have the API's host allowed there.
    ^error code: 10(?:0[6-9]|1[02]|20)$
        A firewall rule at Cloudflare refused it: check the network that the request leaves from, or the rule.
    ^rbac: access denied
        A policy of the service mesh (Istio, Envoy) refused it: have this workload allowed in it.
    virtual network/firewall|public access is disabled|private endpoint
        The Azure resource takes nothing from this network: allow it in the firewall, or use the private endpoint.
    ^[^:]{0,80}\bip (?:address(?:es)? )?(?:\w{1,20} ){0,2}(?:not allowed|not in |blocked|denied|allow ?list)
        The organization takes requests only from known IP addresses: allow this one, or leave from one of those.
    ^request not allowed|<html|<!doctype
        The network was refused: check the country, VPN or proxy that the request leaves from.
    insufficient authentication scopes
        The Google credentials lack a scope: renew them with cloud-platform; a VM has its scopes from its creation.
permission invalid_request -> permission when no_field
    not allowed from unsupported countries
        The country that the request comes from is not served: check the account's country, VPN and region.
    ^operation not allowed
        AWS does not let this account call the model: check its access to models, then ask AWS's support.
    ^[^:]{0,80}(?:only authorized for use with claude code|oauth)
        This OAuth token may not be used here: use an API key of the organization.
    ^[^:]{0,80}not enabled for (?:this|your)
        This is not enabled for the organization: have an administrator enable it in the Console.
    ^organization policy constraint
        A policy of the Google Cloud organization forbids it: have its administrator allow the feature or the model.
    ^data retention mode|zero data retention
        The model is not served with the data retention of this account: change that, or choose another model.
permission model_not_found -> permission
    no endpoints found matching your data policy
        The gateway's privacy settings leave no provider for the model: change them there (OpenRouter: data policy).
    no allowed providers|no endpoints found
        The gateway's routing leaves no provider for the model: allow one that has it and what the request needs.
permission invalid_request model_not_found -> permission when no_field
    ^[^:]{0,80}(?:use case details|access to (?:the|this) model|not allowed to use publisher model|marketplace)
        The cloud account may not use this model: enable it there (access form, marketplace terms), in this region.
    ^model access is denied
        The cloud account may not use this model: enable it there (access form, marketplace terms), in this region.
permission -> permission
    bedrock:|(?<![\w@.-])iam\b|aiplatform|not authorized to perform|api has not been used|service_disabled
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

_LOAD = r"""
rate_limited -> rate_limited
    processing queue|batch.{0,60}queue
        Too many batch requests wait to be processed: send more when earlier batches have ended, or ask for more.
    acceleration|usage increase rate|ramp up
        Traffic grew too fast: {pause}, then raise it gradually.
    per day|per_day|daily
        The quota of a day is used up: wait for the next day, ask for more, or use another model or region.
    aiplatform|resource[_ ](?:has been )?exhausted|quota exceeded
        The Google Cloud quota of {limits} of this model is used up, or 0: {pause}, ask for more, or use another region.
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
503 -> server
    <html|<!doctype|nginx
        A gateway got no answer from the API: {pause} and try again, then look at the gateway's own log.
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
"""

_WAITING = r"""
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
    ^(?:upstream request|stream) timeout
        A proxy gave up waiting: stream long answers, and raise its timeout (Envoy: that of the route, 15 s by default).
    ^endpoint request timed out
        A proxy gave up waiting: stream long answers, and raise its timeout (AWS API Gateway: 29 s by default).
    <html|<!doctype|gateway time
        A proxy gave up waiting: stream long answers, and raise its read timeout (nginx: proxy_read_timeout).
    *
        The API took too long: stream long answers, or send them as a batch.
"""

_CONNECTIONS = r"""
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
    cannot assign requested address
        The machine has no port left for a connection: share one client, whose connections are used again.
    event loop is closed|different (?:event )?loop
        The client belongs to an event loop that has ended: make one client in each loop, and close it there.
    client has been closed
        The client was closed before the call: share one client in the process, and close it after the last call.
    socks proxy
        The network's proxy is a SOCKS proxy: install socksio (httpx[socks]), or take the proxy out of ALL_PROXY.
    proxy authentication
        The network's proxy wants credentials: put them into HTTPS_PROXY (http://user:password@host:port).
    ^proxyerror
        The network's proxy refused or failed: have the API's host allowed there, or list it in NO_PROXY.
    certificate (?:has expired|is not yet valid)
        The TLS certificate is out of date by this machine's clock: set the clock, or have the certificate renewed.
    hostname mismatch|not valid for|doesnt match
        The TLS certificate is that of another host: check base_url and DNS, and who intercepts the connection.
    protocol[_ ]version|unsupported[_ ]protocol|handshake[_ ]failure|no shared cipher
        The two sides have no TLS version in common: renew this machine's Python and OpenSSL, or the proxy on the way.
    certificate|\bssl\b|\btls\b
        The TLS certificate was not accepted: give the client the root certificate of the company's proxy.
    name or service|getaddrinfo|name resolution|nodename|no address associated
        The host's name was not found: check base_url, DNS, and the proxy settings.
    refused|unreachable|connection attempts failed|no route to host|did not properly respond
        Nothing answers at the address: check base_url, the firewall and the proxy settings.
    disconnected|reset by peer|connection reset|broken pipe|connectionterminated|closed connection
        The connection broke before the answer: try again, and look for a proxy that closes idle connections.
    *
        There was no connection: check the network, DNS, the firewall and the proxy settings.
other -> connection when garbled
    *
        What came is no whole JSON: look for a proxy that cuts or replaces answers, or at what your own code parsed.
stream_interrupted -> stream_interrupted
    *
        The answer broke off: send the request again, and raise the read timeout of the proxies on the way.
"""

BEFORE = (_STATUSES, _BILLING, _ACCESS)
"""What is told before a request's own faults: who may call at all, and who pays."""

AFTER = (_LOAD, _WAITING, _CONNECTIONS)
"""What is told after them."""
