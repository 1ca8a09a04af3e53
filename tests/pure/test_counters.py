"""Counters that are added up when somebody looks."""

from otel_claude.emitting.instruments import CLAUDE_TOKENS
from otel_claude.emitting.observed import MOST_SETS, Counters
from otel_claude.emitting.points import TOKEN_TYPES
from otel_claude.settings import Settings
from otel_claude.who import Who

KINDS = [kind for _, kind in TOKEN_TYPES]


def test_all_combinations_of_who_fit_with_eight_models_and_each_type_of_token():
    """What the setting `baggage` promises: 201 combinations, `_OTHER` included, of 8 models and 6 types are 9,648."""
    who, counters = Who(Settings(baggage=("tenant", "feature")).baggage), Counters()
    for number in range(500):
        counted = who.counted({"tenant": f"tenant-{number % 100}", "feature": f"feature-{number // 100}"})
        for model in range(8):
            for kind in KINDS:
                labels = {**counted, "gen_ai.response.model": f"model-{model}", "claude.token.type": kind}
                counters.add([(CLAUDE_TOKENS, 1, labels)], {CLAUDE_TOKENS.name})
    found = counters.observe(CLAUDE_TOKENS.name)
    assert len(KINDS) == 6
    assert len(found) == 9_648 <= MOST_SETS
    assert not any("otel.metric.overflow" in (observation.attributes or {}) for observation in found)
    assert sum(observation.value for observation in found) == 500 * 8 * 6


def test_sets_of_attributes_that_are_too_many_are_counted_as_one():
    counters = Counters()
    for number in range(MOST_SETS + 7):
        counters.add([(CLAUDE_TOKENS, 1, {"gen_ai.response.model": str(number)})], {CLAUDE_TOKENS.name})
    found = counters.observe(CLAUDE_TOKENS.name)
    (over,) = [each.value for each in found if each.attributes == {"otel.metric.overflow": True}]
    assert (len(found), over) == (MOST_SETS + 1, 7)
