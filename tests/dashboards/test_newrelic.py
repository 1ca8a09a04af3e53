"""New Relic's dashboard and conditions: of the form that its pages take, with names that we emit.

New Relic itself cannot be had here, and it publishes no schema that could be: what is held here is what its
documentation says, and its own client (`newrelic-client-go`) and Terraform provider.
https://docs.newrelic.com/docs/apis/nerdgraph/examples/nerdgraph-api-nrql-condition-alerts/
https://docs.newrelic.com/docs/apis/nerdgraph/examples/create-widgets-dashboards-api/
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from emitted import ATTRIBUTES, METRICS

from otel_claude.dashboards.alerts import ALERTS
from otel_claude.dashboards.newrelic import conditions, dashboard
from otel_claude.dashboards.rows_of_spend import TENANT

CONDITIONS = conditions("https://example.com/production.md")
NAMES = [each["condition"]["name"] for each in CONDITIONS]
WIDGETS = [widget for page in dashboard()["pages"] for widget in page["widgets"]]

NAME = r"`[a-z0-9_.]+`"
WHERE = rf"{NAME} (?:= '\w+'|(?:NOT )?IN \('\w+'(?:, '\w+')*\)|LIKE '[\w%.]+'|IS (?:NOT )?NULL)"
BOTH = rf"{WHERE}(?: AND {WHERE})*"
NUMBER = rf"(?:sum|count|min|max)\({NAME}\)|percentile\({NAME}, [\d.]+\)"
CHOSEN = rf"(?:{NUMBER}|filter\((?:{NUMBER}), WHERE {BOTH}\))"
SELECTED = rf"(?:{CHOSEN}|rate\({CHOSEN}, 1 second\))"
QUERY = re.compile(
    rf"SELECT \(?{SELECTED}(?: [/+] {SELECTED})?\)?(?: \* \d+)? AS '[\w ]+' FROM Metric"  # noqa: S608  # a pattern
    rf"(?: WHERE {BOTH})?(?: FACET {NAME}(?:, {NAME})*)?(?P<time> SINCE today)?(?: TIMESERIES| LIMIT \d+)?"
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
    assert others <= ATTRIBUTES | {TENANT}
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
        "name", "description", "enabled", "runbookUrl", "nrql", "signal", "terms", "violationTimeLimitSeconds",
        *(["baselineDirection"] if baseline else []),
    }  # fmt: skip
    assert condition.get("baselineDirection", "UPPER_ONLY") in ("UPPER_ONLY", "UPPER_AND_LOWER")
    assert set(signal) == {"aggregationWindow", "aggregationMethod", "aggregationDelay", "fillOption"}
    assert 30 <= signal["aggregationWindow"] <= 21_600
    assert signal["aggregationMethod"] == "EVENT_FLOW"
    assert 0 <= signal["aggregationDelay"] <= 1_200
    assert term["thresholdDuration"] % signal["aggregationWindow"] == 0
    assert (120 if baseline else 60) <= term["thresholdDuration"] <= 86_400
    assert term["thresholdOccurrences"] == "ALL"
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


def test_every_alert_is_a_condition_but_those_that_only_prometheus_can_tell():
    assert {alert.name for alert in ALERTS} - set(NAMES) == {"ClaudeBatchesWouldDo", "ClaudeKeyMayBeLeaked"}


def test_widgets_are_of_a_known_kind_and_belong_to_no_account():
    assert {widget["visualization"]["id"] for widget in WIDGETS} == {"viz.line", "viz.billboard", "viz.bar"}
    asked = [query for widget in WIDGETS for query in widget["rawConfiguration"]["nrqlQueries"]]
    assert {query["accountId"] for query in asked} == {0}


def test_a_panel_of_today_is_of_today_whatever_is_looked_at():
    for widget in WIDGETS:
        today = "today" in widget["title"]
        configuration = widget["rawConfiguration"]
        assert configuration["platformOptions"]["ignoreTimeRange"] == today
        assert all(("SINCE today" in query["query"]) == today for query in configuration["nrqlQueries"])


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
