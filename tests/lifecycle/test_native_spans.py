"""The SDK's own spans, from 1.14 on, beside ours: by the setting `native_spans`."""

import asyncio
from collections.abc import Callable
from typing import Any

import anthropic
import pytest
from apps import HELLO, NATIVE_SPAN, SDK_MAKES_SPANS, SPAN, SwitchOn, connect, connect_async, ids
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

from otel_claude import Settings
from otel_claude.testing import Answer, BadRequest, ErrorEvent, RateLimited, SimulatedClaude, Telemetry

pytestmark = pytest.mark.skipif(not SDK_MAKES_SPANS, reason="the SDK makes no spans")

MODES = ("replace", "enrich", "keep")
NAME = {"replace": SPAN, "enrich": NATIVE_SPAN, "keep": NATIVE_SPAN}
NATIVE_SCOPE = "com.anthropic.sdk.python"
USAGE = {"input_tokens": 1_000, "cache_read_input_tokens": 2_000, "output_tokens": 500}
ANSWER = Answer("Hello there", usage=USAGE)
COST = (1_000 * 2 + 2_000 * 0.10 + 500 * 10) / 1e6
"""USD for `USAGE` on Claude Sonnet 5.5, at 2 USD in, 0.10 USD cache read and 10 USD out per million tokens.

https://platform.claude.com/docs/en/about-claude/pricing
"""


@pytest.fixture
def both(claude: SimulatedClaude, telemetry: Telemetry) -> Any:
    """A client whose own spans go where ours go."""
    with connect(claude, open_telemetry={"tracer_provider": telemetry.tracer_provider}) as client:
        yield client


def attributes_of(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def with_usage(telemetry: Telemetry) -> list[str]:
    return [span.name for span in telemetry.spans if "gen_ai.usage.output_tokens" in attributes_of(span)]


@pytest.mark.parametrize("mode", MODES)
def test_one_call_has_one_span_with_usage(
    claude: SimulatedClaude, both: Any, switch_on: SwitchOn, telemetry: Telemetry, mode: str
):
    claude.will(ANSWER, ANSWER, ANSWER, ANSWER)
    switch_on(settings=Settings(native_spans=mode))
    both.messages.create(**HELLO)
    for _ in both.messages.create(**HELLO, stream=True):
        pass
    with both.messages.stream(**HELLO) as stream:
        stream.until_done()
    both.messages.with_raw_response.create(**HELLO).parse()

    assert [span.name for span in telemetry.spans] == [NAME[mode]] * 4
    assert with_usage(telemetry) == [NAME[mode]] * 4
    assert {attributes_of(span)["gen_ai.usage.input_tokens"] for span in telemetry.spans} == {3_000}
    scopes = {span.instrumentation_scope.name for span in telemetry.spans if span.instrumentation_scope}
    assert scopes == {"otel_claude" if mode == "replace" else NATIVE_SCOPE}


@pytest.mark.parametrize("mode", MODES)
def test_the_metrics_are_the_same(
    claude: SimulatedClaude, both: Any, switch_on: SwitchOn, telemetry: Telemetry, mode: str
):
    claude.will(ANSWER, ANSWER, RateLimited(retry_after=0.001), ANSWER, BadRequest("no"), ANSWER)
    switch_on(settings=Settings(native_spans=mode))
    both.messages.create(**HELLO)
    for _ in both.messages.create(**HELLO, stream=True):
        pass
    both.messages.create(**HELLO)
    with pytest.raises(anthropic.BadRequestError):
        both.messages.create(**HELLO)
    both.messages.with_raw_response.create(**HELLO)

    # Four answers of 3,000 tokens in and 500 out, and one call that failed.
    assert telemetry.count("gen_ai.client.operation.duration") == 5
    assert telemetry.count("gen_ai.client.operation.duration", {"error.type": "invalid_request_error"}) == 1
    assert telemetry.total("gen_ai.client.token.usage", {"gen_ai.token.type": "input"}) == 4 * 3_000
    assert telemetry.total("gen_ai.client.token.usage", {"gen_ai.token.type": "output"}) == 4 * 500
    assert telemetry.total("claude.cost") == pytest.approx(4 * COST)
    assert telemetry.count("gen_ai.client.operation.time_to_first_chunk") == 1
    assert [event.name for event in telemetry.events] == ["claude.retry", "gen_ai.client.operation.exception"]


@pytest.mark.parametrize("mode", MODES)
def test_the_metrics_of_an_async_client_are_the_same(
    claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry, mode: str
):
    claude.will(ANSWER, ANSWER)
    switch_on(settings=Settings(native_spans=mode))

    async def main() -> None:
        async with connect_async(claude, open_telemetry={"tracer_provider": telemetry.tracer_provider}) as client:
            await client.messages.create(**HELLO)
            async for _ in await client.messages.create(**HELLO, stream=True):
                pass

    asyncio.run(main())

    assert with_usage(telemetry) == [NAME[mode]] * 2
    assert telemetry.total("gen_ai.client.token.usage", {"gen_ai.token.type": "output"}) == 2 * 500
    assert telemetry.total("claude.cost") == pytest.approx(2 * COST)


def enriched(
    call: Callable[[Any], Any], claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry
) -> ReadableSpan:
    switch_on(settings=Settings(native_spans="enrich"))
    with connect(claude, open_telemetry={"tracer_provider": telemetry.tracer_provider}) as client:
        call(client)
    return telemetry.span(NATIVE_SPAN)


def test_the_sdks_span_of_an_answer_gets_our_attributes(
    claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry
):
    claude.will(RateLimited(retry_after=0.001), ANSWER)
    span = enriched(lambda client: client.messages.create(**HELLO), claude, switch_on, telemetry)

    attributes = attributes_of(span)
    assert attributes["claude.cost.usd"] == pytest.approx(COST)
    assert attributes["claude.retry.count"] == 1
    assert attributes["claude.context.window"] == 1_000_000
    assert attributes["gen_ai.response.finish_reasons"] == ("end_turn",)
    assert attributes["gen_ai.usage.input_tokens"] == 3_000
    assert attributes["anthropic.message.stop_reason"] == "end_turn"
    assert span.status.status_code is StatusCode.OK, "which the SDK sets"


def test_the_sdks_span_gets_what_ours_says_of_the_request(
    claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry
):
    span = enriched(
        lambda client: client.messages.create(**HELLO, stop_sequences=["END"]), claude, switch_on, telemetry
    )

    attributes = attributes_of(span)
    assert attributes["claude.platform"] == "anthropic"
    assert attributes["claude.request.messages"] == 1


def test_the_sdks_span_of_a_stream_gets_our_attributes(
    claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry
):
    claude.will(ANSWER)
    span = enriched(lambda client: list(client.messages.create(**HELLO, stream=True)), claude, switch_on, telemetry)

    attributes = attributes_of(span)
    assert attributes["claude.cost.usd"] == pytest.approx(COST)
    assert attributes["claude.stream.outcome"] == "completed"
    # message_start, content_block_start, "Hello", " there", content_block_stop, message_delta, message_stop
    assert attributes["claude.stream.chunks"] == 7
    assert attributes["gen_ai.usage.output_tokens"] == 500


def test_the_sdks_span_of_a_stream_that_is_read_as_bytes_gets_our_attributes(
    claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry
):
    def read(client: Any) -> None:
        with client.messages.with_streaming_response.create(**HELLO, stream=True) as response:
            response.read()

    claude.will(ANSWER)
    attributes = attributes_of(enriched(read, claude, switch_on, telemetry))

    assert attributes["claude.cost.usd"] == pytest.approx(COST)
    assert attributes["claude.stream.outcome"] == "completed"


def test_the_sdks_span_of_a_failed_call_gets_our_attributes(
    claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry
):
    def fail(client: Any) -> None:
        with pytest.raises(anthropic.BadRequestError):
            client.messages.create(**HELLO)

    claude.will(BadRequest("no"))
    span = enriched(fail, claude, switch_on, telemetry)

    attributes = attributes_of(span)
    assert attributes["error.type"] == "invalid_request_error"
    assert attributes["claude.error.category"] == "invalid_request"
    assert attributes["http.response.status_code"] == 400
    assert span.status.status_code is StatusCode.ERROR


def test_the_sdks_span_of_a_stream_with_an_error_event_gets_our_attributes(
    claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry
):
    def fail(client: Any) -> None:
        with pytest.raises(anthropic.APIStatusError):
            for _ in client.messages.create(**HELLO, stream=True):
                pass

    claude.will(ErrorEvent("overloaded_error", after_events=3, then=ANSWER))
    span = enriched(fail, claude, switch_on, telemetry)

    attributes = attributes_of(span)
    assert attributes["error.type"] == "overloaded_error"
    assert attributes["claude.error.category"] == "overloaded"
    assert attributes["claude.stream.outcome"] == "interrupted"
    assert span.status.status_code is StatusCode.ERROR


def test_keep_leaves_the_sdks_span_as_it_is(
    claude: SimulatedClaude, both: Any, switch_on: SwitchOn, telemetry: Telemetry
):
    claude.will(ANSWER)
    both.messages.create(**HELLO)
    without = attributes_of(telemetry.span(NATIVE_SPAN))
    telemetry.clear()
    claude.clear()
    claude.will(ANSWER)
    switch_on(settings=Settings(native_spans="keep"))
    both.messages.create(**HELLO)

    assert attributes_of(telemetry.span(NATIVE_SPAN)) == without


def test_metrics_beside_a_kept_span_are_recorded_in_its_context(
    claude: SimulatedClaude, both: Any, switch_on: SwitchOn, telemetry: Telemetry
):
    switch_on(settings=Settings(native_spans="keep"))
    claude.will(BadRequest("no"))
    with pytest.raises(anthropic.BadRequestError):
        both.messages.create(**HELLO)

    (event,) = telemetry.events
    assert event.span_id == ids(telemetry.span(NATIVE_SPAN)).span_id


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("option", [False, {"traces": False}, {"traces": {"enabled": False}}], ids=str)
def test_a_client_without_spans_of_its_own_has_ours(
    claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry, mode: str, option: Any
):
    switch_on(settings=Settings(native_spans=mode))
    with connect(claude, open_telemetry=option) as client:
        client.messages.create(**HELLO)
        for _ in client.messages.create(**HELLO, stream=True):
            pass

    assert [span.name for span in telemetry.spans] == [SPAN] * 2
    assert telemetry.count("gen_ai.client.operation.duration") == 2


def test_a_clients_conversation_is_on_our_span(claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry):
    switch_on()
    with connect(claude, open_telemetry={"conversation_id": "conversation 7"}) as client:
        client.messages.create(**HELLO)
        client.with_options(max_retries=0).messages.create(**HELLO)

    assert {attributes_of(span).get("gen_ai.conversation.id") for span in telemetry.spans} == {"conversation 7"}


def test_a_client_that_records_content_on_the_sdks_spans_records_it_on_ours(
    claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry
):
    switch_on()
    with connect(claude, open_telemetry={"traces": {"content_mode": "content"}}) as client:
        client.messages.create(**HELLO)
    with connect(claude) as client:
        client.messages.create(**HELLO)

    with_content, without = map(attributes_of, telemetry.spans)
    assert "Hello, Claude" in with_content["gen_ai.input.messages"]
    assert "Hello! How can I help you today?" in with_content["gen_ai.output.messages"]
    assert [name for name in without if "messages" in name] == ["claude.request.messages"]
    assert telemetry.events == []


def test_a_client_with_a_provider_of_its_own_has_its_spans_there(
    claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry
):
    own = Telemetry()
    switch_on(tracer_provider=None)
    with connect(claude, open_telemetry={"tracer_provider": own.tracer_provider}) as client:
        client.messages.create(**HELLO)

    assert [span.name for span in own.spans] == [SPAN]
    assert telemetry.count("gen_ai.client.operation.duration") == 1


def test_a_provider_given_to_instrument_goes_before_the_clients(
    claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry
):
    own = Telemetry()
    switch_on()
    with connect(claude, open_telemetry={"tracer_provider": own.tracer_provider}) as client:
        client.messages.create(**HELLO)

    assert [span.name for span in telemetry.spans] == [SPAN]
    assert own.spans == []


@pytest.mark.parametrize("mode", MODES)
def test_the_sdks_tracer_is_as_before_after_switching_off(
    claude: SimulatedClaude, both: Any, switch_on: SwitchOn, telemetry: Telemetry, mode: str
):
    tracer: Any = both._tracer  # pyright: ignore[reportPrivateUsage]
    instrumentor = switch_on(settings=Settings(native_spans=mode))
    both.messages.create(**HELLO)
    instrumentor.uninstrument()
    telemetry.clear()

    assert both._tracer is tracer  # pyright: ignore[reportPrivateUsage]
    both.messages.create(**HELLO)
    assert [span.name for span in telemetry.spans] == [NATIVE_SPAN]


def test_a_call_of_an_unknown_name_has_our_span_alone(
    claude: SimulatedClaude, both: Any, switch_on: SwitchOn, telemetry: Telemetry
):
    """The SDK makes no span for `client.post` of the application's own."""
    switch_on()
    both.post("/v1/messages", body=HELLO, cast_to=anthropic.types.Message)

    assert [span.name for span in telemetry.spans] == [SPAN]
