"""A long trace in the terminal: the spans of one name at one place are one line, with their sums.

Nothing is estimated: what no span says stays empty.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from part import TIMES, Part, is_summary
from receiver import Span
from rich.console import RenderableType
from rich.text import Text
from tables import new_table, seconds, usd
from tree import GUIDES


class Line(NamedTuple):
    """The spans of one name at one place, and what stands before the name."""

    before: str
    name: str
    part: Part


def levels(spans: Sequence[Span], *, ascii_only: bool) -> RenderableType:
    """The trace as a tree of its names. A span whose parent has not come in is at the top."""
    table = new_table()
    table.add_column("span", no_wrap=True, ratio=1)
    for name in ("spans", "time", "longest", "in", "out", "cost"):
        table.add_column(name, justify="right", no_wrap=True)
    for line in _lines(spans, GUIDES[ascii_only]):
        part = line.part
        table.add_row(
            _label(line, ascii_only=ascii_only),
            f"{len(part.spans):,}",
            seconds(part.time),
            seconds(part.longest),
            f"{part.input:,}" if part.input else "",
            f"{part.output:,}" if part.output else "",
            Text(usd(part.cost) if part.cost else "", "green"),
        )
    return table


def _lines(spans: Sequence[Span], guides: tuple[str, str, str]) -> Iterator[Line]:
    """The names, each above those of its spans' children. Summaries come after what they are beside."""
    child, last_child, beside = guides
    known = {span.id for span in spans}
    children: dict[bytes, list[Span]] = defaultdict(list)
    for span in sorted(spans, key=lambda span: span.start):
        children[span.parent if span.parent in known else b""].append(span)

    def below(parents: Iterable[bytes], indent: str) -> Iterator[Line]:
        by_name: dict[str, list[Span]] = defaultdict(list)
        for span in (span for parent in parents for span in children[parent]):
            by_name[span.name].append(span)
        names = sorted(by_name, key=lambda name: is_summary(by_name[name][0]))
        for name in names:
            last = name == names[-1]
            # What is at the top hangs on nothing, so the first guide of each line is left out.
            before = (indent + (last_child if last else child))[len(child) :]
            yield Line(before, name, Part(by_name[name]))
            yield from below((span.id for span in by_name[name]), indent + ("  " if last else beside))

    return below([b""], "")


def _label(line: Line, *, ascii_only: bool) -> Text:
    errors = (line.part.errors + line.part.summarized_errors).items()
    label = Text.assemble(
        (line.before, "dim"),
        (line.name, "yellow" if line.part.summaries else ""),
        ("".join(f"  {error} {TIMES}{count:,}" for error, count in errors), "red"),
    )
    return Text(label.plain.replace(TIMES, "x"), spans=label.spans) if ascii_only else label
