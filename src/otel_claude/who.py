"""Who a call is for, as the application says: in OpenTelemetry's baggage, and in `metadata.user_id`.

In: the baggage, the body of a request, and the settings that name what may be used. Out: attributes, and for metrics
the same in a bounded number of combinations. Pure.
"""

import hashlib
from collections.abc import Mapping, Sequence

from otel_claude.values import OTHER, Fields, fields, text

MOST_COMBINATIONS = 200
"""How many combinations of values metrics tell apart. Each is a time series of every metric, for each model and each
kind of token, for as long as the process lives.
"""

LONGEST_VALUE = 128
"""How many characters of a value are used."""


class Who:
    """Reads the entries of the baggage that are named by `keys`."""

    def __init__(self, keys: Sequence[str]) -> None:
        self.keys = keys
        self._seen: set[tuple[tuple[str, str], ...]] = set()

    def of(self, baggage: Mapping[str, object]) -> dict[str, str]:
        """The attributes of spans and events."""
        return {key: str(baggage[key])[:LONGEST_VALUE] for key in self.keys if key in baggage}

    def counted(self, who: Mapping[str, str]) -> dict[str, str]:
        """The attributes of metrics."""
        combination = tuple(who.items())
        if combination not in self._seen:
            if len(self._seen) >= MOST_COMBINATIONS:
                return dict.fromkeys(who, OTHER)
            self._seen.add(combination)
        return dict(who)


def pseudonym(body: Fields) -> str | None:
    """A hash of `metadata.user_id`, by which calls of one user are told from those of others."""
    user = text(fields(body.get("metadata")).get("user_id"))
    return None if user is None else hashlib.sha256(user.encode("utf-8", "surrogatepass")).hexdigest()[:32]
