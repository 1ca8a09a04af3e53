"""Measures in Datadog's language of queries, with the names that OTLP has there.

Names keep their dots. Counters become counts and histograms distributions; attributes become tags.
https://docs.datadoghq.com/opentelemetry/reference/otlp_metric_types/
https://docs.datadoghq.com/metrics/advanced-filtering/

Pure.
"""

from otel_claude.dashboards.alert import Few
from otel_claude.dashboards.measures import GAUGES, SERVICE, Formula, Measure, Where, always

AGGREGATIONS = {"grown": "sum", "per_second": "sum", "quantile": "percentile", **GAUGES}
"""How a monitor brings a window to one number."""

TAGS = {SERVICE: "service"}
"""https://docs.datadoghq.com/opentelemetry/correlate/#prerequisite-unified-service-tagging"""

RATES = {"counter": ".as_rate().rollup(sum, 60)", "histogram": ".as_rate().rollup(60)"}
"""What happens in a second, by the kind of instrument.

A rate is the sum of an interval, divided by the interval. Lines of the last hour have intervals of 20 s, and our points
come each 60 s, so that each would be three times too high. A distribution's roll-up takes no aggregator.
https://docs.datadoghq.com/metrics/custom_metrics/type_modifiers/
https://docs.datadoghq.com/dashboards/functions/rollup/
"""


def query(measure: Measure) -> str:
    """The query of a measure. On a dashboard, what lacks a tag is in a group `N/A`.

    https://docs.datadoghq.com/dashboards/functions/exclusion/
    """
    where = " AND ".join(_condition(each) for each in measure.where) or "*"
    named = [_tag(each) for each in measure.by]
    by = f" by {{{','.join(named)}}}" if named else ""
    asked = f"{measure.of.name}{{{where}}}{by}"
    if measure.what == "quantile":
        return f"p{measure.quantile * 100:g}:{asked}"
    if measure.what in GAUGES:
        return f"{GAUGES[measure.what]}:{asked}"
    of = measure.part if measure.of.kind == "histogram" else "sum"
    return f"{of}:{asked}{'.as_count()' if measure.what == 'grown' else RATES[measure.of.kind]}"


def queries(formula: Formula) -> dict[str, str]:
    """The queries of a formula's measures, by their names. A ratio is one of sums, as their seconds are the same."""
    sums = {"per_second": "grown"} if formula.is_ratio else {}
    return {name: query(each._replace(what=sums.get(each.what, each.what))) for name, each in formula.measures.items()}


def monitored(formula: Formula, window: str) -> str:
    """The query of a monitor: how a window of time is brought to one number, and of what.

    What has grown is a sum, and arithmetic is of the sums of windows. A mean of rates would be that of the intervals
    alone in which something happened, so that one call an hour would be as many as one a minute.
    https://docs.datadoghq.com/monitors/guide/as-count-in-monitor-evaluations/
    https://docs.datadoghq.com/monitors/guide/monitor-arithmetic-and-sparse-metrics/
    """
    return f"{_over(formula, window)}:{formula.said(_monitored(formula))}"


def changed(formula: Formula, window: str, least: float = 0, few: Few | None = None) -> str:
    """The query of a monitor on a change since a day ago, in percent.

    `least` is added to now and to then, so that a change of little is little: (now - then) / (then + least). So are the
    `few` calls to a mean. Sums are compared, and nothing recorded is 0; of rates, the change would be taken of each
    interval on its own.
    https://docs.datadoghq.com/monitors/types/change-alert/#troubleshooting-a-change-alert-evaluation
    """
    if few is not None:
        formula = formula._replace(text=f"({{part}} + {few.calls * few.typical:g}) / ({{whole}} + {few.calls})")
    asked = _monitored(formula)
    if not formula.is_ratio:
        more = f" + {least:g}" if least else ""
        asked = {name: f"default_zero({text}){more}" for name, text in asked.items()}
    return f"pct_change({_over(formula, window)},1d_ago):{formula.said(asked)}"


def _monitored(formula: Formula) -> dict[str, str]:
    grouped = Formula(formula.text, {name: each._replace(by=always(each)) for name, each in formula.measures.items()})
    return {
        name: f"default_zero({text})" if grouped.measures[name].or_zero else text
        for name, text in queries(grouped).items()
    }


def _over(formula: Formula, window: str) -> str:
    first = next(iter(formula.measures.values()))
    return f"{AGGREGATIONS[first.what]}(last_{window})"


def _condition(where: Where) -> str:
    tag, values = _tag(where.attribute), ",".join(where.values)
    said = {
        "in": f"{tag} IN ({values})" if len(where.values) > 1 else f"{tag}:{values}",
        "not in": f"{tag} NOT IN ({values})",
        "like": f"{tag}:{values}",
        "set": f"{tag}:*",
        "unset": f"NOT {tag}:*",
    }
    return said[where.test]


def _tag(attribute: str) -> str:
    return TAGS.get(attribute, attribute)
