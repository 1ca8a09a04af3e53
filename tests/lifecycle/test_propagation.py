"""What goes out with a request: `traceparent` names the span of the call, and never breaks a signature."""

import asyncio
import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest
from apps import HELLO, KEY, NATIVE_SPAN, SDK_MAKES_SPANS, SDK_VERSION, SPAN, SwitchOn, connect, connect_async, ids
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, TraceFlags, use_span

from otel_claude import Settings
from otel_claude.testing import Answer, RateLimited, SimulatedClaude, Telemetry

http: Any = __import__("httpx2" if SDK_VERSION >= (1, 0) else "httpx")
SIGNED_HEADERS = re.compile(r"SignedHeaders=([^,]+)")
BEDROCK_MODEL = "global.anthropic.claude-sonnet-4-5-20250929-v1:0"


def traceparent(span: ReadableSpan, flags: int = 1) -> str:
    return f"00-{ids(span).trace_id:032x}-{ids(span).span_id:016x}-{flags:02x}"


def bedrock(claude: SimulatedClaude, **options: Any) -> Any:
    from anthropic.lib.bedrock import AnthropicBedrock

    return AnthropicBedrock(
        base_url=claude.base_url,
        aws_access_key="AKIASIMULATED",
        aws_secret_key="made-up",
        aws_region="us-east-1",
        **options,
    )


def test_traceparent_names_our_span_on_every_attempt(
    claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry
):
    claude.will(RateLimited(retry_after=0.001), RateLimited(retry_after=0.001))
    switch_on()
    with connect(claude) as client:
        client.messages.create(**HELLO)

    sent = [request.headers.get("traceparent") for request in claude.requests]
    assert sent == [traceparent(telemetry.span(SPAN))] * 3


def test_traceparent_names_our_span_of_streams_and_other_calls(
    claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry
):
    switch_on()
    with connect(claude) as client:
        for _ in client.messages.create(**HELLO, stream=True):
            pass
        client.models.list()

    sent = [request.headers.get("traceparent") for request in claude.requests]
    assert sent == [traceparent(span) for span in telemetry.spans]


def test_traceparent_names_our_span_with_an_async_client(
    claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry
):
    switch_on()

    async def main() -> None:
        async with connect_async(claude) as client:
            await client.messages.create(**HELLO)

    asyncio.run(main())

    assert claude.requests[-1].headers.get("traceparent") == traceparent(telemetry.span(SPAN))


@pytest.mark.skipif(not SDK_MAKES_SPANS, reason="the SDK makes no spans")
@pytest.mark.parametrize("mode", ["enrich", "keep"])
def test_traceparent_names_the_sdks_span_where_that_stays(
    claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry, mode: str
):
    switch_on(settings=Settings(native_spans=mode))
    with connect(claude, open_telemetry={"tracer_provider": telemetry.tracer_provider}) as client:
        client.messages.create(**HELLO)

    assert claude.requests[-1].headers["traceparent"] == traceparent(telemetry.span(NATIVE_SPAN))


@pytest.mark.skipif(not SDK_MAKES_SPANS, reason="the SDK propagates nothing")
@pytest.mark.parametrize("option", [{"propagation": False}, False, {"traces": False}], ids=str)
def test_a_client_that_propagates_nothing_does_so_with_us(
    claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry, option: Any
):
    switch_on()
    with connect(claude, open_telemetry=option) as client:
        client.messages.create(**HELLO)

    assert "traceparent" not in claude.requests[-1].headers
    assert [span.name for span in telemetry.spans] == [SPAN]


def test_a_sampled_out_parent_is_passed_on_as_sampled_out(
    claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry
):
    parent = SpanContext(0xA1, 0xB2, is_remote=True, trace_flags=TraceFlags(0))
    switch_on()
    with use_span(NonRecordingSpan(parent)), connect(claude) as client:
        client.messages.create(**HELLO)
        for _ in client.messages.create(**HELLO, stream=True):
            pass

    for request in claude.requests:
        version, trace_id, _, flags = request.headers["traceparent"].split("-")
        assert (version, trace_id, flags) == ("00", f"{0xA1:032x}", "00")
    assert telemetry.spans == []
    assert telemetry.count("gen_ai.client.operation.duration") == 2
    assert telemetry.count("gen_ai.client.token.usage") == 4


def test_a_sampler_that_drops_our_span_leaves_the_metrics_as_they_are(
    claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry
):
    claude.will(Answer("Hi", usage={"input_tokens": 7, "output_tokens": 3}))
    switch_on(tracer_provider=TracerProvider(sampler=ParentBased(ALWAYS_OFF), shutdown_on_exit=False))
    with connect(claude) as client:
        client.messages.create(**HELLO)

    flags = int(claude.requests[-1].headers["traceparent"].rpartition("-")[2], 16)
    assert flags & TraceFlags.SAMPLED == 0
    assert telemetry.total("gen_ai.client.token.usage") == 7 + 3


def test_a_header_of_the_applications_own_is_not_sent_twice(
    claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry
):
    switch_on()
    with connect(claude) as client:
        client.messages.create(**HELLO, extra_headers={"traceparent": "00-" + "1" * 32 + "-" + "2" * 16 + "-01"})

    assert claude.requests[-1].headers["traceparent"] == traceparent(telemetry.span(SPAN))


@pytest.mark.parametrize("stream", [False, True], ids=["create", "stream"])
def test_a_bedrock_signature_does_not_cover_traceparent(
    claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry, stream: bool
):
    switch_on()
    with bedrock(claude) as client:
        answer = client.messages.create(**{**HELLO, "model": BEDROCK_MODEL}, stream=stream)
        if stream:
            assert list(answer)[-1].type == "message_stop"

    headers = claude.requests[-1].headers
    signed = SIGNED_HEADERS.search(headers["authorization"])
    assert signed is not None
    assert "traceparent" not in signed[1].split(";")
    assert headers.get("traceparent") == (traceparent(telemetry.spans[0]) if SDK_MAKES_SPANS else None)
    (span,) = telemetry.spans
    assert span.name == f"chat {BEDROCK_MODEL}"
    assert span.attributes
    assert span.attributes["gen_ai.provider.name"] == "aws.bedrock"


class Hooks:
    """An HTTP client of the application's with hooks, as those use them who add attributes of their own."""

    def __init__(self) -> None:
        self.seen: list[SpanContext] = []

    def request(self, request: Any) -> None:
        span = trace.get_current_span()
        span.set_attribute("app.hook", "seen")
        self.seen.append(span.get_span_context())

    async def arequest(self, request: Any) -> None:
        self.request(request)


def test_a_hook_of_the_http_client_sees_our_span_and_may_set_attributes(
    claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry
):
    hooks = Hooks()
    claude.will(RateLimited(retry_after=0.001))
    switch_on()
    with connect(claude, http_client=http.Client(event_hooks={"request": [hooks.request]})) as client:
        client.messages.create(**HELLO)
        for _ in client.messages.create(**HELLO, stream=True):
            pass

    one, other = telemetry.spans
    assert hooks.seen == [one.context, one.context, other.context]
    assert [span.attributes and span.attributes["app.hook"] for span in telemetry.spans] == ["seen", "seen"]


def test_a_hook_of_the_async_http_client_sees_our_span_and_may_set_attributes(
    claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry
):
    hooks = Hooks()
    switch_on()

    async def main() -> None:
        http_client = http.AsyncClient(event_hooks={"request": [hooks.arequest]})
        async with connect_async(claude, http_client=http_client) as client:
            await client.messages.create(**HELLO)
        assert not trace.get_current_span().get_span_context().is_valid

    asyncio.run(main())

    span = telemetry.span(SPAN)
    assert hooks.seen == [span.context]
    assert span.attributes
    assert span.attributes["app.hook"] == "seen"


@pytest.mark.skipif(not SDK_MAKES_SPANS, reason="the SDK makes no spans")
@pytest.mark.parametrize("mode", ["enrich", "keep"])
def test_a_hook_sees_the_sdks_span_where_that_stays(
    claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry, mode: str
):
    hooks = Hooks()
    switch_on(settings=Settings(native_spans=mode))
    options = {
        "http_client": http.Client(event_hooks={"request": [hooks.request]}),
        "open_telemetry": {"tracer_provider": telemetry.tracer_provider},
    }
    with connect(claude, **options) as client:
        client.messages.create(**HELLO)

    assert hooks.seen == [telemetry.span(NATIVE_SPAN).context]


def test_the_spans_of_http_requests_nest_under_ours(claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry):
    tracer = telemetry.tracer_provider.get_tracer("http")

    class Traced(http.HTTPTransport):
        def handle_request(self, request: Any) -> Any:
            with tracer.start_as_current_span("POST", kind=SpanKind.CLIENT):
                return http.HTTPTransport.handle_request(self, request)

    claude.will(RateLimited(retry_after=0.001))
    switch_on()
    with connect(claude, http_client=http.Client(transport=Traced())) as client:
        client.messages.create(**HELLO)

    ours = telemetry.span(SPAN)
    inner = [span for span in telemetry.spans if span.name == "POST"]
    assert [span.parent and span.parent.span_id for span in inner] == [ids(ours).span_id] * 2


@contextmanager
def http_instrumentation(telemetry: Telemetry) -> Generator[None]:
    module = pytest.importorskip("opentelemetry.instrumentation.httpx")
    name = "HTTPX2ClientInstrumentor" if http.__name__ == "httpx2" else "HTTPXClientInstrumentor"
    instrumentor = getattr(module, name)()
    instrumentor.instrument(tracer_provider=telemetry.tracer_provider)
    try:
        yield
    finally:
        instrumentor.uninstrument()


def test_the_spans_of_the_http_instrumentation_nest_under_ours(
    claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry
):
    with http_instrumentation(telemetry):
        switch_on()
        with connect(claude) as client:
            client.messages.create(**HELLO)
            for _ in client.messages.create(**HELLO, stream=True):
                pass

    ours = [span for span in telemetry.spans if span.name == SPAN]
    inner = [span for span in telemetry.spans if span.name != SPAN]
    assert [span.parent and span.parent.span_id for span in inner] == [ids(span).span_id for span in ours]


def test_after_a_call_the_current_span_is_the_applications(
    claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry
):
    switch_on()
    tracer = telemetry.tracer_provider.get_tracer("app")
    with connect(claude) as client, tracer.start_as_current_span("app") as app:
        client.messages.create(**HELLO)
        assert trace.get_current_span() is app
        stream = client.messages.create(**HELLO, stream=True)
        assert trace.get_current_span() is app
        for _ in stream:
            assert trace.get_current_span() is app
            with tracer.start_as_current_span("work"):
                pass
        with client.messages.stream(**HELLO) as helper:
            assert trace.get_current_span() is app
            helper.until_done()

    assert {span.parent.span_id for span in telemetry.spans if span.parent is not None} == {
        ids(telemetry.span("app")).span_id
    }


def test_key_is_not_sent_anywhere_else(claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry):
    switch_on()
    with connect(claude) as client:
        client.messages.create(**HELLO)

    assert KEY not in telemetry.tree() + telemetry.metrics_table()
