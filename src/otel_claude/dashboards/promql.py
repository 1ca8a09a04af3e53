"""Measures in PromQL, with the names that OpenTelemetry's exporter gives them in Prometheus.

https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#metric-metadata-1

Pure.
"""

from otel_claude.dashboards.measures import Formula, Measure, Where
from otel_claude.emitting.instruments import Instrument

UNITS = {"s": "_seconds", "USD": "_USD"}
SUFFIXES = {"counter": "_total"}
FUNCTIONS = {"grown": "increase", "per_second": "rate"}
GAUGES = {"least": "min", "most": "max"}


def series(instrument: Instrument) -> str:
    """What a metric is called; a histogram has `_bucket`, `_count` and `_sum` behind it."""
    name = instrument.name.replace(".", "_")
    return f"{name}{UNITS.get(instrument.unit, '')}{SUFFIXES.get(instrument.kind, '')}"


def label(attribute: str) -> str:
    """What an attribute is called."""
    return attribute.replace(".", "_")


def promql(formula: Formula, window: str = "") -> str:
    """The query. `window` is for measures that have none, such as `$__range`."""
    return formula.said({name: _measure(each, window) for name, each in formula.measures.items()})


def _measure(measure: Measure, window: str) -> str:
    own = _selected(measure)
    over = f"[{measure.window or window}]" + (f" offset {measure.ago}" if measure.ago else "")
    if measure.what in GAUGES:
        return f"{GAUGES[measure.what]}{_by(measure.by)}({own})"
    if measure.what == "quantile":
        return f"histogram_quantile({measure.quantile:g}, sum{_by(('le', *measure.by))}(rate({own}{over})))"
    query = f"sum{_by(measure.by)}({FUNCTIONS[measure.what]}({own}{over}))"
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
