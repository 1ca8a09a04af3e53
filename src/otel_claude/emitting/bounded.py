"""Names as metrics have them: a bounded number, as each is a time series for as long as the process lives. Pure.

In: a name. Out: the same, or `_OTHER` for those that come after the first so many.
"""

from otel_claude.values import OTHER

MOST_NAMES = 200
"""How many names of one kind metrics tell apart."""


class BoundedNames:
    """The names of one kind that have been told."""

    def __init__(self, most: int = MOST_NAMES) -> None:
        self._most = most
        self._seen: set[str] = set()

    def __contains__(self, name: object) -> bool:
        return name in self._seen

    def bounded(self, name: str) -> str:
        """The name, or `_OTHER`."""
        if name in self._seen:
            return name
        if len(self._seen) >= self._most:
            return OTHER
        self._seen.add(name)
        return name
