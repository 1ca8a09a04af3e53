"""The API's usage objects, as recordings of real traffic have them (their ids are those of the recordings)."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from otel_claude.usage import NOTHING, Step, Usage, add, merge, read

COUNTS = ("input", "output", "cache_read", "cache_write", "cache_write_1h", "thinking", "web_searches")


def test_every_field_that_the_api_says_is_read():
    usage = read(
        {
            "input_tokens": 12,
            "output_tokens": 41,
            "cache_read_input_tokens": 2000,
            "cache_creation_input_tokens": 300,
            "cache_creation": {"ephemeral_5m_input_tokens": 200, "ephemeral_1h_input_tokens": 100},
            "output_tokens_details": {"thinking_tokens": 17},
            "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 1},
            "service_tier": "standard",
            "speed": "fast",
            "inference_geo": "us",
        }
    )
    assert usage == Usage(12, 41, 2000, 300, 100, 17, 2, 1, 0, "standard", "fast", "us")
    assert usage.prompt == 12 + 2000 + 300
    assert usage.cache_write_5m == 200


def test_without_a_split_by_lifetime_all_writes_are_for_five_minutes():
    assert read({"input_tokens": 1, "cache_creation_input_tokens": 7}).cache_write_5m == 7


def test_what_the_api_does_not_say_is_unknown_and_not_zero():
    assert read({}) == NOTHING
    assert NOTHING.prompt is None
    assert read({"output_tokens": 0}).output == 0


def test_iterations_become_steps_with_their_own_models():
    """From the recording 781613aac720, of which the advisor step is billed at another model's price."""
    usage = read(
        {
            "input_tokens": 2482,
            "output_tokens": 166,
            "iterations": [
                {"type": "message", "input_tokens": 1128, "output_tokens": 155},
                {"type": "advisor_message", "model": "claude-fable-5", "input_tokens": 2564, "output_tokens": 99},
                {"type": "message", "input_tokens": 1354, "output_tokens": 11},
            ],
        }
    )
    assert usage.steps == (
        Step("message", None, Usage(1128, 155)),
        Step("advisor_message", "claude-fable-5", Usage(2564, 99)),
        Step("message", None, Usage(1354, 11)),
    )


def test_a_delta_is_cumulative_and_leaves_what_it_does_not_say():
    """A stream's `message_start` says the cache split, its `message_delta` the final output."""
    start = {"input_tokens": 12, "cache_creation_input_tokens": 300, "cache_creation": {"ephemeral_1h_input_tokens": 1}}
    merged = merge(start, {"output_tokens": 41, "input_tokens": None, "cache_creation_input_tokens": 300})
    assert merged == {**start, "output_tokens": 41}
    assert merge(merged, {"output_tokens": 0})["output_tokens"] == 0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = [
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "cache_creation",
    "server_tool_use",
    "output_tokens_details",
    "iterations",
    "service_tier",
    "fallback_credit",
]


@given(st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_no_usage_object_is_too_odd_to_be_read(said: dict[str, Any]):
    usage = read(said)
    assert all(isinstance(getattr(usage, name), int | None) for name in COUNTS)
    assert usage.prompt is None or isinstance(usage.prompt, int)


COUNT = st.none() | st.integers(0, 10**9)
USAGES = st.builds(Usage, COUNT, COUNT, COUNT, COUNT)


@given(USAGES, USAGES)
def test_added_counts_are_sums_of_what_is_known(one: Usage, other: Usage):
    total = add(one, other)
    for name in ("input", "output", "cache_read", "cache_write"):
        known = [count for count in (getattr(one, name), getattr(other, name)) if count is not None]
        assert getattr(total, name) == (sum(known) if known else None)
