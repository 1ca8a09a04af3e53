"""The dashboard of Grafana, for Prometheus.

In: `ROWS`. Out: the JSON model that Grafana imports: https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/

Its data source is a variable, so that it belongs to no installation. Pure.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from otel_claude.dashboards.measures import NONE, SERVICE, always
from otel_claude.dashboards.panel import Panel, Query
from otel_claude.dashboards.panels import ROWS, TEXT, TITLE
from otel_claude.dashboards.promql import label, promql, series
from otel_claude.emitting.instruments import DURATION

UID = "otel-claude"
SCHEMA = 36
"""That of Grafana 9, which later versions read too."""

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
KINDS = {"lines": "timeseries", "number": "stat", "bars": "bargauge"}
WINDOWS = {"lines": "$__rate_interval", "number": "$__range", "bars": "$__range"}
UNITS = {"": "short", "USD": "currencyUSD", "USD/h": "currencyUSD", "s": "s", "share": "percentunit", "/min": "short"}
INTERVAL = "1m"
"""How often points come, by the default of OpenTelemetry's SDK: `$__rate_interval` is four times that. With the 15 s
that Grafana takes for granted, shares would be of the series alone that have just begun.

https://grafana.com/docs/grafana/latest/datasources/prometheus/template-variables/#use-__rate_interval
"""

COLOURS = (("green",), ("green", "red"), ("green", "orange", "red"))
"""By how many limits there are."""

WIDTH, HEIGHT, COLUMNS = 6, 8, 24


def dashboard() -> dict[str, Any]:
    """The dashboard."""
    return {
        "uid": UID,
        "title": TITLE,
        "description": TEXT,
        "tags": ["claude", "opentelemetry"],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "time": {"from": "now-6h", "to": "now"},
        "refresh": "1m",
        "templating": {
            "list": [
                {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"},
                {
                    "name": "service",
                    "label": "Service",
                    "type": "query",
                    "datasource": SOURCE,
                    "query": {"query": f"label_values({series(DURATION)}_count, {label(SERVICE)})", "refId": "service"},
                    "refresh": 2,
                    "sort": 1,
                    "multi": True,
                    "includeAll": True,
                    "allValue": ".*",
                    "current": {"text": "All", "value": "$__all"},
                },
            ]
        },
        "annotations": {"list": []},
        "panels": [{"id": number, **panel} for number, panel in enumerate(_panels(), 1)],
    }


def _panels() -> Iterator[dict[str, Any]]:
    top = 0
    for row in ROWS:
        yield {
            "type": "row",
            "title": row.title,
            "collapsed": False,
            "panels": [],
            "gridPos": {"x": 0, "y": top, "w": COLUMNS, "h": 1},
        }
        top += 1
        for place, panel in enumerate(row.panels):
            below, beside = divmod(place * WIDTH, COLUMNS)
            yield _panel(panel, beside, top + below * HEIGHT)
        top += -(-len(row.panels) * WIDTH // COLUMNS) * HEIGHT


def _panel(panel: Panel, left: int, top: int) -> dict[str, Any]:
    instant = panel.kind != "lines"
    return {
        "type": KINDS[panel.kind],
        "title": panel.heading,
        "description": panel.text,
        "datasource": SOURCE,
        "gridPos": {"x": left, "y": top, "w": WIDTH, "h": HEIGHT},
        **({"timeFrom": "now/d"} if panel.today else {}),
        "targets": [
            {
                "refId": ref,
                "datasource": SOURCE,
                "expr": _expression(panel, query),
                "interval": INTERVAL,
                "legendFormat": _legend(panel, query),
                "instant": instant,
                "range": not instant,
            }
            for ref, query in zip("ABCD", panel.queries, strict=False)
        ],
        "fieldConfig": {
            "defaults": {
                "unit": UNITS[panel.unit],
                "thresholds": {"mode": "absolute", "steps": _steps(panel.limits, low=panel.low)},
                **_drawn(panel),
            },
            "overrides": [],
        },
        "options": _options(panel),
    }


def _expression(panel: Panel, query: Query) -> str:
    """The query. A line that is apart by nothing but what it lacks would have no name."""
    asked = promql(query.formula, WINDOWS[panel.kind], f'{label(SERVICE)}=~"$service"')
    if len(query.formula.by) != 1 or always(query.formula.first):
        return asked
    named = json.dumps(label(*query.formula.by))
    return f'label_replace({asked}, {named}, "{NONE}", {named}, "")'


def _legend(panel: Panel, query: Query) -> str:
    named = [f"{{{{{label(each)}}}}}" for each in query.formula.by]
    return " ".join(named if named and len(panel.queries) == 1 else [panel.called(query), *named])


def _steps(limits: Sequence[float], *, low: bool) -> list[Mapping[str, Any]]:
    """Colours from the lowest value up."""
    colours = COLOURS[len(limits)]
    if low:
        colours = colours[::-1]
    return [{"color": colour, "value": value} for colour, value in zip(colours, (None, *limits), strict=True)]


def _drawn(panel: Panel) -> dict[str, Any]:
    share = {"min": 0, "max": 1} if panel.unit == "share" and panel.kind == "bars" else {"min": 0}
    if panel.kind != "lines":
        return {**share, "color": {"mode": "thresholds"}}
    style = {"mode": "line" if panel.limits else "off"}
    return {**share, "custom": {"fillOpacity": 10, "showPoints": "auto", "thresholdsStyle": style}}


def _options(panel: Panel) -> dict[str, Any]:
    if panel.kind == "lines":
        return {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}}
    shown = {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}}
    return shown if panel.kind == "number" else {**shown, "orientation": "horizontal", "displayMode": "basic"}
