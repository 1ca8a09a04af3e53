"""What is left of the rate limits, as the headers of the last responses say.

In: the headers of every response, as they arrive. Out: the state of each limit, read when metrics are collected, so
that the call path only keeps the headers. Pure but for the clock.

The families of headers: `anthropic-ratelimit-{requests,tokens,input-tokens,output-tokens}-{limit,remaining,reset}`, and
the same after `anthropic-priority-` and `anthropic-fast-`. https://platform.claude.com/docs/en/api/rate-limits
"""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple

PREFIXES: Mapping[bytes, str] = {
    b"anthropic-ratelimit-": "",
    b"anthropic-priority-": "priority_",
    b"anthropic-fast-": "fast_",
}
"""How the headers of a family begin, and what the names of its limits begin with."""

QUANTITIES = ("limit", "remaining", "reset")
MOST_WORKSPACES = 100
"""A process that talks for more workspaces than this forgets the first ones."""


class Reading(NamedTuple):
    """One number: `quantity` is `limit`, `remaining` (requests or tokens) or `reset` (seconds from now)."""

    quantity: str
    limit: str
    workspace: str | None
    value: float


LOW, RECOVERED = 0.1, 0.2
"""A limit is low when less than a tenth of it is left, and no longer low when a fifth of it is."""


class Low(NamedTuple):
    """A limit that has just become low. `size` and `left` are requests or tokens; it is full again in `reset_s`."""

    limit: str
    workspace: str | None
    size: int
    left: int
    reset_s: float | None


class RateLimits:
    """The last headers of each limit, by workspace."""

    def __init__(self) -> None:
        self._headers: dict[bytes | None, dict[bytes, bytes]] = {}
        self._low: set[tuple[bytes | None, bytes]] = set()

    def observe(self, headers: Mapping[bytes, bytes]) -> None:
        """Keeps the rate limit headers of a response. `headers` has their names in lower case."""
        found = {name: value for name, value in headers.items() if name.startswith(tuple(PREFIXES))}
        if not found:
            return
        workspace = headers.get(b"anthropic-workspace-id")
        known = self._headers.get(workspace)
        if known is None:
            while len(self._headers) >= MOST_WORKSPACES:
                self._headers.pop(next(iter(self._headers)), None)
            known = {}
        self._headers[workspace] = {**known, **found}

    def newly_low(self, headers: Mapping[bytes, bytes]) -> list[Low]:
        """The limits that have become low with this response, each once until it has recovered."""
        workspace = headers.get(b"anthropic-workspace-id")
        found: list[Low] = []
        for header, value in headers.items():
            if not _is_remaining(header):
                continue
            subject = header.removesuffix(b"-remaining")
            name, left, size = _name(subject), _number(value), _number(headers.get(subject + b"-limit", b""))
            if name is None or left is None or not size:
                continue
            key = workspace, subject
            if left < LOW * size and key not in self._low:
                self._low.add(key)
                reset = _seconds_until(headers.get(subject + b"-reset", b""), time.time())
                found.append(Low(name, None if workspace is None else workspace.decode("latin-1"), size, left, reset))
            elif left >= RECOVERED * size:
                self._low.discard(key)
        return found

    def clear(self) -> None:
        """Forgets everything."""
        self._headers.clear()
        self._low.clear()

    def readings(self) -> Iterator[Reading]:
        """Every number that is known now. What cannot be read as a number or a time is left out."""
        now = time.time()
        for workspace, headers in list(self._headers.items()):
            name_of_workspace = None if workspace is None else workspace.decode("latin-1")
            for header, value in headers.items():
                subject, _, quantity = header.rpartition(b"-")
                limit, kind = _name(subject), quantity.decode("latin-1")
                if kind not in QUANTITIES or limit is None:
                    continue
                number = _seconds_until(value, now) if kind == "reset" else _number(value)
                if number is not None:
                    yield Reading(kind, limit, name_of_workspace, number)


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
