"""Which of the CLI's words on rate limits are told of. Pure.

In: what it says of limits on one connection, and when. Out: yes for those of which little is left, once in a window.
"""

from otel_claude.agent_sdk.runs import Limit
from otel_claude.rate_limits import LOW

QUIET_S = 3600.0
"""How long nothing more is said of a limit whose window has no end that is known."""


class Limits:
    """What has been told of on a connection."""

    def __init__(self) -> None:
        self._quiet_until: dict[tuple[str, str | None], float] = {}

    def is_news(self, limit: Limit, now_s: float) -> bool:
        """Whether it is to be told of, at a time in seconds since the epoch. It is news no more after that."""
        low = limit.status == "rejected" or (limit.used is not None and limit.used > 1 - LOW)
        key = limit.name, limit.status
        if not low or now_s < self._quiet_until.get(key, 0.0):
            return False
        ends_at = limit.resets_at
        self._quiet_until[key] = ends_at if ends_at is not None and ends_at > now_s else now_s + QUIET_S
        return True
