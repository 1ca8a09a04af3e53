"""New Relic's dashboard and conditions: of the form that its pages take, with names that we emit.

New Relic itself cannot be had here, and it publishes no schema that could be: what is held here is what its
documentation says, and its own client (`newrelic-client-go`) and Terraform provider.
https://docs.newrelic.com/docs/apis/nerdgraph/examples/nerdgraph-api-nrql-condition-alerts/
https://docs.newrelic.com/docs/apis/nerdgraph/examples/create-widgets-dashboards-api/
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from emitted import ATTRIBUTES, METRICS

from otel_claude.dashboards.alert import trend_of
from otel_claude.dashboards.alerts import ALERTS
from otel_claude.dashboards.measures import SERVICE, TENANT, seconds
from otel_claude.dashboards.newrelic import OFF_PREDICTION, conditions, dashboard

CONDITIONS = conditions("https://example.com/production.md")
NAMES = [each["condition"]["name"] for each in CONDITIONS]
BY_NAME = {each["condition"]["name"]: each["condition"] for each in CONDITIONS}
WIDGETS = [widget for page in dashboard()["pages"] for widget in page["widgets"]]

NAME = r"`[a-z0-9_.]+`"
VALUES = r"\('[\w.]+'(?:, '[\w.]+')*\)"
TEST = rf"(?:= '[\w.]+'|IN {VALUES}|LIKE '[\w%.]+'|IS (?:NOT )?NULL)"
WHERE = rf"(?:(?:{NAME}|`metricName`) {TEST}|\({NAME} IS NULL OR {NAME} NOT IN {VALUES}\))"
BOTH = rf"{WHERE}(?: AND {WHERE})*"
GROUP = rf"(?:{NAME}|if\({NAME} IS NULL, 'none', {NAME}\))"
NUMBER = rf"(?:sum|count|min|max)\({NAME}\)|percentile\({NAME}, [\d.]+\)"
CHOSEN = rf"(?:{NUMBER}|filter\((?:{NUMBER}), WHERE {BOTH}\))"
SELECTED = rf"(?:{CHOSEN}|rate\({CHOSEN}, 1 second\))"
QUERY = re.compile(
    rf"SELECT \(?{SELECTED}(?: - \d+\))?(?: [/+] {SELECTED})?\)?(?: \* \d+)? AS '[\w ]+' FROM Metric"  # noqa: S608  # a pattern
    rf"(?: WHERE {BOTH})?(?: FACET {GROUP}(?:, {GROUP})*)?"
    r"(?: SINCE (?:today|5 minutes ago))?(?: TIMESERIES| LIMIT \d+)?"
)


def queries() -> Iterator[str]:
    for widget in WIDGETS:
        yield from (each["query"] for each in widget["rawConfiguration"]["nrqlQueries"])
    yield from (each["condition"]["nrql"]["query"] for each in CONDITIONS)


@pytest.mark.parametrize("query", sorted(set(queries())))
def test_a_query_is_of_the_documented_form_and_asks_for_what_is_emitted(query: str):
    assert QUERY.fullmatch(query)
    metrics = re.findall(r"(sum|count|min|max|percentile)\(`([^`]+)`", query)
    others = set(re.findall(r"`([^`]+)`", query)) - {name for _, name in metrics}
    assert others <= ATTRIBUTES | {TENANT, SERVICE, "metricName"}
    # https://docs.newrelic.com/docs/data-apis/understand-data/metric-data/metric-data-type/
    functions = {
        "counter": {"sum"},
        "histogram": {"sum", "count", "percentile"},
        "gauge": {"min", "max"},
    }
    assert all(function in functions[METRICS[name].kind] for function, name in metrics)


@pytest.mark.parametrize("each", CONDITIONS, ids=NAMES)
def test_a_condition_has_the_fields_of_its_mutation_within_their_limits(each: Any):
    condition = each["condition"]
    (term,) = condition["terms"]
    signal = condition["signal"]
    baseline = each["mutation"] == "alertsNrqlConditionBaselineCreate"
    assert baseline or each["mutation"] == "alertsNrqlConditionStaticCreate"
    assert set(condition) == {
        "name", "description", "enabled", "runbookUrl", "nrql", "signal", "terms", "expiration",
        "violationTimeLimitSeconds", *(["baselineDirection"] if baseline else []),
    }  # fmt: skip
    assert condition.get("baselineDirection", "UPPER_ONLY") in ("UPPER_ONLY", "UPPER_AND_LOWER")
    waits = {"EVENT_FLOW": "aggregationDelay", "EVENT_TIMER": "aggregationTimer"}[signal["aggregationMethod"]]
    slides = {"slideBy"} if signal["aggregationMethod"] == "EVENT_FLOW" and not baseline else set[str]()
    assert set(signal) == {"aggregationWindow", "aggregationMethod", waits, "fillOption", *slides}
    for slide in slides:
        assert signal["aggregationWindow"] % signal[slide] == 0
        assert 30 <= signal[slide] < signal["aggregationWindow"]
    assert 30 <= signal["aggregationWindow"] <= 21_600
    assert 5 <= signal[waits] <= 1_200
    assert term["thresholdDuration"] % signal["aggregationWindow"] == 0
    assert (120 if baseline else 60) <= term["thresholdDuration"] <= 86_400
    assert term["thresholdOccurrences"] in ("ALL", "AT_LEAST_ONCE")
    assert term["priority"] in ("CRITICAL", "WARNING")
    assert term["operator"] in (("ABOVE",) if baseline else ("ABOVE", "BELOW"))
    assert not baseline or 1 <= term["threshold"] <= 1_000
    assert 300 <= condition["violationTimeLimitSeconds"] <= 2_592_000
    assert not re.search(r"SINCE|TIMESERIES|LIMIT", condition["nrql"]["query"])


@pytest.mark.parametrize("alert", [each for each in ALERTS if each.name in NAMES], ids=lambda each: each.name)
def test_a_condition_has_the_bound_of_its_alert(alert: Any):
    (condition,) = (each["condition"] for each in CONDITIONS if each["condition"]["name"] == alert.name)
    (term,) = condition["terms"]
    if "baselineDirection" in condition:
        assert alert.past or alert.trend
    else:
        assert (term["threshold"], term["operator"]) == (alert.bound, {"<": "BELOW", ">": "ABOVE"}[alert.test])


SPARSE = [each for each in ALERTS if each.name in NAMES and each.bound == 0]


@pytest.mark.parametrize("alert", SPARSE, ids=lambda alert: alert.name)
def test_what_is_rare_is_looked_at_by_the_clock(alert: Any):
    """By the flow of points, one failure would wait for the next.

    More than none in a window is more than none in a minute of it, so that the minutes are looked at, each by a timer
    that is no shorter.
    """
    (measure,) = alert.formula.measures.values()
    assert (measure.what, alert.test, alert.wait) == ("grown", ">", "0m")
    condition = BY_NAME[alert.name]
    signal, (term,) = condition["signal"], condition["terms"]
    assert (signal["aggregationMethod"], signal["aggregationWindow"]) == ("EVENT_TIMER", 60)
    assert signal["aggregationTimer"] >= signal["aggregationWindow"]
    assert term["thresholdOccurrences"] == "AT_LEAST_ONCE"
    assert term["thresholdDuration"] == seconds(measure.window)


@pytest.mark.parametrize(
    "alert", [each for each in ALERTS if each.name in NAMES and each not in SPARSE], ids=lambda alert: alert.name
)
def test_how_much_there_is_of_something_is_known_at_the_end_of_a_window(alert: Any):
    condition = BY_NAME[alert.name]
    assert condition["signal"]["aggregationMethod"] == "EVENT_FLOW"
    occurrences = "ALL" if "baselineDirection" in condition else "AT_LEAST_ONCE"
    assert condition["terms"][0]["thresholdOccurrences"] == occurrences


@pytest.mark.parametrize("condition", BY_NAME.values(), ids=BY_NAME)
def test_an_incident_is_closed_when_no_more_points_of_its_metrics_come(condition: Any):
    expiration = condition["expiration"]
    assert expiration["closeViolationsOnExpiration"] is True
    assert expiration["openViolationOnExpiration"] is False
    assert expiration["expirationDuration"] == condition["terms"][0]["thresholdDuration"]
    # Three to five minutes at least are recommended, and 48 hours are the most.
    assert 300 <= expiration["expirationDuration"] <= 172_800
    query = condition["nrql"]["query"]
    metrics = {name for _, name in re.findall(r"(sum|count|min|max|percentile)\(`([^`]+)`", query)}
    passed = re.search(r" FROM Metric WHERE `metricName` (?:= |IN \()('[^)]+?')(?:\)| |$)", query)
    assert passed is not None
    assert set(re.findall(r"'([^']+)'", passed[1])) == metrics


@pytest.mark.parametrize("condition", BY_NAME.values(), ids=BY_NAME)
def test_a_condition_asks_for_functions_that_conditions_have(condition: Any):
    """https://docs.newrelic.com/docs/alerts/create-alert/create-alert-condition/create-nrql-alert-conditions/#syntax."""
    known = {"count", "max", "min", "percentile", "sum", "filter"}
    assert set(re.findall(r"([a-z]+)\(", condition["nrql"]["query"])) <= known


def value(name: str, sums: Mapping[str, float]) -> float:
    """What a condition makes of sums."""
    said = condition_selects(name)
    said = re.sub(rf"{SELECTED}", lambda each: str(sums[re.findall(r"`([^`]+)`", each[0])[0]]), said)
    # Arithmetic of our own.
    return eval(said, {})  # noqa: S307


def condition_selects(name: str) -> str:
    return re.sub(r"SELECT (.+) AS 'value' .*", r"\1", BY_NAME[name]["nrql"]["query"])


def test_sums_of_a_window_are_compared_as_what_they_are_in_an_hour_or_a_minute():
    """One booking of 4 USD is 4 USD of the 20 of an hour; 800 requests a minute are 4,000 in 300 s."""
    condition = BY_NAME["ClaudeSpendFast"]
    assert (condition["signal"]["aggregationWindow"], condition["terms"][0]["threshold"]) == (3_600, 20)
    assert value("ClaudeSpendFast", {"claude.cost": 4}) == 4

    condition = BY_NAME["ClaudeRequestsNearLimit"]
    assert (condition["signal"]["aggregationWindow"], condition["terms"][0]["threshold"]) == (300, 4_000)
    sums = {"gen_ai.client.operation.duration": 10 * 300, "claude.retries": 800 / 60 * 300 - 10 * 300}
    assert value("ClaudeRequestsNearLimit", sums) == pytest.approx(800 / 60 * 300)

    condition = BY_NAME["ClaudeCacheUnused"]
    assert (condition["signal"]["aggregationWindow"], condition["terms"][0]["threshold"]) == (3_600, 10)
    assert value("ClaudeCacheUnused", {"claude.cache.unused": 10}) == 10


@pytest.mark.parametrize(
    ("calls", "retries", "fires"),
    [(10, 1, False), (60, 1, False), (60, 6, False), (60, 7, True), (1_000, 53, False), (1_000, 54, True)],
)
def test_three_retries_an_hour_are_none(calls: int, retries: int, *, fires: bool):
    """One for twenty calls and three besides: 3 + 3 of 60, 50 + 3 of 1,000."""
    condition = BY_NAME["ClaudeRetries"]
    assert (condition["signal"]["aggregationWindow"], condition["terms"][0]["threshold"]) == (3_600, 0.05)
    sums = {"gen_ai.client.operation.duration": calls, "claude.retries": retries}
    assert (value("ClaudeRetries", sums) > 0.05) is fires


@pytest.mark.parametrize("name", ["ClaudePromptsGrow", "ClaudeSlower"])
def test_means_are_those_of_an_hour(name: str):
    assert BY_NAME[name]["signal"]["aggregationWindow"] == 3_600


def test_no_retries_are_none_and_leave_the_calls_in_the_sum():
    """`filter()` is 0 where nothing passes it; a sum of nothing is not known to be."""
    assert "+ filter(sum(`claude.retries`), WHERE `metricName` = 'claude.retries')" in condition_selects(
        "ClaudeRequestsNearLimit"
    )


@pytest.mark.parametrize("alert", [each for each in ALERTS if trend_of(each)], ids=lambda alert: alert.name)
def test_a_condition_on_a_prediction_says_so(alert: Any):
    assert "baselineDirection" in BY_NAME[alert.name]
    text = BY_NAME[alert.name]["description"]
    assert "New Relic predicts" in text
    assert not re.search(r"week|yesterday|%", text)


def test_texts_on_predictions_are_those_of_alerts_with_a_trend():
    assert set(OFF_PREDICTION) == {alert.name for alert in ALERTS if trend_of(alert)}


def test_budgets_of_the_same_name_are_apart_by_service():
    queries_of_budgets = {each for each in queries() if "(`claude.budget." in each}
    assert queries_of_budgets
    assert all(" FACET `service.name`, `claude.budget.name`" in each for each in queries_of_budgets)


@pytest.mark.parametrize("name", ["ClaudeErrors", "ClaudeRetries"])
def test_calls_that_a_budget_refused_are_not_among_those_sent(name: str):
    """Calls that succeed have no category, and `NOT IN` alone would leave them out."""
    _, _, whole = condition_selects(name).partition(" / ")
    assert whole == (
        "filter(count(`gen_ai.client.operation.duration`), "
        "WHERE (`claude.error.category` IS NULL OR `claude.error.category` NOT IN ('budget')))"
    )


@pytest.mark.parametrize(("family", "bound"), [("Haiku", 1), ("Sonnet", 3), ("Opus", 12)])
def test_the_slowest_tenth_of_answers_is_held_against_what_is_expected(family: str, bound: int):
    condition = BY_NAME[f"Claude{family}Slow"]
    assert condition["terms"][0]["threshold"] == bound
    assert "`error.type` IS NULL" in condition["nrql"]["query"]


def test_every_alert_is_a_condition_but_those_that_only_prometheus_can_tell():
    assert {alert.name for alert in ALERTS} - set(NAMES) == {"ClaudeBatchesWouldDo", "ClaudeKeyMayBeLeaked"}


WIDGETS_SAID = {
    "Spend today": ["SELECT sum(`claude.cost`) AS 'USD' FROM Metric SINCE today"],
    "Budgets": [
        (
            "SELECT max(`claude.budget.spent`) / max(`claude.budget.limit`) AS 'spent' FROM Metric "
            "FACET `service.name`, `claude.budget.name` SINCE 5 minutes ago LIMIT 25"
        )
    ],
    "Spend by model (USD an hour)": [
        (
            "SELECT rate(sum(`claude.cost`), 1 second) * 3600 AS 'USD an hour' FROM Metric "
            "FACET `gen_ai.response.model` TIMESERIES"
        )
    ],
    "Context utilization": [
        "SELECT percentile(`claude.context.utilization`, 50) AS 'median' FROM Metric TIMESERIES",
        "SELECT percentile(`claude.context.utilization`, 99) AS 'fullest of a hundred' FROM Metric TIMESERIES",
    ],
    "Opus, slowest tenth": [
        (
            "SELECT percentile(`gen_ai.client.operation.duration`, 90) AS 'nine of ten' FROM Metric "
            "WHERE `gen_ai.operation.name` = 'chat' AND `error.type` IS NULL AND `gen_ai.request.model` LIKE '%opus%' "
            "FACET `gen_ai.request.model` TIMESERIES"
        )
    ],
    "First content of streams, slowest twentieth": [
        (
            "SELECT percentile(`gen_ai.client.operation.time_to_first_chunk`, 95) AS '19 of 20' FROM Metric "
            "FACET `gen_ai.request.model` TIMESERIES"
        )
    ],
    "Left of rate limits": [
        (
            "SELECT min(`claude.rate_limit.remaining`) / max(`claude.rate_limit.limit`) AS 'left' FROM Metric "
            "FACET `claude.rate_limit.type`, "
            "if(`claude.rate_limit.model` IS NULL, 'none', `claude.rate_limit.model`), `anthropic.organization.id`, "
            "if(`claude.workspace` IS NULL, 'none', `claude.workspace`), "
            "if(`claude.call.name` IS NULL, 'none', `claude.call.name`) TIMESERIES"
        )
    ],
    "Runs that failed": [
        (
            "SELECT count(`gen_ai.invoke_agent.duration`) AS 'runs' FROM Metric WHERE `error.type` IS NOT NULL "
            "FACET if(`gen_ai.agent.name` IS NULL, 'none', `gen_ai.agent.name`) LIMIT 25"
        )
    ],
}
"""What is asked for in words of New Relic's own, one for each kind of panel and each way to measure."""


@pytest.mark.parametrize(("title", "said"), WIDGETS_SAID.items(), ids=WIDGETS_SAID)
def test_a_widget_asks_for_what_its_title_says(title: str, said: list[str]):
    (widget,) = (each for each in WIDGETS if each["title"] == title)
    assert [query["query"] for query in widget["rawConfiguration"]["nrqlQueries"]] == said


@pytest.mark.parametrize(
    ("name", "selected"),
    {
        "ClaudeContextHigh": "percentile(`claude.context.utilization`, 99)",
        "ClaudeFirstContentSlow": "percentile(`gen_ai.client.operation.time_to_first_chunk`, 95)",
        "ClaudeStreamsStall": "percentile(`gen_ai.client.operation.time_per_output_chunk`, 99.9)",
        "ClaudeHaikuSlow": "percentile(`gen_ai.client.operation.duration`, 90)",
        "ClaudeOpusForShortAnswers": "percentile(`gen_ai.client.token.usage`, 50)",
        "ClaudeRateLimitLow": "min(`claude.rate_limit.remaining`) / max(`claude.rate_limit.limit`)",
        "ClaudeBudgetNearlySpent": "max(`claude.budget.spent`) / max(`claude.budget.limit`)",
        "ClaudeRateLimited": "count(`gen_ai.client.operation.duration`)",
        "ClaudeSpendFast": "sum(`claude.cost`)",
    }.items(),
)
def test_a_condition_looks_at_what_its_text_says(name: str, selected: str):
    assert condition_selects(name) == selected


@pytest.mark.parametrize(
    ("name", "rest"),
    {
        "ClaudeRateLimited": (
            "`metricName` = 'gen_ai.client.operation.duration' AND `claude.error.category` = 'rate_limited' "
            "FACET `service.name`"
        ),
        "ClaudeRateLimitLow": (
            "`metricName` IN ('claude.rate_limit.remaining', 'claude.rate_limit.limit') AND `claude.call.name` IS NULL "
            "FACET `claude.rate_limit.type`, `claude.rate_limit.model`, `anthropic.organization.id`"
        ),
        "ClaudeMethodLimitLow": (
            "`metricName` IN ('claude.rate_limit.remaining', 'claude.rate_limit.limit') "
            "AND `claude.call.name` IS NOT NULL "
            "FACET `claude.rate_limit.type`, `anthropic.organization.id`, `claude.call.name`"
        ),
    }.items(),
)
def test_a_condition_is_apart_by_what_all_of_its_points_have(name: str, rest: str):
    assert BY_NAME[name]["nrql"]["query"].partition(" WHERE ")[2] == rest


def test_a_line_of_a_widget_begins_above_what_is_well_or_ends_below():
    lines = {
        widget["title"]: line
        for widget in WIDGETS
        if widget["visualization"]["id"] == "viz.line"
        for line in widget["rawConfiguration"].get("thresholds", {"thresholds": []})["thresholds"]
    }
    critical = {"name": "limit", "severity": "critical"}
    assert lines["Opus, slowest tenth"] == {**critical, "from": "12"}
    assert lines["Context utilization"] == {**critical, "from": "0.75"}
    assert lines["Left of rate limits"] == {**critical, "to": "0.1"}


def test_without_an_address_of_the_guide_there_is_no_link_to_it():
    assert BY_NAME["ClaudeRateLimited"]["runbookUrl"] == "https://example.com/production.md#rate-limits"
    assert all("runbookUrl" not in each["condition"] for each in conditions("docs/production.md"))


def test_widgets_are_of_a_known_kind_and_belong_to_no_account():
    assert {widget["visualization"]["id"] for widget in WIDGETS} == {"viz.line", "viz.billboard", "viz.bar"}
    asked = [query for widget in WIDGETS for query in widget["rawConfiguration"]["nrqlQueries"]]
    assert {query["accountId"] for query in asked} == {0}


def test_a_panel_of_today_is_of_today_whatever_is_looked_at():
    for widget in WIDGETS:
        today = "today" in widget["title"]
        configuration = widget["rawConfiguration"]
        assert all(("SINCE today" in query["query"]) == today for query in configuration["nrqlQueries"])
        now = widget["title"] == "Budgets"
        assert all((" SINCE 5 minutes ago" in query["query"]) == now for query in configuration["nrqlQueries"])
        assert configuration["platformOptions"]["ignoreTimeRange"] == (today or now)


def test_widgets_fill_twelve_columns_and_none_covers_another():
    for page in dashboard()["pages"]:
        taken = [
            (layout["column"] + dx, layout["row"] + dy)
            for layout in (widget["layout"] for widget in page["widgets"])
            for dx in range(layout["width"])
            for dy in range(layout["height"])
        ]
        assert len(set(taken)) == len(taken)
        assert {x for x, _ in taken} <= set(range(1, 13))
