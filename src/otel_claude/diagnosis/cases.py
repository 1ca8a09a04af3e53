"""The cases of failures: the tables of `wordings`, read.

In: the tables. Out: `CASES`, in the order in which they are tried. Pure.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple, cast

from otel_claude.diagnosis.codes import Category
from otel_claude.diagnosis.wordings import TABLES


class Case(NamedTuple):
    """Failures whose status, code or what it stands for is one of `said`, and whose message has the `words`.

    `when` names a condition that holds besides, or is empty.
    """

    said: frozenset[str]
    when: str
    words: str
    category: Category
    hints: tuple[str, ...]


def _cases(table: str) -> Iterator[Case]:
    """The rows of a table."""
    for part in re.findall(r"^\S.*\n(?:  .*\n)+", table, re.MULTILINE):
        head, _, rows = part.partition("\n")
        said, _, then = head.partition(" -> ")
        category, _, when = then.partition(" when ")
        for words, hints in re.findall(r"^ {4}(\S.*)\n((?: {8}.*\n)+)", rows, re.MULTILINE):
            pattern = "" if words == "*" else re.sub(r"<([a-z_]+)>", r"(?P<\1>[0-9][0-9,]{0,12})", words)
            lines = tuple(hint.strip() for hint in hints.splitlines())
            yield Case(frozenset(said.split()), when, pattern, cast("Category", category), lines)


CASES = tuple(case for table in TABLES for case in _cases(table))
"""All cases, in the order in which they are tried."""
