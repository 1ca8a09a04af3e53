"""The record of a run: its sums, what it waits for, and what is repeated in it."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_claude.agents.arguments import arguments_of, digest
from otel_claude.agents.run import MOST_REMEMBERED, Run, is_told

COUNT = st.none() | st.integers(0, 10**6)
CALLS = st.lists(st.tuples(st.integers(0, 3), COUNT, COUNT, COUNT))
"""Calls, each with the depth of its run, its tokens and its cost."""


def runs_in_each_other(depth: int) -> list[Run]:
    runs = [Run("0")]
    for number in range(1, depth):
        runs.append(Run(str(number), parent=runs[-1]))
    return runs


def expected(values: list[int | None]) -> int | None:
    return None if None in values else sum(value for value in values if value is not None)


@given(CALLS)
def test_a_sum_is_over_the_run_and_those_in_it_and_known_if_all_of_it_is(
    calls: list[tuple[int, int | None, int | None, int | None]],
):
    runs = runs_in_each_other(4)
    for depth, tokens_in, tokens_out, cost in calls:
        runs[depth].count_call(input_tokens=tokens_in, output_tokens=tokens_out, cost=cost)

    for depth, run in enumerate(runs):
        inside = [call for call in calls if call[0] >= depth]
        assert run.sums.iterations == len(inside)
        assert run.sums.input_tokens == expected([call[1] for call in inside])
        assert run.sums.output_tokens == expected([call[2] for call in inside])
        assert run.sums.cost == expected([call[3] for call in inside])


def test_threads_lose_nothing():
    outer, inner = runs_in_each_other(2)

    def work(number: int) -> None:
        for _ in range(500):
            inner.count_call(input_tokens=1, output_tokens=2, cost=3)
            inner.count_tool()
            inner.repeats(("search", digest({})))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))

    for run in (outer, inner):
        assert (run.sums.iterations, run.sums.tool_calls, run.sums.cost) == (4_000, 4_000, 12_000)
    assert inner.repeats(("search", digest({}))) == 4_001


KEY = ("search", digest({"q": "x"}))


def test_each_request_is_answered_once():
    run, answer = Run(None), object()
    run.ask([("a", "search", {"q": "x"}), ("b", "search", {"q": "x"})], answer)

    assert [run.take(KEY), run.take(KEY), run.take(KEY)] == ["a", "b", None]


def test_an_answer_may_come_bit_by_bit():
    run, answer = Run(None), object()
    run.ask([("a", "search", {"q": "x"})], answer)
    assert run.take(KEY) == "a"
    run.ask([("b", "search", {"q": "x"})], answer)
    run.ask([("c", "search", {"q": "x"})], answer)

    assert [run.take(KEY), run.take(KEY)] == ["b", "c"]


def test_a_later_answer_takes_the_place_of_an_earlier_one():
    run = Run(None)
    run.ask([("a", "search", {"q": "x"}), ("b", "fetch", {})], object())
    run.ask([("c", "search", {"q": "x"})], object())

    assert [run.take(KEY), run.take(KEY), run.take(("fetch", digest({})))] == ["c", None, "b"]


def test_an_id_that_is_known_is_waited_for_no_more():
    run = Run(None)
    run.ask([("a", "search", {"q": "x"}), ("b", "search", {"q": "x"})], object())

    assert run.take(KEY, "b") == "b"
    assert [run.take(KEY), run.take(KEY)] == ["a", None]
    assert run.take(KEY, "z") == "z"


def test_what_is_unanswered_is_told_once():
    run = Run(None)
    run.ask([("a", "search", {"q": "x"}), ("b", "fetch", {})], object())
    run.take(KEY)

    assert run.unanswered("a") is None
    assert [run.unanswered("b"), run.unanswered("b")] == ["fetch", None]


def test_what_cannot_be_compared_is_answered_and_repeated_by_nobody():
    run, strange = Run(None), object()
    run.ask([("a", "search", strange)], object())

    assert run.take(("search", digest(strange))) is None
    assert [run.repeats(("search", None)), run.repeats(("search", None))] == [1, 1]


def test_a_long_run_does_not_grow():
    run = Run(None)
    for number in range(3 * MOST_REMEMBERED):
        run.ask([(str(number), "search", number)], object())
        run.repeats(("search", digest(number)))

    assert run.take(("search", digest(0))) is None
    assert run.unanswered("0") is None
    assert run.repeats(("search", digest(0))) == 1
    last = 3 * MOST_REMEMBERED - 1
    assert run.take(("search", digest(last))) == str(last)
    assert run.repeats(("search", digest(last))) == 2


def test_what_is_told_of_repetitions():
    assert [times for times in range(1, 100) if is_told(times)] == [3, 6, 12, 24, 48, 96]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(alphabet=st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(alphabet=st.characters(codec="utf-8")), inner),
)


@given(JSON)
def test_equal_arguments_have_one_digest(value: Any):
    import json

    assert digest(json.loads(json.dumps(value))) == digest(value) is not None


def test_arguments_in_any_order_have_one_digest():
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})


def circle() -> list[Any]:
    items: list[Any] = []
    items.append(items)
    return items


@pytest.mark.parametrize("value", [object(), {"a": {1, 2}}, {1: 2, "a": 3}, circle(), "\ud800"])
def test_what_is_no_json_has_none_or_says_nothing_else(value: Any):
    assert digest(value) is None or isinstance(digest(value), bytes)


def search(query: str, limit: int = 3) -> None:
    """A function."""


@pytest.mark.parametrize(
    ("args", "kwargs", "arguments"),
    [
        ((), {"query": "x"}, {"query": "x"}),
        (("x",), {}, {"query": "x"}),
        (("x", 5), {}, {"query": "x", "limit": 5}),
        (("x",), {"limit": 5}, {"query": "x", "limit": 5}),
        (({"query": "x"},), {}, {"query": "x"}),
        ((), {}, {}),
    ],
)
def test_arguments_are_as_a_model_would_write_them(args: Any, kwargs: Any, arguments: Any):
    assert arguments_of(search, args, kwargs) == arguments
