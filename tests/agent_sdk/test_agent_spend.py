"""What a turn has spent, out of sums that never begin anew but when they do.

Numbers are those of the CLI in the recordings. Its prices for the model are 3 USD for a million tokens in, 15 out, 0.30
read from the cache and 3.75 written to it (https://platform.claude.com/docs/en/about-claude/pricing).
"""

from typing import Any

import pytest
from agent_frames import recorded

from otel_claude.agent_sdk.spend import Spend, Totals

MODEL = "claude-sonnet-4-5-20250929"


def used(tokens_in: int, tokens_out: int, cost: float, **more: Any) -> dict[str, Any]:
    return {"inputTokens": tokens_in, "outputTokens": tokens_out, "costUSD": cost, **more}


def result(*models: tuple[str, dict[str, Any]], own: tuple[int, int] = (0, 0)) -> dict[str, Any]:
    return {"modelUsage": dict(models), "usage": {"input_tokens": own[0], "output_tokens": own[1]}}


def said(spend: Spend | None) -> tuple[int | None, int | None, float | None] | None:
    return None if spend is None else (spend.input, spend.output, spend.cost)


def results(name: str) -> list[dict[str, Any]]:
    return [passed.frame for passed in recorded(name) if passed.frame["type"] == "result"]


def test_what_the_cli_says_of_a_turn():
    totals = Totals(new=False)
    first, second, third = (totals.spent(frame) for frame in results("background"))
    # Two answers, 100 and 110 tokens in, each with 30 and 20 of the cache; 20 and 5 out.
    assert said(first) == (210 + 2 * 50, 25, pytest.approx((210 * 3 + 25 * 15 + 60 * 0.30 + 40 * 3.75) / 1e6))
    # The subagent's two, 50 and 60 in, 10 and 12 out, and the one that tells of it, 120 in and 6 out.
    assert said(second) == (230 + 3 * 50, 28, pytest.approx((230 * 3 + 28 * 15 + 90 * 0.30 + 60 * 3.75) / 1e6))
    assert said(third) == (130 + 50, 7, pytest.approx((130 * 3 + 7 * 15 + 30 * 0.30 + 20 * 3.75) / 1e6))


def test_the_difference_of_sums_is_the_same():
    """Older CLIs say nothing of what has come since the last result."""
    exact, differing = Totals(new=True), Totals(new=True)
    for frame in results("background"):
        before = dict(frame)
        del before["model_usage_since_last_result"]
        spend, difference = exact.spent(frame), differing.spent(before)
        assert said(difference) == (*(said(spend) or ())[:2], pytest.approx(spend and spend.cost))


def test_models_that_did_nothing_in_a_turn_are_left_out():
    totals = Totals(new=True)
    haiku = ("claude-haiku-4-5", used(10, 1, 0.01))
    totals.spent(result(haiku, (MODEL, used(100, 10, 0.5))))
    spend = totals.spent(result(haiku, (MODEL, used(150, 15, 0.75))))
    assert spend is not None
    assert [(each.model, each.usage.input, each.usage.output, each.cost) for each in spend.models] == [
        (MODEL, 50, 5, 0.25)
    ]


def test_the_first_turn_of_a_conversation_that_may_be_an_old_one_is_not_known():
    totals = Totals(new=False)
    assert totals.spent(result((MODEL, used(300, 30, 0.5)), own=(100, 10))) is None
    assert said(totals.spent(result((MODEL, used(350, 35, 0.75)), own=(50, 5)))) == (50, 5, 0.25)


def test_where_the_turn_has_used_all_that_there_is_the_conversation_is_a_new_one():
    assert said(Totals(new=False).spent(result((MODEL, used(100, 10, 0.5)), own=(100, 10)))) == (100, 10, 0.5)


def test_sums_that_went_down_say_nothing_and_later_ones_do():
    totals = Totals(new=True)
    totals.spent(result((MODEL, used(100, 10, 0.5))))
    assert totals.spent(result((MODEL, used(40, 4, 0.25)))) is None
    assert said(totals.spent(result((MODEL, used(50, 5, 0.5))))) == (10, 1, 0.25)


@pytest.mark.parametrize("silent", [{"modelUsage": {}}, {}])
def test_a_result_without_sums_does_not_spoil_those_that_come_after(silent: dict[str, Any]):
    for new in (True, False):
        totals = Totals(new=new)
        totals.spent(result((MODEL, used(100, 10, 0.5)), own=(100, 10)))
        assert totals.spent(silent) is None
        assert said(totals.spent(result((MODEL, used(300, 30, 0.75)), own=(200, 20)))) == (200, 20, 0.25)


def test_costs_are_exact_to_a_picodollar():
    """As binary fractions 0.002695 - 0.002611 is 8.39999999999999e-05, and 0.1 + 0.2 is 0.30000000000000004."""
    totals = Totals(new=True)
    totals.spent(result((MODEL, used(100, 10, 0.002611))))
    assert said(totals.spent(result((MODEL, used(200, 20, 0.002695))))) == (100, 10, 0.000084)
    spend = Totals(new=True).spent(result((MODEL, used(1, 1, 0.1)), ("other", used(1, 1, 0.2))))
    assert said(spend) == (2, 2, 0.3)


@pytest.mark.parametrize("count", [-1, 2**63, True])
def test_a_number_of_tokens_that_is_none_is_not_known(count: int):
    assert said(Totals(new=True).spent(result((MODEL, used(count, 1, 0.5))))) == (None, 1, 0.5)


def test_a_conversation_that_begins_anew_begins_with_nothing():
    totals = Totals(new=False)
    totals.spent(result((MODEL, used(100, 10, 0.5))))
    totals.reset()
    assert said(totals.spent(result((MODEL, used(40, 4, 0.25))))) == (40, 4, 0.25)


def test_a_result_without_sums_says_nothing():
    totals = Totals(new=True)
    assert totals.spent({}) is None
    assert totals.spent({"modelUsage": {MODEL: "much"}}) is None


def test_a_cost_that_one_model_lacks_is_not_known():
    spend = Totals(new=True).spent(result((MODEL, used(1, 1, 0.5)), ("other", {"inputTokens": 1, "outputTokens": 1})))
    assert said(spend) == (2, 2, None)


def test_clouds_are_called_by_the_conventions_names():
    models = [(word, used(1, 1, 1.0, provider=word)) for word in ("firstParty", "bedrock", "vertex")]
    spend = Totals(new=True).spent(result(*models))
    assert spend is not None
    assert [each.provider for each in spend.models] == ["anthropic", "aws.bedrock", "gcp.vertex_ai"]


def test_where_the_cli_does_not_say_who_has_answered_it_is_whom_it_was_to_ask():
    totals = Totals(new=True, provider="aws.bedrock")
    spend = totals.spent(result((MODEL, used(1, 1, 1.0)), ("other", used(1, 1, 1.0, provider="firstParty"))))
    assert spend is not None
    assert [each.provider for each in spend.models] == ["aws.bedrock", "anthropic"]


@pytest.mark.parametrize("cost", [float("inf"), float("nan"), 1e300, 10**400, -0.5])
def test_a_cost_that_is_no_amount_is_not_known(cost: float):
    """Python reads such numbers in JSON. Nobody spends so much, or less than nothing."""
    assert said(Totals(new=True).spent(result((MODEL, used(1, 1, cost))))) == (1, 1, None)
