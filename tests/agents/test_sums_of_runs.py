"""The sums of runs: what calls add to them, and that a sum of which something is not known is absent."""

from collections.abc import Sequence
from typing import Any

import anthropic
import pytest
from rig import ASK, PRICE, each, is_async, says, settled, told

import otel_claude
from fixture_types import API_KEY, Make
from otel_claude.testing import (
    Answer,
    BadRequest,
    Batch,
    GatewayTimeout,
    Hang,
    Overloaded,
    RateLimited,
    Raw,
    ServerError,
    SimulatedClaude,
    Telemetry,
    usage,
)

TIMEOUT_S = 0.2
LOST = Hang(seconds=5 * TIMEOUT_S)
"""An answer that comes when the client has given up: the API may have made it, and billed it."""
NOBODY = "http://127.0.0.1:1"
"""Where nobody listens: port 1 is that of TCPMUX, which is history."""
NO_MESSAGE = Raw(body={"id": "msg_1", "type": "message", "role": "assistant", "content": []})
"""An answer that does not say what it has used."""


def sums(telemetry: Telemetry, name: str = "traveller") -> tuple[Any, ...]:
    """Of a run: its iterations, its tokens and its cost. `None` is absent."""
    run = told(telemetry.span(f"invoke_agent {name}"))
    return tuple(run.get(f"claude.agent.{of}") for of in ("iterations", "input_tokens", "output_tokens", "cost_usd"))


async def asked(client: Any) -> None:
    """Asks in a run, whatever comes of it."""
    with otel_claude.agent("traveller"):
        try:
            await settled(client.messages.create(**ASK))
        except anthropic.APIError:
            pass


async def test_a_call_that_goes_on_after_its_run_leaves_tokens_and_cost_unknown(client: Any, telemetry: Telemetry):
    with otel_claude.agent("boss"):
        with otel_claude.agent("traveller"):
            stream = await settled(client.messages.create(**ASK, stream=True))
        async for _ in each(stream):
            pass

    assert sums(telemetry) == (1, None, None, None)
    assert telemetry.total("gen_ai.invoke_agent.inference_calls", {"gen_ai.agent.name": "traveller"}) == 1
    # The run around it has seen the end.
    assert None not in sums(telemetry, "boss")


@pytest.mark.parametrize(
    "attempts",
    [
        [LOST, says()],
        [LOST, BadRequest()],
        [Overloaded(), LOST],
        [LOST],
    ],
    ids=["lost, answered", "lost, refused", "refused, lost", "lost"],
)
async def test_an_attempt_whose_answer_was_lost_may_have_been_billed(
    attempts: Sequence[Any], make: Make, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(*attempts)
    await asked(make(api_key=API_KEY, timeout=TIMEOUT_S, max_retries=len(attempts) - 1))

    assert len(claude.requests) == len(attempts)
    assert sums(telemetry) == (1, None, None, None)


@pytest.mark.parametrize(
    ("attempts", "expected"),
    [
        ([RateLimited(retry_after=0.001), says()], (1, 100, 10, PRICE)),
        ([Overloaded(), says()], (1, 100, 10, PRICE)),
        ([ServerError(), GatewayTimeout()], (1, 0, 0, 0.0)),
        ([BadRequest()], (1, 0, 0, 0.0)),
    ],
)
async def test_an_attempt_that_was_refused_costs_nothing(
    attempts: Sequence[Any], expected: object, make: Make, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(*attempts)
    await asked(make(api_key=API_KEY, max_retries=len(attempts) - 1))

    assert len(claude.requests) == len(attempts)
    assert sums(telemetry) == expected


@pytest.mark.parametrize("max_retries", [0, 1])
async def test_an_attempt_that_reaches_nobody_costs_nothing(max_retries: int, make: Make, telemetry: Telemetry):
    await asked(make(api_key=API_KEY, base_url=NOBODY, max_retries=max_retries))

    assert sums(telemetry) == (1, 0, 0, 0.0)


async def test_an_answer_that_does_not_say_what_it_has_used(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(NO_MESSAGE)
    await asked(client)

    assert sums(telemetry) == (1, None, None, None)


def asks_twice(client: Any) -> Any:
    """A middleware that asks again, whatever has come of the first request."""

    def twice(request: Any, call_next: Any) -> Any:
        try:
            call_next(request)
        except anthropic.APIConnectionError:
            pass
        return call_next(request)

    async def twice_async(request: Any, call_next: Any) -> Any:
        try:
            await call_next(request)
        except anthropic.APIConnectionError:
            pass
        return await call_next(request)

    return twice_async if is_async(client) else twice


@pytest.mark.parametrize(
    ("attempts", "expected"),
    [
        ([says(), says()], (1, 200, 20, 2 * PRICE)),
        ([NO_MESSAGE, says()], (1, None, None, None)),
        ([says(), BadRequest()], (1, None, None, None)),
        ([Overloaded(), says()], (1, 100, 10, PRICE)),
        ([LOST, says()], (1, None, None, None)),
    ],
    ids=["both", "unknown, known", "known, refused", "refused, known", "lost, known"],
)
async def test_each_answer_that_a_middleware_asks_for_counts(
    attempts: Sequence[Any], expected: object, make: Make, claude: SimulatedClaude, telemetry: Telemetry
):
    pytest.importorskip("anthropic._middleware", reason="this SDK has no middleware")
    claude.will(*attempts)
    middleware = [asks_twice(make(api_key=API_KEY))]
    await asked(make(api_key=API_KEY, middleware=middleware, timeout=TIMEOUT_S))

    assert len(claude.requests) == 2
    assert sums(telemetry) == pytest.approx(expected)


BATCH_PRICE = (100 * 2 + 10 * 10) / 1_000_000 / 2
"""USD for one answer: batches are half price. https://platform.claude.com/docs/en/about-claude/pricing#batch-processing"""


async def batch_of(client: Any, claude: SimulatedClaude, **params: Any) -> str:
    """A batch with two answers."""
    claude.will(Batch([says(), says()]))
    requests: Any = [{"custom_id": str(number), "params": {**ASK, **params}} for number in range(2)]
    return (await settled(client.messages.batches.create(requests=requests))).id


async def read_results(client: Any, batch: str) -> None:
    async for _ in each(await settled(client.messages.batches.results(batch))):
        pass


async def test_results_of_a_batch_cost_when_they_are_first_read(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    batch = await batch_of(client, claude)
    for name in ("traveller", "again"):
        with otel_claude.agent(name):
            await read_results(client, batch)

    assert sums(telemetry) == (0, 200, 20, pytest.approx(2 * BATCH_PRICE))
    assert sums(telemetry, "again") == (0, 0, 0, 0.0)


async def test_results_without_a_price_leave_no_cost(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    batch = await batch_of(client, claude, model="claude-unheard-of")
    with otel_claude.agent("traveller"):
        await read_results(client, batch)

    assert sums(telemetry) == (0, 200, 20, None)


async def test_results_that_are_read_after_the_run_leave_its_sums_unknown(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    batch = await batch_of(client, claude)
    with otel_claude.agent("traveller"):
        results = await settled(client.messages.batches.results(batch))
    async for _ in each(results):
        pass

    assert sums(telemetry) == (0, None, None, None)


async def test_a_batch_that_is_not_there_costs_nothing(client: Any, telemetry: Telemetry):
    with otel_claude.agent("traveller"), pytest.raises(anthropic.NotFoundError):
        await read_results(client, "msgbatch_none")

    assert sums(telemetry) == (0, 0, 0, 0.0)


async def test_the_input_of_a_stream_that_is_left_is_known(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    """`message_start` says what was sent, and only the end what has come."""
    claude.will(Answer("One two three four", usage=usage(input_tokens=100, output_tokens=10)))
    with otel_claude.agent("traveller"):
        stream = await settled(client.messages.create(**ASK, stream=True))
        async for event in each(stream):
            if event.type == "content_block_delta":
                break
        await settled(stream.close())

    assert sums(telemetry) == (1, 100, None, None)
