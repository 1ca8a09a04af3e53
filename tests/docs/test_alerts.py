"""The alerts that compare numbers with a threshold or with their own past: when they fire, and when they do not.

Prometheus itself evaluates them, over traffic that is made up here.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from math import exp, inf, log
from pathlib import Path
from statistics import NormalDist

import pytest

from otel_claude.emitting.instruments import DURATION, TOKENS
from promql import GUIDE, METRICS, SECTIONS, Case, Labels, Recorded, check, needs_promtool, queries

OPERATIONS = GUIDE.with_name("operations.md")
HOUR, DAY, WEEK = 12, 12 * 24, 12 * 24 * 7
"""So many samples, at one in five minutes."""

THRESHOLD = re.compile(r"\)\s*[<>]\s*(?P<bound>[\d.]+)\s*$")


@pytest.mark.parametrize("page", [GUIDE, OPERATIONS], ids=lambda page: page.name)
def test_a_quantile_is_compared_with_the_bound_of_a_bucket_or_with_nothing(page: Path):
    """Between two bounds it is a guess: a change of the values by 16 % may double it, and one by 190 % not move it."""
    wrong: list[str] = []
    for query in queries(page.read_text("utf-8")):
        if "histogram_quantile" not in query:
            continue
        metrics = re.findall(r"\w+_bucket", query)
        bound = THRESHOLD.search(query)
        compared = re.search(r"[<>]", query) is not None
        if compared and (bound is None or float(bound["bound"]) not in (METRICS[metrics[0]].buckets or ())):
            wrong.append(query)
    assert wrong == []


def lognormal(median: float, spread: float) -> list[float]:
    """A hundred values, as tokens and durations are distributed: many small ones, and few that are large."""
    return [exp(NormalDist(log(median), spread).inv_cdf((place + 0.5) / 100)) for place in range(100)]


def histogram(name: str, labels: Labels, bounds: Sequence[float], past: Sequence[float], now: Sequence[float],
              since: int) -> list[Recorded]:  # fmt: skip
    """A histogram that records all values of `past` in each interval, and in the last hour those of `now`."""

    def grown(count: Callable[[Sequence[float]], float]) -> list[tuple[float, int]]:
        return [(count(past), since), (count(now), HOUR)]

    def below(bound: float) -> Callable[[Sequence[float]], float]:
        return lambda values: sum(value <= bound for value in values)

    return [
        Recorded(f"{name}_count", labels, grown(len)),
        Recorded(f"{name}_sum", labels, grown(sum)),
        *(
            Recorded(f"{name}_bucket", {**labels, "le": "+Inf" if bound == inf else str(bound)}, grown(below(bound)))
            for bound in (*bounds, inf)
        ),
    ]


FACTORS = {1.0: False, 1.16: False, 1.4: False, 1.6: True, 2.0: True, 2.9: True}
"""How many times as large all values become, and whether half as much again is reached."""


def growing(name: str, labels: Labels, bounds: Sequence[float], medians: Sequence[float], since: int) -> list[Case]:
    return [
        Case(histogram(name, labels, bounds, values, [factor * value for value in values], since), fires)
        for median, spread in product(medians, (0.3, 1.0))
        for values in [lognormal(median, spread)]
        for factor, fires in FACTORS.items()
    ]


SONNET, OPUS = "claude-sonnet-5", "claude-opus-5"


def limits(model: str, left: int, organization: str = "prod") -> list[Recorded]:
    """A limit of a million input tokens a minute, of which so many are left."""
    labels = {
        "claude_rate_limit_type": "input_tokens",
        "claude_rate_limit_model": model,
        "anthropic_organization_id": organization,
    }
    flat = [(0.0, HOUR)]
    return [
        Recorded("claude_rate_limit_limit", labels, flat, 1_000_000),
        Recorded("claude_rate_limit_remaining", labels, flat, left),
    ]


def taken(model: str, tokens: int) -> Recorded:
    """So many tokens a minute of the application's own."""
    labels = {"claude_token_type": "input", "gen_ai_request_model": model}
    return Recorded("claude_token_usage_total", labels, [(tokens, HOUR)])


def shared(*parts: Recorded | list[Recorded], fires: bool) -> Case:
    flat = [each for part in parts for each in (part if isinstance(part, list) else [part])]
    return Case(flat, fires, minutes=1)


def counted(name: str, labels: Labels, *steps: tuple[float, int], fires: bool) -> Case:
    return Case([Recorded(name, labels, steps)], fires)


def tokens(*steps: tuple[float, int], fires: bool) -> Case:
    return counted("claude_token_usage_total", {"claude_token_type": "input"}, *steps, fires=fires)


def spent(*steps: tuple[float, int], fires: bool) -> Case:
    return counted("claude_cost_USD_total", {}, *steps, fires=fires)


def priced(by_day: float, *steps: tuple[float, int], fires: bool) -> Case:
    """Calls of one model, by how many there are in an interval, and what they cost in a day."""
    model = {"gen_ai_request_model": OPUS}
    samples = sum(many for _, many in steps)
    calls = Recorded(
        "gen_ai_client_operation_duration_seconds_count", {**model, "gen_ai_operation_name": "chat"}, steps
    )
    cost = Recorded("claude_cost_USD_total", {**model, "claude_processing": "standard"}, [(by_day / DAY, samples)])
    return Case([calls, cost], fires)


CASES: Mapping[tuple[str, str], Sequence[Case]] = {
    ("Memory", "offset 1d"): growing(
        "gen_ai_client_token_usage", {"gen_ai_token_type": "input"}, TOKENS, (300, 1_500, 5_000, 20_000), DAY
    ),
    ("Performance", "offset 1w"): growing(
        "gen_ai_client_operation_duration_seconds",
        {"gen_ai_operation_name": "chat", "gen_ai_request_model": SONNET},
        DURATION.buckets or (),
        (0.7, 2.0, 4.5, 9.0),
        WEEK,
    ),
    ("Cost control", "avg_over_time"): [
        priced(200, (100, 2 * DAY), fires=True),
        # Eight hours of work and sixteen of quiet, twice: the mean of a day is 0.4 of its busiest hour.
        priced(200, (10, 16 * HOUR), (100, 8 * HOUR), (10, 16 * HOUR), (100, 8 * HOUR), fires=False),
        priced(50, (100, 2 * DAY), fires=False),
    ],
    ("Security", "claude_rate_limit_limit"): [
        # Of two busy models, 900,000 tokens of one are gone, of which 10,000 are the application's.
        shared(limits(SONNET, 100_000), taken(SONNET, 10_000), limits(OPUS, 400_000), taken(OPUS, 600_000), fires=True),
        shared(limits(SONNET, 400_000), taken(SONNET, 600_000), limits(OPUS, 300_000), taken(OPUS, 700_000),
               fires=False),
        # A process that has only ever been refused.
        shared(limits(SONNET, 0), fires=True),
        # A model by the name with its date, and one that has no limit of its own.
        shared(limits("claude-haiku-4-5", 200_000), taken("claude-haiku-4-5-20251001", 800_000), fires=False),
        shared(limits("claude-opus-4-5", 200_000), taken("claude-opus-4-5-20251101", 100_000),
               taken("claude-opus-4-6", 700_000), fires=False),
        shared(limits("claude-opus-5", 200_000), taken("claude-opus-5-5", 800_000), fires=True),
        # Nobody knows which organization has taken the tokens: 300,000 may be those that are missing from the second.
        shared(limits(SONNET, 900_000), limits(SONNET, 300_000, "dev"), taken(SONNET, 300_000), fires=False),
        shared(limits(SONNET, 900_000), limits(SONNET, 100_000, "dev"), taken(SONNET, 300_000), fires=True),
        # A process that has just begun, with its first call: what it took is what is missing.
        Case([*limits(SONNET, 400_000), Recorded("claude_token_usage_total",
              {"claude_token_type": "input", "gen_ai_request_model": SONNET}, (), 600_000, after=HOUR)],
             fires=False, minutes=1),
    ],
    ("Security", "offset 1w"): [
        *(
            tokens((100_000, WEEK), (now, HOUR), fires=fires)
            for now, fires in ((100_000, False), (280_000, False), (330_000, True))
        ),
        # One call of 60 tokens, where at this hour last week there was none.
        tokens((1_000, HOUR), (0, WEEK), (60, 1), fires=False),
        # Below and above 100 a second, which are 30,000 in five minutes.
        *(
            tokens((1_000, HOUR), (0, WEEK), (now, HOUR), fires=fires)
            for now, fires in ((29_000, False), (31_000, True))
        ),
        # Nothing at this hour last week, 60 tokens a little earlier, and 8,000,000 now, of another process.
        Case([Recorded("claude_token_usage_total", {"claude_token_type": "input"}, [(2_000_000, 4)], after=WEEK),
              Recorded("claude_token_usage_total", {"claude_token_type": "input", "instance": "old"}, [(60, 2)])],
             fires=True),
        # Nothing a week ago, and nothing before: the service is new.
        Case([Recorded("claude_token_usage_total", {"claude_token_type": "input"}, [(2_000_000, 4)], after=WEEK)],
             fires=False),
    ],
    ("Success metrics", "offset 1w"): [
        *(
            spent((1, 15 * DAY), (today, DAY), fires=fires)
            for today, fires in ((1, False), (1.15, False), (1.25, True), (0.85, False), (0.75, True))
        ),
        # Five days of work and two of rest, at the end of each day of a week.
        *(spent(*(step for day in range(days) for step in [(0.05 if day % 7 in (5, 6) else 1, DAY)]), fires=False)
          for days in range(16, 23)),
        # Spend stops, with its processes.
        *(
            Case([Recorded("up", {}, [(0, 15 * DAY + gone)], 1),
                  Recorded("claude_cost_USD_total", {}, [(1, 15 * DAY)])], fires=True)
            for gone in (DAY // 2, DAY + HOUR)
        ),
        # An application whose first day is half a day, a week later.
        spent((1, 7 * DAY + DAY // 2), fires=False),
    ],
}  # fmt: skip
"""By the section, and by a word of the query."""


def test_every_query_that_compares_with_its_own_past_has_its_cases():
    compared = [
        query
        for text in SECTIONS.values()
        for query in queries(text)
        if re.search(r"offset \d+[dw]|avg_over_time", query)
    ]
    judged = [query for heading, word in CASES for query in queries(SECTIONS[heading]) if word in query]
    assert [query for query in compared if query not in judged] == []


@needs_promtool
@pytest.mark.parametrize(("heading", "word"), CASES)
def test_an_alert_fires_when_it_should_and_not_before(heading: str, word: str):
    (query,) = (query for query in queries(SECTIONS[heading]) if word in query)
    assert check(query, CASES[heading, word]) == ""


@needs_promtool
@pytest.mark.parametrize("page", [GUIDE, OPERATIONS], ids=lambda page: page.name)
def test_every_query_is_one_that_prometheus_reads_and_is_silent_where_nothing_is(page: Path):
    nothing = Case([Recorded("up", {}, [(0, HOUR)])], fires=False)
    assert "".join(check(query, [nothing]) for query in queries(page.read_text("utf-8"))) == ""
