"""Periods: which slot a time is in. The times are of calendars, and of the time zone database."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_claude.budgets.periods import SLOTS, Period

BERLIN = ZoneInfo("Europe/Berlin")
KATHMANDU = ZoneInfo("Asia/Kathmandu")
"""Is 5 hours and 45 minutes before UTC."""


def at(written: str, zone: Any = UTC) -> float:
    return datetime.fromisoformat(written).replace(tzinfo=zone).timestamp()


@pytest.mark.parametrize(
    ("period", "time", "name", "start", "end"),
    [
        (Period("day", UTC), at("2026-11-23T01:30"), "2026-11-23", at("2026-11-23"), at("2026-11-24")),
        (Period("day", BERLIN), at("2026-11-22T23:30"), "2026-11-23", at("2026-11-22T23:00"), at("2026-11-23T23:00")),
        (Period("month", UTC), at("2026-12-31T23:59"), "2026-12", at("2026-12-01"), at("2027-01-01")),
        (Period("month", UTC), at("2024-02-29"), "2024-02", at("2024-02-01"), at("2024-03-01")),
        (
            Period("hour", UTC),
            at("2026-11-23T01:30"),
            "2026-11-23T01+0000",
            at("2026-11-23T01:00"),
            at("2026-11-23T02"),
        ),
        (
            Period("hour", KATHMANDU),
            at("2026-11-23T00:30"),
            "2026-11-23T06+0545",
            at("2026-11-23T00:15"),
            at("2026-11-23T01:15"),
        ),
    ],
)
def test_a_calendar_period_is_that_of_its_time_zone(period: Period, time: float, name: str, start: float, end: float):
    assert period.slot(time) == (name, start, end, end)


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-11-23", 24)])
def test_a_day_has_as_many_hours_as_the_clock_of_its_time_zone_says(day: str, hours: int):
    slot = Period("day", BERLIN).slot(at(f"{day}T12:00", BERLIN))

    assert (slot.name, slot.end - slot.start) == (day, hours * 3_600)


def test_the_hour_that_comes_twice_is_two():
    first, second = at("2026-10-25T00:30"), at("2026-10-25T01:30")

    names = [Period("hour", BERLIN).slot(time).name for time in (first, second)]

    assert names == ["2026-10-25T02+0200", "2026-10-25T02+0100"]


def test_a_rolling_period_counts_what_was_spent_in_its_length():
    period = Period("rolling", UTC, 86_400.0)
    now = at("2026-11-23T10:20")

    slots = period.slots(now)

    assert (slots[0].start, slots[0].end) == (at("2026-11-23T10:00"), at("2026-11-23T11:00"))
    assert slots[-1].start == at("2026-11-22T10:00")
    assert {slot.counts_until - slot.end for slot in slots} == {86_400.0}
    assert len({slot.name for slot in slots}) == SLOTS + 1


PERIODS = st.builds(
    Period,
    st.sampled_from(["hour", "day", "month", "rolling"]),
    st.sampled_from([UTC, BERLIN, KATHMANDU, ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe")]),
    st.sampled_from([60.0, 5_400.0, 86_400.0, 604_800.0]),
)


@given(PERIODS, st.floats(0, 4e9))
def test_a_time_is_always_in_its_slot_and_the_next_slot_begins_where_it_ends(period: Period, time: float):
    slot = period.slot(time)

    assert slot.start <= time < slot.end
    assert period.slot(slot.start).name == slot.name
    assert period.slots(time)[0] == slot
    if str(period.zone) != "Australia/Lord_Howe" or period.kind != "hour":  # its clock goes back by half an hour
        assert period.slot(slot.end).start == slot.end


@given(st.floats(0, 4e9), st.floats(0, 86_400.0))
def test_what_a_rolling_period_leaves_out_is_always_older_than_its_length(now: float, ago: float):
    period = Period("rolling", UTC, 86_400.0)

    assert period.slot(now - ago).name in {slot.name for slot in period.slots(now)}


def test_a_period_is_told_as_it_is_written():
    periods = [Period("day", UTC), Period("rolling", UTC, 60.0, "rolling 1m"), Period("rolling", UTC, 60.0)]

    assert list(map(str, periods)) == ["day", "rolling 1m", "rolling"]
