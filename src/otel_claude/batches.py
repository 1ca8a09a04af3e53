"""The results of a message batch, added up as the application reads them.

In: the results, one after the other, with what each answer used and cost. Out: how many there were of each type, the
sums of each model, and how many answers were cut or had a prompt that fills the context window. Pure.

Results may be read again, in part or as a whole. `AlreadyCounted` keeps, per batch, how many of them this process has
counted, so that no token and no dollar is counted twice: the API gives the results of a batch always in the same order.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from otel_claude import names
from otel_claude.pricing import Cost, together
from otel_claude.usage import NOTHING, Usage, add

MOST_BATCHES = 1_000
"""A process that reads the results of more batches than this forgets the first ones."""


class AlreadyCounted:
    """How many results of each batch have been counted in this process."""

    def __init__(self) -> None:
        self._lines: dict[str, int] = {}

    def first_time(self, batch: str, line: int) -> bool:
        """Whether this is the first time that the `line`-th result of a batch is seen, counted from 1."""
        if line <= self._lines.get(batch, 0):
            return False
        while len(self._lines) >= MOST_BATCHES and batch not in self._lines:
            self._lines.pop(next(iter(self._lines)), None)
        self._lines[batch] = line
        return True


@dataclass(slots=True)
class ModelSums:
    """What the answers of one model used and cost together. `unpriced` of them have no price."""

    answers: int = 0
    usage: Usage = NOTHING
    cost: Cost | None = None
    unpriced: int = 0

    def add(self, usage: Usage, cost: Cost | None) -> None:
        """Adds one answer."""
        self.answers += 1
        self.usage = add(self.usage, usage)
        if cost is None:
            self.unpriced += 1
        else:
            self.cost = cost if self.cost is None else together(self.cost, cost)


class Filled(NamedTuple):
    """How much of a context `window`, in tokens, a prompt filled: `share` is from 0 to 1."""

    share: float
    window: int

    @property
    def tokens(self) -> int:
        """The tokens of the prompt."""
        return round(self.share * self.window)


@dataclass(slots=True)
class BatchResults:
    """The results that were read in one go. `fresh` are the sums of those that had not been counted before.

    Of these, `cut` has the answers that something else than the model has ended, by their stop reason; `crowded` is how
    many had a prompt that fills too much of the context window, and `fullest` the one that fills most.
    """

    batch: str
    types: Counter[str] = field(default_factory=Counter[str])
    read: dict[str, ModelSums] = field(default_factory=dict[str, ModelSums])
    fresh: dict[str, ModelSums] = field(default_factory=dict[str, ModelSums])
    cut: Counter[str] = field(default_factory=Counter[str])
    crowded: int = 0
    fullest: Filled | None = None

    @property
    def lines(self) -> int:
        """How many results have been read."""
        return sum(self.types.values())

    def answer(self, model: str, usage: Usage, cost: Cost | None, *, fresh: bool) -> None:
        """Adds the answer to one request of the batch."""
        self.read.setdefault(model, ModelSums()).add(usage, cost)
        if fresh:
            self.fresh.setdefault(model, ModelSums()).add(usage, cost)

    def crowd(self, filled: Filled) -> None:
        """Adds a prompt that fills too much of its window."""
        self.crowded += 1
        self.fullest = filled if self.fullest is None else max(self.fullest, filled)

    @property
    def cut_attributes(self) -> dict[str, Any]:
        """The answers that were cut, as attributes, if any were."""
        if not self.cut:
            return {}
        return {
            names.BATCH_TRUNCATED: self.cut.total(),
            names.BATCH_STOP_REASONS: tuple(sorted(self.cut)),
        }

    @property
    def crowded_attributes(self) -> dict[str, Any]:
        """The prompts that fill too much of the context window, as attributes, if any do."""
        if (fullest := self.fullest) is None:
            return {}
        return {
            names.BATCH_CONTEXT_HIGH: self.crowded,
            names.UTILIZATION: fullest.share,
            names.CONTEXT_WINDOW: fullest.window,
            names.CONTEXT_TOKENS: fullest.tokens,
        }
