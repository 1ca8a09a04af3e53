"""Datadog's dashboard and monitors: of the form that its API takes, with names that we emit.

Datadog itself cannot be had here. Its own client (`datadog-api-client`) has the schema of its API, and is asked.
Queries have no published grammar: what is held here is what its documentation says of them.
https://docs.datadoghq.com/api/latest/monitors/#create-a-monitor
"""

import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, cast

import pytest
from emitted import ATTRIBUTES, METRICS

from otel_claude.dashboards.alert import trend_of
from otel_claude.dashboards.alerts import ALERTS
from otel_claude.dashboards.datadog import SINCE_YESTERDAY, dashboard, monitors
from otel_claude.dashboards.measures import TENANT
from otel_claude.emitting.instruments import DURATION

GUIDE = "https://example.com/production.md"
MONITORS = monitors(GUIDE)
NAMES = [monitor["name"] for monitor in MONITORS]
QUERIES = {monitor["name"]: monitor["query"] for monitor in MONITORS}
WIDGETS = [widget for group in dashboard()["widgets"] for widget in group["definition"]["widgets"]]

TAG = r"[a-z][a-z0-9_.]*"
CONDITION = rf"(?:NOT )?{TAG}(?::[\w*.]+| (?:NOT )?IN \([\w,]+\))"
QUERY = re.compile(
    r"(?P<over>sum|avg|min|max|count|p[\d.]+):"
    rf"(?P<metric>{TAG})"
    rf"\{{(?P<where>\*|{CONDITION}(?: AND {CONDITION})*)\}}"
    rf"(?: by \{{(?P<by>{TAG}(?:,{TAG})*)\}})?"
    r"(?P<function>\.as_count\(\)|\.as_rate\(\)\.rollup\((?:sum, )?60\))?"
)
MONITOR = re.compile(
    r"(?:pct_change\(sum\(last_(?:1h|30m|1d)\),1d_ago\)|(?P<over>sum|min|max|percentile)\(last_(?:\d+[mh]|1d)\)):"
    r"(?P<asked>.+) (?:<|>) (?P<bound>-?[\d.]+)"
)
ARITHMETIC = re.compile(r"(?:\(|\)|\+|-|/|\*|\d+|\s|Q|default_zero)+")


def queries() -> Iterator[str]:
    for widget in WIDGETS:
        for request in widget["definition"]["requests"]:
            yield from (each["query"] for each in request["queries"])
    for monitor in MONITORS:
        yield from (found[0] for found in QUERY.finditer(monitor["query"]))


@pytest.mark.parametrize("query", sorted(set(queries())))
def test_a_query_is_of_the_documented_form_and_asks_for_what_is_emitted(query: str):
    found = QUERY.fullmatch(query)
    assert found is not None
    instrument = METRICS[found["metric"]]
    tags = {*re.findall(rf"({TAG})(?::| IN | NOT IN )", found["where"]), *(found["by"] or "").split(",")} - {""}
    assert tags <= ATTRIBUTES | {TENANT, "service"}
    # Distributions have percentiles and counts; only counts and distributions have totals.
    assert found["over"][0] != "p" or instrument.kind == "histogram"
    assert found["over"] != "count" or instrument.kind == "histogram"
    assert (found["function"] is not None) == (found["over"] in ("sum", "count"))
    # Roll-ups of counts are told to be sums; those of distributions take no aggregator.
    rates = {"counter": ".as_rate().rollup(sum, 60)", "histogram": ".as_rate().rollup(60)"}
    assert found["function"] in (None, ".as_count()", rates.get(instrument.kind))


@pytest.mark.parametrize("monitor", MONITORS, ids=NAMES)
def test_a_monitor_compares_queries_with_its_threshold(monitor: Any):
    found = MONITOR.fullmatch(monitor["query"])
    assert found is not None
    assert ARITHMETIC.fullmatch(QUERY.sub("Q", found["asked"]))
    assert float(found["bound"]) == monitor["options"]["thresholds"]["critical"]
    assert monitor["message"].splitlines()[-1].startswith(GUIDE)


WIDGETS_SAID: dict[str, list[tuple[str, str | None]]] = {
    "Spend in 24 hours": [("sum:claude.cost{*}.as_count()", "sum")],
    "Budgets": [
        ("max:claude.budget.spent{*} by {service,claude.budget.name}", "last"),
        ("max:claude.budget.limit{*} by {service,claude.budget.name}", "last"),
    ],
    "Spend by model (USD an hour)": [("sum:claude.cost{*} by {gen_ai.response.model}.as_rate().rollup(sum, 60)", None)],
    "Context utilization": [("p50:claude.context.utilization{*}", None), ("p99:claude.context.utilization{*}", None)],
    "Opus, slowest tenth": [
        (
            (
                "p90:gen_ai.client.operation.duration{gen_ai.operation.name:chat AND NOT error.type:* "
                "AND gen_ai.request.model:*opus*} by {gen_ai.request.model}"
            ),
            None,
        )
    ],
    "First content of streams, slowest twentieth": [
        ("p95:gen_ai.client.operation.time_to_first_chunk{*} by {gen_ai.request.model}", None)
    ],
    "Left of rate limits": [
        (
            (
                "min:claude.rate_limit.remaining{*} by {claude.rate_limit.type,claude.rate_limit.model,"
                "anthropic.organization.id,claude.workspace,claude.call.name}"
            ),
            None,
        ),
        (
            (
                "max:claude.rate_limit.limit{*} by {claude.rate_limit.type,claude.rate_limit.model,"
                "anthropic.organization.id,claude.workspace,claude.call.name}"
            ),
            None,
        ),
    ],
    "Tools that failed": [("count:gen_ai.execute_tool.duration{error.type:*} by {gen_ai.tool.name}.as_count()", "sum")],
}
"""What is asked for in words of Datadog's own, one for each kind of panel and each way to measure."""


@pytest.mark.parametrize(("title", "said"), WIDGETS_SAID.items(), ids=WIDGETS_SAID)
def test_a_widget_asks_for_what_its_title_says(title: str, said: list[tuple[str, str | None]]):
    (widget,) = (each["definition"] for each in WIDGETS if each["definition"]["title"] == title)
    asked = [query for request in widget["requests"] for query in request["queries"]]
    assert [(query["query"], query.get("aggregator")) for query in asked] == said


@pytest.mark.parametrize(
    ("name", "said"),
    {
        "ClaudeContextHigh": "percentile(last_15m):p99:claude.context.utilization{*} by {service} > 0.75",
        "ClaudeFirstContentSlow": (
            "percentile(last_15m):p95:gen_ai.client.operation.time_to_first_chunk{*} by {service} > 10.24"
        ),
        "ClaudeStreamsStall": (
            "percentile(last_15m):p99.9:gen_ai.client.operation.time_per_output_chunk{*} by {service} > 10.24"
        ),
        "ClaudeRateLimitLow": (
            "min(last_5m):min:claude.rate_limit.remaining{NOT claude.call.name:*} "
            "by {claude.rate_limit.type,claude.rate_limit.model,anthropic.organization.id} / "
            "max:claude.rate_limit.limit{NOT claude.call.name:*} "
            "by {claude.rate_limit.type,claude.rate_limit.model,anthropic.organization.id} < 0.1"
        ),
        "ClaudeMethodLimitLow": (
            "min(last_5m):min:claude.rate_limit.remaining{claude.call.name:*} "
            "by {claude.rate_limit.type,anthropic.organization.id,claude.call.name} / "
            "max:claude.rate_limit.limit{claude.call.name:*} "
            "by {claude.rate_limit.type,anthropic.organization.id,claude.call.name} < 0.1"
        ),
        "ClaudeBudgetNearlySpent": (
            "max(last_5m):max:claude.budget.spent{*} by {service,claude.budget.name} / "
            "max:claude.budget.limit{*} by {service,claude.budget.name} > 0.8"
        ),
        "ClaudeRateLimited": (
            "sum(last_15m):count:gen_ai.client.operation.duration{claude.error.category:rate_limited} "
            "by {service}.as_count() > 0"
        ),
    }.items(),
)
def test_a_monitor_looks_at_what_its_text_says(name: str, said: str):
    assert QUERIES[name] == said


def test_numbers_of_today_are_those_of_a_day_and_lines_stand_where_it_begins_to_be_wrong():
    spans = {each["definition"]["title"]: each["definition"].get("time") for each in WIDGETS}
    assert {title for title, span in spans.items() if span} == {title for title in spans if "in 24 hours" in title}
    assert spans["Spend in 24 hours"] == {"live_span": "1d"}
    lines = {each["definition"]["title"]: each["definition"].get("markers", []) for each in WIDGETS}
    for title, line in (
        ("Haiku, slowest tenth", 1),
        ("Sonnet, slowest tenth", 3),
        ("Opus, slowest tenth", 12),
        ("Context utilization", 0.75),
        ("Left of rate limits", 0.1),
        ("Error rate", 0.001),
    ):
        assert lines[title] == [{"value": f"y = {line}", "display_type": "error dashed"}]


@pytest.mark.parametrize("monitor", MONITORS, ids=NAMES)
def test_a_monitor_that_hears_nothing_more_goes_back_to_ok(monitor: Any):
    """A histogram of deltas has no point while nothing happens, so that what has failed once would be so for ever.

    https://docs.datadoghq.com/monitors/configuration/#auto-resolve
    """
    assert monitor["options"] == {
        "thresholds": {"critical": float(monitor["query"].split()[-1])},
        "include_tags": True,
        "require_full_window": False,
        "timeout_h": 1,
    }


def test_every_alert_is_a_monitor_but_those_that_only_prometheus_can_tell():
    told = {name.partition(" ")[0] for name in NAMES}
    assert {alert.name for alert in ALERTS} - told == {"ClaudeBatchesWouldDo", "ClaudeKeyMayBeLeaked"}
    assert len(set(NAMES)) == len(NAMES)


def value(query: str, sums: Mapping[str, float]) -> float:
    """What a monitor on counts makes of sums: arithmetic is of the sums of the window.

    https://docs.datadoghq.com/monitors/guide/as-count-in-monitor-evaluations/
    """
    found = MONITOR.fullmatch(query)
    assert found is not None
    said = QUERY.sub(lambda each: str(sums[each["metric"]]), found["asked"])
    # Arithmetic of our own.
    return eval(said, {"default_zero": float})  # noqa: S307


def change(query: str, metric: str, then: float, now: float) -> float:
    """What a monitor on a change makes of two sums, in percent.

    https://docs.datadoghq.com/monitors/types/change-alert/#change-and-change-
    """
    a, b = (value(query, {metric: each}) for each in (now, then))
    return (a - b) / b * 100


@pytest.mark.parametrize("query", [each for each in QUERIES.values() if "as_" in each])
def test_a_monitor_on_counts_is_one_of_their_sums(query: str):
    """With a mean of rates, the minutes in which nothing happened are left out."""
    assert "as_rate" not in query
    assert re.match(r"(?:pct_change\()?sum\(", query)


def test_one_uncached_call_an_hour_is_one_and_eleven_are_too_many():
    query = QUERIES["ClaudeCacheUnused"]
    assert query.startswith("sum(last_1h):")
    assert query.endswith(" > 10")
    assert [value(query, {"claude.cache.unused": calls}) for calls in (1, 10, 11)] == [1, 10, 11]


def test_the_spend_of_an_hour_is_what_was_booked_in_it():
    """So that one booking of 4 USD, such as of a batch, is 4 USD."""
    query = QUERIES["ClaudeSpendFast"]
    assert query.startswith("sum(last_1h):")
    assert query.endswith(" > 20")
    assert value(query, {"claude.cost": 4}) == 4


def test_requests_of_five_minutes_are_compared_with_five_times_those_of_one():
    """800 a minute: 10 calls and 3 1/3 retries a second are 3,000 calls and 1,000 retries in 300 s."""
    query = QUERIES["ClaudeRequestsNearLimit"]
    assert query.startswith("sum(last_5m):")
    assert query.endswith(" > 4000")
    sums = {"gen_ai.client.operation.duration": 10 * 300, "claude.retries": 800 / 60 * 300 - 10 * 300}
    assert value(query, sums) == pytest.approx(800 * 5)


@pytest.mark.parametrize(
    ("then", "now", "fires"),
    [
        (0, 60, False),
        (60, 180_000, False),
        (0, 180_001, True),
        (1_000_000, 3_100_000, False),
        (1_000_000, 3_181_000, True),
    ],
)
def test_a_spike_is_three_times_the_tokens_of_yesterday_and_the_floor(then: int, now: int, *, fires: bool):
    """The floor is 100 tokens a second, which are 180,000 in half an hour: now > 3 * then + 180,000."""
    query = QUERIES["ClaudeTokensSpike"]
    assert query.startswith("pct_change(sum(last_30m),1d_ago):")
    assert query.endswith(" > 200")
    assert (change(query, "claude.token.usage", then, now) > 200) is fires
    assert (now > 3 * then + 100 * 1_800) is fires


@pytest.mark.parametrize("alert", [each for each in ALERTS if trend_of(each)], ids=lambda alert: alert.name)
def test_a_monitor_on_a_change_says_since_when(alert: Any):
    found = [each for each in MONITORS if each["name"].partition(" ")[0] == alert.name]
    for monitor in found:
        assert "1d_ago" in monitor["query"]
        text = monitor["message"].splitlines()[0]
        assert re.search(r"yesterday|24 hours before", text)
        assert "week" not in text
    assert len(found) == (2 if alert.trend and alert.trend.both else 1)


def test_texts_on_changes_are_those_of_alerts_with_a_trend():
    assert set(SINCE_YESTERDAY) <= {alert.name for alert in ALERTS if trend_of(alert)}


def test_budgets_of_the_same_name_are_apart_by_service():
    queries_of_budgets = {each for each in queries() if ":claude.budget." in each}
    assert queries_of_budgets
    assert all(" by {service,claude.budget.name" in each for each in queries_of_budgets)


@pytest.mark.parametrize("name", ["ClaudeErrors", "ClaudeRetries"])
def test_calls_that_a_budget_refused_are_not_among_those_sent(name: str):
    whole = "count:gen_ai.client.operation.duration{claude.error.category NOT IN (budget)} by {service}.as_count()"
    assert f" / {whole} > " in QUERIES[name]


@pytest.mark.parametrize(
    ("calls", "retries", "fires"),
    [(10, 1, False), (60, 1, False), (60, 6, False), (60, 7, True), (1_000, 53, False), (1_000, 54, True)],
)
def test_three_retries_an_hour_are_none(calls: int, retries: int, *, fires: bool):
    """One for twenty calls and three besides: 3 + 3 of 60, 50 + 3 of 1,000."""
    query = QUERIES["ClaudeRetries"]
    assert query.startswith("sum(last_1h):")
    assert query.endswith(" > 0.05")
    sums = {"gen_ai.client.operation.duration": calls, "claude.retries": retries}
    assert (value(query, sums) > 0.05) is fires


@pytest.mark.parametrize(
    ("name", "parts", "typical"),
    [
        ("ClaudePromptsGrow", ("sum:gen_ai.client.token.usage", "count:gen_ai.client.token.usage"), 2_000),
        ("ClaudeSlower", ("sum:gen_ai.client.operation.duration", "count:gen_ai.client.operation.duration"), 5),
    ],
)
@pytest.mark.parametrize(("calls", "times", "fires"), [(12, 4, False), (1_000, 1.3, False), (1_000, 1.7, True)])
def test_a_few_calls_are_no_change(
    name: str, parts: tuple[str, str], typical: float, calls: int, times: float, *, fires: bool
):
    """With 200 others, means of 12 calls that are four times as large are by 12 * 3 / 212 larger, which is 17 %."""
    query = QUERIES[name]
    assert query.startswith("pct_change(sum(last_1h),1d_ago):")
    assert query.endswith(" > 50")
    then, now = (mean(query, dict(zip(parts, (calls * typical * by, calls), strict=True))) for by in (1, times))
    assert ((now - then) / then * 100 > 50) is fires


def mean(query: str, sums: Mapping[str, float]) -> float:
    """What a monitor on a mean makes of a sum and a count of the same metric."""
    found = MONITOR.fullmatch(query)
    assert found is not None
    said = QUERY.sub(lambda each: str(sums[f"{each['over']}:{each['metric']}"]), found["asked"])
    # Arithmetic of our own.
    return eval(said)  # noqa: S307


@pytest.mark.parametrize(("family", "bound"), [("Haiku", 1), ("Sonnet", 3), ("Opus", 12)])
def test_the_slowest_tenth_of_answers_is_held_against_a_bound_of_a_bucket(family: str, bound: int):
    """A percentile lies between two bounds of buckets, so that the one in the monitor has to be among them."""
    query = QUERIES[f"Claude{family}Slow"]
    assert query.endswith(f" > {bound}")
    assert "NOT error.type:*" in query
    assert bound in (DURATION.buckets or ())


@pytest.mark.parametrize(
    ("then", "now", "fires"),
    [(100, 100, []), (100, 119, []), (100, 121, ["up"]), (100, 79, ["down"]), (100, 0, ["down"])],
)
def test_a_spend_that_falls_or_stops_is_off_its_trend_as_one_that_rises(then: int, now: int, fires: list[str]):
    query = "pct_change(sum(last_1d),1d_ago):default_zero(sum:claude.cost{*}.as_count())"
    assert QUERIES["ClaudeSpendOffTrend (up)"] == f"{query} > 20"
    assert QUERIES["ClaudeSpendOffTrend (down)"] == f"{query} < -20"
    up, down = (change(QUERIES[f"ClaudeSpendOffTrend ({way})"], "claude.cost", then, now) for way in ("up", "down"))
    assert [way for way, off in (("up", up > 20), ("down", down < -20)) if off] == fires


def test_a_rate_of_dollars_is_one_in_an_hour():
    (widget,) = (
        each["definition"] for each in WIDGETS if each["definition"]["title"] == "Spend by model (USD an hour)"
    )
    (formula,) = (formula for request in widget["requests"] for formula in request["formulas"])
    assert formula["alias"] == "USD an hour"
    assert formula["number_format"] == {
        "unit": {"type": "canonical_unit", "unit_name": "dollar", "per_unit_name": "hour"}
    }


@pytest.mark.parametrize("widget", WIDGETS, ids=lambda widget: widget["definition"]["title"])
def test_a_formula_uses_its_queries_and_only_them(widget: Any):
    for request in widget["definition"]["requests"]:
        named = {each["name"] for each in request["queries"]}
        for formula in request["formulas"]:
            assert set(re.findall(r"[a-z_]+", formula["formula"])) - {"default_zero"} == named


def test_widgets_fill_twelve_columns_and_none_covers_another():
    for group in dashboard()["widgets"]:
        taken = [
            (layout["x"] + dx, layout["y"] + dy)
            for layout in (widget["layout"] for widget in group["definition"]["widgets"])
            for dx in range(layout["width"])
            for dy in range(layout["height"])
        ]
        assert len(set(taken)) == len(taken)
        assert max(x for x, _ in taken) < 12
        assert max(y for _, y in taken) < group["layout"]["height"] - 1


def test_groups_stand_below_each_other_and_all_widgets_say_where():
    """Which those of a `fixed` dashboard have to. https://docs.datadoghq.com/api/latest/dashboards/."""
    made = dashboard()
    assert made["reflow_type"] == "fixed"
    assert all(set(widget["layout"]) == {"x", "y", "width", "height"} for widget in (*made["widgets"], *WIDGETS))
    below = 0
    for group in made["widgets"]:
        assert (group["layout"]["x"], group["layout"]["y"], group["layout"]["width"]) == (0, below, 12)
        below += group["layout"]["height"]


def parsed(document: Any, kind: str) -> Any:
    """What Datadog's client makes of JSON. What fits no form of its schema is marked as unparsed."""
    client, utils, model = (
        import_module(f"datadog_api_client{module}") for module in ("", ".model_utils", f".v1.model.{kind.lower()}")
    )
    return utils.validate_and_convert_types(
        document, (getattr(model, kind),), ["it"], True, True, client.Configuration()
    )


def unparsed(value: Any) -> list[Any]:
    if isinstance(value, list):
        return [found for each in cast("list[Any]", value) for found in unparsed(each)]
    if hasattr(value, "_data_store"):
        own = [value] if getattr(value, "_unparsed", False) else []
        return own + unparsed(list(value._data_store.values()))
    return []


def test_the_schema_of_datadog_accepts_the_dashboard():
    made = parsed(dashboard(), "Dashboard")
    assert unparsed(made) == []
    assert made.to_dict()["title"] == "Claude"


@pytest.mark.parametrize("monitor", MONITORS, ids=NAMES)
def test_the_schema_of_datadog_accepts_a_monitor(monitor: Any):
    assert unparsed(parsed(monitor, "Monitor")) == []


def test_what_the_schema_does_not_know_is_found():
    """So that the two tests above hold something."""
    wrong = dashboard()
    wrong["widgets"][0]["definition"]["widgets"][0]["definition"]["requests"] = "none"
    assert unparsed(parsed(wrong, "Dashboard")) != []
