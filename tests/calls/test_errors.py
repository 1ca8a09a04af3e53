"""Calls that fail: what the span, the metrics and the one event say, and what the application gets."""

import socket
from collections.abc import Sequence
from typing import Any

import anthropic
import pytest
from driver import ASK, attributes, only_span, settled
from inline_snapshot import snapshot
from opentelemetry.trace import StatusCode
from stepwise import http

from fixture_types import API_KEY, Make
from otel_claude.testing import (
    BadRequest,
    BillingError,
    Cut,
    ErrorResponse,
    GatewayTimeout,
    Hang,
    NotFound,
    Outcome,
    Overloaded,
    PermissionDenied,
    RateLimited,
    Raw,
    RequestTooLarge,
    ServerError,
    SimulatedClaude,
    Telemetry,
    Unauthorized,
)
from otel_claude.testing.snapshots import is_volatile

CATEGORIES: Sequence[tuple[ErrorResponse, str]] = (
    (BadRequest(), "invalid_request"),
    (Unauthorized(), "authentication"),
    (BillingError(), "billing"),
    (PermissionDenied(), "permission"),
    (NotFound(), "model_not_found"),
    (RequestTooLarge(), "request_too_large"),
    (RateLimited(), "rate_limited"),
    (ServerError(), "server"),
    (GatewayTimeout(), "timeout"),
    (Overloaded(), "overloaded"),
)
"""The errors of https://platform.claude.com/docs/en/api/errors."""


async def failed(client: Any, **options: Any) -> Exception:
    """The exception of a call that fails."""
    with pytest.raises(Exception) as raised:  # noqa: PT011  # the caller looks at it
        await settled(client.messages.create(**ASK, **options))
    return raised.value


async def test_a_refused_call_is_one_whole_span_with_one_event(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(Overloaded())
    await failed(client)

    def is_masked(name: str) -> bool:
        """The SDK's versions and clients do not agree on the class for status 529."""
        return name == "exception.type" or is_volatile(name)

    assert telemetry.tree(masked=is_masked) == snapshot("""\
chat claude-sonnet-5-5 | client | error: Error code: 529 - {'type': 'error', 'error': {'type': 'overloaded_error', 'message': 'Overloaded'}, 'request_id': 'req_sim_0001'}
    anthropic.organization.id = "org-simulated"
    anthropic.request.id = "req_sim_0001"
    claude.error.category = "overloaded"
    claude.error.hint = "The API has too much to do: wait and try again, raise max_retries, or fall back to another model."
    claude.platform = "anthropic"
    claude.request.messages = 1
    claude.request.size_bytes = …
    error.type = "overloaded_error"
    gen_ai.operation.name = "chat"
    gen_ai.provider.name = "anthropic"
    gen_ai.request.max_tokens = 64
    gen_ai.request.model = "claude-sonnet-5-5"
    http.response.status_code = 529
    server.address = "127.0.0.1"
    server.port = …
    * gen_ai.client.operation.exception | warn
        anthropic.request.id = "req_sim_0001"
        claude.error.category = "overloaded"
        claude.error.hint = "The API has too much to do: wait and try again, raise max_retries, or fall back to another model."
        claude.platform = "anthropic"
        claude.request.messages = 1
        error.type = "overloaded_error"
        exception.message = "Error code: 529 - {'type': 'error', 'error': {'type': 'overloaded_error', 'message': 'Overloaded'}, 'request_id': 'req_sim_0001'}"
        exception.stacktrace = …
        exception.type = …
        gen_ai.operation.name = "chat"
        gen_ai.provider.name = "anthropic"
        gen_ai.request.max_tokens = 64
        gen_ai.request.model = "claude-sonnet-5-5"
        server.address = "127.0.0.1"
        server.port = …\
""")  # noqa: E501  # as they are written


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("error", "category"), CATEGORIES, ids=[error.type for error, _ in CATEGORIES])
async def test_each_error_of_the_api_is_told_by_its_code(
    error: ErrorResponse,
    category: str,
    stream: bool,
    client: Any,
    claude: SimulatedClaude,
    telemetry: Telemetry,
):
    claude.will(error)
    raised = await failed(client, stream=stream)
    assert isinstance(raised, anthropic.APIStatusError)
    span, told = only_span(telemetry), attributes(telemetry)
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == str(raised)
    assert told["error.type"] == error.type
    assert told["claude.error.category"] == category
    assert told["http.response.status_code"] == error.status
    assert told["anthropic.request.id"] == "req_sim_0001"
    assert span.events == ()
    (event,) = telemetry.events
    assert event.name == "gen_ai.client.operation.exception"
    assert event.severity == "WARN"
    assert event.span_id == (span.context.span_id if span.context else None)
    assert event.attributes["error.type"] == error.type
    assert event.attributes["exception.message"] == str(raised)
    assert event.attributes["exception.type"].startswith("anthropic.")
    assert event.attributes["anthropic.request.id"] == "req_sim_0001"
    (point,) = telemetry.metrics["gen_ai.client.operation.duration"]
    assert point["attributes"]["error.type"] == error.type
    assert point["attributes"]["claude.error.category"] == category
    assert "gen_ai.client.token.usage" not in telemetry.metrics


@pytest.mark.parametrize(
    ("outcome", "error_type", "category"),
    [
        pytest.param(Raw(502, {}, b"<html>Bad Gateway</html>"), "502", "server", id="proxy"),
        pytest.param(Raw(503, {}, {"message": "no"}), "503", "server", id="proxy with JSON"),
        pytest.param(Raw(429, {}, b"slow down"), "429", "rate_limited", id="limit of a proxy"),
        pytest.param(Raw(401, {}, b"who are you"), "401", "authentication", id="proxy wants a login"),
        pytest.param(
            Raw(400, {}, {"error": {"type": "invented_error"}}), "invented_error", "invalid_request", id="unknown"
        ),
        pytest.param(Cut(0), "connection_error", "connection", id="cut"),
        pytest.param(Hang(5), "timeout", "timeout", id="timeout"),
    ],
)
async def test_errors_of_others_are_told_as_well(
    outcome: Outcome, error_type: str, category: str, client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(outcome)
    await failed(client, timeout=0.5)
    told = attributes(telemetry)
    assert (told["error.type"], told["claude.error.category"]) == (error_type, category)
    assert only_span(telemetry).status.status_code is StatusCode.ERROR
    assert [event.attributes["error.type"] for event in telemetry.events] == [error_type]


async def test_nobody_at_the_other_end_is_a_connection_error(make: Make, telemetry: Telemetry):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    raised = await failed(make(api_key=API_KEY, base_url=f"http://127.0.0.1:{port}"))
    assert isinstance(raised, anthropic.APIConnectionError)
    told = attributes(telemetry)
    assert (told["error.type"], told["server.port"]) == ("connection_error", port)
    assert "http.response.status_code" not in told


async def test_a_mistake_of_the_application_before_the_call_is_no_call(client: Any, telemetry: Telemetry):
    with pytest.raises(TypeError):
        await settled(client.messages.create(model="claude-sonnet-5-5"))
    assert telemetry.spans == []


async def test_a_request_that_cannot_be_sent_is_a_failed_call(client: Any, telemetry: Telemetry):
    """The SDK finds out when it writes the JSON, in the middle of the call."""
    raised = await failed(client, extra_body={"metadata": object()})
    assert attributes(telemetry)["error.type"] == type(raised).__name__
    assert only_span(telemetry).status.status_code is StatusCode.ERROR


async def test_a_failed_call_does_not_change_the_next(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(Overloaded())
    await failed(client)
    telemetry.clear()
    await settled(client.messages.create(**ASK))
    told = attributes(telemetry)
    assert not [name for name in told if "error" in name]
    assert telemetry.events == []


async def test_a_call_may_be_made_while_an_exception_is_handled(client: Any, telemetry: Telemetry):
    try:
        int("no number")
    except ValueError:
        await settled(client.messages.create(**ASK))
    assert "error.type" not in attributes(telemetry)


async def test_what_a_user_wrote_in_place_of_a_model_is_on_no_metric(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    limits: dict[str, str | None] = {
        "anthropic-ratelimit-requests-limit": "1000",
        "anthropic-ratelimit-requests-remaining": "10",
    }
    texts = [f"user text {number}" for number in range(50)]
    claude.will(*(NotFound(f"model: {text}", headers=limits) for text in texts))
    for text in texts:
        with pytest.raises(anthropic.NotFoundError):
            await settled(client.messages.create(**{**ASK, "model": text}))
    assert "user text" not in str(telemetry.metrics)
    assert telemetry.count("gen_ai.client.operation.duration", {"gen_ai.request.model": "_OTHER"}) == 50
    limit = {"claude.rate_limit.type": "requests", "claude.rate_limit.model": "_OTHER"}
    assert telemetry.total("claude.rate_limit.remaining", limit) == 10
    assert [(span.attributes or {})["gen_ai.request.model"] for span in telemetry.spans] == texts
    low = [event for event in telemetry.events if event.name == "claude.rate_limit.low"]
    assert [event.attributes["gen_ai.request.model"] for event in low] == texts[:1]


async def test_a_page_of_a_proxy_is_cut(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(Raw(502, {}, b"<html>" + b"x" * 5_000_000))
    await failed(client)
    description = only_span(telemetry).status.description or ""
    assert description.endswith("characters left out]")
    assert len(description) < 5_000
    (event,) = telemetry.events
    assert len(str(event.attributes)) < 50_000


async def test_what_is_no_code_is_no_error_type(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    """A gateway's text would be a value of a metric."""
    claude.will(Raw(403, {}, {"error": {"type": "user 4711 said: hello"}}))
    await failed(client)
    assert attributes(telemetry)["error.type"] == "403"


def unreachable(error: Exception, client: Any) -> Any:
    """An HTTP client whose every request fails with `error`."""

    def fail(request: Any) -> Any:
        raise error

    kind = http.AsyncClient if isinstance(client, anthropic.AsyncAnthropic) else http.Client
    return kind(transport=http.MockTransport(fail))


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (http.ConnectTimeout("timed out"), "The host was not reached within 3 s"),
        (http.ConnectTimeout("_ssl.c:989: The handshake operation timed out"), "The TLS handshake took more than 3 s"),
        (http.PoolTimeout(""), "No connection of the client was free within 5 s"),
        (http.WriteTimeout(""), "The request was not taken within 4 s"),
        (http.ReadTimeout("timed out"), "No answer came within 600 s"),
        (http.UnsupportedProtocol("Request URL is missing an 'http://' protocol."), "The address is not whole"),
        (RuntimeError("Cannot send a request, as the client has been closed."), "The client was closed before"),
    ],
)
async def test_what_the_http_client_could_not_do_is_told(
    error: Exception, hint: str, client: Any, make: Make, telemetry: Telemetry
):
    """Each entry of the timeout has a length of its own: https://www.python-httpx.org/advanced/timeouts/."""
    broken = make(api_key=API_KEY, http_client=unreachable(error, client))
    await failed(broken, timeout=http.Timeout(connect=3.0, write=4.0, pool=5.0, read=600.0))
    assert attributes(telemetry)["claude.error.hint"].startswith(hint)


class Unset(Exception):
    """Of an application's own transport or middleware."""

    @property
    def response(self) -> Any:
        raise RuntimeError("The .response property has not been set.")


async def test_an_exception_that_raises_when_it_is_looked_at_is_told(
    client: Any, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
):
    def unset(*_: object) -> Any:
        raise Unset

    monkeypatch.setattr(client.__class__, "auth_headers", property(unset))
    assert isinstance(await failed(client), Unset)
    span = only_span(telemetry)
    assert attributes(telemetry)["error.type"] == "Unset"
    assert span.status.status_code == StatusCode.ERROR
    assert telemetry.count("gen_ai.client.operation.duration", {"error.type": "Unset"}) == 1


async def test_a_timeout_after_a_refused_attempt_is_told_as_one(client: Any, make: Make, telemetry: Telemetry):
    """What an earlier attempt was answered says nothing of the last one."""
    answers: list[Any] = [http.Response(529, json={}, headers={"retry-after-ms": "1"})]

    def answer(request: Any) -> Any:
        if answers:
            return answers.pop()
        raise http.ConnectTimeout("timed out")

    kind = http.AsyncClient if isinstance(client, anthropic.AsyncAnthropic) else http.Client
    flaky = make(api_key=API_KEY, http_client=kind(transport=http.MockTransport(answer)), max_retries=1)
    await failed(flaky)
    assert attributes(telemetry)["claude.error.hint"].startswith("The host was not reached")


async def test_credentials_that_the_sdk_does_not_find_are_missing_credentials(
    client: Any, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
):
    """As `anthropic/lib/bedrock/_auth.py` raises it, while the request is prepared."""

    def prepare(_: Any) -> Any:
        raise RuntimeError("could not resolve credentials from session")

    monkeypatch.setattr(client, "_prepare_request", prepare)
    await failed(client)
    told = attributes(telemetry)
    assert (told["error.type"], told["claude.error.category"]) == ("RuntimeError", "authentication")
    assert told["claude.error.hint"].startswith("No AWS credentials were found")
    assert only_span(telemetry).status.description is None


@pytest.mark.parametrize("key", ["x", "token"])
async def test_a_placeholder_for_a_key_hides_nothing_of_what_is_read(
    key: str, make: Make, claude: SimulatedClaude, telemetry: Telemetry
):
    """Such keys are usual behind gateways. What is recorded stays without them."""
    claude.will(BadRequest("prompt is too long: 209000 tokens > 200000 maximum, extra"))
    await failed(make(api_key=key))
    assert attributes(telemetry)["claude.error.hint"].startswith("The prompt has 209,000 tokens")
    assert key not in (only_span(telemetry).status.description or "")


async def test_a_page_that_passes_for_an_answer_is_told_and_handed_on(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    """The SDK hands on as a text what does not say that it is JSON: `_parse` in anthropic/_response.py."""
    claude.will(Raw(200, body=b"<html>Sign in</html>"))
    answer: Any = await settled(client.messages.create(**ASK))
    assert answer == "<html>Sign in</html>"
    told = attributes(telemetry)
    assert told["claude.error.hint"].startswith("The answer is no message but text/html: check base_url")
    assert "error.type" not in told
    assert only_span(telemetry).status.status_code is StatusCode.UNSET


async def test_a_tool_that_bedrock_refuses_is_told_by_its_index(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    tool: Any = {"name": "get_user", "input_schema": {"type": "object", "properties": {}}}
    claude.will(BadRequest("Malformed input request: #/tools/0/input_schema: extraneous key [$defs] is not permitted"))
    await failed(client, tools=[tool])
    assert attributes(telemetry)["claude.error.category"] == "tool_schema"
    (told,) = [event.attributes for event in telemetry.events if event.name == "claude.tool_schema.invalid"]
    assert (told["claude.tool_schema.index"], told["claude.tool_schema.path"]) == (0, "input_schema")
