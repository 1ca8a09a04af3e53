"""Tables of plain text.

In: a head and lines of cells. Out: text in columns, numbers to the right. What a terminal would take for a command,
such as an escape sequence or the end of a line, is shown as Python writes it. Pure.
"""

from collections.abc import Sequence

ABSENT = "-"
"""What is not known."""


def printable(text: str) -> str:
    r"""The text with its unprintable characters as escapes: `\n` for the end of a line."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def table(head: Sequence[str], lines: Sequence[Sequence[str]], *, left: int) -> str:
    """The lines under the head, of which the first `left` columns are words and the others numbers."""
    cells = [[printable(cell) for cell in line] for line in (head, *lines)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(head))]
    shown = (
        "  ".join(
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    )
    return "".join(f"{line}\n" for line in shown)
