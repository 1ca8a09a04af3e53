"""What a failed call means, and what to do.

In: what is known of the failure. Out: its category, one sentence, and the numbers that the API's message tells. Pure.

The tables are in `codes` and in what `cases` reads. A hint consists of their words, of numbers, and of names of models
and limits: it never quotes the message, which may hold content.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from http import HTTPStatus
from itertools import islice
from typing import NamedTuple

from otel_claude.diagnosis.cases import CASES, Case
from otel_claude.diagnosis.codes import LIMITS, Category, category_of
from otel_claude.diagnosis.messages import FIELD, words_of
from otel_claude.diagnosis.models import bare, is_retired, nearest, others
from otel_claude.diagnosis.origins import Origin, origin_of

MOST_HINT = 200
"""The most of a hint, in characters."""
MOST_NEAREST = 3
"""How many names of models a hint proposes."""
MOST_NAMES = 90
"""The most that these names take of a hint, in characters."""
MOST_KNOWN = 2_000
"""How many known models are looked at."""
MOST_NUMBER = 10**9
"""Larger numbers are no sizes or times that anyone has set; they are not said."""

LESS: Mapping[str, str] = dict.fromkeys(("anthropic", "aws", "foundry"), "send less, or use the Files API")
"""What to do about a request that is too large, where the platform has the Files API:
https://platform.claude.com/docs/en/build-with-claude/files
"""

SECONDS: Mapping[str, float] = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hour", "hours"), 3_600),
    "ms": 0.001,
}
"""How many seconds the units have in which messages tell how long to wait."""

_HARMLESS = re.compile(r"(?!sk-)[A-Za-z0-9.:@/_-]{1,80}")
_LIMIT_NAME = re.compile(r"[a-z][a-z_]{0,24}")
_MEBIBYTE = 2**20
_NO_HEADERS: Mapping[bytes, bytes] = {}
_CURRENT = re.compile(r"current (rpm|tpm|max_parallel_requests): (\d{1,19}), \1 limit: (\d{1,19})")
"""What LiteLLM's proxy says of each of its limits, of which one or more were reached."""
_GATEWAYS = {"rpm": "requests a minute", "tpm": "tokens a minute", "max_parallel_requests": "parallel requests"}
_CLOCK = re.compile(r"replenished in (?:(\d{1,3})\.)?(\d{1,2}):(\d{2}):(\d{2})\b")
_WAIT = re.compile(
    r"(?:(?:retry|try again|wait|back off)(?: for)?(?: at least)?(?: after| in)?|retry[_-]?(?:after|delay)[:=]) ?"
    rf"(?P<time>\d{{1,9}}(?:\.\d{{1,9}})?)(?: ?(?P<unit>{'|'.join(SECONDS)})\b(?! ?\d)|(?!\w|[.:/-]\w| [a-z]))"
)


class Refused(NamedTuple):
    """What is known of a failed call.

    `type` is its `error.type`. `message` is what the API or the exception says; it is read, never repeated.
    `exhausted` are the names of limits whose `remaining` header is 0. Times are in seconds, sizes in bytes.
    `platform` is that of the client, and the names of `headers` are in lower case. `known_models` is asked only when a
    model was not found.
    """

    type: str
    status: int | None = None
    message: str | None = None
    model: str | None = None
    max_tokens: int | None = None
    is_inference: bool = True
    retry_after_s: float | None = None
    exhausted: tuple[str, ...] = ()
    timeout_s: float | None = None
    has_tools: bool = False
    sent_bytes: int | None = None
    platform: str = "anthropic"
    headers: Mapping[bytes, bytes] = _NO_HEADERS
    known_models: Callable[[], Iterable[str]] = tuple


class Diagnosis(NamedTuple):
    """What a failure means. `hint` is `None` where nothing is known to do.

    `numbers` are those of the message: `tokens`, `max_tokens`, `limit`, `bytes`, and `tool`, which counts from 0.
    `limit` is in what the category is about: tokens, except for images, PDFs and cache marks.
    """

    category: Category
    hint: str | None
    numbers: Mapping[str, int]


def diagnose(refused: Refused) -> Diagnosis:
    """The category and the hint of a failure: by the API's code, and where that leaves things open by its words."""
    said = category_of(refused.type, refused.status)
    # A status may say more than its category, unless the type says something else.
    codes = {said, refused.type}
    if category_of("", refused.status) == said:
        codes.add(str(refused.status))
    words = words_of(refused.message or "")
    for case in CASES:
        if case.said.isdisjoint(codes) or not CONDITIONS[case.when](refused, words):
            continue
        if match := _pattern(case.words).search(words):
            numbers = {name: int(text.replace(",", "")) for name, text in match.groupdict().items()}
            return Diagnosis(case.category, _hint(case, _facts(refused, case.category, words) | numbers), numbers)
    return Diagnosis(said, None, {})


CONDITIONS: Mapping[str, Callable[[Refused, str], bool]] = {
    "": lambda refused, words: True,
    "has_tools": lambda refused, words: refused.has_tools and _has_no_field(words),
    "in_stream": lambda refused, words: _has_begun(refused),
    "told_in_stream": lambda refused, words: _has_begun(refused) and refused.type != "timeout",
    "no_stream": lambda refused, words: refused.headers.get(b"content-type", b"").startswith(b"text/html"),
    "refused": lambda refused, words: refused.status is not None and not _has_begun(refused),
    "elsewhere": lambda refused, words: not refused.is_inference,
    "by_client": lambda refused, words: refused.status is None,
    "no_field": lambda refused, words: _has_no_field(words),
    "on_field": lambda refused, words: not _has_no_field(words),
    "garbled": lambda refused, words: refused.type == "JSONDecodeError" and _has_begun(refused),
    "on_api": lambda refused, words: _origin(refused, words) == "api",
    "on_aws": lambda refused, words: _origin(refused, words) == "aws",
    "on_google": lambda refused, words: _origin(refused, words) == "google",
    "on_azure": lambda refused, words: _origin(refused, words) == "azure",
    "on_other": lambda refused, words: _origin(refused, words) == "other",
    "on_cloud": lambda refused, words: _origin(refused, words) not in ("api", "other"),
}
"""What must hold besides the words.

`by_client`: there was no response; `refused`: there was one, and no success. `in_stream`: the answer had begun;
`told_in_stream`: and the server tells what went wrong; `no_stream`: and it is a page; `garbled`: and it is no JSON.
`elsewhere`: the call was no inference. `no_field`: the message is about no field of the request but the model;
`has_tools`: and there are tools. `on_field`: it is about one. `on_api` and so on: who refused, see `origins`.
"""


def _origin(refused: Refused, words: str) -> Origin:
    return origin_of(refused.type, refused.platform, refused.headers, words)


def _has_begun(refused: Refused) -> bool:
    return refused.status is not None and refused.status < HTTPStatus.BAD_REQUEST


def _has_no_field(words: str) -> bool:
    return _pattern(f"^{FIELD.pattern}").search(words) is None


@cache
def _pattern(words: str) -> re.Pattern[str]:
    """A pattern, compiled when a failure first needs it."""
    return re.compile(words, re.MULTILINE)


def _hint(case: Case, facts: Mapping[str, object]) -> str | None:
    """The first hint whose fields are all known and that is short enough."""
    filled = (_filled(template, facts) for template in case.hints)
    return next((hint for hint in filled if hint is not None and len(hint) <= MOST_HINT), None)


def _filled(template: str, facts: Mapping[str, object]) -> str | None:
    try:
        return template.format_map(facts)
    except KeyError:
        return None


def _facts(refused: Refused, category: Category, words: str) -> dict[str, object]:
    """What hints may say of the call, without what is not known."""
    model = refused.model if refused.model and _HARMLESS.fullmatch(refused.model) else None
    wait = _sane(refused.retry_after_s) or _sane(_wait_s(words))
    timeout, sent = map(_sane, (refused.timeout_s, refused.sent_bytes))
    facts: dict[str, object | None] = {
        "model": model,
        "max_tokens": _sane(refused.max_tokens),
        "limits": _limits(refused.exhausted, words),
        "pause": "wait" if wait is None else f"wait {math.ceil(wait):,} s",
        "less": LESS.get(refused.platform, "send less") if refused.is_inference else "send less at once",
        "timeout": None if timeout is None else f"{timeout:,.10g} s",
        "sent": None if sent is None or sent < _MEBIBYTE else f"{sent / _MEBIBYTE:,.1f} MB",
    }
    if category == "model_not_found" and model is not None:
        known = [name for name in islice(refused.known_models(), MOST_KNOWN) if _HARMLESS.fullmatch(name)]
        facts["known_model"] = model if model in known else None
        facts["family"] = bare(model) if bare(model) in known else None
        facts["retired"] = model if is_retired(model) else None
        facts["nearest"] = _first(nearest(model, known))
        facts["others"] = _first(others(model, known))
    return {name: fact for name, fact in facts.items() if fact is not None}


def _wait_s(words: str) -> float | None:
    """How long to wait, in seconds, as a message says without a header."""
    if clock := _CLOCK.search(words):
        days, hours, minutes, seconds = (float(part or 0) for part in clock.groups())
        return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    match = _WAIT.search(words)
    return None if match is None else float(match["time"]) * SECONDS[match["unit"] or "s"]


def _sane(number: float | None) -> float | None:
    return number if number is not None and 0 < number < MOST_NUMBER else None


def _limits(exhausted: tuple[str, ...], words: str) -> str | None:
    """The limits that were reached: as headers say, else as the message does."""
    names = [name.replace("_", " ") for name in exhausted if _LIMIT_NAME.fullmatch(name)]
    names = names or [_GATEWAYS[name] for name, now, most in _CURRENT.findall(words) if int(now) >= int(most)]
    if names:
        return " and ".join(names[:2])
    return next((limit for pattern, limit in LIMITS.items() if _pattern(pattern).search(words)), None)


def _first(names: list[str]) -> str | None:
    """The first of some names, as many as there is room for."""
    named = names[:MOST_NEAREST]
    while len(", ".join(named)) > MOST_NAMES:
        named.pop()
    return ", ".join(named) or None
