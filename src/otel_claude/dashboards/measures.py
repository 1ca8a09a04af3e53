"""What is asked of the metrics, in terms of our instruments and attributes.

A `Measure` is one number of one instrument, or one for each combination of attributes. A `Formula` is arithmetic over
measures. Each backend's language has a function that says them in it. Pure.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from otel_claude import names
from otel_claude.emitting import instruments
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
    def first(self) -> Measure:
        """The measure whose attributes the numbers are apart by."""
        return next(iter(self.measures.values()))

    @property
    def by(self) -> tuple[str, ...]:
        """The attributes that the numbers are apart by."""
        return self.first.by

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

TENANT = "tenant"
"""The entry of the baggage that costs are shown by, where the setting `baggage` has it."""

CHATS = Where(names.OPERATION, "in", ("chat",))
NO_METHOD = Where(names.CALL_NAME, "unset")
"""Of a rate limit: that it is one of models, which all are that are of no method."""

SOMETIMES: Mapping[Instrument, frozenset[str]] = {
    # Files and batches are of no model.
    instruments.DURATION: frozenset({names.REQUEST_MODEL}),
    instruments.LIMIT: frozenset({names.LIMIT_MODEL, names.LIMIT_WORKSPACE, names.CALL_NAME}),
    instruments.REMAINING: frozenset({names.LIMIT_MODEL, names.LIMIT_WORKSPACE, names.CALL_NAME}),
    instruments.BUDGET_SPENT: frozenset({names.BUDGET_SCOPE}),
    # The SDK's tool runner has no name for an agent.
    instruments.AGENT_DURATION: frozenset({names.AGENT_NAME}),
    instruments.AGENT_INFERENCES: frozenset({names.AGENT_NAME}),
    instruments.COST: frozenset({TENANT}),
}
"""What measures are apart by, and some points of the instrument lack."""

IMPLIED: Mapping[Where, str] = {CHATS: names.REQUEST_MODEL, NO_METHOD: names.LIMIT_MODEL}
"""The attribute that all points have which meet a condition on another one."""

NONE = "none"
"""What stands on a dashboard for an attribute that a point lacks."""


def always(measure: Measure) -> tuple[str, ...]:
    """Those of its attributes that all of its points have.

    Alerts are apart by no other in Datadog and New Relic, which would leave out of all groups what lacks one.
    https://docs.datadoghq.com/monitors/configuration/#alert-grouping
    """
    asked = {each.attribute for each in measure.where if each.test in ("in", "like", "set")}
    asked |= {IMPLIED[each] for each in measure.where if each in IMPLIED}
    lacked = SOMETIMES.get(measure.of, frozenset()) - asked
    return tuple(each for each in measure.by if each not in lacked)


SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def seconds(duration: str) -> int:
    """The seconds of a duration, such as `15m`."""
    return int(duration[:-1]) * SECONDS[duration[-1]]
