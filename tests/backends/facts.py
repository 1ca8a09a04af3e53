"""The numbers that backends are compared by: each is a *fact*, with a name, of a whole run of a program.

`expected` makes them of what the API has said. The other functions make them of what a backend shows, where that is
OTLP again; backends with words of their own do so themselves. A fact that a backend does not have is left out.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from receiver import Event, Span
from said import Call, Said
from trees import Node, orphans, outside, roots

Facts = Mapping[str, float]

CHATS = "`chat` spans"
FAILED = "`chat` spans with an error"
ROOTS = "spans at the root of a trace"
ORPHANS = "spans without their parent"
OUTSIDE = "spans outside the time of their parent"
OF_TREES = (ROOTS, ORPHANS, OUTSIDE)
SPAN_INPUT = "input tokens of spans"
SPAN_OUTPUT = "output tokens of spans"
SPAN_READ = "cache reads of spans"
SPAN_WRITTEN = "cache writes of spans"
SPAN_USD = "USD of spans"
OF_TRACES = (CHATS, FAILED, *OF_TREES, SPAN_INPUT, SPAN_OUTPUT, SPAN_READ, SPAN_WRITTEN, SPAN_USD)

TOKENS = "`claude.token.usage`, {}"
COST = "`claude.cost`, {}"
SIZES = "`gen_ai.client.token.usage`, {}"
FAILURES = "`gen_ai.client.operation.duration`, count with `error.type`"
RETRIES = "`claude.retries`"
INTERRUPTIONS = "`claude.stream.interruptions`"
KINDS = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")
OF_METRICS = (
    *(TOKENS.format(kind) for kind in KINDS),
    COST.format("standard"),
    COST.format("batch"),
    *(SIZES.format(kind) for kind in ("input", "output")),
    FAILURES,
    RETRIES,
    INTERRUPTIONS,
)

EVENTS: Mapping[str, str] = {
    "gen_ai.client.operation.exception": "events of an exception",
    "claude.retry": "events of a retry",
    "claude.stream.interrupted": "events of a broken stream",
}
OF_EVENTS = tuple(EVENTS.values())


def expected(said: Said) -> Facts:
    """What a backend has to show."""
    alone = said.alone
    broken = sum(not call.whole for call in alone)

    def total(value: Callable[[Call], float], calls: Iterable[Call]) -> float:
        return math.fsum(value(call) for call in calls)

    return {
        CHATS: len(alone) + len(said.errors) - broken,
        FAILED: len(said.errors),
        ROOTS: said.done.roots,
        ORPHANS: 0,
        OUTSIDE: 0,
        SPAN_INPUT: total(lambda call: call.prompt, alone),
        SPAN_OUTPUT: total(lambda call: call.output, alone),
        SPAN_READ: total(lambda call: call.cache_read, alone),
        SPAN_WRITTEN: total(lambda call: call.cache_write, alone),
        # What a call cost whose answer did not come whole is not known.
        SPAN_USD: total(lambda call: call.cost, (call for call in alone if call.whole)),
        **{TOKENS.format(kind): sum(getattr(call, kind) for call in said.calls) for kind in KINDS},
        COST.format("standard"): total(lambda call: call.cost, alone),
        COST.format("batch"): total(lambda call: call.cost, (call for call in said.calls if call.batch)),
        SIZES.format("input"): total(lambda call: call.prompt, said.calls),
        SIZES.format("output"): total(lambda call: call.output, said.calls),
        FAILURES: len(said.errors),
        RETRIES: len(said.retries),
        INTERRUPTIONS: broken,
        EVENTS["gen_ai.client.operation.exception"]: len(said.errors),
        EVENTS["claude.retry"]: len(said.retries),
        EVENTS["claude.stream.interrupted"]: broken,
    }


def of_spans(spans: Sequence[Span]) -> Facts:
    """What spans say that came in by OTLP."""
    chats = [span for span in spans if span.attributes.get("gen_ai.operation.name") == "chat"]

    def total(name: str) -> float:
        return math.fsum(span.attributes.get(name, 0) for span in chats)

    return {
        CHATS: len(chats),
        FAILED: sum(span.error is not None and "error.type" in span.attributes for span in chats),
        **of_nodes(nodes(spans)),
        SPAN_INPUT: total("gen_ai.usage.input_tokens"),
        SPAN_OUTPUT: total("gen_ai.usage.output_tokens"),
        SPAN_READ: total("gen_ai.usage.cache_read.input_tokens"),
        SPAN_WRITTEN: total("gen_ai.usage.cache_creation.input_tokens"),
        SPAN_USD: total("claude.cost.usd"),
    }


def nodes(spans: Iterable[Span]) -> Sequence[Node]:
    """Spans that came in by OTLP, as nodes."""
    return [Node(span.name, span.trace.hex(), span.id.hex(), span.parent.hex(), span.start, span.end) for span in spans]


def of_nodes(found: Sequence[Node]) -> Facts:
    """What spans say by where they stand."""
    return {ROOTS: roots(found), ORPHANS: orphans(found), OUTSIDE: outside(found)}


def of_events(events: Iterable[Event]) -> Facts:
    """How many there are of each."""
    told = [event.name for event in events]
    return {fact: told.count(name) for name, fact in EVENTS.items()}


def differences(expected: Facts, shown: Facts, wanted: Iterable[str]) -> Iterator[str]:
    """A sentence for each of the `wanted` facts that is not as it is expected to be."""
    for fact in wanted:
        if not same(shown.get(fact), expected[fact]):
            yield f"{fact}: {text(shown.get(fact))}, not {text(expected[fact])}"


def same(shown: float | None, expected: float) -> bool:
    """Whether two numbers are the same but for what floating point makes of a sum."""
    return shown is not None and math.isclose(shown, expected, rel_tol=1e-9, abs_tol=1e-12)


def text(number: float | None) -> str:
    """A number as a page shows it. Fractions are dollars, to a millionth of a cent."""
    if number is None:
        return "-"
    return f"{number:,.0f}" if float(number).is_integer() else f"{number:.8f}".rstrip("0")
