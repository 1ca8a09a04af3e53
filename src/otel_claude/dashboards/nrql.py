"""Measures in New Relic's language of queries, with the names that OTLP has there.

Names keep their dots, and stand in backticks. Counters are counts and histograms distributions.
https://docs.newrelic.com/docs/nrql/nrql-syntax-clauses-functions/
https://docs.newrelic.com/docs/data-apis/understand-data/metric-data/metric-data-type/

Pure.
"""

from otel_claude.dashboards.measures import GAUGES, NONE, Formula, Measure, Where, always


def nrql(formula: Formula, name: str) -> str:
    """The query of a panel, without its time. What lacks an attribute has a group of its own.

    https://docs.newrelic.com/docs/nrql/nrql-syntax-clauses-functions/#func-if
    """
    known = always(formula.first)
    groups = (
        quoted(each) if each in known else f"if({quoted(each)} IS NULL, '{NONE}', {quoted(each)})"
        for each in formula.by
    )
    return _query(formula, name, *groups)


def watched(formula: Formula) -> str:
    """The query of an alert condition. Only points of its metrics are let through: where none come, the signal is lost.

    https://docs.newrelic.com/docs/alerts/create-alert/create-alert-condition/create-nrql-alert-conditions/#signal-loss
    """
    groups = map(quoted, always(formula.first))
    return _query(formula, "value", *groups, where=(_of(*formula.measures.values()),))


def quoted(name: str) -> str:
    """A name of a metric or an attribute."""
    return f"`{name}`"


def _query(formula: Formula, name: str, *groups: str, where: tuple[Where, ...] = ()) -> str:
    """The query. A condition that all measures have is its own; the others are the measures'."""
    measures = formula.measures.values()
    common = [each for each in next(iter(measures)).where if all(each in measure.where for measure in measures)]
    selected = formula.said(
        {key: _measure(each, common, ratio=formula.is_ratio) for key, each in formula.measures.items()}
    )
    conditions = [_condition(each) for each in (*where, *common)]
    filtered = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    facet = f" FACET {', '.join(groups)}" if groups else ""
    return f"SELECT {selected} AS '{name}' FROM Metric{filtered}{facet}"  # noqa: S608  # for a file, of names that are ours


def _of(*measures: Measure) -> Where:
    """The condition that a point is of a metric among these."""
    return Where("metricName", "in", tuple(dict.fromkeys(each.of.name for each in measures)))


def _measure(measure: Measure, common: list[Where], *, ratio: bool) -> str:
    """A measure; in a ratio, a sum, as the seconds are the same. `filter()` is 0 where no point passes it.

    https://docs.newrelic.com/docs/alerts/create-alert/create-alert-condition/create-nrql-alert-conditions/#example-null-zero
    """
    own = [_condition(each) for each in measure.where if each not in common]
    if measure.or_zero and not own:
        own = [_condition(_of(measure))]
    number = f"{_function(measure)}({quoted(measure.of.name)}{_argument(measure)})"
    if own:
        number = f"filter({number}, WHERE {' AND '.join(own)})"
    return f"rate({number}, 1 second)" if measure.what == "per_second" and not ratio else number


def _function(measure: Measure) -> str:
    if measure.what == "quantile":
        return "percentile"
    return GAUGES.get(measure.what) or (measure.part if measure.of.kind == "histogram" else "sum")


def _argument(measure: Measure) -> str:
    return f", {measure.quantile * 100:g}" if measure.what == "quantile" else ""


def _condition(where: Where) -> str:
    attribute, values = quoted(where.attribute), ", ".join(f"'{value}'" for value in where.values)
    said = {
        "in": f"{attribute} IN ({values})" if len(where.values) > 1 else f"{attribute} = {values}",
        # A point without the attribute is not in the values either, and `NOT IN` alone leaves it out.
        "not in": f"({attribute} IS NULL OR {attribute} NOT IN ({values}))",
        "like": f"{attribute} LIKE {values.replace('*', '%')}",
        "set": f"{attribute} IS NOT NULL",
        "unset": f"{attribute} IS NULL",
    }
    return said[where.test]
