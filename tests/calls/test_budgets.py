"""Budgets in the way of real calls of the SDK: what is refused, what is not, and what is seen of it."""

import os
import pickle
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import baggage, context

from fixture_types import API_KEY, Instrument, Make
from otel_claude import AnthropicInstrumentor, BudgetExceeded
from otel_claude.budgets.ledgers import ledger_at
from otel_claude.budgets.money import picodollars
from otel_claude.knowledge import Knowledge
from otel_claude.testing import Answer, Batch, Overloaded, SimulatedClaude, Telemetry, usage

ASK: dict[str, Any] = {
    "model": "claude-opus-5",
    "max_tokens": 1_000,
    "messages": [{"role": "user", "content": "Hello"}],
}
DEAR = Answer("Hi", usage=usage(input_tokens=1_000, output_tokens=1_000))
"""At $5 and $25 a million tokens: $0.03. https://platform.claude.com/docs/en/about-claude/pricing"""


def budgets(*, name: str = "all", **facts: Any) -> dict[str, Any]:
    """A budget that blocks, and a plan with it."""
    return {"interval_s": 0.05, "budgets": {name: {"usd": 0.05, "period": "day", "action": "block", **facts}}}


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def pause() -> None:
    """Long enough for whatever would be told a second time."""
    time.sleep(0.3)


def events(telemetry: Telemetry, name: str) -> list[Mapping[str, Any]]:
    return [event.attributes for event in telemetry.events if event.name == name]


def points(telemetry: Telemetry, name: str) -> list[tuple[float, Mapping[str, Any]]]:
    return [(point["value"], point["attributes"]) for point in telemetry.metrics.get(name, [])]


async def settle(answer: Any) -> Any:
    return await answer if hasattr(answer, "__await__") else answer


async def test_a_call_is_refused_before_it_is_sent(client: Any, instrument: Instrument, claude: SimulatedClaude):
    telemetry = instrument(budgets=budgets())
    claude.will(*[DEAR] * 2)
    for _ in range(2):
        await settle(client.messages.create(**ASK))

    with pytest.raises(BudgetExceeded) as raised:
        await settle(client.messages.create(**ASK))

    error = raised.value
    assert len(claude.requests) == 2
    assert (error.budget, error.scope, error.spent, error.limit) == ("all", None, 0.06, 0.05)
    assert error.resets_at > datetime.now(UTC)
    assert error.resets_at.strftime("%H:%M:%S") == "00:00:00"
    assert str(error).startswith("the budget 'all' is spent: 0.060000 of 0.050000 USD for this day; it resets at ")
    span = telemetry.spans[-1]
    assert span.attributes is not None
    assert span.attributes["error.type"] == "BudgetExceeded"
    assert span.attributes["claude.error.category"] == "budget"
    assert "a budget of this application" in str(span.attributes["claude.error.hint"])


async def test_a_stream_is_refused_and_none_is_cut(client: Any, instrument: Instrument, claude: SimulatedClaude):
    instrument(budgets=budgets(usd=0.000001))
    claude.will(DEAR)
    texts: list[str] = []
    stream = await settle(client.messages.create(**ASK, stream=True))
    if hasattr(stream, "__aiter__"):
        texts += [event.type async for event in stream]
    else:
        texts += [event.type for event in stream]

    assert texts[-1] == "message_stop"
    with pytest.raises(BudgetExceeded):
        await settle(client.messages.create(**ASK, stream=True))
    manager = client.messages.stream(**ASK)
    with pytest.raises(BudgetExceeded):
        await settle(manager.__aenter__() if hasattr(manager, "__aenter__") else manager.__enter__())
    assert len(claude.requests) == 1


async def test_a_batch_is_refused_and_counting_tokens_is_free(
    client: Any, instrument: Instrument, claude: SimulatedClaude
):
    instrument(budgets=budgets(usd=0.000001))
    claude.will(DEAR)
    await settle(client.messages.create(**ASK))

    with pytest.raises(BudgetExceeded):
        await settle(client.messages.batches.create(requests=[{"custom_id": "a", "params": ASK}]))
    counted = await settle(client.messages.count_tokens(model=ASK["model"], messages=ASK["messages"]))
    assert counted.input_tokens > 0


async def test_a_retry_is_not_refused(make: Make, instrument: Instrument, claude: SimulatedClaude):
    client = make(api_key=API_KEY, max_retries=2)
    telemetry = instrument(budgets=budgets(usd=0.04, reserve=True))
    claude.will(Overloaded(retry_after=0.01), Overloaded(retry_after=0.01), DEAR)

    await settle(client.messages.create(**ASK))

    assert points(telemetry, "claude.budget.spent") == [(0.03, {"claude.budget.name": "all"})]


async def test_what_a_call_could_cost_is_reserved(client: Any, instrument: Instrument, claude: SimulatedClaude):
    """1,000 tokens of output are $0.025, more than a half of $0.04 with the input; what is spent leaves $0.01."""
    instrument(budgets=budgets(usd=0.04, reserve=True))
    claude.will(DEAR, Answer("Hi"))
    await settle(client.messages.create(**ASK))

    with pytest.raises(BudgetExceeded, match="the call could cost more than is left of the budget 'all'"):
        await settle(client.messages.create(**ASK))
    await settle(client.messages.create(**{**ASK, "max_tokens": 10}))


async def test_a_call_whose_price_is_not_known_reserves_nothing(
    client: Any, instrument: Instrument, claude: SimulatedClaude
):
    telemetry = instrument(budgets=budgets(usd=0.04, reserve=True))
    claude.will(*[Answer("Hi", model="claude-of-tomorrow")] * 2)

    for _ in range(2):
        await settle(client.messages.create(**{**ASK, "model": "claude-of-tomorrow"}))

    batch = await settle(client.messages.batches.create(requests=[{"custom_id": "a", "params": ASK}]))
    assert batch.id
    until(lambda: points(telemetry, "claude.budget.spent") != [])
    assert points(telemetry, "claude.budget.spent") == [(0.0, {"claude.budget.name": "all"})]


async def test_a_call_in_whose_end_somebody_presses_ctrl_c_gives_back_what_was_reserved(
    client: Any, instrument: Instrument, claude: SimulatedClaude, monkeypatch: pytest.MonkeyPatch
):
    """An answer of 1,000 tokens costs up to $0.025, so that two do not fit, and one of 10 tokens $0.00075 and less."""
    instrument(budgets=budgets(usd=0.04, reserve=True))
    claude.will(*[Answer("Hi", usage=usage(input_tokens=100, output_tokens=10))] * 2)

    def interrupt(*_: object) -> None:
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(Knowledge, "of", interrupt)
    with pytest.raises(KeyboardInterrupt):
        await settle(client.messages.create(**ASK))
    await settle(client.messages.create(**ASK))
    assert len(claude.requests) == 2


async def test_a_call_that_fails_gives_back_what_was_reserved(
    client: Any, instrument: Instrument, claude: SimulatedClaude
):
    instrument(budgets=budgets(usd=0.04, reserve=True))
    claude.will(*[Overloaded()] * 3, DEAR)

    for _ in range(3):
        with pytest.raises(Exception, match="overloaded"):
            await settle(client.messages.create(**ASK))
    await settle(client.messages.create(**ASK))


async def test_a_budget_of_some_models_is_not_of_others(client: Any, instrument: Instrument, claude: SimulatedClaude):
    instrument(budgets=budgets(models="claude-opus-*"))
    claude.will(*[DEAR] * 3)
    for _ in range(2):
        await settle(client.messages.create(**ASK))

    await settle(client.messages.create(**{**ASK, "model": "claude-sonnet-5"}))
    with pytest.raises(BudgetExceeded):
        await settle(client.messages.create(**ASK))


async def test_each_tenant_has_a_budget_of_its_own(client: Any, instrument: Instrument, claude: SimulatedClaude):
    telemetry = instrument(budgets=budgets(per="tenant"))
    claude.will(*[DEAR] * 6)
    spent: dict[str | None, int] = {}
    refused: list[str | None] = []
    for tenant in ("acme", "umbrella", None, "acme", "acme", None):
        token = context.attach(baggage.set_baggage("tenant", tenant) if tenant else context.Context())
        try:
            await settle(client.messages.create(**ASK))
            spent[tenant] = spent.get(tenant, 0) + 1
        except BudgetExceeded as error:
            refused.append(error.scope)
        finally:
            context.detach(token)

    assert (spent, refused) == ({"acme": 2, "umbrella": 1, None: 2}, ["acme"])
    until(lambda: len(points(telemetry, "claude.budget.spent")) == 2)
    assert sorted(
        (value, labels["claude.budget.scope"]) for value, labels in points(telemetry, "claude.budget.spent")
    ) == [
        (0.03, "umbrella"),
        (0.06, "acme"),
    ]
    assert all("tenant" not in (span.attributes or {}) for span in telemetry.spans), "the baggage setting asks for that"


async def test_thresholds_are_told_once(client: Any, instrument: Instrument, claude: SimulatedClaude):
    telemetry = instrument(budgets=budgets(usd=0.1, action="warn", thresholds=[25, 50, 100]))
    claude.will(*[DEAR] * 5)
    for _ in range(5):
        await settle(client.messages.create(**ASK))
    until(lambda: len(events(telemetry, "claude.budget.threshold")) == 3)
    pause()

    told = events(telemetry, "claude.budget.threshold")
    assert [event["claude.budget.threshold"] for event in told] == [0.25, 0.5, 1.0]
    assert {event["claude.budget.limit_usd"] for event in told} == {0.1}
    assert [event.severity for event in telemetry.events if event.name == "claude.budget.threshold"] == [
        "WARN",
        "WARN",
        "ERROR",
    ]
    assert points(telemetry, "claude.budget.limit") == [(0.1, {"claude.budget.name": "all"})]
    assert points(telemetry, "claude.budget.spent") == [(0.15, {"claude.budget.name": "all"})]


async def test_the_results_of_a_batch_are_booked_once(client: Any, instrument: Instrument, claude: SimulatedClaude):
    """Half of $0.03 for each of two answers."""
    telemetry = instrument(budgets=budgets(action="warn"))
    claude.will(Batch([DEAR, DEAR]))
    batch = await settle(
        client.messages.batches.create(requests=[{"custom_id": name, "params": ASK} for name in ("a", "b")])
    )
    await settle(client.messages.batches.retrieve(batch.id))
    for _ in range(2):
        results = await settle(client.messages.batches.results(batch.id))
        if hasattr(results, "__aiter__"):
            assert len([result async for result in results]) == 2
        else:
            assert len(list(results)) == 2

    until(lambda: points(telemetry, "claude.budget.spent") not in ([], [(0.0, {"claude.budget.name": "all"})]))
    assert points(telemetry, "claude.budget.spent") == [(0.03, {"claude.budget.name": "all"})]


@pytest.fixture
def gone() -> str:
    """The address of a ledger that is not there."""
    pytest.importorskip("redis")
    return "redis://127.0.0.1:1/0"


async def test_a_ledger_that_is_gone_lets_calls_through_and_says_so_once(
    client: Any, instrument: Instrument, claude: SimulatedClaude, gone: str
):
    telemetry = instrument(budgets={**budgets(), "ledger": gone})
    claude.will(*[DEAR] * 2)
    for _ in range(2):
        await settle(client.messages.create(**ASK))
    until(lambda: events(telemetry, "claude.budget.ledger") != [])
    pause()

    (told,) = events(telemetry, "claude.budget.ledger")
    assert told["claude.budget.ledger.state"] == "unavailable"
    assert told["error.type"] == "ConnectionError"
    with pytest.raises(BudgetExceeded):
        # What this process has spent itself, it knows.
        await settle(client.messages.create(**ASK))


async def test_a_ledger_that_is_gone_lets_none_through_where_that_is_asked_for(
    client: Any, instrument: Instrument, claude: SimulatedClaude, gone: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("otel_claude.budgets.keeper.SILENT", 0)
    telemetry = instrument(budgets={**budgets(), "ledger": gone, "ledger_failure": "closed"})
    claude.will(Answer("Hi"))
    await settle(client.messages.create(**ASK))

    until(lambda: events(telemetry, "claude.budget.ledger") != [])
    with pytest.raises(BudgetExceeded, match="the ledger of the budget 'all' does not answer"):
        await settle(client.messages.create(**ASK))


async def test_budgets_hold_where_nobody_listens(client: Any, claude: SimulatedClaude):
    AnthropicInstrumentor().instrument(budgets=budgets())
    try:
        claude.will(*[DEAR] * 2)
        for _ in range(2):
            await settle(client.messages.create(**ASK))
        with pytest.raises(BudgetExceeded):
            await settle(client.messages.create(**ASK))
    finally:
        AnthropicInstrumentor().uninstrument()


async def test_after_uninstrument_nothing_is_refused(client: Any, instrument: Instrument, claude: SimulatedClaude):
    instrument(budgets=budgets(usd=0.000001))
    claude.will(DEAR, DEAR)
    await settle(client.messages.create(**ASK))
    with pytest.raises(BudgetExceeded):
        await settle(client.messages.create(**ASK))
    AnthropicInstrumentor().uninstrument()

    await settle(client.messages.create(**ASK))
    assert len(claude.requests) == 2


async def test_what_is_booked_is_in_the_ledger_after_a_flush(
    client: Any, instrument: Instrument, claude: SimulatedClaude, tmp_path: Path
):
    address = f"sqlite:///{tmp_path}/ledger.db"
    # Its thread looks at the first call, and then not for half a minute.
    instrument(budgets={**budgets(usd=1), "interval_s": 60, "ledger": address})
    claude.will(DEAR, DEAR)
    written: list[list[tuple[str, int]]] = []
    for _ in range(2):
        await settle(client.messages.create(**ASK))
        AnthropicInstrumentor().flush_budgets()
        ledger = ledger_at(address)
        written.append([(account.split("/")[0], amount) for account, amount in ledger.listed()])
        ledger.close()

    assert written == [[("all", picodollars(0.03))], [("all", picodollars(0.06))]]


def test_a_flush_without_a_budget_does_nothing(instrument: Instrument):
    AnthropicInstrumentor().flush_budgets()
    instrument()

    AnthropicInstrumentor().flush_budgets()


def test_bad_budgets_are_none_under_auto_instrumentation(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("OTEL_CLAUDE_BUDGETS", "/nowhere/budgets.toml")
    AnthropicInstrumentor().instrument()
    try:
        assert (
            "budgets (OTEL_CLAUDE_BUDGETS) is '/nowhere/budgets.toml'; accepted: the path of a TOML or YAML"
            in caplog.text
        )
    finally:
        AnthropicInstrumentor().uninstrument()


def test_a_refusal_can_be_pickled():
    error = BudgetExceeded("all", scope="acme", spent=1.5, limit=1.0, resets_at=1_795_392_000.0, reason="It is spent.")

    again = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own

    assert (again.budget, again.scope, again.spent, again.limit, again.resets_at, str(again)) == (
        "all",
        "acme",
        1.5,
        1.0,
        error.resets_at,
        "It is spent.",
    )


def test_a_child_spends_on_its_own(instrument: Instrument, claude: SimulatedClaude, tmp_path: Any):
    import anthropic

    telemetry = instrument(budgets={**budgets(usd=1), "ledger": f"sqlite:///{tmp_path}/ledger.db"})
    claude.will(*[DEAR] * 3)
    client = anthropic.Anthropic(base_url=claude.base_url, api_key=API_KEY, max_retries=0)
    client.messages.create(**ASK)
    until(lambda: points(telemetry, "claude.budget.spent") == [(0.03, {"claude.budget.name": "all"})])
    child = os.fork()
    if child == 0:
        status = 1
        try:
            with anthropic.Anthropic(base_url=claude.base_url, api_key=API_KEY, max_retries=0) as own:
                own.messages.create(**ASK)
            AnthropicInstrumentor().uninstrument()
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    client.messages.create(**ASK)

    until(lambda: points(telemetry, "claude.budget.spent") == [(0.09, {"claude.budget.name": "all"})])
    client.close()
