"""How the spans of a trace are shared out. Pure.

In: the most spans that a trace may have. Out: the live share, which is exported untouched, and the reserve, which is
divided among what the rest of the trace needs most.
"""

from typing import NamedTuple

FEWEST = 2
"""The smallest cap: one span that is exported as it is, and one summary of all the others."""


class Shares(NamedTuple):
    """Numbers of spans. `live` and `reserve` together are `max_spans`; the others are parts of the reserve.

    What they leave of the reserve, a quarter or more, is for the end of the trace.
    """

    max_spans: int
    live: int
    reserve: int
    summaries: int
    errors: int
    structure: int
    slowest: int
    dearest: int


def shares_of(max_spans: int) -> Shares:
    """Of 1,000 spans 800 are live, 200 are the reserve, and up to 50 of those are summaries. Others in proportion."""
    reserve = max(1, max_spans // 5)
    return Shares(
        max_spans=max_spans,
        live=max_spans - reserve,
        reserve=reserve,
        summaries=max(1, reserve // 4),
        errors=reserve // 4,
        structure=max(reserve * 3 // 20, min(1, reserve // 4)),
        slowest=reserve // 20,
        dearest=reserve // 20,
    )
