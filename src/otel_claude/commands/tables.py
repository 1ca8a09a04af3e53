"""Tables of plain text.

In: a head and lines of cells. Out: text in columns, numbers to the right. Pure.
"""

from collections.abc import Sequence

ABSENT = "-"
"""What is not known."""


def table(head: Sequence[str], lines: Sequence[Sequence[str]], *, left: int) -> str:
    """The lines under the head, of which the first `left` columns are words and the others numbers."""
    cells = [head, *lines]
    widths = [max(len(line[column]) for line in cells) for column in range(len(head))]
    shown = (
        "  ".join(
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    )
    return "".join(f"{line}\n" for line in shown)
