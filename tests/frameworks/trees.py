"""The spans of a run as a tree in text: each with whose it is, and the tokens that it says.

Below it stand the metrics that somebody else has under the name of one of ours. What changes from run to run, such as
ids in names, is written as `…`.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from checks import OURS
from programs import Point, Span

_ID = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}")
_INDENT = "  "
_TOKENS = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")


def drawn(spans: Sequence[Span], points: Sequence[Point]) -> str:
    """A line for each span, its children below it in the order of their start, then one for each such metric."""
    lines = [*_lines(spans), *((f"metric {name}", scope, "") for name, scope in _same_metrics(points))]
    widths = [max((len(line[column]) for line in lines), default=0) for column in (0, 1)]
    return "\n".join(f"{name:{widths[0]}}  {scope:{widths[1]}}  {tokens}".rstrip() for name, scope, tokens in lines)


def _lines(spans: Sequence[Span]) -> Iterator[tuple[str, str, str]]:
    children: dict[bytes, list[Span]] = defaultdict(list)
    known = {span.id for span in spans}
    for span in spans:
        children[span.parent if span.parent in known else b""].append(span)

    def below(parent: bytes, indent: str) -> Iterator[tuple[str, str, str]]:
        for span in children[parent]:
            yield indent + _ID.sub("…", span.name), span.scope, _tokens(span)
            yield from below(span.id, indent + _INDENT)

    return below(b"", "")


def _tokens(span: Span) -> str:
    prompt, output = map(span.attributes.get, _TOKENS)
    return "" if prompt is None or output is None else f"{prompt:5} in {output:3} out"


def _same_metrics(points: Sequence[Point]) -> list[tuple[str, str]]:
    ours = {point.metric for point in points if point.scope == OURS}
    return sorted({(point.metric, point.scope) for point in points if point.scope != OURS and point.metric in ours})
