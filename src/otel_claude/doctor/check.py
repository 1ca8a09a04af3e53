"""A check: what was looked at, and what to do about it.

In: a function that looks at something. Out: its checks, also where it breaks. Pure.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NamedTuple

Status = Literal["ok", "note", "problem"]
"""A `note` is for somebody to judge. A `problem` keeps something from being recorded as the settings ask for it."""


class Check(NamedTuple):
    """What `says` of the thing that is called `name`, and, where something is to be done, what would `mend` it."""

    status: Status
    name: str
    says: str
    mend: str = ""


class Section(NamedTuple):
    """Checks under one title."""

    title: str
    checks: Sequence[Check]


def merged(checks: Iterable[Check]) -> list[Check]:
    """The checks, of which those that say the same are one, with all of their names."""
    names: dict[Check, list[str]] = {}
    for check in checks:
        names.setdefault(check._replace(name=""), []).append(check.name)
    return [check._replace(name=", ".join(dict.fromkeys(told))) for check, told in names.items()]


def looked_at(name: str, look: Callable[[], Iterable[Check]]) -> list[Check]:
    """The checks that `look` gives. Where it raises, a problem called `name` comes after those that it had given."""
    checks: list[Check] = []
    try:
        checks.extend(look())
    except Exception as error:
        # Its text may have anything in it, such as a header.
        checks.append(
            Check(
                "problem",
                name,
                f"this check itself broke ({type(error).__name__}), so nothing is known of it",
                "report it to the maintainers of otel-claude, with this output",
            )
        )
    return checks
