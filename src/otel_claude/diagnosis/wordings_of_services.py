"""What the words of platforms, gateways, proxies and networks mean, as tables: load, waiting, connections.

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
421 -> server
    *
        The server at this address does not serve this host: check base_url, and the TLS name that a proxy sends on.
426 -> server
    *
        A proxy wants another version of HTTP: let the one before it speak HTTP/1.1 (nginx: proxy_http_version 1.1).
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

_LOAD = r"""
ServiceQuotaExceededException -> rate_limited when refused
    *
        A quota of the AWS account is used up: ask for more in Service Quotas, or use another region.
rate_limited -> rate_limited
    crossed tpm / rpm / max parallel request limit
        The gateway's limit of {limits} was reached: {pause}, spread requests over time, or have it raised there.
        A limit of the gateway (tokens or requests a minute, or calls at once) was reached: {pause}, or have it raised.
    processing queue|batch.{0,60}queue
        Too many batch requests wait to be processed: send more when earlier batches have ended, or ask for more.
    acceleration|usage increase rate|ramp up
        Traffic grew too fast: {pause}, then raise it gradually.
    per day|per_day|daily
        The quota of a day is used up: wait for the next day, ask for more, or use another model or region.
    ^resource (?:has been )?exhausted(?!.{0,200}quota (?:exceeded|metric))
        Google Cloud has no capacity or quota left: {pause} and try again, or use the global endpoint or another region.
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
    not connected to db|no_db_connection
        The gateway does not reach its own database: look at its log, then try again.
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
        The server failed: {pause} and try again; report the request id if it goes on.
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
timeout -> timeout when told_in_stream
    *
        The server says in the middle of the answer that its time is up: send it again, or ask for a shorter answer.
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
    ^invalidurl|invalid port
        The address is not valid: check base_url and its port.
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
    certificate
        The TLS certificate was not accepted: give the client the root certificate of the company's proxy.
    \bssl\b|\btls\b
        TLS failed: the cause of the exception says how; check certificates, and the proxy or firewall on the way.
    name or service|getaddrinfo|name resolution|nodename|no address associated
        The host's name was not found: check base_url, DNS, and the proxy settings.
    refused|unreachable|connection attempts failed|no route to host|did not properly respond
        Nothing answers at the address: check base_url, the firewall and the proxy settings.
    disconnected|reset by peer|connection reset|broken pipe|connectionterminated|closed connection
        The connection broke before the answer: try again, and look for a proxy that closes idle connections.
    forcibly closed|streamreset|payload is not completed
        The connection broke before the answer: try again, and look for a proxy that closes idle connections.
    *
        The connection failed: the cause of the exception says how; check the network, DNS, firewalls and proxies.
other -> connection when garbled
    *
        What came is no whole JSON: look for a proxy that cuts or replaces answers, or at what your own code parsed.
stream_interrupted -> stream_interrupted when no_stream
    *
        What came is no stream but a page: check base_url, and the proxy or sign-in page on the way.
stream_interrupted -> stream_interrupted
    *
        The answer broke off: send the request again, and raise the read timeout of the proxies on the way.
"""

BEFORE = (_STATUSES,)
"""What a status says whatever the words."""

AFTER = (_LOAD, _WAITING, _CONNECTIONS)
"""What is told of failures that no request is to blame for."""
