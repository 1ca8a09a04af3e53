"""Content: recorded only where that was asked for, and as the application's hook leaves it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from driver import ASK, attributes, entered, items, needs, read, settled
from inline_snapshot import snapshot

from fixture_types import Instrument
from otel_claude.testing import Answer, Cut, Event, SimulatedClaude, Telemetry, ToolUse

SAYING: dict[str, Any] = {
    **ASK,
    "system": "Be brief.",
    "messages": [{"role": "user", "content": "What is the weather in Paris?"}],
    "tools": [{"name": "weather", "description": "Tells.", "input_schema": {"type": "object"}}],
}
ANSWER = Answer("Let me see.", tool_uses=[ToolUse("weather", {"city": "Paris"}, "toolu_1")])
CONTENT = (
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.definitions",
)
ON_SPAN = ("SPAN_ONLY", "SPAN_AND_EVENT")
ON_EVENT = ("EVENT_ONLY", "SPAN_AND_EVENT")


def content_of(telemetry: Telemetry) -> dict[str, Any]:
    told = attributes(telemetry)
    return {name: json.loads(told[name]) for name in CONTENT if name in told}


def details(telemetry: Telemetry) -> list[Event]:
    return [event for event in telemetry.events if event.name == "gen_ai.client.inference.operation.details"]


async def test_by_default_nothing_is_recorded(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(ANSWER)
    await settled(client.messages.create(**SAYING))
    assert "Paris" not in telemetry.tree()
    assert telemetry.events == []


def once() -> Iterator[dict[str, str]]:
    """Messages that can be read once."""
    yield from SAYING["messages"]


@pytest.mark.parametrize("content", ["NO_CONTENT", "SPAN_AND_EVENT"])
async def test_what_can_be_read_once_is_left_to_the_sdk(
    content: str, client: Any, claude: SimulatedClaude, instrument: Instrument
):
    instrument(content=content)
    await settled(client.messages.create(**{**SAYING, "messages": once()}))
    assert claude.requests[0].json["messages"] == SAYING["messages"]


class Watched(list[dict[str, str]]):
    """Messages that count how often they are gone through."""

    readings = 0

    def __iter__(self) -> Iterator[dict[str, str]]:
        self.readings += 1
        return super().__iter__()


async def test_by_default_messages_are_not_even_looked_at(client: Any, instrument: Instrument):
    without, instrumented = Watched(SAYING["messages"]), Watched(SAYING["messages"])
    await settled(client.messages.create(**{**SAYING, "messages": without}))
    instrument()
    await settled(client.messages.create(**{**SAYING, "messages": instrumented}))
    assert instrumented.readings == without.readings


async def test_content_is_in_the_schema_of_the_conventions(
    client: Any, claude: SimulatedClaude, instrument: Instrument
):
    telemetry = instrument(content="SPAN_ONLY")
    claude.will(ANSWER)
    await settled(client.messages.create(**SAYING))
    assert content_of(telemetry) == snapshot(
        {
            "gen_ai.input.messages": [
                {"role": "user", "parts": [{"type": "text", "content": "What is the weather in Paris?"}]}
            ],
            "gen_ai.output.messages": [
                {
                    "role": "assistant",
                    "parts": [
                        {"type": "text", "content": "Let me see."},
                        {"type": "tool_call", "id": "toolu_1", "name": "weather", "arguments": {"city": "Paris"}},
                    ],
                    "finish_reason": "tool_use",
                }
            ],
            "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
            "gen_ai.tool.definitions": [
                {"type": "function", "name": "weather", "description": "Tells.", "parameters": {"type": "object"}}
            ],
        }
    )


@pytest.mark.parametrize("content", ["NO_CONTENT", *ON_SPAN, "EVENT_ONLY"])
async def test_content_goes_where_it_was_asked_to_go(
    content: str, client: Any, claude: SimulatedClaude, instrument: Instrument
):
    telemetry = instrument(content=content)
    claude.will(ANSWER)
    await settled(client.messages.create(**SAYING))
    assert set(content_of(telemetry)) == (set(CONTENT) if content in ON_SPAN else set())
    events = details(telemetry)
    assert len(events) == (content in ON_EVENT)
    for event in events:
        told = attributes(telemetry)
        assert event.severity == "DEBUG"
        assert event.attributes["gen_ai.output.messages"][0]["parts"][0]["content"] == "Let me see."
        assert event.attributes["gen_ai.usage.output_tokens"] == told["gen_ai.usage.output_tokens"]


async def create(client: Any) -> None:
    await settled(client.messages.create(**SAYING))


async def raw_stream(client: Any) -> None:
    async for _ in items(await settled(client.messages.create(**SAYING, stream=True))):
        pass


async def helper_stream(client: Any) -> None:
    async with entered(client.messages.stream(**SAYING)) as stream:
        await settled(stream.get_final_message())


async def raw_response(client: Any) -> None:
    await settled(client.messages.with_raw_response.create(**SAYING))


async def streaming_response(client: Any) -> None:
    async with entered(client.messages.with_streaming_response.create(**SAYING)) as response:
        await read(response.iter_bytes())


async def lines_of_a_stream(client: Any) -> None:
    async with entered(client.messages.with_streaming_response.create(**SAYING, stream=True)) as response:
        await read(response.iter_lines())


@pytest.mark.parametrize("form", [raw_stream, helper_stream, raw_response, streaming_response, lines_of_a_stream])
async def test_content_is_the_same_in_each_form(
    form: Any, client: Any, claude: SimulatedClaude, instrument: Instrument
):
    telemetry = instrument(content="SPAN_ONLY")
    claude.will(ANSWER, ANSWER)
    await create(client)
    expected = content_of(telemetry)
    telemetry.clear()
    await form(client)
    assert content_of(telemetry) == expected
    assert len(expected) == len(CONTENT)


async def test_a_stream_that_breaks_has_what_had_come(client: Any, claude: SimulatedClaude, instrument: Instrument):
    """The third word is lost."""
    telemetry = instrument(content="SPAN_ONLY")
    claude.will(Cut(after_events=5, then=Answer("One two three")))
    with pytest.raises(Exception):  # noqa: B017, PT011  # the HTTP library's own
        await raw_stream(client)
    (message,) = content_of(telemetry)["gen_ai.output.messages"]
    assert message["parts"] == [{"type": "text", "content": "One two"}]


async def test_a_failed_call_has_its_request(client: Any, claude: SimulatedClaude, instrument: Instrument):
    telemetry = instrument(content="SPAN_ONLY")
    claude.will(Cut(0))
    with pytest.raises(Exception, match="onnection"):
        await create(client)
    assert "gen_ai.output.messages" not in content_of(telemetry)
    assert content_of(telemetry)["gen_ai.system_instructions"]


def without_text(kind: str, part: Any) -> Any:
    return None if kind == "gen_ai.tool.definitions" else {**part, "content": "…"} if "content" in part else part


@pytest.mark.parametrize("content", ["SPAN_ONLY", "EVENT_ONLY"])
async def test_the_hook_sees_every_part_before_it_is_recorded(
    content: str, client: Any, claude: SimulatedClaude, instrument: Instrument
):
    telemetry = instrument(content=content, redact=without_text)
    claude.will(ANSWER)
    await create(client)
    told = telemetry.tree()
    for word in ("weather in", "Let me see", "Be brief", "Tells."):
        assert word not in told


def failing(kind: str, part: Any) -> Any:
    raise ZeroDivisionError(str(part))


async def test_a_part_that_the_hook_fails_on_is_left_out(client: Any, claude: SimulatedClaude, instrument: Instrument):
    telemetry = instrument(content="SPAN_ONLY", redact=failing)
    claude.will(ANSWER)
    await create(client)
    assert "Paris" not in telemetry.tree()
    assert attributes(telemetry)["gen_ai.usage.output_tokens"] > 0


async def test_content_is_bounded(client: Any, claude: SimulatedClaude, instrument: Instrument):
    """200,000 bytes of text do not fit into 2,000."""
    telemetry = instrument(content="SPAN_ONLY", content_max_bytes=2_000)
    claude.reply("word " * 40_000)
    await settled(client.messages.create(**{**ASK, "messages": [{"role": "user", "content": "long " * 40_000}]}))
    told = attributes(telemetry)
    assert sum(len(told.get(name, "").encode()) for name in CONTENT) <= 2_000
    assert told["anthropic.content.truncated"] is True


@needs("open_telemetry")
async def test_a_client_whose_own_spans_have_content_has_it_on_ours(
    make: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    client = make(api_key="sk-ant-simulated", open_telemetry={"traces": {"content_mode": "content"}})
    claude.will(ANSWER)
    await create(client)
    assert set(content_of(telemetry)) == set(CONTENT)
