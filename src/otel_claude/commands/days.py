"""The day of a time, in a time zone.

In: nanoseconds since 1970. Out: the ordinal of a day, as `datetime.date` counts them.
"""

from datetime import datetime, tzinfo

QUARTER_HOUR_NS = 900 * 10**9
"""Time zones differ by whole quarters of an hour, so that all of one is on the same day."""

MOST_KNOWN = 100_000


class Days:
    """The days of a time zone."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._known: dict[int, int] = {}

    def of(self, time: int) -> int:
        """The day of what happened until `time`: an amount that ends at midnight is of the day before."""
        quarter = max(0, time - 1) // QUARTER_HOUR_NS
        day = self._known.get(quarter)
        if day is None:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            start = datetime.fromtimestamp(quarter * QUARTER_HOUR_NS // 10**9, self._zone)
            day = self._known[quarter] = start.toordinal()
        return day
