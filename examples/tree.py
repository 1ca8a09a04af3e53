"""The traces in the terminal: the spans that `receiver` has, as trees on one time axis.

Nothing is estimated here. What a span does not say stays empty.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from receiver import Span
from rich.console import Console, ConsoleOptions, RenderableType
from rich.measure import Measurement
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from tables import new_table, seconds, usd

BARS = ("─━", "-=")
"""What stands for waiting and for receiving, and the same where the terminal only has ASCII."""
GUIDES = (("├ ", "└ ", "│ "), ("|-", "`-", "| "))
"""What stands before a child, before the last one, and beside those in between; and the same in ASCII."""


class Bar(NamedTuple):
    """A span on the time axis of the run, all in shares of it. `first` is where a stream brought its first content."""

    start: float
    first: float
    end: float
    style: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        width = options.max_width
        waiting, receiving = BARS[options.ascii_only]
        start = min(round(self.start * width), width - 1)
        end = max(round(self.end * width), start + 1)
        first = min(max(round(self.first * width), start), end - 1)
        style = Style.parse(self.style)
        yield Segment(" " * start)
        yield Segment(waiting * (first - start), style)
        yield Segment(receiving * (end - first), style)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(8, options.max_width)


class Node(NamedTuple):
    """A span in the tree of its trace: what stands before its name, and before further lines about it."""

    span: Span
    before_name: str
    before_more: str
    root: bool


def traces(spans: Sequence[Span], numbers: Mapping[bytes, int], *, ascii_only: bool) -> RenderableType:
    """All traces on one time axis, a line for each span, its children below it."""
    waiting, receiving = BARS[ascii_only]
    table = new_table()
    table.add_column("", justify="right", style="dim", no_wrap=True)
    table.add_column("span", no_wrap=True)
    table.add_column(f"{waiting} wait {receiving} receive", ratio=1, no_wrap=True)
    for name in ("time", "in", "cache", "out", "cost"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("ended", no_wrap=True)
    begin, length = spans[0].start, duration(spans)
    for node in _nodes(spans, GUIDES[ascii_only]):
        number = str(numbers[node.span.trace]) if node.root else ""
        table.add_row(number, _name(node), _bar(node, begin, length), *_numbers(node.span))
    return table


def numbered(spans: Iterable[Span]) -> dict[bytes, int]:
    """A number for each trace, in the order of their start."""
    return {trace: number for number, trace in enumerate(dict.fromkeys(span.trace for span in spans), 1)}


def duration(spans: Sequence[Span]) -> float:
    """Seconds from the start of the first span to the end of the last."""
    return max(span.end for span in spans) - min(span.start for span in spans)


def _nodes(spans: Sequence[Span], guides: tuple[str, str, str]) -> Iterator[Node]:
    """The spans as they stand below each other. Those whose parent has not come in are roots."""
    child, last_child, beside = guides
    known = {span.id for span in spans}
    children: dict[bytes, list[Span]] = defaultdict(list)
    for span in spans:
        children[span.parent if span.parent in known else b""].append(span)

    def below(parent: bytes, indent: str) -> Iterator[Node]:
        for span in children[parent]:
            last = span is children[parent][-1]
            inner = indent + ("  " if last else beside) if parent else ""
            yield Node(
                span,
                indent + (last_child if last else child) if parent else "",
                inner + (beside if span.id in children else "  "),
                root=not parent,
            )
            yield from below(span.id, inner)

    return below(b"", "")


def _name(node: Node) -> Text:
    span = node.span
    retries, wait = span.attributes.get("claude.retry.count"), span.attributes.get("claude.retry.wait_s")
    failed = span.error is not None
    name = Text.assemble((node.before_name, "dim"), (span.name, "red" if failed else "" if node.root else "dim"))
    if retries:
        waited = "" if wait is None else f", waited {seconds(wait)}"
        name.append(f"\n{node.before_more}", "dim")
        name.append(f"{retries} {'retry' if retries == 1 else 'retries'}{waited}", "yellow")
    if failed and node.root:
        name.append(f"\n{node.before_more}", "dim").append(str(span.attributes.get("error.type", span.error)), "red")
    return name


def _bar(node: Node, begin: float, length: float) -> Bar:
    span = node.span
    first = span.start + span.attributes.get("gen_ai.response.time_to_first_chunk", 0)
    shares = ((at - begin) / (length or 1) for at in (span.start, first, span.end))
    return Bar(*shares, style="red" if span.error is not None else "cyan" if node.root else "bright_black")


def _numbers(span: Span) -> Iterator[Text]:
    """The cells of a span from its time on."""
    said = span.attributes
    cache = Text()
    for sign, style, name in (("w ", "yellow", "write"), ("r ", "cyan", "read")):
        count = said.get(f"gen_ai.usage.cache_{name}.input_tokens")
        if count:
            cache.append("\n" if cache else "").append(f"{sign}{count:,}", style)
    yield Text(seconds(span.end - span.start), "" if "claude.platform" in said else "dim")
    yield Text(_count(said.get("gen_ai.usage.input_tokens", said.get("anthropic.message.count_tokens.input_tokens"))))
    yield cache
    yield Text(_count(said.get("gen_ai.usage.output_tokens")))
    yield Text(usd(said["claude.cost.usd"]) if "claude.cost.usd" in said else "", "green")
    ended = said.get("anthropic.message.stop_reason", said.get("http.response.status_code", ""))
    yield Text(str(ended), "red" if span.error is not None else "dim")


def _count(value: int | None) -> str:
    return "" if value is None else f"{value:,}"
