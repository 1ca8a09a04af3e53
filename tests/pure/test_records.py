"""Records as they are where little is known, and what they become."""

from collections import Counter

import pytest

from otel_claude.batches import MOST_BATCHES, AlreadyCounted, BatchResults
from otel_claude.call import Call, Endpoint, Request, Response, Server, StreamFacts
from otel_claude.emitting import points
from otel_claude.emitting.spans import end_attributes, start_attributes
from otel_claude.usage import Step, Usage

CHAT = Endpoint("anthropic.messages.create", "chat")
NOBODY = Server("anthropic", "anthropic", None, None)
ANYTHING = Request("POST", {}, None, stream=False)


def record(endpoint: Endpoint = CHAT, response: Response | None = None) -> Call:
    return Call(endpoint, NOBODY, ANYTHING, 0, 0, response=response or Response())


def test_a_call_of_which_nothing_is_known_says_what_it_is_and_no_more():
    assert start_attributes(record()) == {
        "gen_ai.provider.name": "anthropic",
        "claude.platform": "anthropic",
        "gen_ai.operation.name": "chat",
    }
    assert end_attributes(record(), None, None, None) == {}
    assert [instrument.name for instrument, _, _ in points.histogram_points(record(), None, None)] == [
        "gen_ai.client.operation.duration",
        "gen_ai.client.inference.duration",
    ]


def test_a_usage_without_counts_has_no_tokens():
    call = record(response=Response(usage=Usage(service_tier="standard")))
    assert end_attributes(call, None, None, 1_000) == {"anthropic.response.service_tier": "standard"}
    assert list(points.token_points(Usage(), {})) == []


def test_a_stream_of_which_nothing_came_says_nothing():
    call = record()
    call.stream = StreamFacts()
    assert end_attributes(call, None, None, None) == {}


def test_an_earlier_answer_without_a_usage_adds_nothing():
    call = record(response=Response(usage=Usage(7, 3)))
    call.earlier.append(Response())
    assert end_attributes(call, None, None, None)["gen_ai.usage.input_tokens"] == 7
    assert [value for _, value, _ in points.histogram_points(call, None, None)][2:] == [7, 7, 3, 3]


@pytest.mark.parametrize(
    ("kind", "fields"),
    [("count_tokens", {"input_tokens": "12"}), ("batch_create", {"id": None}), ("upload", {}), ("download", {})],
)
def test_fields_of_another_type_are_left_out(kind: str, fields: dict[str, object]):
    call = record(Endpoint("anthropic.x", kind), Response(fields=fields))  # pyright: ignore[reportArgumentType]  # kinds
    assert end_attributes(call, None, None, None) == {}


def test_results_without_an_answer_have_no_tokens():
    call = record(Endpoint("anthropic.messages.batches.results", "batch_results"))
    call.batch = BatchResults("msgbatch_1", Counter({"expired": 2}))
    assert end_attributes(call, None, None, None) == {
        "anthropic.message.batch.id": "msgbatch_1",
        "claude.batch.results.expired": 2,
    }


@pytest.mark.parametrize(
    ("usage", "window", "filled"),
    [
        (Usage(100, 1), None, None),
        (Usage(100, 1), 1_000, 0.1),
        (Usage(100, 1, web_searches=1), 1_000, None),
        (Usage(100, 1, steps=(Step("message", None, Usage(40)), Step("message", None, Usage(60)))), 1_000, 0.06),
        (Usage(100, 1, steps=(Step("compaction", None, Usage(40)),)), 1_000, None),
        (Usage(), 1_000, None),
    ],
)
def test_utilization_is_of_the_prompt_of_the_last_step(usage: Usage, window: int | None, filled: float | None):
    assert usage.utilization(window) == filled


def test_tokens_are_billed_for_the_model_of_their_step():
    steps = (Step("message", None, Usage(10, 3)), Step("fallback_message", "claude-b", Usage(5, 2)))
    assert points.by_model(Usage(5, 2, steps=steps), "claude-a") == [
        ("claude-a", Usage(10, 3)),
        ("claude-b", Usage(5, 2)),
    ]
    assert points.by_model(Usage(5, 2, steps=steps[:1]), "claude-a") == [("claude-a", Usage(5, 2, steps=steps[:1]))]


def test_batches_are_forgotten_from_the_first_on():
    counted = AlreadyCounted()
    for number in range(MOST_BATCHES + 1):
        assert counted.first_time(str(number), 1)
    assert not counted.first_time("1", 1)
    assert counted.first_time("0", 1)
