"""Datadog's dashboard and monitors: of the form that its API takes, with names that we emit.

Datadog itself cannot be had here. Its own client has the schema of its API, and is asked where it is installed
(`datadog-api-client`). Queries have no published grammar: what is held here is what its documentation says of them.
https://docs.datadoghq.com/api/latest/monitors/#create-a-monitor
"""

import re
from collections.abc import Iterator
from typing import Any, cast

import pytest
from emitted import ATTRIBUTES, METRICS

from otel_claude.dashboards.alerts import ALERTS
from otel_claude.dashboards.datadog import dashboard, monitors
from otel_claude.dashboards.rows_of_spend import TENANT

GUIDE = "https://example.com/production.md"
MONITORS = monitors(GUIDE)
NAMES = [monitor["name"] for monitor in MONITORS]
WIDGETS = [widget for group in dashboard()["widgets"] for widget in group["definition"]["widgets"]]

TAG = r"[a-z][a-z0-9_.]*"
CONDITION = rf"(?:NOT )?{TAG}(?::[\w*.]+| (?:NOT )?IN \([\w,]+\))"
QUERY = re.compile(
    r"(?P<over>sum|avg|min|max|count|p[\d.]+):"
    rf"(?P<metric>{TAG})"
    rf"\{{(?P<where>\*|{CONDITION}(?: AND {CONDITION})*)\}}"
    rf"(?: by \{{(?P<by>{TAG}(?:,{TAG})*)\}})?"
    r"(?P<function>\.as_count\(\)|\.as_rate\(\))?"
)
MONITOR = re.compile(
    r"(?:pct_change\((?:sum|avg)\(last_(?:15m|30m|1d)\),1d_ago\)|(?:sum|avg|min|max|percentile)\(last_(?:\d+[mh]|1d)\)):"
    r"(?P<asked>.+) (?:<|>) (?P<bound>-?[\d.]+)"
)
ARITHMETIC = re.compile(r"(?:\(|\)|\+|/|\*|\d+|\s|Q|default_zero)+")


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
    assert tags <= ATTRIBUTES | {TENANT}
    # Distributions have percentiles and counts; only counts and distributions have totals.
    assert found["over"][0] != "p" or instrument.kind == "histogram"
    assert found["over"] != "count" or instrument.kind == "histogram"
    assert (found["function"] is not None) == (found["over"] in ("sum", "count"))
    assert found["function"] is None or instrument.kind in ("counter", "histogram")


@pytest.mark.parametrize("monitor", MONITORS, ids=NAMES)
def test_a_monitor_compares_queries_with_its_threshold(monitor: Any):
    found = MONITOR.fullmatch(monitor["query"])
    assert found is not None
    assert ARITHMETIC.fullmatch(QUERY.sub("Q", found["asked"]))
    assert float(found["bound"]) == monitor["options"]["thresholds"]["critical"]
    assert monitor["message"].splitlines()[-1].startswith(GUIDE)


def test_every_alert_is_a_monitor_but_those_that_only_prometheus_can_tell():
    told = {name.partition(" ")[0] for name in NAMES}
    assert {alert.name for alert in ALERTS} - told == {"ClaudeBatchesWouldDo", "ClaudeKeyMayBeLeaked"}
    assert len(set(NAMES)) == len(NAMES)


def test_a_spend_that_falls_is_off_its_trend_as_one_that_rises():
    of_trend = {monitor["name"]: monitor["query"] for monitor in MONITORS if "Trend" in monitor["name"]}
    assert of_trend == {
        "ClaudeSpendOffTrend (up)": "pct_change(sum(last_1d),1d_ago):sum:claude.cost{*}.as_count() > 20",
        "ClaudeSpendOffTrend (down)": "pct_change(sum(last_1d),1d_ago):sum:claude.cost{*}.as_count() < -20",
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


def parsed(document: Any, kind: str) -> Any:
    """What Datadog's client makes of JSON. What fits no form of its schema is marked as unparsed."""
    client, utils, model = (
        pytest.importorskip(f"datadog_api_client{module}", reason="datadog-api-client is not installed")
        for module in ("", ".model_utils", f".v1.model.{kind.lower()}")
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
