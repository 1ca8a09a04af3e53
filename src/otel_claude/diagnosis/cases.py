"""The cases of failures: the tables of words, read.

In: the tables. Out: `CASES`, in the order in which they are tried. Pure.

Words come after the code (`codes`), and only to split what one code leaves open. A table is a text of three levels:

    a code, what it stands for, or a status -> what it is then [when a condition holds]
        a pattern over the message
            a hint

The first row that fits counts. `*` stands for any message: it holds for wordings that nobody has seen yet. Patterns are
over a message as `messages` makes it: in lower case, without quotes, quoted names and ids, and cut in length. They are
linear. `^` is where the API's own words begin, behind what the SDK and gateways wrap around them; there stands the name
of the field that a message is about. `^[^:]{0,80}` keeps a pattern to what comes before the first colon, behind which
names stand that are the application's own. `<limit>` stands for a number of that name. A hint may have fields: these
numbers, and what `failures` knows of the call. Of several hints, the first one counts whose fields are all known.

The conditions are those of `failures.CONDITIONS`.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple, cast

from otel_claude.diagnosis import (
    wordings_of_access,
    wordings_of_content,
    wordings_of_models,
    wordings_of_money,
    wordings_of_requests,
    wordings_of_services,
    wordings_of_tools,
)
from otel_claude.diagnosis.codes import Category


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


TABLES = (
    *wordings_of_services.BEFORE,
    *wordings_of_money.BEFORE,
    *wordings_of_access.TABLES,
    *wordings_of_money.AFTER,
    *wordings_of_requests.BEFORE,
    *wordings_of_tools.TABLES,
    *wordings_of_models.TABLES,
    *wordings_of_content.TABLES,
    *wordings_of_requests.AFTER,
    *wordings_of_services.AFTER,
)
CASES = tuple(case for table in TABLES for case in _cases(table))
"""All cases, in the order in which they are tried."""
