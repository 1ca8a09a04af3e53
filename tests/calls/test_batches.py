"""Message batches: their own calls, and the results, whose tokens are counted when they are read."""

from collections.abc import Sequence
from typing import Any

import pytest
from driver import ASK, MODEL, items, needs, read, settled
from inline_snapshot import snapshot

from fixture_types import Instrument
from otel_claude.testing import Answer, BadRequest, Batch, Event, SimulatedClaude, Telemetry, usage

USED = usage(input_tokens=1_000, output_tokens=500, cache_read=2_000)
ONE = (1_000 * 1 + 2_000 * 0.05 + 500 * 5) / 1_000_000
"""USD for one answer at batch prices, half of Sonnet 5.5's 2, 0.10 and 10 per million tokens."""
ANSWER = Answer("Hello", usage=USED)
RESULTS: Sequence[Any] = (ANSWER, BadRequest(), "canceled", "expired", ANSWER)


def requests(number: int) -> list[dict[str, Any]]:
    return [{"custom_id": f"request-{index}", "params": {**ASK}} for index in range(number)]


async def ended_batch(client: Any, claude: SimulatedClaude, results: Sequence[Any] = RESULTS) -> str:
    """The id of a batch with these results."""
    claude.will(Batch(results))
    batch = await settled(client.messages.batches.create(requests=requests(len(results))))
    await settled(client.messages.batches.retrieve(batch.id))
    return batch.id


async def read_results(client: Any, batch: str) -> list[Any]:
    return await read(await settled(client.messages.batches.results(batch)))


@pytest.mark.parametrize("beta", [False, True])
async def test_each_call_of_batches_is_a_span(beta: bool, client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    batches = client.beta.messages.batches if beta else client.messages.batches
    claude.will(Batch(RESULTS, polls=1))
    batch = await settled(batches.create(requests=requests(5)))
    await settled(batches.retrieve(batch.id))
    await settled(batches.retrieve(batch.id))
    await read(await settled(batches.results(batch.id)))
    async for _ in items(batches.list(limit=1)):
        pass
    await settled(batches.cancel(batch.id))
    await settled(batches.delete(batch.id))
    assert telemetry.tree() == snapshot("""\
anthropic.messages.batches.create | client
    anthropic.message.batch.id = "msgbatch_sim_0001"
    anthropic.message.batch.request_count = 5
    anthropic.organization.id = "org-simulated"
    anthropic.request.id = "req_sim_0001"
    claude.platform = "anthropic"
    claude.request.size_bytes = …
    gen_ai.provider.name = "anthropic"
    http.request.method = "POST"
    http.response.status_code = 200
    server.address = "127.0.0.1"
    server.port = …
anthropic.messages.batches.retrieve | client
    anthropic.organization.id = "org-simulated"
    anthropic.request.id = "req_sim_0002"
    claude.platform = "anthropic"
    gen_ai.provider.name = "anthropic"
    http.request.method = "GET"
    http.response.status_code = 200
    server.address = "127.0.0.1"
    server.port = …
anthropic.messages.batches.retrieve | client
    anthropic.organization.id = "org-simulated"
    anthropic.request.id = "req_sim_0003"
    claude.platform = "anthropic"
    gen_ai.provider.name = "anthropic"
    http.request.method = "GET"
    http.response.status_code = 200
    server.address = "127.0.0.1"
    server.port = …
anthropic.messages.batches.retrieve | client
    anthropic.organization.id = "org-simulated"
    anthropic.request.id = "req_sim_0004"
    claude.platform = "anthropic"
    gen_ai.provider.name = "anthropic"
    http.request.method = "GET"
    http.response.status_code = 200
    server.address = "127.0.0.1"
    server.port = …
anthropic.messages.batches.results | client
    anthropic.message.batch.id = "msgbatch_sim_0001"
    anthropic.organization.id = "org-simulated"
    anthropic.request.id = "req_sim_0005"
    claude.batch.input_tokens = 6000
    claude.batch.output_tokens = 1000
    claude.batch.results.canceled = 1
    claude.batch.results.errored = 1
    claude.batch.results.expired = 1
    claude.batch.results.succeeded = 2
    claude.cost.batch_savings_usd = 0.0072
    claude.cost.source = "genai-prices 0.2.3"
    claude.cost.usd = 0.0072
    claude.platform = "anthropic"
    claude.stream.chunks = 5
    claude.stream.max_gap_s = …
    claude.stream.outcome = "completed"
    gen_ai.provider.name = "anthropic"
    http.request.method = "GET"
    http.response.status_code = 200
    server.address = "127.0.0.1"
    server.port = …
anthropic.messages.batches.list | client
    anthropic.organization.id = "org-simulated"
    anthropic.request.id = "req_sim_0006"
    claude.platform = "anthropic"
    gen_ai.provider.name = "anthropic"
    http.request.method = "GET"
    http.response.status_code = 200
    server.address = "127.0.0.1"
    server.port = …
anthropic.messages.batches.cancel | client
    anthropic.organization.id = "org-simulated"
    anthropic.request.id = "req_sim_0007"
    claude.platform = "anthropic"
    claude.request.size_bytes = …
    gen_ai.provider.name = "anthropic"
    http.request.method = "POST"
    http.response.status_code = 200
    server.address = "127.0.0.1"
    server.port = …
anthropic.messages.batches.delete | client
    anthropic.organization.id = "org-simulated"
    anthropic.request.id = "req_sim_0008"
    claude.platform = "anthropic"
    gen_ai.provider.name = "anthropic"
    http.request.method = "DELETE"
    http.response.status_code = 200
    server.address = "127.0.0.1"
    server.port = …\
""")


@pytest.mark.parametrize("beta", [False, True])
async def test_results_are_counted_at_batch_prices(
    beta: bool, client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    batch = await ended_batch(client, claude)
    telemetry.clear()
    batches = client.beta.messages.batches if beta else client.messages.batches
    await read(await settled(batches.results(batch)))
    span = telemetry.span("anthropic.messages.batches.results")
    told = span.attributes or {}
    assert told["claude.batch.input_tokens"] == 2 * 3_000
    assert told["claude.batch.output_tokens"] == 2 * 500
    assert told["claude.cost.usd"] == pytest.approx(2 * ONE)
    assert told["claude.cost.batch_savings_usd"] == pytest.approx(2 * ONE)
    assert not {"gen_ai.usage.input_tokens", "gen_ai.operation.name"} & told.keys()

    def is_type(name: str) -> bool:
        return name.endswith((".type", "processing", "operation.name", "model"))

    assert telemetry.metrics_table(shown=is_type) == snapshot("""\
claude.cost | counter | USD
    0.0002: claude.cost.type="cache_read" claude.processing="batch" gen_ai.operation.name="chat" gen_ai.response.model="claude-sonnet-5-5"
    0.002: claude.cost.type="input" claude.processing="batch" gen_ai.operation.name="chat" gen_ai.response.model="claude-sonnet-5-5"
    0.005: claude.cost.type="output" claude.processing="batch" gen_ai.operation.name="chat" gen_ai.response.model="claude-sonnet-5-5"
claude.cost.savings | counter | USD
    0.0072: claude.savings.type="batch" gen_ai.operation.name="chat" gen_ai.response.model="claude-sonnet-5-5"
    0.0038: claude.savings.type="cache" gen_ai.operation.name="chat" gen_ai.response.model="claude-sonnet-5-5"
claude.token.usage | counter | {token}
    4000: claude.token.type="cache_read" gen_ai.operation.name="chat" gen_ai.response.model="claude-sonnet-5-5"
    2000: claude.token.type="input" gen_ai.operation.name="chat" gen_ai.response.model="claude-sonnet-5-5"
    1000: claude.token.type="output" gen_ai.operation.name="chat" gen_ai.response.model="claude-sonnet-5-5"
claude.trace.spans | counter | {span}
    2:
gen_ai.client.operation.duration | histogram | s
    1 x, sum …: gen_ai.operation.name="messages.batches.results"
    1 x, sum …: gen_ai.operation.name="messages.batches.retrieve"
gen_ai.client.token.usage | histogram | {token}
    2 x, sum 6000: gen_ai.operation.name="chat" gen_ai.response.model="claude-sonnet-5-5" gen_ai.token.type="input"
    2 x, sum 1000: gen_ai.operation.name="chat" gen_ai.response.model="claude-sonnet-5-5" gen_ai.token.type="output"\
""")  # noqa: E501  # as they are written
    assert telemetry.total("claude.cost", {"claude.processing": "batch"}) == pytest.approx(2 * ONE)


async def test_results_that_are_read_twice_are_counted_once(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    batch = await ended_batch(client, claude)
    for _ in range(2):
        assert len(await read_results(client, batch)) == 5
    spans = [span.attributes or {} for span in telemetry.spans if span.name.endswith("results")]
    assert [told["claude.batch.output_tokens"] for told in spans] == [1_000, 1_000]
    assert telemetry.total("claude.token.usage", {"claude.token.type": "output"}) == 1_000
    assert telemetry.count("gen_ai.client.token.usage", {"gen_ai.token.type": "output"}) == 2
    assert telemetry.total("claude.cost") == pytest.approx(2 * ONE)


async def test_results_that_are_read_in_part_are_counted_as_far_as_they_were_read(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    batch = await ended_batch(client, claude)
    results = await settled(client.messages.batches.results(batch))
    async for result in items(results):
        assert result.custom_id == "request-0"
        break
    await settled(results.http_response.aclose() if hasattr(results, "__anext__") else results.http_response.close())
    assert telemetry.total("claude.cost") == pytest.approx(ONE)
    (told,) = [span.attributes or {} for span in telemetry.spans if span.name.endswith("results")]
    assert told["claude.stream.outcome"] == "abandoned"
    assert told["claude.batch.results.succeeded"] == 1
    assert telemetry.spans[-1].status.description is None

    await read_results(client, batch)
    assert telemetry.total("claude.cost") == pytest.approx(2 * ONE)
    assert telemetry.total("claude.token.usage", {"claude.token.type": "output"}) == 1_000


async def test_results_of_two_batches_are_counted_both(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    for _ in range(2):
        await read_results(client, await ended_batch(client, claude, [ANSWER]))
    assert telemetry.total("claude.token.usage", {"claude.token.type": "output"}) == 2 * 500


async def test_a_model_of_the_batch_without_a_price_leaves_no_sum(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    """A sum without it would be too low."""
    batch = await ended_batch(client, claude, [ANSWER, Answer(usage=USED, model="claude-next")])
    await read_results(client, batch)
    told = telemetry.spans[-1].attributes or {}
    assert told["claude.batch.output_tokens"] == 1_000
    assert "claude.cost.usd" not in told
    assert telemetry.total("claude.cost") == pytest.approx(ONE)
    assert telemetry.total("claude.cost.unpriced") == 1


async def test_a_batch_without_answers_has_no_tokens(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    await read_results(client, await ended_batch(client, claude, ["expired", "canceled"]))
    told = telemetry.spans[-1].attributes or {}
    assert told["claude.batch.results.expired"] == 1
    assert told["claude.batch.results.canceled"] == 1
    assert "claude.batch.output_tokens" not in told
    assert "claude.token.usage" not in telemetry.metrics


@needs("messages.batches.with_raw_response.results")
async def test_results_may_be_read_as_lines(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    batch = await ended_batch(client, claude)
    raw = await settled(client.messages.batches.with_raw_response.results(batch))
    response = raw.http_response
    await read(response.aiter_lines() if "Async" in type(client).__name__ else response.iter_lines())
    assert (telemetry.spans[-1].attributes or {})["claude.batch.results.succeeded"] == 2
    assert telemetry.total("claude.cost") == pytest.approx(2 * ONE)


async def test_content_of_a_batch_is_not_recorded(client: Any, claude: SimulatedClaude, instrument: Instrument):
    telemetry = instrument(content="SPAN_AND_EVENT")
    await read_results(client, await ended_batch(client, claude, [Answer("the secret")]))
    assert "the secret" not in telemetry.tree()


async def test_a_batch_that_does_not_exist_is_an_error(client: Any, telemetry: Telemetry):
    with pytest.raises(Exception, match="Not found"):
        await settled(client.messages.batches.retrieve("msgbatch_none"))
    told = telemetry.spans[0].attributes or {}
    assert told["error.type"] == "not_found_error"
    assert told["claude.error.category"] != "model_not_found"
    assert MODEL not in str(told)


CUT = Answer("Hel", stop_reason="max_tokens", usage=usage(input_tokens=10, output_tokens=64))
OUT_OF_ROOM = Answer("Hel", stop_reason="model_context_window_exceeded", usage=usage(input_tokens=10, output_tokens=64))


def crowded(prompt: int, model: str = "claude-haiku-4-5") -> Answer:
    """An answer of Haiku 4.5, whose window has 200,000 tokens, or of another model.

    https://platform.claude.com/docs/en/about-claude/models/overview
    """
    return Answer("Hi", model=model, usage=usage(input_tokens=prompt, output_tokens=1))


def the_event(telemetry: Telemetry, name: str) -> Event:
    (event,) = [event for event in telemetry.events if event.name == name]
    return event


async def test_answers_of_a_batch_that_were_cut_are_one_event(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    batch = await ended_batch(client, claude, [CUT, ANSWER, OUT_OF_ROOM, "expired", CUT])
    await read_results(client, batch)
    event = the_event(telemetry, "claude.output.truncated")
    told = {
        "claude.batch.results.truncated": 3,
        "claude.batch.stop_reasons": ("max_tokens", "model_context_window_exceeded"),
    }
    span = telemetry.span("anthropic.messages.batches.results")
    assert told.items() <= dict(span.attributes or {}).items()
    assert told.items() | {("anthropic.message.batch.id", batch)} <= event.attributes.items()
    assert (event.severity, event.span_id) == ("WARN", span.context.span_id)  # pyright: ignore[reportOptionalMemberAccess]


async def test_prompts_of_a_batch_that_fill_the_window_are_one_event_with_the_fullest(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    """Of 180,000 tokens in 200,000 more is filled than of 800,000 in the million of Sonnet 5.5; 150,000 are enough."""
    batch = await ended_batch(
        client,
        claude,
        [crowded(150_000), crowded(150_001), crowded(800_000, MODEL), crowded(180_000), crowded(160_000)],
    )
    await read_results(client, batch)
    event = the_event(telemetry, "claude.context.high")
    told = {
        "claude.batch.results.context_high": 4,
        "claude.context.utilization": 180_000 / 200_000,
        "claude.context.window": 200_000,
        "claude.context.tokens": 180_000,
    }
    span = telemetry.span("anthropic.messages.batches.results")
    assert told.items() <= dict(span.attributes or {}).items()
    assert told.items() | {("anthropic.message.batch.id", batch)} <= event.attributes.items()
    assert (event.severity, event.span_id) == ("WARN", span.context.span_id)  # pyright: ignore[reportOptionalMemberAccess]


async def test_the_threshold_of_the_context_holds_for_batches_too(
    instrument: Instrument, client: Any, claude: SimulatedClaude
):
    telemetry = instrument(context_threshold=0.25)
    await read_results(client, await ended_batch(client, claude, [crowded(50_000), crowded(50_001)]))
    assert the_event(telemetry, "claude.context.high").attributes["claude.batch.results.context_high"] == 1


async def test_results_with_nothing_to_tell_are_no_event(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    await read_results(client, await ended_batch(client, claude, [ANSWER, crowded(1_000, "claude-of-tomorrow")]))
    assert telemetry.events == []
    told = telemetry.spans[-1].attributes or {}
    assert not {name for name in told if name.startswith(("claude.context.", "claude.batch.results.truncated"))}


async def test_of_results_that_are_read_again_only_the_new_ones_are_told(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    """So that the numbers of several readings add up, as costs do."""
    batch = await ended_batch(client, claude, [CUT, CUT, crowded(170_000)])
    results = await settled(client.messages.batches.results(batch))
    async for _ in items(results):
        break
    await settled(results.http_response.aclose() if hasattr(results, "__anext__") else results.http_response.close())
    assert the_event(telemetry, "claude.output.truncated").attributes["claude.batch.results.truncated"] == 1

    for _ in range(2):
        await read_results(client, batch)
    found = [(event.name, event.attributes.get("claude.batch.results.truncated")) for event in telemetry.events]
    assert found == [("claude.output.truncated", 1), ("claude.output.truncated", 1), ("claude.context.high", None)]


@needs("messages.batches.with_raw_response.results")
async def test_answers_that_are_read_as_lines_are_told_too(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    batch = await ended_batch(client, claude, [CUT, crowded(170_000)])
    raw = await settled(client.messages.batches.with_raw_response.results(batch))
    response = raw.http_response
    await read(response.aiter_lines() if "Async" in type(client).__name__ else response.iter_lines())
    assert [event.name for event in telemetry.events] == ["claude.output.truncated", "claude.context.high"]
