"""Who a call is for."""

import hashlib
from typing import Any

import pytest

from otel_claude.who import Who, pseudonym


def test_only_what_is_asked_for_is_taken_from_the_baggage():
    who = Who(("tenant", "feature"))
    assert who.of({"tenant": "acme", "session": "s1"}) == {"tenant": "acme"}
    assert who.of({}) == {}


def test_values_are_short_text():
    assert Who(("tenant",)).of({"tenant": 7}) == {"tenant": "7"}
    assert len(Who(("tenant",)).of({"tenant": "x" * 1_000})["tenant"]) == 128


def test_metrics_tell_two_hundred_combinations_apart_however_many_names_there_are():
    """100 tenants and 100 features would else be 10,000 series of every metric."""
    who = Who(("tenant", "feature"))
    asked = [{"tenant": f"t{tenant}", "feature": f"f{feature}"} for tenant in range(100) for feature in range(100)]
    told = [who.counted(each) for each in asked]
    assert told[:200] == asked[:200]
    assert told[200:] == [{"tenant": "_OTHER", "feature": "_OTHER"}] * 9_800
    assert who.counted(asked[3]) == asked[3]
    assert who.counted({"tenant": "t3"}) == {"tenant": "_OTHER"}
    assert who.counted({}) == {}


def test_a_hundred_tenants_with_two_features_each_keep_their_names():
    who = Who(("tenant", "feature"))
    asked = [{"tenant": f"t{number // 2}", "feature": f"f{number % 2}"} for number in range(200)]
    assert [who.counted(each) for each in asked * 2] == asked * 2


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
