"""What is asked of the metrics, in terms of our instruments and attributes.

A `Measure` is one number of one instrument, or one for each combination of attributes. A `Formula` is arithmetic over
measures. Each backend's language has a function that says them in it. Pure.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from otel_claude import names
from otel_claude.emitting.instruments import Instrument


class Where(NamedTuple):
    """A condition on an attribute: `in` or `not in` the values, `like` one with `*` in it, `set`, or `unset`."""

    attribute: str
    test: Literal["in", "not in", "like", "set", "unset"]
    values: tuple[str, ...] = ()


class Measure(NamedTuple):
    """What is measured of an instrument.

    `grown`: by how much a counter has grown in the window; of a histogram, the `part` of it that counts. `per_second`:
    the same by second. `quantile`: that of a histogram. `least` and `most`: the value of a gauge, where several
    processes report one. An empty `window` is what the panel shows. `ago` shifts the window into the past.

    Sums, and shares of them, are of what has `grown`; lines, means and quantiles are of what happens `per_second`.
    """

    of: Instrument
    what: Literal["grown", "per_second", "quantile", "least", "most"]
    where: tuple[Where, ...] = ()
    by: tuple[str, ...] = ()
    window: str = ""
    part: Literal["count", "sum"] = "count"
    quantile: float = 0.9
    ago: str = ""
    or_zero: bool = False
    """Whether nothing recorded is 0, for a measure that is added to another one."""


class Formula(NamedTuple):
    """Arithmetic over measures, which stand in `text` by their names in braces: `{failed} / {all}`."""

    text: str
    measures: Mapping[str, Measure]

    def said(self, measures: Mapping[str, str]) -> str:
        """The formula with these texts in the places of the measures."""
        return self.text.format(**measures)

    @property
    def is_ratio(self) -> bool:
        """Whether a measure is divided by another one."""
        return "/ {" in self.text or "/ ({" in self.text

    @property
    def by(self) -> tuple[str, ...]:
        """The attributes that the numbers are apart by."""
        return next(iter(self.measures.values())).by

    def over(self, window: str) -> "Formula":
        """The same in such a window."""
        return Formula(self.text, {name: each._replace(window=window) for name, each in self.measures.items()})

    def ago(self, shift: str) -> "Formula":
        """The same so much earlier."""
        return Formula(self.text, {name: each._replace(ago=shift) for name, each in self.measures.items()})


def one(measure: Measure, text: str = "{it}") -> Formula:
    """A formula of one measure."""
    return Formula(text, {"it": measure})


def ratio(part: Measure, whole: Measure) -> Formula:
    """A formula of one measure divided by another."""
    return Formula("{part} / {whole}", {"part": part, "whole": whole})


SERVICE = "service.name"
"""Stands among attributes for the service that has recorded a point: each backend has a name of its own for it."""

GAUGES = {"least": "min", "most": "max"}
"""What is measured of gauges, as all backends call it."""

SOMETIMES = frozenset({names.LIMIT_WORKSPACE, names.CALL_NAME, names.BUDGET_SCOPE})


def always(by: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the attributes that all points have: Datadog and New Relic leave out of groups what lacks one."""
    return tuple(each for each in by if each not in SOMETIMES)


SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def seconds(duration: str) -> int:
    """The seconds of a duration, such as `15m`."""
    return int(duration[:-1]) * SECONDS[duration[-1]]
