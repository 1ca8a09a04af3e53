"""Where spans stand: the parent of each, and whether its time fits.

In: the spans that a backend shows, as nodes, and by hand which spans a program makes below which. Out: numbers, and a
sentence for what is not so. A *root* is a span that has no parent. A summary of the span cap stands for as many spans
of its name as it says.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

Tree = Mapping[tuple[str, str], int]
"""How often a span of this name stands below one of that name, which is empty for a root."""

SUMMARY = re.compile(r"(?P<name>.+) \N{MULTIPLICATION SIGN}(?P<count>\d+) \(summarized\)")
"""The name of a summary."""


class Node(NamedTuple):
    """A span. `parent` is empty for a root. Times are seconds of the clock."""

    name: str
    trace: str
    id: str
    parent: str
    start: float
    end: float


def roots(nodes: Iterable[Node]) -> int:
    """How many have no parent."""
    return sum(not node.parent for node in nodes)


def orphans(nodes: Sequence[Node]) -> int:
    """How many have a parent that is not there."""
    known = {(node.trace, node.id) for node in nodes}
    return sum(bool(node.parent) and (node.trace, node.parent) not in known for node in nodes)


def outside(nodes: Sequence[Node]) -> int:
    """How many begin before their parent, end after it, or end before they begin."""
    known = {(node.trace, node.id): node for node in nodes}
    parents = ((node, known.get((node.trace, node.parent), node)) for node in nodes)
    return sum(not parent.start <= node.start <= node.end <= parent.end for node, parent in parents)


def misplaced(nodes: Sequence[Node], tree: Tree, began: float, ended: float, paused: float = 0.0) -> Iterator[str]:
    """A sentence for each kind of spans of which not as many stand where they have to, and for times that cannot be.

    The run has `began` and `ended`, and all calls together have waited for the API for so many seconds: `paused`.
    """
    known = {(node.trace, node.id): node.name for node in nodes}
    found = Counter((node.name, known.get((node.trace, node.parent), "")) for node in nodes)
    if any(SUMMARY.fullmatch(node.name) for node in nodes):
        # What the cap keeps, and below what, is decided while the program runs. No span of it gets lost.
        found, tree = _by_name(found), _by_name(tree)
    for name, parent in dict.fromkeys((*tree, *found)):
        if found[name, parent] != tree.get((name, parent), 0):
            below = f" below {parent!r}" if parent else ""
            yield f"{found[name, parent]} spans {name!r}{below}, not {tree.get((name, parent), 0)}"
    if beside := [node.name for node in nodes if not began <= node.start <= node.end <= ended]:
        yield f"{len(beside)} spans are not within the time of the run, such as {beside[0]!r}"
    waited = sum(node.end - node.start for node in nodes if node.name.startswith("chat "))
    if waited < paused:
        yield f"all calls took {waited:.6f} s, and waited for {paused} s"


def _by_name(tree: Tree) -> Counter[tuple[str, str]]:
    """How many spans of a name there are, those included that summaries stand for."""
    counted: Counter[tuple[str, str]] = Counter()
    for (name, _), count in tree.items():
        summary = SUMMARY.fullmatch(name)
        counted[summary["name"] if summary else name, ""] += count * int(summary["count"] if summary else 1)
    return counted
