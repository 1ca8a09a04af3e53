"""Rate limit headers, as recordings of real traffic have them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_claude.rate_limits import MOST_WORKSPACES, RateLimits

RECORDED = {
    b"anthropic-ratelimit-requests-limit": b"4000",
    b"anthropic-ratelimit-requests-remaining": b"3999",
    b"anthropic-ratelimit-input-tokens-limit": b"2000000",
    b"anthropic-ratelimit-input-tokens-remaining": b"1999000",
}
"""A part of the headers of the recording f48e879d9ef4 and its like."""


def numbers(limits: RateLimits) -> dict[tuple[str, str, str | None], float]:
    return {(reading.quantity, reading.limit, reading.workspace): reading.value for reading in limits.readings()}


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
    for number in range(MOST_WORKSPACES + 1):
        limits.observe({b"anthropic-ratelimit-tokens-limit": b"1", b"anthropic-workspace-id": str(number).encode()})
    known = {reading.workspace for reading in limits.readings()}
    assert known == {str(number) for number in range(1, MOST_WORKSPACES + 1)}
