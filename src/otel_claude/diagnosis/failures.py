"""What a failed call means, and what to do.

In: what is known of the failure. Out: its category, one sentence, and the numbers that the API's message tells. Pure.

The tables are in `codes` and `wordings`. A hint consists of their words, of numbers, and of names of models and limits:
it never quotes the message, which may hold content.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from http import HTTPStatus
from itertools import islice
from typing import NamedTuple

from otel_claude.diagnosis.cases import CASES, Case
from otel_claude.diagnosis.codes import LIMITS, Category, category_of

MOST_TEXT = 2_000
"""The most of a message that patterns look at, in characters."""
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

SECONDS: Mapping[str, float] = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hour", "hours"), 3_600),
    "ms": 0.001,
}
"""How many seconds the units have in which messages tell how long to wait."""

_FIELD = (
    r"(?:betas|billing_policy|cache_control|compaction|container|context_management|diagnostics|fallbacks|inference_geo"
    r"|max_tokens|mcp_servers|messages|metadata(?!: ?\{)|output_config|output_format|service_tier|speed"
    r"|stop_sequences|stream|system|temperature|thinking|thread|tool_choice|tools|top_k|top_p|user_profile_id)"
    r"(?:[.\[][^ :]{1,200})?:"
)
"""How a message begins that is about a field of the request, such as `tools.0.name: …`, but for the model."""

_WRAPPING = (
    r"error code: \d{3} - |requests\.\d{1,6}\.params\.|[\[{]| "
    r"|(?:error|errors|message|detail|metadata|raw): ?"
    r"|(?:code|internalcode|name|object|param|request_id|result|status|success|type): ?[^{}\[\],]{0,100}, ?"
    r"|(?:provider returned error|bad request), ?"
    r"|[^{}\[\],:]{0,100}(?:error|errors|exception|operation)\)?(?:: | - )"
)
"""A piece of what stands before the API's own words: the SDK's, a batch's, and those of gateways, which hand on a body
as a text within their own, such as `{"error": {"message": "litellm.BadRequestError: AnthropicException - {…`.
"""

_HARMLESS = re.compile(r"(?!sk-)[A-Za-z0-9.:@/_-]{1,80}")
_LIMIT_NAME = re.compile(r"[a-z][a-z_]{0,24}")
_QUOTES = str.maketrans("", "", "`'\"\\\u2018\u2019\u201c\u201d")
_MEBIBYTE = 2**20
_BEFORE = re.compile(r".*/|(?:[a-z-]{1,10}\.)?anthropic\.")
_AFTER = re.compile(r"(?:[-@]20\d{6}|@[a-z]{1,10})?(?:-v\d{1,2}(?::\d{1,2})?)?$")
_WAIT = re.compile(
    r"(?:(?:retry|try again|wait|back off)(?: for)?(?: at least)?(?: after| in)?|retry[_-]?(?:after|delay)[:=]) ?"
    rf"(?P<time>\d{{1,9}}(?:\.\d{{1,9}})?)(?: ?(?P<unit>{'|'.join(SECONDS)})\b(?! ?\d)|(?!\w|[.:/-]\w| [a-z]))"
)


class Refused(NamedTuple):
    """What is known of a failed call.

    `type` is its `error.type`. `message` is what the API or the exception says; it is read, never repeated.
    `exhausted` are the names of limits whose `remaining` header is 0. Times are in seconds, sizes in bytes.
    `known_models` is asked only when a model was not found.
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
    words = _normal(refused.message or "")
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
    "in_stream": lambda refused, words: refused.status is not None and refused.status < HTTPStatus.BAD_REQUEST,
    "elsewhere": lambda refused, words: not refused.is_inference,
    "by_client": lambda refused, words: refused.status is None,
    "no_field": lambda refused, words: _has_no_field(words),
}


def _has_no_field(words: str) -> bool:
    return _pattern(f"^{_FIELD}").search(words) is None


def _normal(message: str) -> str:
    """A message as patterns expect it: the API's own words on a line of their own, behind what was wrapped around them.

    Gateways wrap messages in JSON of their own, with quotes and backslashes, and more than once.
    """
    text = " ".join(message[:MOST_TEXT].lower().replace("\\n", " ").translate(_QUOTES).split())
    field, wrapping = _pattern(_FIELD), _pattern(_WRAPPING)
    start = 0
    while not field.match(text, start) and (match := wrapping.match(text, start)):
        start = match.end()
    return f"{text[:start]}\n{text[start:]}" if start else text


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
        "less": "send less, or use the Files API" if refused.is_inference else "send less at once",
        "timeout": None if timeout is None else f"{timeout:,.10g} s",
        "sent": None if sent is None or sent < _MEBIBYTE else f"{sent / _MEBIBYTE:,.1f} MB",
    }
    if category == "model_not_found" and model is not None:
        known = [name for name in islice(refused.known_models(), MOST_KNOWN) if _HARMLESS.fullmatch(name)]
        facts["known_model"] = model if model in known else None
        facts["family"] = _bare(model) if _bare(model) in known else None
        facts["nearest"] = _nearest(model, known)
    return {name: fact for name, fact in facts.items() if fact is not None}


def _wait_s(words: str) -> float | None:
    """How long to wait, in seconds, as a message says without a header."""
    match = _WAIT.search(words)
    return None if match is None else float(match["time"]) * SECONDS[match["unit"] or "s"]


def _sane(number: float | None) -> float | None:
    return number if number is not None and 0 < number < MOST_NUMBER else None


def _limits(exhausted: tuple[str, ...], words: str) -> str | None:
    """The limits that were reached: as headers say, else as the message does."""
    names = [name.replace("_", " ") for name in exhausted if _LIMIT_NAME.fullmatch(name)]
    if names:
        return " and ".join(names[:2])
    return next((limit for pattern, limit in LIMITS.items() if _pattern(pattern).search(words)), None)


def _bare(model: str) -> str:
    """The name of a model without the platform, region, date and version that clouds and gateways put around it."""
    return _AFTER.sub("", _BEFORE.sub("", model))


def _nearest(model: str, known: list[str]) -> str | None:
    """The known names that are most like `model`, as many as there is room for."""
    of_bare = {_bare(name): name for name in known if name != model}
    names = [of_bare[name] for name in get_close_matches(_bare(model), of_bare, n=MOST_NEAREST)]
    while len(", ".join(names)) > MOST_NAMES:
        names.pop()
    return ", ".join(names) or None
