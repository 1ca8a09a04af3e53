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
from otel_claude.dashboards.measures import GAUGES, Formula, seconds
from otel_claude.dashboards.nrql import nrql, watched
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

MINUTE = 60
SLIDES = 5
"""Into how many parts a window slides on, as in New Relic's own example: what happens across the end of one is in the
next, and is known before the window is over. A part is a whole fraction of the window, of 30 s at least.

https://docs.newrelic.com/docs/nrql/using-nrql/create-smoother-charts-sliding-windows/
"""
LATENESS = 120
"""How much later than it was made a point may come, in seconds."""

DEVIATIONS = 3
"""How far from what is predicted is wrong, in standard deviations: the only measure that New Relic has for it."""

OFF_PREDICTION = {
    "ClaudePromptsGrow": "Prompts are larger than New Relic predicts. Conversations may grow without end.",
    "ClaudeTokensSpike": "More tokens than New Relic predicts: misuse, or a loop.",
    "ClaudeSlower": "Answers take longer than New Relic predicts.",
    "ClaudeSpendOffTrend": "The cost of six hours is far from what New Relic predicts.",
}
"""What alerts say here that compare with a certain time elsewhere."""

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
        "title": panel.heading,
        "linkedEntityGuids": None,
        "rawConfiguration": {
            "nrqlQueries": [{"accountId": ACCOUNT, "query": _query(panel, query)} for query in panel.queries],
            "platformOptions": {"ignoreTimeRange": bool(_since(panel))},
            **_limits(panel),
        },
    }


def _query(panel: Panel, query: Query) -> str:
    ends = {"lines": " TIMESERIES", "number": "", "bars": " LIMIT 25"}
    return f"{nrql(query.formula, panel.called(query))}{_since(panel)}{ends[panel.kind]}"


def _since(panel: Panel) -> str:
    """The time of a panel, where that is not what is looked at."""
    if panel.today:
        return " SINCE today"
    # What a gauge was earlier, such as a budget before it began anew, is not what it is.
    shows_gauges = all(each.what in GAUGES for query in panel.queries for each in query.formula.measures.values())
    return " SINCE 5 minutes ago" if shows_gauges and panel.kind != "lines" else ""


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
    direction = {} if trend is None else {"baselineDirection": "UPPER_AND_LOWER" if trend.both else "UPPER_ONLY"}
    # A whole number of windows.
    duration = -(-max(seconds(alert.wait), window) // window) * window
    # Whether something happens at all is known as soon as it does; how much of it there is, at the end of a window.
    sparse = alert.bound == 0
    return {
        "mutation": f"alertsNrqlCondition{'Static' if trend is None else 'Baseline'}Create",
        "condition": {
            "name": alert.name,
            "description": OFF_PREDICTION.get(alert.name, alert.hint),
            "enabled": True,
            # A path is no address.
            **({"runbookUrl": link(alert, guide)} if "://" in guide else {}),
            **direction,
            "nrql": {"query": watched(asked)},
            "signal": _as_it_comes() if sparse else _at_the_end(window, slides=trend is None),
            "terms": [
                {
                    "operator": "ABOVE" if trend else OPERATORS[alert.test],
                    "priority": PRIORITIES[alert.severity],
                    "threshold": DEVIATIONS if trend else alert.bound,
                    "thresholdDuration": duration,
                    # One window is enough, each of those that slide; what is off its prediction has to stay so.
                    "thresholdOccurrences": "ALL" if trend else "AT_LEAST_ONCE",
                }
            ],
            # Where no point comes any more, nothing else closes an incident before the longest time.
            # https://docs.newrelic.com/docs/alerts/create-alert/create-alert-condition/create-nrql-alert-conditions/#signal-loss
            "expiration": {
                "expirationDuration": duration,
                "closeViolationsOnExpiration": True,
                "openViolationOnExpiration": False,
            },
            "violationTimeLimitSeconds": LONGEST_OPEN,
        },
    }


def _at_the_end(window: int, *, slides: bool) -> dict[str, Any]:
    """For what goes on: a window is looked at when a point comes that was made after it."""
    return {
        "aggregationWindow": window,
        "aggregationMethod": "EVENT_FLOW",
        "aggregationDelay": LATENESS,
        "fillOption": "NONE",
        **({"slideBy": window // SLIDES} if slides else {}),
    }


def _as_it_comes() -> dict[str, Any]:
    """For what is rare: after one point there may be no other for days, so that it is looked at by the clock.

    The timer is to be no shorter than the window, and has 20 minutes at the most; so the windows are short.
    https://docs.newrelic.com/docs/alerts/create-alert/fine-tune/choose-your-aggregation-method/#event-timer
    https://docs.newrelic.com/docs/alerts/create-alert/fine-tune/streaming-alerts-key-terms-concepts/#event-timer
    """
    return {
        "aggregationWindow": MINUTE,
        "aggregationMethod": "EVENT_TIMER",
        "aggregationTimer": LATENESS,
        "fillOption": "NONE",
    }
