"""Which names of models stand for one that was not found."""

from datetime import UTC, date, datetime
from typing import Any, get_args

import pytest
from anthropic.resources.messages.messages import DEPRECATED_MODELS
from anthropic.types import Model
from hypothesis import given
from hypothesis import strategies as st

from otel_claude.diagnosis.models import DATED, RETIRED, is_retired, nearest, others
from otel_claude.pricing import Prices

LISTED = Prices().models()
NAMES = {name for part in get_args(Model) for name in get_args(part)}
"""The names that the SDK knows, of which a deprecated one is served until it is retired."""
ANNOUNCED = {name: day for name, day in DEPRECATED_MODELS.items() if "sonnet-4-5" not in name}
"""The models whose retirement the SDK tells, but for Sonnet 4.5, which goes on 2026-11-30."""


def day_of(told: str) -> date:
    """The SDK writes `June 15th, 2026`."""
    plain = told.replace("st,", ",").replace("nd,", ",").replace("rd,", ",").replace("th,", ",")
    return datetime.strptime(plain, "%B %d, %Y").replace(tzinfo=UTC).date()


@pytest.mark.parametrize("model", ANNOUNCED)
def test_what_the_sdk_says_is_retired_is_retired(model: str):
    assert is_retired(model)
    assert day_of(ANNOUNCED[model]) < date(2026, 11, 23)


@pytest.mark.parametrize("model", sorted(NAMES - DEPRECATED_MODELS.keys()))
def test_what_the_sdk_knows_otherwise_is_served(model: str):
    assert not is_retired(model)
    assert (model in DATED) == (model[-8:].isdigit())


@pytest.mark.parametrize(
    "model",
    [
        "claude-3-7-sonnet-20250219",
        "claude-3-7-sonnet-latest",
        "us.anthropic.claude-3-7-sonnet-20250219-v1:0",
        "claude-3-7-sonnet@20250219",
        "anthropic/claude-3.7-sonnet",
        "Claude-3-7-Sonnet",
        "anthropic.claude-v2:1",
        "anthropic.claude-instant-v1",
    ],
)
def test_a_model_is_retired_under_every_name_of_it(model: str):
    assert is_retired(model)


@pytest.mark.parametrize(
    ("model", "proposed"),
    [
        ("claude-3-7-sonnet-20250219", ["claude-sonnet-5-5", "claude-sonnet-5", "claude-sonnet-4-6"]),
        ("claude-3-5-sonnet-20240620", ["claude-sonnet-5-5", "claude-sonnet-5", "claude-sonnet-4-6"]),
        ("claude-sonnet-4-20250514", ["claude-sonnet-5-5", "claude-sonnet-5", "claude-sonnet-4-6"]),
        ("anthropic.claude-3-sonnet-20240229-v1:0", ["claude-sonnet-5-5", "claude-sonnet-5", "claude-sonnet-4-6"]),
        ("claude-2.1", ["claude-sonnet-5-5", "claude-sonnet-5", "claude-sonnet-4-6"]),
        ("claude-opus-4-1-20250805", ["claude-opus-5-5", "claude-opus-5", "claude-opus-4-8"]),
        ("claude-instant-1.2", ["claude-haiku-5-5", "claude-haiku-4-5"]),
        ("claude-4-5-sonnet", ["claude-sonnet-4-5", "claude-sonnet-5-5", "claude-sonnet-5"]),
        ("claude-sonnet-4.5", ["claude-sonnet-4-5", "claude-sonnet-5-5", "claude-sonnet-5"]),
        ("claude-sonet-4-6", ["claude-sonnet-4-6", "claude-sonnet-5-5", "claude-sonnet-5"]),
        ("claude-sonnet-4-5-latest", ["claude-sonnet-4-5", "claude-sonnet-5-5", "claude-sonnet-5"]),
        ("Claude-Haiku-4-5", ["claude-haiku-4-5", "claude-haiku-5-5"]),
        ("sonnet", ["claude-sonnet-5-5", "claude-sonnet-5", "claude-sonnet-4-6"]),
        # Made-up dates, which are a usual mistake.
        ("claude-opus-4-6-20260205", ["claude-opus-4-6", "claude-opus-5-5", "claude-opus-5"]),
        ("claude-haiku-4-5-20251010", ["claude-haiku-4-5", "claude-haiku-5-5"]),
        # The right date: the shorter name is the same model.
        ("claude-haiku-4-5-20251001", ["claude-haiku-5-5"]),
        ("us.anthropic.claude-haiku-4-5-20251001-v1:0", ["claude-haiku-5-5"]),
        ("claude-haiku-4-5@20251001", ["claude-haiku-5-5"]),
        ("claude-haiku-4-5", ["claude-haiku-5-5"]),
        ("claude-haiku-4-5@default", ["claude-haiku-5-5"]),
        ("gpt-4o", []),
        ("claude", []),
        ("", []),
    ],
)
def test_what_was_meant_is_proposed_first_and_then_the_newest_of_its_line(model: str, proposed: list[str]):
    assert nearest(model, LISTED)[:3] == proposed


def test_a_model_of_which_no_name_is_served_has_no_name_of_its_own_among_the_others():
    for name in ("claude-opus-4-6", "claude-opus-4-6-20260205", "claude-4-6-opus", "anthropic.claude-opus-4-6-v1"):
        assert others(name, LISTED)[:3] == ["claude-opus-5-5", "claude-opus-5", "claude-opus-4-8"]


@given(st.one_of(st.text(max_size=80), st.sampled_from([*RETIRED, *NAMES, *LISTED])))
def test_only_names_that_the_api_takes_are_ever_proposed(model: str):
    proposed = nearest(model, LISTED)
    assert set(proposed) <= NAMES
    assert not set(proposed) & set(RETIRED)
    assert model not in proposed


@pytest.mark.parametrize("model", LISTED)
def test_every_listed_model_is_retired_or_served(model: str):
    """A listed name that is neither would be proposed although the API does not take it."""
    assert is_retired(model) != (model in NAMES)


def test_a_line_is_one_that_is_served():
    lines: Any = {"haiku", "mythos", "opus", "sonnet"}
    assert set(RETIRED.values()) == lines
    assert all(any(line in name for name in LISTED if not is_retired(name)) for line in lines)
