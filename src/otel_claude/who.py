"""Who a call is for, as the application says: in OpenTelemetry's baggage, and in `metadata.user_id`.

In: the baggage, the body of a request, and the settings that name what may be used. Out: attributes, and for metrics
the same with a bounded number of values. Pure.
"""

import hashlib
from collections.abc import Mapping, Sequence

from otel_claude.values import Fields, fields, text

MOST_VALUES = 100
"""How many values a name has on metrics. Each is a time series of every metric for as long as the process lives."""

OTHER = "_OTHER"
"""What stands for the values that come after."""

LONGEST_VALUE = 128
"""How many characters of a value are used."""


class Who:
    """Reads the entries of the baggage that are named by `keys`."""

    def __init__(self, keys: Sequence[str]) -> None:
        self.keys = keys
        self._seen: dict[str, set[str]] = {key: set() for key in keys}

    def of(self, baggage: Mapping[str, object]) -> dict[str, str]:
        """The attributes of spans and events."""
        return {key: str(baggage[key])[:LONGEST_VALUE] for key in self.keys if key in baggage}

    def counted(self, who: Mapping[str, str]) -> dict[str, str]:
        """The attributes of metrics."""
        return {key: self._bounded(key, value) for key, value in who.items()}

    def _bounded(self, key: str, value: str) -> str:
        seen = self._seen[key]
        if value in seen:
            return value
        if len(seen) >= MOST_VALUES:
            return OTHER
        seen.add(value)
        return value


def pseudonym(body: Fields) -> str | None:
    """A hash of `metadata.user_id`, by which calls of one user are told from those of others."""
    user = text(fields(body.get("metadata")).get("user_id"))
    return None if user is None else hashlib.sha256(user.encode("utf-8", "surrogatepass")).hexdigest()[:32]
