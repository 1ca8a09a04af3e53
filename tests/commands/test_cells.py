"""The latest value of each key is kept, in memory or in a file."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_claude.commands import days
from otel_claude.commands.cells import Cell, Cells, Key

NUMBERS = st.integers(-(2**63), 2**63 - 1)
VALUES = st.one_of(NUMBERS, st.floats(allow_nan=False, allow_infinity=False))
PUTS = st.lists(
    st.tuples(st.builds(Key, st.sampled_from([-1, 2]), st.integers(0, 1), NUMBERS, st.integers(0, 2)), NUMBERS, VALUES)
)


def latest(puts: Sequence[tuple[Key, int, float]]) -> list[Cell]:
    found: dict[Key, tuple[int, float]] = {}
    for key, time, value in puts:
        found[key] = max(found.get(key, (time, value)), (time, value))
    return [Cell(key, *found[key]) for key in sorted(found)]


@given(PUTS, st.sampled_from([0, 1, 2, 1_000]))
def test_the_latest_value_of_each_key_is_kept_wherever_it_is(puts: list[tuple[Key, int, float]], most: int):
    cells = Cells(most)
    for key, time, value in puts:
        cells.put(key, time, value)
    assert list(cells.sorted()) == latest(puts)
    assert list(cells.sorted()) == latest(puts)
    cells.clear()
    assert list(cells.sorted()) == []


@pytest.mark.parametrize(
    ("puts", "fits"),
    [
        ([(1, 5), (2, 7)], [True, True]),
        ([(2, 7), (1, 5)], [True, True]),
        ([(1, 5), (1, 5)], [True, True]),
        ([(1, 5), (2, 5)], [True, True]),
        ([(1, 5), (2, 4)], [True, False]),
        ([(2, 5), (1, 6)], [True, False]),
    ],
)
def test_a_value_that_falls_with_time_is_told(puts: list[tuple[int, int]], fits: list[bool]):
    cells = Cells()
    assert [cells.put(Key(1, 1, 1, 1), time, value) for time, value in puts] == fits


def test_days_are_the_same_after_many_of_them(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(days, "MOST_KNOWN", 2)
    known = days.Days(ZoneInfo("UTC"))
    day = 86_400 * 10**9
    assert [known.of(at * day + 1) - known.of(1) for at in range(5)] == [0, 1, 2, 3, 4]
