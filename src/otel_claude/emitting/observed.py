"""What is only looked at when metrics are collected: counters that are added up here, and gauges.

In: additions to counters, as calls end, and the rate limits of the last responses. Out: observations, for the
callbacks of asynchronous instruments. So a counter costs a call next to nothing: its points are kept as they come, and
added up when somebody wants the sums. Who counts on its own is one of the `sources`.

There is one `Observed` for each meter provider, for as long as that lives: OpenTelemetry knows no way to take a
callback back, and ignores a second one for the same instrument.
"""

import os
import threading
import weakref
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from itertools import chain
from typing import Any

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Meter, MeterProvider, Observation

from otel_claude import names
from otel_claude.batches import AlreadyCounted
from otel_claude.emitting.instruments import INSTRUMENTS, LIMIT, REMAINING, RESET
from otel_claude.emitting.points import Labels, Point
from otel_claude.failsafe import failures
from otel_claude.rate_limits import RateLimits
from otel_claude.weak_sets import items_of

MOST_PENDING = 1_000
"""How many calls may have ended since the last look before they are added up without one."""

MOST_SETS = 10_000
"""How many sets of attributes an instrument may have. What is over goes into one that stands for it.

The 200 combinations of `who` and `_OTHER`, with 8 models and 6 types of tokens each, are 201 * 8 * 6 = 9,648.
"""

OVERFLOW: Labels = {"otel.metric.overflow": True}
"""https://opentelemetry.io/docs/specs/otel/metrics/sdk/#overflow-attribute"""


class Counters:
    """The sums of counters, by their names and their sets of attributes."""

    def __init__(self) -> None:
        self._pending: deque[tuple[Iterable[Point], AbstractSet[str]]] = deque()
        self._totals: dict[str, dict[frozenset[tuple[str, Any]], float]] = {}
        self._lock = threading.Lock()
        _alive.add(self)

    def add(self, points: Iterable[Point], wanted: AbstractSet[str]) -> None:
        """Adds `points`, later, to those of their instruments that are `wanted`. They may be a generator."""
        self._pending.append((points, wanted))
        if len(self._pending) > MOST_PENDING and self._lock.acquire(blocking=False):
            try:
                self._add_up()
            finally:
                self._lock.release()

    def observe(self, name: str) -> list[Observation]:
        """The sums of a counter."""
        with self._lock:
            self._add_up()
            return [Observation(total, dict(labels)) for labels, total in self._totals.get(name, {}).items()]

    def _add_up(self) -> None:
        while self._pending:
            points, wanted = self._pending.popleft()
            for instrument, value, labels in points:
                if instrument.name in wanted:
                    totals = self._totals.setdefault(instrument.name, {})
                    key = frozenset(labels.items())
                    if key not in totals and len(totals) >= MOST_SETS:
                        key = frozenset(OVERFLOW.items())
                    totals[key] = totals.get(key, 0) + value

    def before_fork(self) -> None:
        """A child inherits sums, as it does those of the SDK's own counters, and no additions that are to be made."""
        with self._lock:
            self._add_up()

    def after_fork(self) -> None:
        """In the child: another thread of the parent may have held the lock."""
        self._pending.clear()
        self._lock = threading.Lock()


_alive: "weakref.WeakSet[Counters]" = weakref.WeakSet()


def _before_fork() -> None:
    for counters in items_of(_alive):
        counters.before_fork()


def _after_fork() -> None:
    for counters in items_of(_alive):
        counters.after_fork()


os.register_at_fork(before=_before_fork, after_in_child=_after_fork)


class Observed:
    """What the asynchronous instruments of one meter show."""

    def __init__(self, meter: Meter) -> None:
        self.counters = Counters()
        self.counted = AlreadyCounted()
        self.limits = RateLimits()
        self.sources: defaultdict[str, list[Callable[[], Iterable[Observation]]]] = defaultdict(list)
        kinds: dict[str, Callable[..., object]] = {
            "counter": meter.create_observable_counter,
            "up_down_counter": meter.create_observable_up_down_counter,
            "gauge": meter.create_observable_gauge,
        }
        for instrument in INSTRUMENTS:
            if (create := kinds.get(instrument.kind)) is not None:
                create(
                    instrument.name,
                    [self._callback(instrument.name)],
                    unit=instrument.unit,
                    description=instrument.description,
                )

    def _callback(self, name: str) -> Callable[[CallbackOptions], Iterable[Observation]]:
        look = self._limits if name in GAUGES else self.counters.observe

        def callback(_: CallbackOptions) -> Iterable[Observation]:
            try:
                return [*look(name), *_sums(source() for source in self.sources[name])]
            except Exception:
                failures.report(name)
                return []

        return callback

    def _limits(self, name: str) -> list[Observation]:
        observations: list[Observation] = []
        for reading in self.limits.readings():
            if GAUGES[name] == reading.quantity:
                labels = {names.PROVIDER: "anthropic", names.LIMIT_TYPE: reading.limit}
                told = zip(LIMIT_OWNER, reading.owner, strict=True)
                labels |= {name: value for name, value in told if value is not None}
                observations.append(Observation(reading.value, labels))
        return observations


def _sums(observed: Iterable[Iterable[Observation]]) -> list[Observation]:
    """One observation for each set of attributes, of those that several sources have made."""
    totals: dict[frozenset[tuple[str, Any]], float] = {}
    for observation in chain.from_iterable(observed):
        labels = frozenset((observation.attributes or {}).items())
        totals[labels] = totals.get(labels, 0) + observation.value
    return [Observation(total, dict(labels)) for labels, total in totals.items()]


GAUGES = {LIMIT.name: "limit", REMAINING.name: "remaining", RESET.name: "reset"}
"""The gauges of rate limits, with the quantity that each shows."""

LIMIT_OWNER = (names.ORGANIZATION, names.LIMIT_WORKSPACE, names.LIMIT_MODEL, names.CALL_NAME)
"""The attributes that say whose limit it is."""

_global: list[Observed] = []
_given: "weakref.WeakKeyDictionary[MeterProvider, Observed]" = weakref.WeakKeyDictionary()


def observed_by(provider: MeterProvider | None, meter: Meter) -> Observed:
    """The `Observed` of a meter provider; `None` is the global one, whether it has been set yet or not.

    A provider may be given first and be made the global one later, or the other way round: it has one all the same.
    """
    current = metrics.get_meter_provider()
    known = _given.get(current if provider is None else provider)
    if known is not None:
        return known
    if provider is None or provider is current:
        if not _global:
            _global.append(Observed(meter))
        return _global[0]
    observed = _given[provider] = Observed(meter)
    return observed
