"""Points of metrics add up to what was counted: of either temporality, in any order, and however often they come."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import accumulate, pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from metric_lines import CUMULATIVE, DELTA, Made, line

from otel_claude import names
from otel_claude.commands import otlp
from otel_claude.commands.cells import Cells
from otel_claude.commands.days import Days
from otel_claude.commands.metric_spend import METRICS, MetricSpend
from otel_claude.emitting import instruments

SECOND = 10**9
HOUR = 3_600 * SECOND
NOON = int(datetime(2026, 11, 22, 12, tzinfo=ZoneInfo("UTC")).timestamp()) * SECOND

Sums = dict[tuple[str | None, date], Decimal]


def attributes(model: str, part: str = "input") -> dict[str, str | int | bool]:
    return {names.RESPONSE_MODEL: model, names.COST_TYPE: part, names.PROCESSING: "standard", names.SERVER_PORT: 443}


def read(lines: Sequence[str], zone: str = "UTC", most: int = 1_000) -> MetricSpend:
    spend = MetricSpend(["model"], Days(ZoneInfo(zone)), Cells(most), by_day=True)
    for each in lines:
        for point in otlp.points(otlp.document(each.encode()), METRICS):
            spend.add(point)
    return spend


def sums(spend: MetricSpend) -> Sums:
    found: defaultdict[tuple[str | None, date], Decimal] = defaultdict(Decimal)
    for entry in spend.entries():
        found[entry.model, entry.day] += entry.amount
    return {key: amount for key, amount in found.items() if amount}


def total(*lines: str) -> Decimal:
    return sum(sums(read(lines)).values(), Decimal(0))


class Life(NamedTuple):
    """What a process counted for a series from one start to its end: amounts, each by the time that it was exported."""

    process: str
    model: str
    start: int
    exports: list[tuple[int, float]]
    temporality: int
    monotonic: bool


AMOUNTS = st.integers(0, 64 * 100).map(lambda number: number / 64)
"""Dollars that are exact in binary, so that cumulative sums of them are too."""


@st.composite
def lives(draw: st.DrawFn) -> list[Life]:
    """Up to three processes that start up to twice, with up to two series each."""
    found: list[Life] = []
    for process in draw(st.sets(st.sampled_from("abc"), min_size=1)):
        start = NOON + draw(st.integers(0, HOUR))
        temporality = draw(st.sampled_from([DELTA, CUMULATIVE]))
        for _ in range(draw(st.integers(1, 2))):
            end = start
            for model in draw(st.sets(st.sampled_from(["one", "two"]), min_size=1)):
                monotonic = draw(st.booleans())
                amounts = draw(
                    st.lists(AMOUNTS if monotonic else st.one_of(AMOUNTS, AMOUNTS.map(float.__neg__)), max_size=5)
                )
                gaps = draw(st.lists(st.integers(1, 30 * HOUR), min_size=len(amounts), max_size=len(amounts)))
                times = list(accumulate(gaps, initial=start))
                found.append(
                    Life(process, model, start, list(zip(times[1:], amounts, strict=True)), temporality, monotonic)
                )
                end = max(end, times[-1])
            start = end + draw(st.integers(1, HOUR))
    return found


def points_of(life: Life) -> list[Made]:
    times = [life.start, *(time for time, _ in life.exports)]
    amounts = [amount for _, amount in life.exports]
    values = list(accumulate(amounts)) if life.temporality == CUMULATIVE else amounts
    starts = [life.start] * len(values) if life.temporality == CUMULATIVE else [start for start, _ in pairwise(times)]
    return [
        Made(life.process, start, time, value, life.temporality, attributes(life.model), monotonic=life.monotonic)
        for start, time, value in zip(starts, times[1:], values, strict=True)
    ]


def counted(found: Sequence[Life], zone: str) -> Sums:
    """The same by hand: each amount on the day that it was exported."""
    expected: defaultdict[tuple[str | None, date], Decimal] = defaultdict(Decimal)
    for life in found:
        for time, amount in life.exports:
            day = datetime.fromtimestamp((time - 1) // SECOND, ZoneInfo(zone)).date()
            expected[life.model, day] += Decimal(amount)
    return {key: amount for key, amount in expected.items() if amount}


@given(lives(), st.data(), st.sampled_from(["UTC", "Asia/Kolkata", "America/New_York"]))
def test_the_sums_are_always_the_same(found: list[Life], data: st.DataObject, zone: str):
    points = [point for life in found for point in points_of(life)]
    again = data.draw(st.lists(st.sampled_from(points), max_size=5)) if points else []
    shuffled = data.draw(st.permutations([*points, *again]))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(shuffled)), max_size=4)) | {0, len(shuffled)})
    lines = [line(shuffled[one:other]) for one, other in pairwise(cuts)]
    most = data.draw(st.sampled_from([1, 3, 1_000]))

    spend = read(lines, zone, most)
    assert sums(spend) == counted(found, zone)


@given(lives())
def test_deltas_and_cumulative_sums_say_the_same(found: list[Life]):
    told = [
        sums(read([line(point for life in found for point in points_of(life._replace(temporality=temporality)))]))
        for temporality in (DELTA, CUMULATIVE)
    ]
    assert told[0] == told[1]


def cumulative(*values: float, start: int = NOON, monotonic: bool = True, process: str = "a") -> list[Made]:
    return [
        Made(process, start, NOON + place * SECOND, value, CUMULATIVE, attributes("one"), monotonic=monotonic)
        for place, value in enumerate(values, 1)
    ]


def test_a_restart_has_a_start_of_its_own():
    assert total(line([*cumulative(1, 5), *cumulative(2, 3, start=NOON + SECOND)])) == 5 + 3


def test_a_sum_without_a_start_begins_anew_where_it_falls():
    """5, then 7, then from nothing to 2, to 4."""
    assert total(line(cumulative(5, 7, 2, 4, start=0))) == 7 + 4
    assert total(line(reversed(cumulative(5, 7, 2, 4, start=0)))) == 7 + 4


def test_a_sum_that_may_fall_is_what_it_is_last():
    assert total(line(cumulative(5, 7, -2, 4, monotonic=False))) == 4
    assert total(line(cumulative(5, 7, -2, 4, start=0, monotonic=False))) == 4


def test_processes_of_one_resource_are_told():
    spend = read([line(cumulative(5, 2, 6, 3))])
    assert spend.notes[0].startswith("2 points of cumulative sums are less than earlier ones")
    assert read([line(cumulative(5, 5, 6))]).notes == []


def by_days(*values: float, monotonic: bool = True) -> MetricSpend:
    """A sum with one start, as it is at noon of the 23rd and of the days after it."""
    days = enumerate(values, 1)
    return read(
        [
            line(
                Made("a", NOON, NOON + at * 24 * HOUR, value, CUMULATIVE, attributes("one"), monotonic=monotonic)
                for at, value in days
            )
        ]
    )


def test_a_sum_that_falls_from_day_to_day_is_told_and_subtracts_nothing():
    """5, then 3 and 4 of another process, then 7 of the first one: 5 and 7 - 5."""
    spend = by_days(5, 3, 4, 7)
    assert sums(spend) == {("one", date(2026, 11, 23)): 5, ("one", date(2026, 11, 26)): 7 - 5}
    assert spend.notes[0].startswith("2 points of cumulative sums are less than earlier ones")


def test_a_sum_that_may_fall_from_day_to_day_is_subtracted():
    spend = by_days(5, 3, monotonic=False)
    assert sums(spend) == {("one", date(2026, 11, 23)): 5, ("one", date(2026, 11, 24)): 3 - 5}
    assert not any("less than earlier ones" in note for note in spend.notes)


@given(st.lists(AMOUNTS, max_size=6))
def test_a_sum_that_must_not_fall_never_takes_anything_away(values: list[float]):
    found = list(by_days(*values).entries())
    assert all(entry.amount > 0 for entry in found)
    assert sum(entry.amount for entry in found) == max(values, default=0)


def test_what_was_counted_before_the_first_day_of_the_input_is_told():
    """A sum that began at noon of the 22nd, and whose first point is of the 24th."""
    late = Made("a", NOON, NOON + 48 * HOUR, 2.5, CUMULATIVE, attributes("one"))
    spend = read([line([late])])
    assert sums(spend) == {("one", date(2026, 11, 24)): Decimal("2.5")}
    assert spend.notes[0].startswith("2.500000 USD had been counted by the first point")


def test_an_export_at_midnight_is_of_the_day_that_has_ended():
    midnight = Made("a", NOON, NOON + 12 * HOUR, 2.5, DELTA, attributes("one"))
    assert sums(read([line([midnight])])) == {("one", date(2026, 11, 22)): Decimal("2.5")}


def test_deltas_of_two_processes_of_one_resource_are_all_counted():
    overlapping = [
        Made("a", NOON, NOON + 60 * SECOND, 1, DELTA, attributes("one")),
        Made("a", NOON + 3, NOON + 60 * SECOND + 3, 2, DELTA, attributes("one")),
    ]
    assert total(line(overlapping)) == 3


def test_sums_of_floats_are_exact():
    """0.1 ten times is 1, which floats do not make."""
    tenths = [Made("a", NOON + at, NOON + at + 1, 0.1, DELTA, attributes("one")) for at in range(10)]
    assert total(line(tenths)) == 1


def test_metrics_of_others_are_not_counted():
    point = cumulative(5)[0]
    assert total(line([point], scope="another"), line([point._replace(metric="claude.retries")])) == 0


def test_a_metric_of_another_kind_is_not_counted():
    assert total(line(cumulative(5)).replace('"sum"', '"gauge"')) == 0


def test_a_point_that_says_that_it_has_no_value_has_none():
    nothing = line(cumulative(5)).replace('"timeUnixNano"', '"flags": 1, "timeUnixNano"')
    assert total(nothing) == 0


def test_the_set_of_attributes_that_stands_for_all_others_is_counted():
    overflow = Made("a", NOON, NOON + 1, 5, DELTA, {"otel.metric.overflow": True})
    assert sums(read([line([overflow])])) == {(None, date(2026, 11, 22)): 5}


def test_names_of_temporalities_are_read_as_their_numbers():
    """Protobuf's own JSON writes the names."""
    named = line(cumulative(1, 5)).replace(
        '"aggregationTemporality": 2', '"aggregationTemporality": "AGGREGATION_TEMPORALITY_CUMULATIVE"'
    )
    assert total(named) == 5


def test_the_metrics_that_are_read_are_those_that_there_are():
    assert {instrument.name for instrument in instruments.INSTRUMENTS} >= METRICS.keys()
