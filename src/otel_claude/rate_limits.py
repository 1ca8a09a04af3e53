"""What is left of the rate limits, as the headers of the last responses say.

In: the headers of every response, as they arrive. Out: the state of each limit, read when metrics are collected, so
that the call path only keeps the headers. Pure but for the clock.

The families of headers: `anthropic-ratelimit-{requests,tokens,input-tokens,output-tokens}-{limit,remaining,reset}`, and
the same after `anthropic-priority-` and `anthropic-fast-`. https://platform.claude.com/docs/en/api/rate-limits
"""

import time
from collections.abc import Iterator, Mapping
from datetime import datetime
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


class RateLimits:
    """The last headers of each limit, by workspace."""

    def __init__(self) -> None:
        self._headers: dict[bytes | None, dict[bytes, bytes]] = {}

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

    def clear(self) -> None:
        """Forgets everything."""
        self._headers.clear()

    def readings(self) -> Iterator[Reading]:
        """Every number that is known now. What cannot be read as a number or a time is left out."""
        now = time.time()
        for workspace, headers in list(self._headers.items()):
            name_of_workspace = None if workspace is None else workspace.decode("latin-1")
            for header, value in headers.items():
                prefix = next(prefix for prefix in PREFIXES if header.startswith(prefix))
                subject, _, quantity = header.removeprefix(prefix).decode("latin-1").rpartition("-")
                if quantity not in QUANTITIES or not subject:
                    continue
                number = _seconds_until(value, now) if quantity == "reset" else _number(value)
                if number is not None:
                    limit = PREFIXES[prefix] + subject.replace("-", "_")
                    yield Reading(quantity, limit, name_of_workspace, number)


def _number(value: bytes) -> float | None:
    try:
        return int(value)
    except ValueError:
        return None


def _seconds_until(value: bytes, now: float) -> float | None:
    try:
        return max(0.0, datetime.fromisoformat(value.decode("latin-1")).timestamp() - now)
    except ValueError:
        return None
