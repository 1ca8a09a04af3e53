"""What the SDK's own objects say, read into the record's words.

In: a client, the options of a request, a response, a parsed result. Out: `Server`, `Request` and facts of the response.
Each name of the SDK that is read here may be missing in some version.
"""

import json
from collections.abc import Mapping
from typing import Any

from otel_claude import usage
from otel_claude.anthropic.endpoints import endpoint_of
from otel_claude.call import Call, Endpoint, Request, Response, Retry, Server
from otel_claude.failsafe import guarded
from otel_claude.outcome import STATUS_TYPES, api_code, error_type, forms_of
from otel_claude.rate_limits import retry_after
from otel_claude.values import NO_FIELDS, OTHER, Fields, fields, is_array, is_object, number, text

PLATFORMS: Mapping[str, tuple[str, str]] = {
    "anthropic.lib.bedrock": ("bedrock", "aws.bedrock"),
    "anthropic.lib.vertex": ("vertex", "gcp.vertex_ai"),
    "anthropic.lib.foundry": ("foundry", "anthropic"),
    "anthropic.lib.aws": ("aws", "anthropic"),
    "anthropic.lib.google_cloud": ("google_cloud", "anthropic"),
}
"""By the package of the client's class: the platform and its `gen_ai.provider.name`.

Claude in Foundry, on AWS's and on Google Cloud's own platform speaks the first party's format, which is what the
provider's name tells.
"""

REGIONS = {"bedrock": "aws_region", "vertex": "region"}
PORTS = {"http": 80, "https": 443}
SHORTEST_USER = 8
"""A user's id that is shorter, such as `7`, is found in numbers and words that have nothing to do with it."""
CREDENTIALS = ("api_key", "auth_token")
AWS_CREDENTIALS = (*CREDENTIALS, "aws_session_token", "aws_secret_key", "aws_access_key")
CLOUD_CREDENTIALS: Mapping[str, tuple[str, ...]] = {
    "bedrock": AWS_CREDENTIALS,
    "aws": AWS_CREDENTIALS,
    "vertex": (*CREDENTIALS, "access_token"),
}
"""By platform. Credentials that a client finds elsewhere are in the headers of what it sends, see `outcome`."""

_platforms: dict[type[Any], tuple[str, str]] = {}


def platform_of(client_type: type[Any]) -> tuple[str, str]:
    """Platform and provider of a class of clients, which may be a subclass of the application's."""
    known = _platforms.get(client_type)
    if known is None:
        packages = (".".join(cls.__module__.split(".")[:3]) for cls in client_type.__mro__)
        found = (PLATFORMS[package] for package in packages if package in PLATFORMS)
        known = _platforms[client_type] = next(found, ("anthropic", "anthropic"))
    return known


def server_of(client: Any) -> Server:
    """Who the client talks to."""
    platform, provider = platform_of(client.__class__)
    url = client.base_url
    region = getattr(client, REGIONS[platform], None) if platform in REGIONS else None
    port = url.port or PORTS.get(url.scheme)
    return Server(platform, provider, url.host or None, port, region if isinstance(region, str) else None)


def secrets_of(client: Any, request: Request) -> tuple[str, ...]:
    """The client's keys, and who the user is, to be kept out of every text."""
    user = text(fields(request.body.get("metadata")).get("user_id")) or ""
    secrets: tuple[str, ...] = (user,) if len(user) >= SHORTEST_USER else ()
    for name in CLOUD_CREDENTIALS.get(platform_of(client.__class__)[0], CREDENTIALS):
        key = getattr(client, name, None)
        if isinstance(key, str) and key:
            secrets += forms_of(key)
    return secrets


def request_of(client: Any, options: Any, conversation: str | None) -> tuple[Endpoint, Request]:
    """What the request asks for. The body is not copied, and none of its lists is walked."""
    method = options.method.lower()
    endpoint = endpoint_of(method, options.url, getattr(options, "span_name", None))
    body = _body_of(options)
    model = body.get("model")
    request = Request(
        options.method.upper(),
        body,
        model if isinstance(model, str) else None,
        body.get("stream") is True,
        _betas(client, options) if endpoint.is_inference else (),
        conversation,
    )
    return endpoint, request


def _body_of(options: Any) -> Fields:
    body, extra = options.json_data, options.extra_json
    if not is_object(body):
        body = NO_FIELDS
    return {**body, **extra} if extra else body


def _betas(client: Any, options: Any) -> tuple[str, ...]:
    for headers in (options.headers, getattr(client, "_custom_headers", None)):
        for name, value in headers.items() if is_object(headers) else ():
            if name.lower() == "anthropic-beta" and isinstance(value, str) and value:
                return tuple(part.strip() for part in value.split(","))
    return ()


@guarded(None)
def take_request(call: Call, options: Any, http_request: Any) -> None:
    """Takes the body that is about to be sent, its size, and how long the client will wait."""
    call.sent_body = fields(options.json_data)
    if options.json_data is None or options.files:
        # The body of an upload is read while it is sent.
        size = http_request.headers.get("content-length")
        call.sent_bytes = None if size is None else int(size)
    else:
        call.sent_bytes = len(http_request.content)
    call.timeout_s = number(fields(http_request.extensions.get("timeout")).get("read"))


def headers_of(http_response: Any) -> dict[bytes, bytes]:
    """The headers of an HTTP response, their names in lower case."""
    return {name.lower(): value for name, value in http_response.headers.raw}


def take_headers(response: Response, http_response: Any) -> None:
    """Takes the status and the headers of an HTTP response."""
    response.headers, response.status_code = headers_of(http_response), http_response.status_code


def retry_of(http_response: Any, error: BaseException | None) -> Retry:
    """Why a request is going to be sent again: because of a response, or of an exception that there is instead."""
    if http_response is None:
        return Retry(OTHER if error is None else error_type(error, in_stream=False))
    headers, status = headers_of(http_response), http_response.status_code
    # The body of an answer that was to be streamed has not been read.
    was_read = http_response.is_stream_consumed
    code = api_code(json_of(http_response.content) if was_read else None, http_response.headers)
    return Retry(
        code or (not was_read and STATUS_TYPES.get(status)) or str(status),
        status,
        request_id=http_response.headers.get("request-id"),
        aws_request_id=http_response.headers.get("x-amzn-requestid"),
        after_s=retry_after(headers),
    )


def fields_of(value: Any) -> Fields:
    """The fields of a model of the SDK, or of a decoded JSON object, as a mapping. Of anything else: none.

    A model has the fields that its class does not know among its extras.
    """
    if is_object(value):
        return value
    fields: dict[str, Any] | None = getattr(value, "__dict__", None)
    if fields is None:
        return NO_FIELDS
    extras = getattr(value, "__pydantic_extra__", None)
    return {**fields, **extras} if extras else fields


NESTED_USAGE = ("cache_creation", "server_tool_use", "output_tokens_details")


def usage_fields(value: Any) -> dict[str, Any]:
    """The `usage` of a message or of an event with all that is in it as mappings."""
    fields = dict(fields_of(value))
    for name in NESTED_USAGE:
        if (nested := fields.get(name)) is not None:
            fields[name] = fields_of(nested)
    if (entries := fields.get("iterations")) is not None:
        fields["iterations"] = [usage_fields(entry) for entry in entries]
    return fields


def take_message(response: Response, message: Fields) -> None:
    """Takes what a Message says, or a legacy completion, which has no usage. Text is not looked at."""
    response.id = text(message.get("id"))
    response.model = text(message.get("model"))
    response.stop_reason = text(message.get("stop_reason"))
    if (said := message.get("usage")) is not None:
        response.usage = usage.read(usage_fields(said))


def decoded(result: Any) -> Any:
    """The result of a call: a model of the SDK as it is, and what is in the raw response around one as JSON."""
    http_response = getattr(result, "http_response", None)
    return result if http_response is None else json_of(http_response.content)


def take_result(response: Response, endpoint: Endpoint, result: Any) -> None:
    """Takes what the result of a call says: a model of the SDK, or a decoded JSON object."""
    if endpoint.is_inference:
        take_message(response, fields_of(result))
    elif endpoint.kind != "other":
        response.fields = fields_of(result)


def content_of(result: Any) -> list[Any]:
    """The content blocks of a Message, or the text of a legacy completion, as the API spelled them."""
    message: Fields = result.to_dict() if hasattr(result, "to_dict") else fields_of(result)
    if (completion := text(message.get("completion"))) is not None:
        return [{"type": "text", "text": completion}]
    blocks = message.get("content")
    return list(blocks) if is_array(blocks) else []


def json_of(content: bytes) -> Any:
    """The JSON value of a body; `None` where it is none."""
    try:
        return json.loads(content)
    except ValueError:
        return None
