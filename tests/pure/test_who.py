"""Who a call is for."""

import hashlib
from typing import Any

import pytest

from otel_claude.who import MOST_VALUES, Who, pseudonym


def test_only_what_is_asked_for_is_taken_from_the_baggage():
    who = Who(("tenant", "feature"))
    assert who.of({"tenant": "acme", "session": "s1"}) == {"tenant": "acme"}
    assert who.of({}) == {}


def test_values_are_short_text():
    assert Who(("tenant",)).of({"tenant": 7}) == {"tenant": "7"}
    assert len(Who(("tenant",)).of({"tenant": "x" * 1_000})["tenant"]) == 128


def test_a_name_has_a_hundred_values_on_metrics_and_then_one_for_all_others():
    who = Who(("tenant", "feature"))
    told = [who.counted({"tenant": f"t{number}", "feature": "search"}) for number in range(MOST_VALUES + 5)]
    assert [each["tenant"] for each in told] == [f"t{number}" for number in range(100)] + ["_OTHER"] * 5
    assert {each["feature"] for each in told} == {"search"}
    assert who.counted({"tenant": "t3"}) == {"tenant": "t3"}


def test_a_user_is_told_by_a_hash():
    body = {"metadata": {"user_id": "jane@example.com"}}
    assert pseudonym(body) == hashlib.sha256(b"jane@example.com").hexdigest()[:32]


@pytest.mark.parametrize(
    "body", [{}, {"metadata": None}, {"metadata": {"user_id": None}}, {"metadata": {"user_id": 7}}]
)
def test_nobody_is_told_where_nobody_is_named(body: dict[str, Any]):
    assert pseudonym(body) is None


def test_a_lone_surrogate_is_hashed_too():
    assert pseudonym({"metadata": {"user_id": "\ud800"}}) is not None
