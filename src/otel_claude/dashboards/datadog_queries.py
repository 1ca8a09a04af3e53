"""Measures in Datadog's language of queries, with the names that OTLP has there.

Names keep their dots. Counters become counts and histograms distributions; attributes become tags.
https://docs.datadoghq.com/opentelemetry/reference/otlp_metric_types/
https://docs.datadoghq.com/metrics/advanced-filtering/

Pure.
"""

from otel_claude.dashboards.measures import Formula, Measure, Where, always

GAUGES = {"least": "min", "most": "max"}
GROWTH = {"grown": "as_count", "per_second": "as_rate"}


def query(measure: Measure, *, count: bool = False) -> str:
    """The query of a measure. `count` asks for sums where it says what happens in a second."""
    where = " AND ".join(_condition(each) for each in measure.where) or "*"
    named = always(measure.by)
    by = f" by {{{','.join(named)}}}" if named else ""
    asked = f"{measure.of.name}{{{where}}}{by}"
    if measure.what == "quantile":
        return f"p{measure.quantile * 100:g}:{asked}"
    if measure.what in GAUGES:
        return f"{GAUGES[measure.what]}:{asked}"
    of = measure.part if measure.of.kind == "histogram" else "sum"
    return f"{of}:{asked}.{'as_count' if count else GROWTH[measure.what]}()"


def monitored(formula: Formula, window: str) -> str:
    """The query of a monitor: how a window of time is brought to one number, and of what.

    A ratio is one of sums, so that a minute with few calls weighs little.
    """
    first = next(iter(formula.measures.values()))
    over = {"quantile": "percentile", **GAUGES}.get(first.what)
    if over is None:
        over = "sum" if formula.is_ratio or first.what == "grown" else "avg"
    asked = {
        name: f"default_zero({text})" if formula.measures[name].or_zero else text
        for name, text in queries(formula, count=formula.is_ratio).items()
    }
    return f"{over}(last_{window}):{formula.said(asked)}"


def queries(formula: Formula, *, count: bool = False) -> dict[str, str]:
    """The queries of a formula's measures, by their names."""
    return {name: query(each, count=count) for name, each in formula.measures.items()}


def _condition(where: Where) -> str:
    tag, values = where.attribute, ",".join(where.values)
    said = {
        "in": f"{tag} IN ({values})" if len(where.values) > 1 else f"{tag}:{values}",
        "not in": f"{tag} NOT IN ({values})",
        "like": f"{tag}:{values}",
        "set": f"{tag}:*",
        "unset": f"NOT {tag}:*",
    }
    return said[where.test]
