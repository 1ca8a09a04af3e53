"""What `docs/backends.md` shows of the numbers of a backend.

A table stands below a line `<!-- shown: NAME -->`, and before a line `<!-- end -->`. What a backend shows in a way of
its own has a footnote.
"""

import re
from collections.abc import Iterator, Sequence
from difflib import unified_diff

from facts import text
from results import Shown

from venvs import PROJECT

PAGE = PROJECT / "docs" / "backends.md"


def table(shown: Sequence[Shown]) -> str:
    """The table of a backend in Markdown: the numbers that it has to show, and a column for each run of a program."""
    notes = list(dict.fromkeys(unlike.why for each in shown for unlike in each.unlike.values()))
    facts = dict.fromkeys(fact for each in shown for fact in each.wanted)
    rows = [("", *(each.run for each in shown)), ("---", *["---:"] * len(shown))]
    rows += [(fact, *(_cell(each, fact, notes) for each in shown)) for fact in facts]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([*lines, *_numbered(notes)]) + "\n"


def _cell(shown: Shown, fact: str, notes: Sequence[str]) -> str:
    if fact not in shown.wanted:
        return "-"
    number = text(round(shown.facts[fact], 8))
    if fact not in shown.unlike:
        return number
    return f"{number}, not {text(round(shown.said[fact], 8))} ({notes.index(shown.unlike[fact].why) + 1})"


def _numbered(notes: Sequence[str]) -> Iterator[str]:
    if notes:
        yield ""
    for number, note in enumerate(notes, 1):
        yield f"{number}. {note[0].upper()}{note[1:]}."


def show(name: str, shown: Sequence[Shown]) -> None:
    """Puts the table of a backend into its place."""
    PAGE.write_text(_place(name).sub(lambda _: table(shown), PAGE.read_text("utf-8")), "utf-8")


def differences(name: str, shown: Sequence[Shown]) -> Iterator[str]:
    """What the page has, where that is not what the backend shows."""
    place = _place(name).search(PAGE.read_text("utf-8"))
    there, now = "" if place is None else place[0], table(shown)
    if there != now:
        lines = unified_diff(there.splitlines(), now.splitlines(), "in the page", "now", lineterm="")
        yield "docs/backends.md shows another table:\n" + "\n".join(lines)


def _place(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<=<!-- shown: {re.escape(name)} -->\n\n)(?:(?!<!-- end -->).*\n)*?(?=\n<!-- end -->)")
