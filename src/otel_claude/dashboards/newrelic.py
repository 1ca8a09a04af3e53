"""The dashboard and the alert conditions of New Relic.

In: `ROWS` and `ALERTS`. Out: JSON as its pages and NerdGraph take it.
https://docs.newrelic.com/docs/apis/nerdgraph/examples/create-widgets-dashboards-api/
https://docs.newrelic.com/docs/apis/nerdgraph/examples/nerdgraph-api-nrql-condition-alerts/

Pure.
"""

from collections.abc import Mapping
from typing import Any

from otel_claude.dashboards.alert import Alert, link, trend_of
from otel_claude.dashboards.alerts import ALERTS
from otel_claude.dashboards.measures import Formula, seconds
from otel_claude.dashboards.nrql import nrql
from otel_claude.dashboards.panel import Panel, Query
from otel_claude.dashboards.panels import ROWS, TEXT, TITLE

KINDS = {"lines": "viz.line", "number": "viz.billboard", "bars": "viz.bar"}
ACCOUNT = 0
"""Stands for the account of whoever imports the dashboard, as in New Relic's own quickstarts."""

OPERATORS = {"<": "BELOW", ">": "ABOVE"}
PRIORITIES = {"critical": "CRITICAL", "warning": "WARNING", "info": "WARNING"}
GAUGE_WINDOW = "5m"
LONGEST_WINDOW, LONGEST_OPEN = 6 * 3600, 24 * 3600
"""In seconds. No condition looks at more than six hours."""

DEVIATIONS = 3
"""How far from what is predicted is wrong, in standard deviations: the only measure that New Relic has for it."""

WIDTH, HEIGHT, COLUMNS = 3, 3, 12


def dashboard() -> dict[str, Any]:
    """The dashboard: a page for each row."""
    return {
        "name": TITLE,
        "description": TEXT,
        "permissions": "PUBLIC_READ_WRITE",
        "pages": [
            {
                "name": row.title,
                "description": "",
                "widgets": [_widget(panel, place) for place, panel in enumerate(row.panels)],
            }
            for row in ROWS
        ],
        "variables": [],
    }


def conditions(guide: str) -> list[dict[str, Any]]:
    """The conditions, each with the mutation of NerdGraph that takes it.

    Those that only Prometheus can tell are left out.
    """
    return [_condition(alert, alert.formula, guide) for alert in ALERTS if alert.formula is not None]


def _widget(panel: Panel, place: int) -> dict[str, Any]:
    below, beside = divmod(place * WIDTH, COLUMNS)
    return {
        "visualization": {"id": KINDS[panel.kind]},
        "layout": {"column": beside + 1, "row": below * HEIGHT + 1, "width": WIDTH, "height": HEIGHT},
        "title": panel.title,
        "linkedEntityGuids": None,
        "rawConfiguration": {
            "nrqlQueries": [{"accountId": ACCOUNT, "query": _query(panel, query)} for query in panel.queries],
            "platformOptions": {"ignoreTimeRange": panel.today},
            **_limits(panel),
        },
    }


def _query(panel: Panel, query: Query) -> str:
    ends = {"lines": " TIMESERIES", "number": "", "bars": " LIMIT 25"}
    since = " SINCE today" if panel.today else ""
    return f"{nrql(query.formula, query.name)}{since}{ends[panel.kind]}"


def _limits(panel: Panel) -> Mapping[str, Any]:
    if not panel.limits or panel.kind == "bars":
        return {}
    if panel.kind == "number":
        return {"thresholds": [{"alertSeverity": "CRITICAL", "value": limit} for limit in panel.limits]}
    lines = [
        {"name": "limit", "severity": "critical", **({"to": f"{each:g}"} if panel.low else {"from": f"{each:g}"})}
        for each in panel.limits
    ]
    return {"thresholds": {"isLabelVisible": True, "thresholds": lines}}


def _condition(alert: Alert, formula: Formula, guide: str) -> dict[str, Any]:
    trend = trend_of(alert)
    asked = formula if trend is None else trend.formula
    window = min(seconds(next(iter(asked.measures.values())).window or GAUGE_WINDOW), LONGEST_WINDOW)
    wait = max(seconds(alert.wait), window)
    direction = {} if trend is None else {"baselineDirection": "UPPER_AND_LOWER" if trend.both else "UPPER_ONLY"}
    return {
        "mutation": f"alertsNrqlCondition{'Static' if trend is None else 'Baseline'}Create",
        "condition": {
            "name": alert.name,
            "description": alert.hint,
            "enabled": True,
            "runbookUrl": link(alert, guide),
            **direction,
            "nrql": {"query": nrql(asked, "value")},
            "signal": {
                "aggregationWindow": window,
                "aggregationMethod": "EVENT_FLOW",
                "aggregationDelay": 120,
                "fillOption": "NONE",
            },
            "terms": [
                {
                    "operator": "ABOVE" if trend else OPERATORS[alert.test],
                    "priority": PRIORITIES[alert.severity],
                    "threshold": DEVIATIONS if trend else alert.bound,
                    # A whole number of windows.
                    "thresholdDuration": -(-wait // window) * window,
                    "thresholdOccurrences": "ALL",
                }
            ],
            "violationTimeLimitSeconds": LONGEST_OPEN,
        },
    }
