"""Measures in PromQL, with the names that OpenTelemetry's exporter gives them in Prometheus.

https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#metric-metadata-1

A counter of ours begins at its first value, not at 0, and `increase` says 0 of a series that has only this one. So what
has `grown` is the whole value of a series that was not there in the hour before the window, and the increase of any
other. It is an hour, so that a short gap in scraping makes no old series a new one. A new one that has fallen belongs
to processes that were started again. What those that ended had counted is in `increase`, which adds it, and not in
`delta`, which goes down by it, so that the one less the other is all of that. Both are extrapolated by half of a scrape
at each end, as far as there is room above 0, which may be off by as much; no sum is less than the highest value.

Pure.
"""

from otel_claude import names
from otel_claude.dashboards.measures import GAUGES, SERVICE, Formula, Measure, Where
from otel_claude.emitting.instruments import BUDGET_SPENT, Instrument

UNITS = {"s": "_seconds", "USD": "_USD"}
SUFFIXES = {"counter": "_total"}
BEFORE = "1h"
"""A series that was not there so long before a window is new in it."""

MATCHED = {BUDGET_SPENT: f"ignoring ({names.BUDGET_SCOPE.replace('.', '_')}) group_left () "}
"""How the whole of a gauge is found where its labels are not the same: tenants share the limit of a budget for each."""


def series(instrument: Instrument) -> str:
    """What a metric is called; a histogram has `_bucket`, `_count` and `_sum` behind it."""
    name = instrument.name.replace(".", "_")
    return f"{name}{UNITS.get(instrument.unit, '')}{SUFFIXES.get(instrument.kind, '')}"


def label(attribute: str) -> str:
    """What an attribute is called."""
    return "job" if attribute == SERVICE else attribute.replace(".", "_")


def promql(formula: Formula, window: str = "", *matchers: str, exact: bool = True) -> str:
    """The query.

    Args:
        formula: What is asked.
        window: That of measures that have none, such as `$__range`.
        matchers: What all series have to match besides, such as `job="support"`.
        exact: Whether what has grown is exact where processes were started again under the same labels.
    """
    measures = formula.measures.values()
    if formula.is_ratio and all(each.what in GAUGES for each in measures):
        # Each process by itself: what one remembers is no part of what another one does.
        part, whole = (_selected(each, matchers) for each in measures)
        first = next(iter(measures))
        return f"{GAUGES[first.what]}{_by(first.by)}({part} / {MATCHED.get(first.of, '')}{whole})"
    return formula.said({name: _measure(each, window, matchers, exact) for name, each in formula.measures.items()})


def grown(selected: str, window: str, ago: str = "", *, exact: bool = True) -> str:
    """By how much each of the series has grown in a window."""
    over = _over(selected, window, ago)
    new = f"max_over_time({over})"
    if exact:
        new = f"(last_over_time({over}) + (increase({over}) - delta({over})) > {new} or {new})"
    return f"({new} unless last_over_time({_over(selected, BEFORE, ago + window)})) or increase({over})"


def _over(selected: str, window: str, ago: str) -> str:
    return f"{selected}[{window}]" + (f" offset {ago}" if ago else "")


def _measure(measure: Measure, window: str, matchers: tuple[str, ...], exact: bool) -> str:
    own = _selected(measure, matchers)
    if measure.what in GAUGES:
        return f"{GAUGES[measure.what]}{_by(measure.by)}({own})"
    within = measure.window or window
    over = _over(own, within, measure.ago)
    if measure.what == "quantile":
        return f"histogram_quantile({measure.quantile:g}, sum{_by(('le', *measure.by))}(rate({over})))"
    rise = f"rate({over})" if measure.what == "per_second" else grown(own, within, measure.ago, exact=exact)
    query = f"sum{_by(measure.by)}({rise})"
    return f"({query} or vector(0))" if measure.or_zero else query


def _selected(measure: Measure, more: tuple[str, ...]) -> str:
    part = ""
    if measure.of.kind == "histogram":
        part = "_bucket" if measure.what == "quantile" else f"_{measure.part}"
    matchers = ", ".join([*map(_matcher, measure.where), *more])
    return f"{series(measure.of)}{part}" + (f"{{{matchers}}}" if matchers else "")


def _by(attributes: tuple[str, ...]) -> str:
    return f" by ({', '.join(label(each) for each in attributes)}) " if attributes else ""


def _matcher(where: Where) -> str:
    pattern = "|".join(where.values).replace("*", ".*")
    regex = "~" if where.test == "like" or len(where.values) > 1 else ""
    operator = {"not in": "!" + (regex or "="), "set": "!=", "unset": "="}.get(where.test, f"={regex}")
    return f'{label(where.attribute)}{operator}"{pattern}"'
