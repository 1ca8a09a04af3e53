"""What was spent, entry by entry, and the sums of groups of it.

In: entries of a source: a day, labels, what is counted, and how much of it. Out: a `Group` for each set of values that
the wanted labels have. Pure.

A *source* is whatever yields entries: exported telemetry is one, a ledger another. It has `notes`, sentences that a
reader of the sums should know, once its entries have been read.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Literal, NamedTuple, Protocol

from otel_claude import names

Kind = Literal["calls", "unpriced_calls", "tokens", "usd", "saved_usd"]


class Quantity(NamedTuple):
    """What an entry counts.

    `part` is the type of tokens, the part of a cost, or what saved. `processing` is that of a cost, where it is known.
    A part that is `UNSPLIT` is a sum over parts that the source does not tell apart.
    """

    kind: Kind
    part: str = ""
    processing: str = ""


UNSPLIT = "unsplit"
CALLS = Quantity("calls")
UNPRICED = Quantity("unpriced_calls")


class Entry(NamedTuple):
    """So much of a quantity on a day. `labels` are attributes by their names; `model` is `None` where not known."""

    day: date
    labels: Mapping[str, str]
    model: str | None
    quantity: Quantity
    amount: Decimal


class Source(Protocol):
    """Where entries come from."""

    @property
    def signal(self) -> str | None:
        """What was read: `metrics`, `spans`, `ledger`."""
        ...

    @property
    def adds_up(self) -> bool:
        """Whether the sum over all entries means something."""
        ...

    @property
    def notes(self) -> Sequence[str]:
        """What a reader of the sums should know. Complete once all entries have been read."""
        ...

    def entries(self) -> Iterator[Entry]:
        """Everything that was spent, in any order."""
        ...


DAY = "day"
ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    "model": (names.RESPONSE_MODEL, names.REQUEST_MODEL),
    "operation": (names.OPERATION,),
    "platform": (names.PLATFORM,),
    "provider": (names.PROVIDER,),
    "service": ("service.name",),
    "budget": (names.BUDGET_NAME,),
    "scope": (names.BUDGET_SCOPE,),
    "period": (names.BUDGET_PERIOD,),
}
"""Short names of labels, with their attributes; the first that is there counts. Any other label is an attribute."""


def attributes_of(label: str) -> tuple[str, ...]:
    """The attributes that a label stands for."""
    return ATTRIBUTES.get(label, (label,))


Sums = dict[Quantity, Decimal]


class Group:
    """The sums of one set of labels: `parts` has them by model and day, as that is what a price depends on."""

    def __init__(self, values: tuple[str | None, ...]) -> None:
        self.values = values
        self.parts: dict[tuple[str | None, date], Sums] = {}

    def add(self, model: str | None, day: date, quantity: Quantity, amount: Decimal) -> None:
        """Adds an entry."""
        sums = self.parts.setdefault((model, day), {})
        sums[quantity] = sums.get(quantity, Decimal(0)) + amount

    def by_part(self) -> Mapping[tuple[Kind, str], Decimal]:
        """The sums by what they count, however it was processed. What no entry tells is not in it."""
        sums: defaultdict[tuple[Kind, str], Decimal] = defaultdict(Decimal)
        for part in self.parts.values():
            for quantity, amount in part.items():
                sums[quantity.kind, quantity.part] += amount
        return dict(sums)


class Groups:
    """Groups by the values of `labels`, and the `total` over all."""

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = tuple(labels)
        self.total = Group(())
        self._groups: dict[tuple[str | None, ...], Group] = {}

    def add(self, entries: Iterable[Entry], since: date | None = None, until: date | None = None) -> None:
        """Adds entries of the days from `since` to `until`, both included."""
        for entry in entries:
            if (since is not None and entry.day < since) or (until is not None and entry.day > until):
                continue
            values = tuple(_value(entry, label) for label in self.labels)
            group = self._groups.get(values)
            if group is None:
                group = self._groups[values] = Group(values)
            for each in (group, self.total):
                each.add(entry.model, entry.day, entry.quantity, entry.amount)

    def sorted(self) -> list[Group]:
        """By day, where that is a label, and those that cost the most first."""
        at = self.labels.index(DAY) if DAY in self.labels else None

        def key(group: Group) -> tuple[str, Decimal, tuple[str, ...]]:
            spent = sum((usd for (kind, _), usd in group.by_part().items() if kind == "usd"), Decimal(0))
            day = "" if at is None else group.values[at] or ""
            return day, -spent, tuple(value or "" for value in group.values)

        return sorted(self._groups.values(), key=key)


def _value(entry: Entry, label: str) -> str | None:
    if label == DAY:
        return entry.day.isoformat()
    return next((entry.labels[name] for name in attributes_of(label) if name in entry.labels), None)


def noon(day: date) -> datetime:
    """A time whose prices are those of the day."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
