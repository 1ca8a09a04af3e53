"""What panels and alerts are apart by: Datadog's monitors and New Relic leave out of all groups what lacks one of it.

So each point of calls in which everything happens is held against what is said of its metric.
"""

from collections.abc import Iterator
from typing import Any

import anthropic
import pytest
from traffic import SETTINGS, Traffic

from otel_claude import AnthropicInstrumentor, Settings, names
from otel_claude.dashboards.alerts import ALERTS
from otel_claude.dashboards.measures import SERVICE, SOMETIMES, TENANT, Measure, Where, always
from otel_claude.dashboards.panels import ROWS
from otel_claude.testing import SimulatedClaude, Telemetry

pytestmark = pytest.mark.skipif(not hasattr(anthropic, "beta_tool"), reason="the SDK has no tool runner")

Points = dict[str, list[dict[str, Any]]]

FORMULAS = {
    **{panel.title: [query.formula for query in panel.queries] for row in ROWS for panel in row.panels},
    **{alert.name: [alert.formula] for alert in ALERTS if alert.formula is not None},
}


@pytest.fixture(scope="module")
def points() -> Iterator[Points]:
    """The attributes of each metric's points."""
    telemetry, instrumentor = Telemetry(), AnthropicInstrumentor()
    instrumentor.instrument(
        tracer_provider=telemetry.tracer_provider,
        meter_provider=telemetry.meter_provider,
        logger_provider=telemetry.logger_provider,
        settings=Settings(**SETTINGS, chunk_metrics=True),
    )
    try:
        with SimulatedClaude() as claude:
            traffic = Traffic(claude, telemetry.tracer_provider)
            traffic.rounds_of(1)
            traffic.of_no_model()
            traffic.of_no_named_agent()
            traffic.close()
            yield {name: [point["attributes"] for point in found] for name, found in telemetry.metrics.items()}
    finally:
        instrumentor.uninstrument()
        telemetry.shutdown()


def meets(attributes: dict[str, Any], where: Where) -> bool:
    value = attributes.get(where.attribute)
    met = {
        "in": value in where.values,
        "not in": value not in where.values,
        "like": any(each.strip("*") in str(value) for each in where.values),
        "set": value is not None,
        "unset": value is None,
    }
    return met[where.test]


def measured(measure: Measure, points: Points) -> list[dict[str, Any]]:
    found = points.get(measure.of.name, [])
    return [each for each in found if all(meets(each, where) for where in measure.where)]


@pytest.mark.parametrize("name", FORMULAS)
def test_every_point_has_what_is_said_to_be_always_there(name: str, points: Points):
    for measure in (measure for formula in FORMULAS[name] for measure in formula.measures.values()):
        for attributes in measured(measure, points):
            assert set(always(measure)) - {SERVICE} <= attributes.keys()


def test_nothing_else_is_said_to_be_lacking():
    """So that no group is given up for nothing. Workspaces are those of keys that have one."""
    lacked = {instrument.name: set(attributes) for instrument, attributes in SOMETIMES.items()}
    assert lacked == {
        "gen_ai.client.operation.duration": {"gen_ai.request.model"},
        "claude.rate_limit.limit": {"claude.rate_limit.model", "claude.workspace", "claude.call.name"},
        "claude.rate_limit.remaining": {"claude.rate_limit.model", "claude.workspace", "claude.call.name"},
        "claude.budget.spent": {"claude.budget.scope"},
        "gen_ai.invoke_agent.duration": {"gen_ai.agent.name"},
        "gen_ai.invoke_agent.inference_calls": {"gen_ai.agent.name"},
        "claude.cost": {"tenant"},
    }


@pytest.mark.parametrize(
    ("metric", "attribute", "having"),
    [
        ("gen_ai.client.operation.duration", names.REQUEST_MODEL, (names.ERROR_CATEGORY, "rate_limited")),
        ("claude.rate_limit.remaining", names.LIMIT_MODEL, (names.CALL_NAME, "anthropic.files.list")),
        ("claude.rate_limit.limit", names.CALL_NAME, (names.LIMIT_MODEL, "claude-sonnet-5-5")),
        ("claude.budget.spent", names.BUDGET_SCOPE, (names.BUDGET_NAME, "everything")),
        ("gen_ai.invoke_agent.duration", names.AGENT_NAME, (names.REQUEST_MODEL, "claude-sonnet-5-5")),
        ("claude.cost", TENANT, (names.RESPONSE_MODEL, "claude-sonnet-5-5")),
    ],
)
def test_there_are_points_without(metric: str, attribute: str, having: tuple[str, str], points: Points):
    """What the test above is about is among what was called."""
    name, value = having
    assert any(attribute not in each and each.get(name) == value for each in points[metric])


def test_a_condition_on_another_attribute_says_that_one_is_there():
    (limit,) = {formula.first for formula in FORMULAS["ClaudeRateLimitLow"]}
    assert always(limit) == (names.LIMIT_TYPE, names.LIMIT_MODEL, names.ORGANIZATION)
    (limit,) = {formula.first for formula in FORMULAS["ClaudeMethodLimitLow"]}
    assert always(limit) == (names.LIMIT_TYPE, names.ORGANIZATION, names.CALL_NAME)
    (chats,) = {formula.first for formula in FORMULAS["Calls by model"]}
    assert always(chats) == (names.REQUEST_MODEL,)
    (failed,) = {formula.first for formula in FORMULAS["ClaudeRateLimited"]}
    assert always(failed) == (SERVICE,)
