"""Measures in PromQL, with the names that OpenTelemetry's exporter gives them in Prometheus.

https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#metric-metadata-1

A counter of ours begins at its first value, not at 0, and `increase` says 0 of a series that has only this one. So what
has `grown` is the whole value of a series that was not there in the hour before the window, and the increase of any
other. It is an hour, so that a short gap in scraping makes no old series a new one.

Pure.
"""

from otel_claude.dashboards.measures import SERVICE, Formula, Measure, Where
from otel_claude.emitting.instruments import Instrument

UNITS = {"s": "_seconds", "USD": "_USD"}
SUFFIXES = {"counter": "_total"}
GAUGES = {"least": "min", "most": "max"}
BEFORE = "1h"
"""A series that was not there so long before a window is new in it."""


def series(instrument: Instrument) -> str:
    """What a metric is called; a histogram has `_bucket`, `_count` and `_sum` behind it."""
    name = instrument.name.replace(".", "_")
    return f"{name}{UNITS.get(instrument.unit, '')}{SUFFIXES.get(instrument.kind, '')}"


def label(attribute: str) -> str:
    """What an attribute is called."""
    return "job" if attribute == SERVICE else attribute.replace(".", "_")


def promql(formula: Formula, window: str = "") -> str:
    """The query. `window` is for measures that have none, such as `$__range`."""
    return formula.said({name: _measure(each, window) for name, each in formula.measures.items()})


def grown(selected: str, window: str, ago: str = "") -> str:
    """By how much each of the series has grown in a window."""
    over = _over(selected, window, ago)
    return f"(max_over_time({over}) unless last_over_time({_over(selected, BEFORE, ago + window)})) or increase({over})"


def _over(selected: str, window: str, ago: str) -> str:
    return f"{selected}[{window}]" + (f" offset {ago}" if ago else "")


def _measure(measure: Measure, window: str) -> str:
    own = _selected(measure)
    if measure.what in GAUGES:
        return f"{GAUGES[measure.what]}{_by(measure.by)}({own})"
    within = measure.window or window
    over = _over(own, within, measure.ago)
    if measure.what == "quantile":
        return f"histogram_quantile({measure.quantile:g}, sum{_by(('le', *measure.by))}(rate({over})))"
    rise = f"rate({over})" if measure.what == "per_second" else grown(own, within, measure.ago)
    query = f"sum{_by(measure.by)}({rise})"
    return f"({query} or vector(0))" if measure.or_zero else query


def _selected(measure: Measure) -> str:
    part = ""
    if measure.of.kind == "histogram":
        part = "_bucket" if measure.what == "quantile" else f"_{measure.part}"
    matchers = ", ".join(_matcher(each) for each in measure.where)
    return f"{series(measure.of)}{part}" + (f"{{{matchers}}}" if matchers else "")


def _by(attributes: tuple[str, ...]) -> str:
    return f" by ({', '.join(label(each) for each in attributes)}) " if attributes else ""


def _matcher(where: Where) -> str:
    pattern = "|".join(where.values).replace("*", ".*")
    regex = "~" if where.test == "like" or len(where.values) > 1 else ""
    operator = {"not in": "!" + (regex or "="), "set": "!=", "unset": "="}.get(where.test, f"={regex}")
    return f'{label(where.attribute)}{operator}"{pattern}"'
