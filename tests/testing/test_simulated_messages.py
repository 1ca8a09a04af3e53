"""Messages of the simulated API, read by the real SDK."""

import asyncio
import json
from typing import Any

import anthropic
import pytest
from anthropic import AsyncAnthropic
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_claude.testing import Answer, ServerToolUse, SimulatedClaude, ToolUse, usage
from otel_claude.testing.messages import Ids, events

MODEL = "claude-sonnet-5-5"
CALL: dict[str, Any] = {
    "model": MODEL,
    "max_tokens": 64,
    "messages": [{"role": "user", "content": "What is the weather in Paris?"}],
}
WEATHER = ToolUse("get_weather", {"city": "Paris", "unit": "celsius"})
SEARCH = ServerToolUse("web_search", {"query": "weather Paris"}, result=[])
ANSWERS = [
    Answer("It rains.\n\nTake  an umbrella "),
    Answer("It rains.", thinking="The user wants the weather."),
    Answer(tool_uses=[WEATHER]),
    Answer("Let me see.", tool_uses=[WEATHER, ToolUse("get_time", {})]),
    Answer("It rains.", server_tool_uses=[SEARCH]),
    Answer("It rai", stop_reason="max_tokens"),
    Answer("It", stop_reason="stop_sequence", stop_sequence=" rains"),
    Answer("It rains.", usage=usage(input_tokens=7, output_tokens=3, cache_read=1031, cache_write_1h=12)),
]


def sent_events(client: Any) -> list[dict[str, Any]]:
    with client.messages.with_streaming_response.create(**CALL, stream=True) as response:
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        return [json.loads(line[6:]) for line in response.iter_lines() if line.startswith("data: ")]


def without_id(message: Any) -> dict[str, Any]:
    # SDKs differ in which null fields they add while they put a stream together.
    document = message.to_dict(warnings=False)
    content = [{name: value for name, value in block.items() if value is not None} for block in document["content"]]
    return {"content": content, "stop": (document["stop_reason"], document["stop_sequence"])}


def test_a_message_has_what_was_queued(claude: SimulatedClaude, client: Any):
    claude.reply("It rains.", model="claude-opus-5-5", stop_reason="refusal", usage={"input_tokens": 5})
    message = client.messages.create(**CALL)
    assert message.id == "msg_sim_0001"
    assert message.model == "claude-opus-5-5"
    assert message.stop_reason == "refusal"
    assert message.content[0].to_dict() == {"type": "text", "text": "It rains."}
    assert message.usage.to_dict() == {"input_tokens": 5}


def test_without_a_queue_there_is_a_plain_answer_of_the_requested_model(client: Any):
    message = client.messages.create(**CALL)
    assert message.model == MODEL
    assert message.stop_reason == "end_turn"
    assert [block.type for block in message.content] == ["text"]


def test_answers_come_in_the_order_of_the_queue(claude: SimulatedClaude, client: Any):
    claude.will(Answer("one"), Answer("two"))
    claude.reply("three")
    texts = [client.messages.create(**CALL).content[0].to_dict()["text"] for _ in range(3)]
    assert texts == ["one", "two", "three"]


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_streamed_answer_adds_up_to_the_same_message(answer: Answer, claude: SimulatedClaude, client: Any):
    if answer.server_tool_uses and not hasattr(anthropic.types, "ServerToolUseBlock"):
        pytest.skip("this SDK does not put server tool use together")
    fixed_ids = Answer(
        content=list(answer.blocks(Ids())),
        usage=answer.usage,
        stop_reason=answer.stop_reason,
        stop_sequence=answer.stop_sequence,
    )
    claude.will(fixed_ids, fixed_ids)
    whole = client.messages.create(**CALL)
    with client.messages.stream(**CALL) as stream:
        streamed = stream.get_final_message()
    assert without_id(streamed) == without_id(whole)
    assert streamed.usage.output_tokens == whole.usage.output_tokens
    assert streamed.usage.cache_read_input_tokens == whole.usage.cache_read_input_tokens


def test_events_come_in_the_order_of_a_recorded_stream(claude: SimulatedClaude, client: Any):
    """The recording: dd-trace-py, anthropic_completion_tools_call_with_tool_result_stream_helper."""
    claude.reply("The current weather")
    assert [event["type"] for event in sent_events(client)] == [
        "message_start",
        "content_block_start",
        "ping",
        "content_block_delta",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


def test_the_fields_of_a_message_and_its_usage_are_those_of_a_recorded_one(client: Any):
    """The fields are those of claude-haiku-4-5-20251001's and claude-sonnet-4-6's recorded streams."""
    start, *_, delta, _ = sent_events(client)
    assert set(start["message"]) == {
        "model",
        "id",
        "type",
        "role",
        "content",
        "stop_reason",
        "stop_sequence",
        "stop_details",
        "usage",
    }
    counts = ["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"]
    first = start["message"]["usage"]
    assert set(first) == {*counts, "cache_creation", "output_tokens", "service_tier", "inference_geo"}
    assert set(delta["delta"]) == {"stop_reason", "stop_sequence", "stop_details"}
    assert set(delta["usage"]) == {*counts, "output_tokens"}


def test_a_stream_begins_with_a_placeholder_and_no_stop_reason(claude: SimulatedClaude, client: Any):
    claude.reply("It rains.", usage=usage(input_tokens=12, output_tokens=28))
    start, *_, delta, _ = sent_events(client)
    assert start["message"]["usage"]["output_tokens"] == 1
    assert start["message"]["stop_reason"] is None
    assert start["message"]["content"] == []
    assert delta["usage"]["output_tokens"] == 28
    assert delta["delta"]["stop_reason"] == "end_turn"


def test_the_first_usage_of_a_stream_can_differ_from_the_last(claude: SimulatedClaude, client: Any):
    """As in a recorded web fetch, whose prompt grew from 899 to 7244 tokens."""
    last = usage(input_tokens=7244, output_tokens=153)
    claude.reply("It rains.", usage=last, first_usage=usage(input_tokens=899, output_tokens=3))
    start, *_, delta, _ = sent_events(client)
    assert (start["message"]["usage"]["input_tokens"], delta["usage"]["input_tokens"]) == (899, 7244)


def test_client_side_tools_end_the_turn_and_server_side_tools_do_not(claude: SimulatedClaude, client: Any):
    claude.will(Answer(tool_uses=[WEATHER]), Answer("It rains.", server_tool_uses=[SEARCH]))
    used, searched = client.messages.create(**CALL), client.messages.create(**CALL)
    assert used.stop_reason == "tool_use"
    assert used.content[0].to_dict()["id"] == "toolu_sim_0001"
    assert searched.stop_reason == "end_turn"
    kinds = [block.type for block in searched.content]
    assert kinds == ["server_tool_use", "web_search_tool_result", "text"]
    assert searched.usage.to_dict()["server_tool_use"] == {"web_search_requests": 1, "web_fetch_requests": 0}


def test_simulated_usage_counts_four_characters_of_json_a_token(claude: SimulatedClaude, client: Any):
    claude.reply("It rains.")
    counted = client.messages.create(**CALL).usage
    prompt = '[[{"role": "user", "content": "What is the weather in Paris?"}]]'
    said = '[{"type": "text", "text": "It rains."}]'
    assert counted.input_tokens == len(prompt) // 4
    assert counted.output_tokens == len(said) // 4


def test_the_usage_of_a_message_has_all_that_the_api_can_say(claude: SimulatedClaude, client: Any):
    iterations = [{"type": "message", "input_tokens": 10, "output_tokens": 5}]
    full = usage(
        input_tokens=10,
        output_tokens=5,
        cache_read=100,
        cache_write_5m=20,
        cache_write_1h=30,
        iterations=iterations,
        service_tier="priority",
        inference_geo="us",
    )
    claude.reply("It rains.", usage=full)
    said = client.messages.create(**CALL).usage.to_dict()
    assert said["cache_creation"] == {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 30}
    assert said["cache_creation_input_tokens"] == 20 + 30
    assert said["cache_read_input_tokens"] == 100
    assert said["iterations"] == iterations
    assert (said["service_tier"], said["inference_geo"]) == ("priority", "us")


def test_an_answer_can_add_fields_to_the_message(claude: SimulatedClaude, client: Any):
    claude.reply("No.", stop_reason="refusal", more={"stop_details": {"type": "refusal"}})
    assert client.messages.create(**CALL).to_dict()["stop_details"] == {"type": "refusal"}


@pytest.mark.parametrize("stream", [False, True])
def test_a_compressed_answer_is_read_like_any_other(stream: bool, claude: SimulatedClaude, client: Any):
    claude.reply("It rains.", gzip=True)
    if not stream:
        assert client.messages.create(**CALL).content[0].to_dict()["text"] == "It rains."
        return
    with client.messages.stream(**CALL) as answer:
        assert answer.response.headers["content-encoding"] == "gzip"
        assert "".join(answer.text_stream) == "It rains."


def test_tokens_are_counted_as_the_simulated_usage_counts_them(client: Any):
    asked = {name: value for name, value in CALL.items() if name != "max_tokens"}
    counted = client.messages.count_tokens(**asked).input_tokens
    assert counted == client.messages.create(**CALL).usage.input_tokens


def test_beta_calls_are_answered_too(claude: SimulatedClaude, client: Any):
    claude.reply("It rains.")
    message = client.beta.messages.create(**CALL, betas=["context-1m-2025-08-07"])
    assert message.content[0].to_dict()["text"] == "It rains."
    assert claude.requests[0].path == "/v1/messages"
    assert claude.requests[0].headers["anthropic-beta"] == "context-1m-2025-08-07"


def test_async_clients_are_answered_too(claude: SimulatedClaude):
    async def calls() -> tuple[str, list[str]]:
        made: Any = AsyncAnthropic(base_url=claude.base_url, api_key="sk-ant-simulated")
        async with made as client:
            message = await client.messages.create(**CALL)
            async with client.messages.stream(**CALL) as stream:
                return message.id, [text async for text in stream.text_stream]

    claude.will(Answer("one"), Answer("It rains."))
    assert asyncio.run(calls()) == ("msg_sim_0001", ["It", " rains."])


def test_a_legacy_completion_is_answered_and_streamed(claude: SimulatedClaude, client: Any):
    """The fields are those of a recorded completion. SDKs from 1.0 on have no method for it."""
    asked = {"model": "claude-2.1", "prompt": "\n\nHuman: Hello\n\nAssistant:", "max_tokens_to_sample": 8}
    claude.will(Answer("Hello there"), Answer("Hello there"))
    completion: Any = client.post("/v1/complete", cast_to=object, body=asked)
    fields = {"type", "id", "completion", "stop_reason", "model", "stop", "log_id"}
    assert set(completion) == fields
    assert completion["completion"] == " Hello there"
    assert completion["stop"] == "\n\nHuman:"
    if not hasattr(client, "completions"):
        pytest.skip("this SDK cannot stream completions")
    chunks = list(getattr(client, "completions").create(**asked, stream=True))  # noqa: B009 - not in all SDKs
    assert "".join(chunk.completion for chunk in chunks) == " Hello there"
    assert [chunk.stop_reason for chunk in chunks] == [None, None, "stop_sequence"]


@settings(deadline=None)
@given(
    text=st.text(min_size=1),
    thinking=st.none() | st.text(),
    tool=st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=3),
)
def test_no_character_is_lost_in_a_stream(text: str, thinking: str | None, tool: dict[str, str]):
    answer = Answer(text, thinking=thinking, tool_uses=[ToolUse("tool", tool)])
    message = answer.message(Ids(), MODEL, {})
    deltas = [event["delta"] for event in events(message) if event["type"] == "content_block_delta"]

    def whole(field: str) -> str:
        return "".join(delta.get(field, "") for delta in deltas)

    assert whole("text") == text
    assert whole("thinking") == (thinking or "")
    assert json.loads(whole("partial_json")) == tool
