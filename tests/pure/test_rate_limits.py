"""Rate limit headers, as recordings of real traffic have them."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_claude.rate_limits import MOST_OWNERS, RateLimits, exhausted, retry_after

RECORDED = {
    b"anthropic-ratelimit-requests-limit": b"4000",
    b"anthropic-ratelimit-requests-remaining": b"3999",
    b"anthropic-ratelimit-input-tokens-limit": b"2000000",
    b"anthropic-ratelimit-input-tokens-remaining": b"1999000",
}
"""A part of the headers of the recording f48e879d9ef4 and its like."""


def numbers(limits: RateLimits) -> dict[tuple[str, str, str | None], float]:
    return {(reading.quantity, reading.limit, reading.owner.workspace): reading.value for reading in limits.readings()}


def test_the_limits_of_the_last_response_are_known():
    limits = RateLimits()
    limits.observe(RECORDED)
    limits.observe({b"anthropic-ratelimit-requests-remaining": b"3998", b"date": b"today"})
    assert numbers(limits) == {
        ("limit", "requests", None): 4000,
        ("remaining", "requests", None): 3998,
        ("limit", "input_tokens", None): 2_000_000,
        ("remaining", "input_tokens", None): 1_999_000,
    }


def test_priority_and_fast_limits_have_names_of_their_own():
    limits = RateLimits()
    limits.observe({b"anthropic-priority-input-tokens-limit": b"7", b"anthropic-fast-output-tokens-remaining": b"5"})
    assert numbers(limits) == {
        ("limit", "priority_input_tokens", None): 7,
        ("remaining", "fast_output_tokens", None): 5,
    }


def test_each_workspace_has_its_own_limits():
    limits = RateLimits()
    for workspace, left in ((b"wrkspc_1", b"10"), (b"wrkspc_2", b"20")):
        limits.observe({b"anthropic-ratelimit-requests-remaining": left, b"anthropic-workspace-id": workspace})
    assert numbers(limits) == {("remaining", "requests", "wrkspc_1"): 10, ("remaining", "requests", "wrkspc_2"): 20}


@pytest.mark.parametrize(("moment", "least", "most"), [(60, 55, 60), (-60, 0, 0)])
def test_reset_is_in_seconds_from_now(moment: int, least: int, most: int):
    limits = RateLimits()
    at = (datetime.now(UTC) + timedelta(seconds=moment)).strftime("%Y-%m-%dT%H:%M:%SZ")
    limits.observe({b"anthropic-ratelimit-tokens-reset": at.encode()})
    (reading,) = limits.readings()
    assert least <= reading.value <= most


@given(st.dictionaries(st.binary(max_size=12).map(lambda end: b"anthropic-ratelimit-" + end), st.binary(max_size=12)))
def test_what_is_no_number_is_left_out(headers: dict[bytes, bytes]):
    limits = RateLimits()
    limits.observe(headers | {b"anthropic-ratelimit-tokens-limit": b"soon", b"anthropic-fast-x-reset": b"later"})
    assert all(reading.value >= 0 or reading.quantity != "reset" for reading in limits.readings())


def test_a_response_without_limits_changes_nothing():
    limits = RateLimits()
    limits.observe({b"content-type": b"application/json"})
    assert numbers(limits) == {}


def test_workspaces_are_forgotten_from_the_first_on():
    limits = RateLimits()
    for number in range(MOST_OWNERS + 1):
        limits.observe({b"anthropic-ratelimit-tokens-limit": b"1", b"anthropic-workspace-id": str(number).encode()})
    known = {reading.owner.workspace for reading in limits.readings()}
    assert known == {str(number) for number in range(1, MOST_OWNERS + 1)}


def left(remaining: int, size: int = 1_000) -> dict[bytes, bytes]:
    return {
        b"anthropic-ratelimit-input-tokens-limit": str(size).encode(),
        b"anthropic-ratelimit-input-tokens-remaining": str(remaining).encode(),
    }


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (20.0, [False, False, True, False, False, False, False, True, False]),
        (8.0, [False, False, True, False, False, False, False, False, False]),
    ],
    ids=["slowly", "within a minute"],
)
def test_a_limit_is_low_once_until_a_fifth_of_it_is_left_again(
    monkeypatch: pytest.MonkeyPatch, seconds: float, told: list[bool]
):
    limits, clock = RateLimits(), count(1e9, seconds)
    monkeypatch.setattr("otel_claude.rate_limits.time.time", lambda: next(clock))
    became_low = [bool(limits.newly_low(left(some))) for some in (1_000, 100, 99, 0, 150, 99, 200, 99, 99)]
    assert became_low == told


def test_methods_that_no_model_answers_have_limits_of_their_own():
    limits = RateLimits()
    limits.observe(left(900), "claude-opus-5")
    limits.observe(left(5, 100), "claude-opus-5", "anthropic.messages.count_tokens")

    known = {(each.owner.method, each.quantity): each.value for each in limits.readings()}
    assert known == {
        (None, "limit"): 1_000,
        (None, "remaining"): 900,
        ("anthropic.messages.count_tokens", "limit"): 100,
        ("anthropic.messages.count_tokens", "remaining"): 5,
    }
    assert limits.newly_low(left(900), "claude-opus-5") == []
    (low,) = limits.newly_low(left(5, 100), "claude-opus-5", "anthropic.messages.count_tokens")
    assert low.owner.method == "anthropic.messages.count_tokens"


def test_what_is_known_of_a_low_limit():
    reset = (datetime.now(UTC) + timedelta(seconds=30)).isoformat().encode()
    headers = left(40) | {b"anthropic-ratelimit-input-tokens-reset": reset, b"anthropic-workspace-id": b"wrk_1"}
    (low,) = RateLimits().newly_low(headers)
    assert (low.limit, low.owner.workspace, low.size, low.left) == ("input_tokens", "wrk_1", 1_000, 40)
    assert low.reset_s == pytest.approx(30, abs=2)


def test_each_workspace_and_each_family_becomes_low_by_itself():
    limits = RateLimits()
    fast = {b"anthropic-fast-output-tokens-limit": b"10", b"anthropic-fast-output-tokens-remaining": b"0"}
    assert [low.limit for low in limits.newly_low(left(0) | fast)] == ["input_tokens", "fast_output_tokens"]
    (low,) = limits.newly_low(left(0) | {b"anthropic-workspace-id": b"wrk_2"})
    assert low.owner.workspace == "wrk_2"
    limits.clear()
    assert len(limits.newly_low(left(0))) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {b"anthropic-ratelimit-input-tokens-remaining": b"0"},
        {b"anthropic-ratelimit-tokens-limit": b"0", b"anthropic-ratelimit-tokens-remaining": b"0"},
        {b"anthropic-ratelimit-tokens-limit": b"9", b"anthropic-ratelimit-tokens-remaining": b"none"},
        {b"anthropic-other-limit": b"9", b"anthropic-other-remaining": b"0"},
        {b"x-ratelimit-limit": b"9", b"x-ratelimit-remaining": b"0"},
    ],
)
def test_what_is_no_limit_is_not_low(headers: dict[bytes, bytes]):
    assert RateLimits().newly_low(headers) == []


def test_the_limits_of_which_nothing_is_left():
    assert exhausted(left(0) | {b"anthropic-fast-input-tokens-remaining": b"1", b"x-remaining": b"0"}) == (
        "input_tokens",
    )


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({b"retry-after": b"60"}, 60.0),
        ({b"retry-after": b"0.5"}, 0.5),
        ({b"retry-after": b"-1"}, 0.0),
        ({b"retry-after": b"soon"}, None),
        ({b"retry-after": b"soon, or later"}, None),
        ({b"retry-after": b"Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({b"retry-after-ms": b"1500", b"retry-after": b"2"}, 1.5),
        ({b"retry-after-ms": b"soon", b"retry-after": b"2"}, 2.0),
    ],
)
def test_how_long_a_response_asks_to_wait(headers: dict[bytes, bytes], seconds: float | None):
    assert retry_after(headers) == seconds


def test_a_date_to_wait_for_is_in_seconds_from_now():
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True).encode()
    assert retry_after({b"retry-after": at}) == pytest.approx(90, abs=3)


def test_each_organization_and_each_family_of_models_has_its_own():
    limits = RateLimits()
    for organization, model, remaining in ((b"a", "claude-opus-5", 5), (b"a", "claude-haiku-5", 900), (b"b", None, 7)):
        limits.observe(left(remaining) | {b"anthropic-organization-id": organization}, model)
    told = {reading.owner[::2]: reading.value for reading in limits.readings() if reading.quantity == "remaining"}
    assert told == {("a", "claude-opus-5"): 5, ("a", "claude-haiku-5"): 900, ("b", None): 7}

    lows = [len(limits.newly_low(left(5), model)) for model in ("claude-opus-5", "claude-haiku-5", "claude-opus-5")]
    assert lows == [1, 1, 0]


def test_what_was_left_before_the_reset_is_not_told_after_it(monkeypatch: pytest.MonkeyPatch):
    limits, now = RateLimits(), datetime.now(UTC)
    reset = (now + timedelta(seconds=30)).isoformat().encode()
    limits.observe(left(0) | {b"anthropic-ratelimit-input-tokens-reset": reset})
    assert numbers(limits)["remaining", "input_tokens", None] == 0

    monkeypatch.setattr("otel_claude.rate_limits.time.time", (now + timedelta(seconds=31)).timestamp)
    assert numbers(limits) == {("limit", "input_tokens", None): 1_000, ("reset", "input_tokens", None): 0}


def test_a_reset_that_has_passed_when_it_is_told_of_is_of_another_clock():
    limits = RateLimits()
    limits.observe(left(7) | {b"anthropic-ratelimit-input-tokens-reset": b"2026-01-01T00:00:00Z"})
    assert numbers(limits)["remaining", "input_tokens", None] == 7


def test_a_limit_that_was_low_is_told_again_after_its_reset(monkeypatch: pytest.MonkeyPatch):
    limits, now = RateLimits(), datetime.now(UTC)
    told = left(40) | {b"anthropic-ratelimit-input-tokens-reset": (now + timedelta(seconds=30)).isoformat().encode()}
    assert [len(limits.newly_low(told)) for _ in range(2)] == [1, 0]

    monkeypatch.setattr("otel_claude.rate_limits.time.time", (now + timedelta(seconds=61)).timestamp)
    assert [len(limits.newly_low(told)) for _ in range(2)] == [1, 0]


def test_a_limit_that_stays_low_is_told_once_a_minute_however_near_its_resets_are(monkeypatch: pytest.MonkeyPatch):
    limits, start = RateLimits(), datetime.now(UTC)
    heard: list[int] = []
    for second in range(0, 200, 5):
        now = start + timedelta(seconds=second)
        monkeypatch.setattr("otel_claude.rate_limits.time.time", now.timestamp)
        reset = (now + timedelta(seconds=1)).isoformat().encode()
        if limits.newly_low(left(40) | {b"anthropic-ratelimit-input-tokens-reset": reset}):
            heard.append(second)
    assert heard == [0, 60, 120, 180]


def test_whose_limits_are_still_seen_is_not_forgotten_for_those_who_came_once():
    limits = RateLimits()
    for number in range(3 * MOST_OWNERS):
        limits.observe(left(40), "steady")
        limits.observe(left(40), f"model-{number}")
        assert len(limits.newly_low(left(40), "steady")) == (number == 0)
        assert len(limits.newly_low(left(40), f"model-{number}")) == 1
    known = {reading.owner.model for reading in limits.readings()}
    assert "steady" in known
    assert len(known) == MOST_OWNERS


def test_owners_whose_limits_were_low_are_bounded():
    limits = RateLimits()
    for number in range(MOST_OWNERS + 1):
        limits.newly_low(left(0), f"model-{number}")
    # The first one was forgotten, and is told once more.
    assert len(limits.newly_low(left(0), "model-0")) == 1
    assert limits.newly_low(left(0), f"model-{MOST_OWNERS}") == []
