"""The next smaller model of a model, by their names.

In: a model, and all that there are. Out: the newest model of the next smaller family that is not newer than it. Pure.
"""

import re
from collections.abc import Iterable, Mapping

from otel_claude.pricing.catalog import family

SMALLER: Mapping[str, str] = {"fable": "opus", "mythos": "opus", "opus": "sonnet", "sonnet": "haiku"}
"""Families of models, with the next smaller one of each.
https://platform.claude.com/docs/en/about-claude/models/overview
"""

_NAME = re.compile(
    r"claude-(?:(?P<size>[a-z]+)-(?P<version>\d+(?:-\d+)?)|(?P<old_version>\d+(?:-\d+)?)-(?P<old_size>[a-z]+))"
)


def smaller(model: str, models: Iterable[str]) -> str | None:
    """The next smaller of `models`, or `None` where there is none or the name of the model does not tell its size."""
    size, version = _read(family(model))
    wanted = SMALLER.get(size)
    if wanted is None:
        return None
    candidates = ((_read(name), name) for name in models)
    found = [(its_version, name) for (its_size, its_version), name in candidates if its_size == wanted]
    return max(((own, name) for own, name in found if own <= version), default=((), None))[1]


def _read(name: str) -> tuple[str, tuple[int, ...]]:
    """The size and the version that a name tells."""
    match = _NAME.fullmatch(name)
    if match is None:
        return "", ()
    version = match["version"] or match["old_version"]
    return match["size"] or match["old_size"], tuple(map(int, version.split("-")))
