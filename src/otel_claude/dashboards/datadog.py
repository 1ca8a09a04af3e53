"""The dashboard and the monitors of Datadog.

In: `ROWS` and `ALERTS`. Out: JSON as its API takes it.
https://docs.datadoghq.com/api/latest/dashboards/#create-a-new-dashboard
https://docs.datadoghq.com/api/latest/monitors/#create-a-monitor

Pure.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from otel_claude.dashboards.alert import Alert, Trend, link, trend_of
from otel_claude.dashboards.alerts import ALERTS
from otel_claude.dashboards.alerts_of_calls import PROMPTS
from otel_claude.dashboards.alerts_of_service import ANSWERS, TOKENS_OF_HALF_AN_HOUR
from otel_claude.dashboards.datadog_queries import changed, monitored, queries
from otel_claude.dashboards.measures import Formula
from otel_claude.dashboards.panel import Panel, Query
from otel_claude.dashboards.panels import ROWS, TEXT, TITLE

KINDS = {"lines": "timeseries", "number": "query_value", "bars": "toplist"}
FORMATS = {"lines": "timeseries", "number": "scalar", "bars": "scalar"}
AGGREGATORS = {"grown": "sum", "per_second": "avg", "quantile": "percentile", "least": "min", "most": "last"}
UNITS: Mapping[str, Mapping[str, str]] = {
    "USD": {"unit_name": "dollar"},
    "USD/h": {"unit_name": "dollar", "per_unit_name": "hour"},
    "s": {"unit_name": "second"},
    "share": {"unit_name": "fraction"},
}
PRIORITIES = {"critical": 1, "warning": 3, "info": 5}
GAUGE_WINDOW = "5m"
"""What a monitor on a gauge looks at."""

SINCE_YESTERDAY = {
    "ClaudeTokensSpike": (
        f"Three times as many tokens as at this hour yesterday, and {TOKENS_OF_HALF_AN_HOUR:,} more: misuse, or a loop."
    ),
    "ClaudePromptsGrow": (
        f"Prompts are half as large again as at this hour yesterday, with {PROMPTS.calls} calls of {PROMPTS.typical:,} "
        "tokens added to both. Conversations may grow without end."
    ),
    "ClaudeSlower": (
        f"Answers take half as long again as at this hour yesterday, with {ANSWERS.calls} of {ANSWERS.typical} s added "
        "to both."
    ),
    "ClaudeSpendOffTrend": "The cost of the last 24 hours is off by more than 20 % of that of the 24 hours before.",
}
"""What alerts say here that compare with more than yesterday elsewhere."""

BOTH_WAYS = ((">", 1, "up"), ("<", -1, "down"))
RESOLVED_AFTER_H = 1
"""A monitor that has no data any more goes back to OK. Histograms of deltas say nothing while nothing happens, so that
one failure would be the last that anybody hears of.

https://docs.datadoghq.com/monitors/configuration/#auto-resolve
"""

WIDTH, HEIGHT, COLUMNS = 3, 3, 12
GROUP_TITLE = 1
"""Rows of the grid that the title of a group takes."""


def dashboard() -> dict[str, Any]:
    """The dashboard: a group of widgets for each row."""
    return {
        "title": TITLE,
        "description": TEXT,
        "layout_type": "ordered",
        # Everything stays where its layout says.
        "reflow_type": "fixed",
        "widgets": list(_groups()),
    }


def monitors(guide: str) -> list[dict[str, Any]]:
    """The monitors, in the order of the alerts. Those that only Prometheus can tell are left out."""
    return [monitor for alert in ALERTS for monitor in _monitors(alert, guide)]


def _groups() -> Iterator[dict[str, Any]]:
    below = 0
    for row in ROWS:
        height = GROUP_TITLE + -(-len(row.panels) * WIDTH // COLUMNS) * HEIGHT
        yield {
            "definition": {
                "type": "group",
                "title": row.title,
                "layout_type": "ordered",
                "widgets": [_widget(panel, place) for place, panel in enumerate(row.panels)],
            },
            "layout": {"x": 0, "y": below, "width": COLUMNS, "height": height},
        }
        below += height


def _widget(panel: Panel, place: int) -> dict[str, Any]:
    below, beside = divmod(place * WIDTH, COLUMNS)
    limits = panel.limits if panel.kind == "lines" else ()
    markers = [{"value": f"y = {limit:g}", "display_type": "error dashed"} for limit in limits]
    return {
        "definition": {
            "type": KINDS[panel.kind],
            # A day is the nearest to today that there is.
            "title": panel.heading.replace("today", "in 24 hours"),
            "description": panel.text.replace("since midnight", "in 24 hours").replace("Since midnight", "In 24 hours"),
            "requests": _requests(panel),
            **({"time": {"live_span": "1d"}} if panel.today else {}),
            **({"markers": markers} if markers else {}),
        },
        "layout": {"x": beside, "y": below * HEIGHT, "width": WIDTH, "height": HEIGHT},
    }


def _requests(panel: Panel) -> list[dict[str, Any]]:
    return [
        {
            "response_format": FORMATS[panel.kind],
            "queries": list(_queries(panel, query.formula)),
            "formulas": [_formula(panel, query)],
            **({"display_type": "line"} if panel.kind == "lines" else {}),
        }
        for query in panel.queries
    ]


def _queries(panel: Panel, formula: Formula) -> Iterator[dict[str, Any]]:
    for name, asked in queries(formula).items():
        yield {
            "data_source": "metrics",
            "name": name,
            "query": asked,
            **({} if panel.kind == "lines" else {"aggregator": AGGREGATORS[formula.measures[name].what]}),
        }


def _formula(panel: Panel, query: Query) -> Mapping[str, Any]:
    measures = query.formula.measures
    names = {name: f"default_zero({name})" if each.or_zero else name for name, each in measures.items()}
    unit = UNITS.get(panel.unit)
    return {
        "formula": query.formula.said(names),
        "alias": panel.called(query),
        **({"number_format": {"unit": {"type": "canonical_unit", **unit}}} if unit else {}),
        **({"limit": {"count": 25, "order": "desc"}} if panel.kind == "bars" else {}),
    }


def _monitors(alert: Alert, guide: str) -> Iterator[dict[str, Any]]:
    trend = trend_of(alert)
    if trend is not None:
        yield from _changes(alert, trend, guide)
    elif alert.formula is not None:
        query = f"{monitored(alert.formula, _window(alert.formula))} {alert.test} {alert.bound:g}"
        yield _monitor(alert, alert.name, query, alert.bound, guide)


def _changes(alert: Alert, trend: Trend, guide: str) -> Iterator[dict[str, Any]]:
    """Monitors on a change since the day before, the earliest time in the reference of the API.

    https://docs.datadoghq.com/api/latest/monitors/#create-a-monitor
    """
    # With the floor, now > (1 + percent / 100) * then + floor.
    asked = changed(trend.formula, _window(trend.formula), (alert.floor or 0) * 100 / trend.percent, alert.few)
    for test, sign, way in BOTH_WAYS if trend.both else BOTH_WAYS[:1]:
        bound = sign * trend.percent
        name = f"{alert.name} ({way})" if trend.both else alert.name
        yield _monitor(alert, name, f"{asked} {test} {bound}", bound, guide)


def _window(formula: Formula) -> str:
    return next(iter(formula.measures.values())).window or GAUGE_WINDOW


def _monitor(alert: Alert, name: str, query: str, bound: float, guide: str) -> dict[str, Any]:
    return {
        "name": name,
        "type": "query alert",
        "query": query,
        "message": f"{SINCE_YESTERDAY.get(alert.name, alert.hint)}\n\n{link(alert, guide)}",
        "priority": PRIORITIES[alert.severity],
        "tags": ["source:otel-claude", f"severity:{alert.severity}"],
        "options": {
            "thresholds": {"critical": bound},
            "include_tags": True,
            "require_full_window": False,
            "timeout_h": RESOLVED_AFTER_H,
        },
    }
