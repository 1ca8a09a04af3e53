"""When the money of a budget is counted together: in an hour, a day or a month somewhere, or in the last so many hours.

In: a time. Out: the slot that it is in, and which slots count. Times are seconds since the epoch. Pure.
"""

import math
from datetime import datetime, timedelta, tzinfo
from typing import Literal, NamedTuple

SLOTS = 24
"""The slots of a rolling period. What was spent falls out up to one slot late, so a budget never lets through more."""

HOUR_S = 3_600.0


class Slot(NamedTuple):
    """A stretch of time, whose `name` is the same in every process. What is spent in it `counts_until` it is past."""

    name: str
    start: float
    end: float
    counts_until: float


class Period(NamedTuple):
    """A calendar period in a time zone, or a `rolling` one of `length_s` seconds. `written`: as its user calls it."""

    kind: Literal["hour", "day", "month", "rolling"]
    zone: tzinfo
    length_s: float = 0.0
    written: str = ""

    def slots(self, at: float) -> tuple[Slot, ...]:
        """The slots that count at a time, that of the time itself first."""
        now = self.slot(at)
        if self.kind != "rolling":
            return (now,)
        width = self.length_s / SLOTS
        return (now, *(self.slot(now.start + width / 2 - width * back) for back in range(1, SLOTS + 1)))

    def slot(self, at: float) -> Slot:
        """The slot of a time."""
        if self.kind == "rolling":
            width = self.length_s / SLOTS
            number = math.floor(at / width)
            end = (number + 1) * width
            return Slot(f"{self.length_s:.0f}s-{number}", number * width, end, end + self.length_s)
        local = datetime.fromtimestamp(at, self.zone)
        if self.kind == "hour":
            # By the clock of the zone, though the hour that comes twice in autumn is two.
            offset = (local.utcoffset() or timedelta()).total_seconds()
            start = math.floor((at + offset) / HOUR_S) * HOUR_S - offset
            return _calendar(local.strftime("%Y-%m-%dT%H%z"), start, start + HOUR_S)
        day = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        if self.kind == "day":
            return _calendar(day.strftime("%Y-%m-%d"), day.timestamp(), (day + timedelta(days=1)).timestamp())
        month = day.replace(day=1)
        # 32 days after the first of a month it is the next one.
        following = (month + timedelta(days=32)).replace(day=1)
        return _calendar(month.strftime("%Y-%m"), month.timestamp(), following.timestamp())

    def __str__(self) -> str:
        return self.written or self.kind


def _calendar(name: str, start: float, end: float) -> Slot:
    return Slot(name, start, end, end)
