"""What exported spans say was spent: of those calls whose spans were sampled.

In: our spans, in any order, some of them more than once, and summaries of spans. Out: entries. A span counts for the
day on which it ended.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from otel_claude import names
from otel_claude.commands.cells import Cells, Key
from otel_claude.commands.days import Days
from otel_claude.commands.decimals import exact
from otel_claude.commands.metric_spend import INFERENCES, labels_of, model_of
from otel_claude.commands.otlp import Attributes, Span
from otel_claude.commands.spend import CALLS, UNPRICED, UNSPLIT, Entry, Quantity, attributes_of

Amounts = dict[Quantity, int | float]

COSTS: Mapping[str, str] = {
    names.COST_INPUT: "input",
    names.COST_OUTPUT: "output",
    names.COST_CACHE_READ: "cache_read",
    names.COST_CACHE_WRITE: "cache_write",
    names.COST_SERVER_TOOLS: "server_tools",
}
SAVINGS: Mapping[str, str] = {names.CACHE_SAVINGS: "cache", names.BATCH_SAVINGS: "batch"}
SUMMARY_NAME = re.compile(rf"(?P<operation>{'|'.join(INFERENCES)}) (?P<model>\S+) ×\d+ \(summarized\)")  # noqa: RUF001  # the sign of a summary's name
"""The name of a summary of calls of one model, which is all that tells the model."""


OF_SPANS = (
    "The sums are those of the spans in the input: calls that sampling left out are not in them. Spans do not tell "
    "fast mode, whose calls are taken for standard ones."
)


class SpanSpend:
    """Entries from spans. `labels` are those that entries are to have."""

    def __init__(self, labels: Sequence[str], days: Days, cells: Cells | None = None) -> None:
        self._attributes = tuple(name for label in labels for name in attributes_of(label))
        self._days = days
        self._cells = cells or Cells()
        self._numbers: dict[tuple[Quantity, tuple[tuple[str, str], ...], str | None], int] = {}

    def add(self, span: Span) -> None:
        """Adds a span. One that says nothing of what was spent adds nothing."""
        told = span.attributes
        if names.SUMMARY_COUNT in told:
            told = {**told, **_summarized(span.name)}
            amounts = _of_summary(told)
        elif names.BATCH in told:
            amounts = _of_batch(told)
        else:
            amounts = _of_call(told)
        labels, model = labels_of(self._attributes, told, span.resource), model_of(told)
        for quantity, amount in amounts.items():
            number = self._numbers.setdefault((quantity, labels, model), len(self._numbers))
            self._cells.put(Key(span.identity, number, span.start, span.end), span.end, amount)

    @property
    def notes(self) -> list[str]:
        """What a reader of the sums should know."""
        return [OF_SPANS]

    def entries(self) -> Iterator[Entry]:
        """What was spent."""
        known = list(self._numbers)
        for cell in self._cells.sorted():
            quantity, labels, model = known[cell.key.series]
            day = date.fromordinal(self._days.of(cell.time))
            if cell.value:
                yield Entry(day, dict(labels), model, quantity, exact(cell.value))

    def clear(self) -> None:
        """Forgets all spans."""
        self._cells.clear()
        self._numbers.clear()


def _of_call(told: Attributes) -> Amounts:
    processing = str(told.get(names.RESPONSE_TIER, "standard"))
    amounts: Amounts = {}
    if told.get(names.OPERATION) in INFERENCES:
        amounts[CALLS] = 1
        if names.INPUT_TOKENS in told and names.COST_SOURCE not in told:
            amounts[UNPRICED] = 1
    amounts |= _tokens(
        told,
        (names.INPUT_TOKENS, names.OUTPUT_TOKENS, names.REASONING),
        (names.CACHE_READ, names.CACHE_WRITE, names.CACHE_WRITE_5M, names.CACHE_WRITE_1H),
    )
    for attribute, part in COSTS.items():
        if attribute in told:
            amounts[Quantity("usd", part, processing)] = number(told[attribute])
    return amounts | _savings(told)


def _of_batch(told: Attributes) -> Amounts:
    """Of results that were read. Their tokens are not split, and neither is their cost.

    Results that were read before have no cost, and are not counted again.
    """
    if names.COST not in told:
        return {}
    amounts: Amounts = {Quantity("usd", UNSPLIT, "batch"): number(told[names.COST])}
    for attribute, kind in ((names.BATCH_INPUT_TOKENS, UNSPLIT), (names.BATCH_OUTPUT_TOKENS, "output")):
        if attribute in told:
            amounts[Quantity("tokens", kind)] = number(told[attribute])
    return amounts | _savings(told)


def _of_summary(told: Attributes) -> Amounts:
    """Of several calls, of which the parts of the cost are not known."""
    amounts = _tokens(
        told,
        (names.SUMMARY_INPUT, names.SUMMARY_OUTPUT, names.SUMMARY_REASONING),
        (
            names.SUMMARY_CACHE_READ,
            names.SUMMARY_CACHE_WRITE,
            names.SUMMARY_CACHE_WRITE_5M,
            names.SUMMARY_CACHE_WRITE_1H,
        ),
    )
    if told.get(names.OPERATION) in INFERENCES:
        amounts[CALLS] = number(told[names.SUMMARY_COUNT])
    if names.SUMMARY_COST in told:
        amounts[Quantity("usd", UNSPLIT)] = number(told[names.SUMMARY_COST])
    return amounts


def _tokens(told: Attributes, counted: tuple[str, str, str], cached: tuple[str, str, str, str]) -> Amounts:
    """Tokens by type. Spans have cached tokens in those of the input; the API and metrics have not."""
    read, written, for_5m, for_1h = (number(told.get(name, 0)) for name in cached)
    prompt, *others = counted
    amounts: Amounts = {
        Quantity("tokens", kind): count
        for kind, count in (("cache_read", read), ("cache_write_5m", for_5m), ("cache_write_1h", for_1h))
        if count
    }
    if prompt in told:
        amounts[Quantity("tokens", "input")] = number(told[prompt]) - read - written
    for name, kind in zip(others, ("output", "reasoning"), strict=True):
        if name in told:
            amounts[Quantity("tokens", kind)] = number(told[name])
    return amounts


def _savings(told: Attributes) -> Amounts:
    return {Quantity("saved_usd", part): number(told[name]) for name, part in SAVINGS.items() if name in told}


def _summarized(name: str) -> Attributes:
    match = SUMMARY_NAME.fullmatch(name)
    return {} if match is None else {names.OPERATION: match["operation"], names.REQUEST_MODEL: match["model"]}


def number(value: str | float) -> int | float:
    """The value of an attribute that is to be a number; 0 where it is none."""
    return 0 if isinstance(value, str) else value
