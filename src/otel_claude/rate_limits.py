"""What is left of the rate limits, as the headers of the last responses say.

In: the headers of every response, as they arrive. Out: the state of each limit, read when metrics are collected, so
that the call path only keeps the headers. Pure but for the clock.

The families of headers: `anthropic-ratelimit-{requests,tokens,input-tokens,output-tokens}-{limit,remaining,reset}`, and
the same after `anthropic-priority-` and `anthropic-fast-`. https://platform.claude.com/docs/en/api/rate-limits
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from otel_claude.diagnosis.recent import Recent

PREFIXES: Mapping[bytes, str] = {
    b"anthropic-ratelimit-": "",
    b"anthropic-priority-": "priority_",
    b"anthropic-fast-": "fast_",
}
"""How the headers of a family begin, and what the names of its limits begin with."""

_BEGINNINGS = tuple(PREFIXES)
QUANTITIES = ("limit", "remaining", "reset")
MOST_OWNERS = 100
"""A process that talks for more workspaces and models than this forgets those that were not seen for longest."""


class Owner(NamedTuple):
    """Who a limit belongs to, as far as it is known: each family of models has limits of its own.

    So have methods that no model answers, such as `count_tokens`; for the others `method` is `None`.
    """

    organization: str | None
    workspace: str | None
    model: str | None
    method: str | None


class Reading(NamedTuple):
    """One number: `quantity` is `limit`, `remaining` (requests or tokens) or `reset` (seconds from now)."""

    quantity: str
    limit: str
    owner: Owner
    value: float


class Low(NamedTuple):
    """A limit that has just become low. `size` and `left` are requests or tokens; it is full again in `reset_s`."""

    limit: str
    owner: Owner
    size: int
    left: int
    reset_s: float | None


LOW, RECOVERED = 0.1, 0.2
"""A limit is low when less than a tenth of it is left, and no longer low when a fifth of it is, or at its reset."""

QUIET_S = 60.0
"""How long a limit is not told of again in any case: some resets are seconds away, and answers overtake each other."""


class RateLimits:
    """The last headers of each limit, by owner."""

    def __init__(self) -> None:
        self._headers: dict[Owner, dict[bytes, _Header]] = {}
        self._low: Recent[Owner, dict[str, _Told]] = Recent(MOST_OWNERS)

    def observe(self, headers: Mapping[bytes, bytes], model: str | None = None, method: str | None = None) -> None:
        """Keeps the rate limit headers of a response. `headers` has their names in lower case."""
        now = time.time()
        found = {name: _Header(value, now) for name, value in headers.items() if name.startswith(_BEGINNINGS)}
        if found:
            owner = _owner(headers, model, method)
            whole = {**self._headers.get(owner, {}), **found}
            self._headers.pop(owner, None)
            while len(self._headers) >= MOST_OWNERS:
                self._headers.pop(next(iter(self._headers)), None)
            self._headers[owner] = whole

    def newly_low(
        self, headers: Mapping[bytes, bytes], model: str | None = None, method: str | None = None
    ) -> list[Low]:
        """The limits that have become low with this response, each once until it has recovered, and once a minute."""
        now = time.time()
        found: list[Low] = []
        for header, value in headers.items():
            if not _is_remaining(header):
                continue
            subject = header.removesuffix(b"-remaining")
            name, left, size = _name(subject), _number(value), _number(headers.get(subject + b"-limit", b""))
            if name is None or left is None or not size:
                continue
            owner = _owner(headers, model, method)
            told = self._low.get(owner)
            if told is None:
                told = dict[str, _Told]()
                self._low.put(owner, told)
            last = told.get(name)
            if last is not None and left >= RECOVERED * size:
                last = told[name] = last._replace(until=last.quiet_until)
            if left < LOW * size and (last is None or last.until <= now):
                reset = _seconds_until(headers.get(subject + b"-reset", b""), now)
                quiet = now + QUIET_S
                told[name] = _Told(quiet, max(now + reset, quiet) if reset else math.inf)
                found.append(Low(name, owner, size, left, reset))
        return found

    def clear(self) -> None:
        """Forgets everything."""
        self._headers.clear()
        self._low = Recent(MOST_OWNERS)

    def readings(self) -> Iterator[Reading]:
        """Every number that is known now. What cannot be read as a number or a time is left out.

        So is what was left of a limit before its reset, once that has passed.
        """
        now = time.time()
        for owner, headers in list(self._headers.items()):
            for name, header in headers.items():
                subject, _, quantity = name.rpartition(b"-")
                limit, kind = _name(subject), quantity.decode("latin-1")
                if kind not in QUANTITIES or limit is None:
                    continue
                if kind == "remaining" and _has_passed(headers.get(subject + b"-reset"), now):
                    continue
                number = _seconds_until(header.value, now) if kind == "reset" else _number(header.value)
                if number is not None:
                    yield Reading(kind, limit, owner, number)


class _Told(NamedTuple):
    """A limit that was told of as low: it is low `until` then at most, and told of no more until it may be."""

    quiet_until: float
    until: float


class _Header(NamedTuple):
    value: bytes
    seen_at: float


def _has_passed(reset: _Header | None, now: float) -> bool:
    """Whether a reset has come since it was told of. One that lay in the past even then is of another clock."""
    if reset is None or not _seconds_until(reset.value, reset.seen_at):
        return False
    return _seconds_until(reset.value, now) == 0


def _owner(headers: Mapping[bytes, bytes], model: str | None, method: str | None) -> Owner:
    organization, workspace = headers.get(b"anthropic-organization-id"), headers.get(b"anthropic-workspace-id")
    return Owner(
        None if organization is None else organization.decode("latin-1"),
        None if workspace is None else workspace.decode("latin-1"),
        model,
        method,
    )


def exhausted(headers: Mapping[bytes, bytes]) -> tuple[str, ...]:
    """The limits of which nothing is left."""
    left = ((header.removesuffix(b"-remaining"), value) for header, value in headers.items() if _is_remaining(header))
    return tuple(name for subject, value in left if _number(value) == 0 and (name := _name(subject)) is not None)


def retry_after(headers: Mapping[bytes, bytes]) -> float | None:
    """How many seconds a response asks to wait: in milliseconds, in seconds or until a date, as the SDK reads it."""
    for header, read in RETRY_AFTER.items():
        try:
            if (value := headers.get(header)) is not None:
                return max(0.0, read(value.decode("latin-1")))
        except (ValueError, OverflowError):
            continue
    return None


RETRY_AFTER: Mapping[bytes, Callable[[str], float]] = {
    b"retry-after-ms": lambda value: float(value) / 1000,
    b"retry-after": lambda value: (
        parsedate_to_datetime(value).timestamp() - time.time() if "," in value else float(value)
    ),
}
"""The headers that say it, the more exact one first: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after"""


def _is_remaining(header: bytes) -> bool:
    return header.endswith(b"-remaining") and header.startswith(b"anthropic-")


def _name(subject: bytes) -> str | None:
    """The name of a limit from that of a header: `anthropic-fast-input-tokens` is `fast_input_tokens`."""
    for prefix, said in PREFIXES.items():
        if subject.startswith(prefix) and len(subject) > len(prefix):
            return said + subject.removeprefix(prefix).decode("latin-1").replace("-", "_")
    return None


def _number(value: bytes) -> int | None:
    try:
        return int(value)
    except ValueError:
        return None


def _seconds_until(value: bytes, now: float) -> float | None:
    try:
        return max(0.0, datetime.fromisoformat(value.decode("latin-1")).timestamp() - now)
    except ValueError:
        return None
