"""Names of models that stand for one that was not found.

In: the name that was asked for, and the known ones. Out: those that are served and most like it. Pure.
"""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

RETIRED: Mapping[str, str] = {
    "claude-1": "sonnet",
    "claude-1.0": "sonnet",
    "claude-1.1": "sonnet",
    "claude-1.2": "sonnet",
    "claude-1.3": "sonnet",
    "claude-1.3-100k": "sonnet",
    "claude-2": "sonnet",
    "claude-2.0": "sonnet",
    "claude-2.1": "sonnet",
    "claude-3-5-haiku": "haiku",
    "claude-3-5-sonnet": "sonnet",
    "claude-3-7-sonnet": "sonnet",
    "claude-3-haiku": "haiku",
    "claude-3-opus": "opus",
    "claude-3-sonnet": "sonnet",
    "claude-instant": "haiku",
    "claude-instant-1": "haiku",
    "claude-instant-1.0": "haiku",
    "claude-instant-1.1": "haiku",
    "claude-instant-1.1-100k": "haiku",
    "claude-instant-1.2": "haiku",
    "claude-mythos-preview": "mythos",
    "claude-opus-4": "opus",
    "claude-opus-4-0": "opus",
    "claude-opus-4-1": "opus",
    "claude-sonnet-4": "sonnet",
    "claude-sonnet-4-0": "sonnet",
}
"""Models that the Claude API serves no more, with the line of models that took their place.

https://docs.claude.com/en/docs/about-claude/model-deprecations
"""

DATED = frozenset({"claude-haiku-4-5-20251001", "claude-opus-4-5-20251101", "claude-sonnet-4-5-20250929"})
"""The names with a date of models that have one and are served. Any other date is a mistake.

https://platform.claude.com/docs/en/about-claude/models/overview
"""

ALIKE = 0.75
"""How much a word must be like the name of a line to be it, mistyped."""

_BEFORE = re.compile(r".*/|(?:[a-z-]{1,10}\.)?anthropic\.")
_VERSION = re.compile(r"(?:@[a-z]{1,10})?(?:(?<=\d)-v\d{1,2}(?::\d{1,2})?)?$")
_DATE = re.compile(r"[-@]20\d{6}$")
_WORD = re.compile(r"[a-z]+|\d+")
_NO_WORDS = frozenset({"anthropic", "claude", "latest", "v"})


def bare(model: str) -> str:
    """The name of a model without the platform, region, date and version that clouds and gateways put around it."""
    return _DATE.sub("", _with_date(model))


def is_retired(model: str) -> bool:
    """Whether the Claude API serves the model no more."""
    return _words(model) in _RETIRED


def nearest(model: str, known: Iterable[str]) -> list[str]:
    """Those of the `known` names that are served and of the same line: what was probably meant, then the newest.

    A name by which the model was called is none of them.
    """
    served = [name for name in known if not is_retired(name)]
    line, meant = _line(_words(model), served)
    same = [name for name in served if line in _words(name) and not _is(name, model)]
    return sorted(same, key=lambda name: (_words(name) == meant, _numbers(name)), reverse=True)


def others(model: str, known: Iterable[str]) -> list[str]:
    """The same without any name of the model itself, where it is served by none of them."""
    return [name for name in nearest(model, known) if _words(name) != _words(model)]


def _with_date(model: str) -> str:
    return _VERSION.sub("", _BEFORE.sub("", model)).replace("@", "-")


def _words(model: str) -> tuple[str, ...]:
    """What a name says, in an order of its own: `claude-4.5-sonnet` says the same as `claude-sonnet-4-5`."""
    return tuple(sorted(word for word in _WORD.findall(bare(model).lower()) if word not in _NO_WORDS))


def _numbers(name: str) -> list[int]:
    return [int(word) for word in _WORD.findall(name) if word.isdigit()]


def _is(name: str, model: str) -> bool:
    """Whether a model was called by its right name, so that the name is of no help."""
    called = _with_date(model)
    return name == called or (called in DATED and name == bare(model))


def _line(asked: tuple[str, ...], served: list[str]) -> tuple[str | None, tuple[str, ...]]:
    """The line of models that a name speaks of, and what it says when that is spelt right."""
    if asked in _RETIRED:
        return _RETIRED[asked], asked
    lines = {word for name in served for word in _words(name) if word.isalpha()}
    for word in asked:
        for line in get_close_matches(word, lines, n=1, cutoff=ALIKE):
            return line, tuple(sorted(line if each == word else each for each in asked))
    return None, asked


_RETIRED: Mapping[tuple[str, ...], str] = {_words(name): line for name, line in RETIRED.items()}
