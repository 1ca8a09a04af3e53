"""The record of a run: its sums, what it waits for, and what is repeated in it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Any

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_claude.agents.arguments import arguments_of, digest
from otel_claude.agents.requests import MOST_ANSWERS, MOST_REMEMBERED, is_told
from otel_claude.agents.run import Run, Sums

COUNT = st.none() | st.integers(0, 10**6)
AMOUNTS = st.builds(Sums, ended=st.just(1), input_tokens=COUNT, output_tokens=COUNT, cost=COUNT)
CALLS = st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.none() | AMOUNTS))
"""Calls, each with the depth of its run, whether it asks a model, and what it adds, where it has ended."""

STARTED, ENDED = Sums(iterations=1, calls=1), Sums(ended=1, input_tokens=1, output_tokens=2, cost=3)


def runs_in_each_other(depth: int) -> list[Run]:
    runs = [Run("0")]
    for number in range(1, depth):
        runs.append(Run(str(number), parent=runs[-1]))
    return runs


def expected(values: list[int | None]) -> int | None:
    return None if None in values else sum(value for value in values if value is not None)


@given(CALLS)
def test_a_sum_is_over_the_run_and_those_in_it_and_known_if_all_of_it_is(calls: list[tuple[int, bool, Sums | None]]):
    runs = runs_in_each_other(4)
    for depth, is_iteration, _ in calls:
        runs[depth].count(Sums(iterations=int(is_iteration), calls=1))
    for depth, _, amounts in calls:
        if amounts is not None:
            runs[depth].count(amounts)

    for depth, run in enumerate(runs):
        inside = [call for call in calls if call[0] >= depth]
        added = [amounts or Sums(input_tokens=None, output_tokens=None, cost=None) for _, _, amounts in inside]
        sums = run.sums.known()
        assert sums.iterations == sum(is_iteration for _, is_iteration, _ in inside)
        assert sums.input_tokens == expected([amounts.input_tokens for amounts in added])
        assert sums.output_tokens == expected([amounts.output_tokens for amounts in added])
        assert sums.cost == expected([amounts.cost for amounts in added])


def test_threads_lose_nothing():
    outer, inner = runs_in_each_other(2)

    def work(number: int) -> None:
        for _ in range(500):
            inner.count(STARTED)
            inner.count(ENDED)
            inner.execute(KEY)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))

    for run in (outer, inner):
        sums = run.sums.known()
        assert (sums.iterations, sums.tool_calls, sums.cost) == (4_000, 4_000, 12_000)
    assert inner.execute(KEY) == (None, 4_001, False)


KEY = ("search", digest({"q": "x"}))


def test_each_request_is_answered_in_its_turn_and_then_the_last_is_tried_again():
    run, answer = Run(None), object()
    run.ask([("a", "search", {"q": "x"}), ("b", "search", {"q": "x"})], answer)

    executed = [run.execute(KEY) for _ in range(4)]
    assert executed == [("a", 1, False), ("b", 2, False), ("b", 2, True), ("b", 2, True)]
    assert run.sums.tool_calls == 2


def test_a_try_of_a_request_whose_id_is_known_is_no_repetition():
    run = Run(None)
    executed = [run.execute(KEY, identity) for identity in ("a", "b", "a", "a", "c")]

    assert executed == [("a", 1, False), ("b", 2, False), ("a", 2, True), ("a", 2, True), ("c", 3, False)]
    assert run.sums.tool_calls == 3


def test_a_try_with_other_arguments_is_one_too():
    run, other = Run(None), ("search", digest({"q": "y"}))

    assert [run.execute(KEY, "a"), run.execute(other, "a")] == [("a", 1, False), ("a", 1, True)]
    assert run.execute(other, "b") == ("b", 1, False)


def test_an_id_that_is_asked_with_again_is_another_request():
    """Some who speak the API's language count the calls of each answer from one."""
    run = Run(None)
    for times in (1, 2, 3):
        run.ask([("call_1", "search", {"q": "x"})], object())
        assert run.execute(KEY) == ("call_1", times, False)


def test_what_nobody_asked_for_is_another_call_each_time():
    run = Run(None)

    assert [run.execute(KEY), run.execute(KEY)] == [(None, 1, False), (None, 2, False)]


def test_an_answer_may_come_bit_by_bit():
    run, answer = Run(None), object()
    run.ask([("a", "search", {"q": "x"})], answer)
    assert run.execute(KEY).call == "a"
    run.ask([("b", "search", {"q": "x"})], answer)
    run.ask([("c", "search", {"q": "x"})], answer)

    assert [run.execute(KEY).call, run.execute(KEY).call] == ["b", "c"]


def test_what_the_last_answer_asks_for_goes_before_what_earlier_ones_have_asked_for():
    run = Run(None)
    run.ask([("a", "search", {"q": "x"}), ("b", "fetch", {})], object())
    run.ask([("c", "search", {"q": "x"}), ("d", "search", {"q": "x"})], object())

    executed = [run.execute(KEY) for _ in range(4)]

    assert executed == [("c", 1, False), ("d", 2, False), ("a", 3, False), ("a", 3, True)]
    assert run.sums.tool_calls == 3
    assert run.execute(("fetch", digest({}))).call == "b"


def test_conversations_that_go_on_at_once_in_one_run_are_all_counted():
    run = Run(None)
    for number in range(8):
        run.ask([(f"toolu_{number}", "search", {"q": "x"})], object())

    executed = [run.execute(KEY).call for _ in range(8)]

    assert sorted(filter(None, executed)) == [f"toolu_{number}" for number in range(8)]
    assert run.sums.tool_calls == 8


def test_no_more_answers_are_remembered_than_may_be():
    run = Run(None)
    for number in range(MOST_ANSWERS + 1):
        run.ask([(f"toolu_{number}", "search", {"q": "x"})], object())

    executed = [run.execute(KEY) for _ in range(MOST_ANSWERS + 1)]

    assert [request.again for request in executed] == [False] * MOST_ANSWERS + [True]
    assert executed[-1].call == "toolu_1"


def test_an_id_that_is_executed_with_other_arguments_waits_no_more():
    run = Run(None)
    run.ask([("a", "search", {"q": "x"})], object())

    assert run.execute(("search", digest({"q": "better"})), "a") == ("a", 1, False)
    assert run.execute(KEY) == (None, 1, False)
    assert run.unanswered("a") is None


def test_requests_that_cannot_be_compared_are_known_by_their_ids_alone():
    run = Run(None)
    run.ask([("a", "search", {1: 2})], object())

    assert run.execute(("search", None)) == (None, 1, False)
    assert run.unanswered("a") == "search"


def test_tries_of_one_request_in_runs_of_their_own_are_one_call():
    outer = Run(None)
    outer.ask([("a", "search", {"q": "x"})], object())

    for _ in range(2):
        Run(None, outer).execute(KEY, "a")

    assert outer.sums.tool_calls == 1


def test_what_goes_on_inside_is_not_known_until_it_has_ended():
    outer = Run(None)
    inner = Run(None, outer)
    inner.enter_step()
    assert outer.known_sums.iterations is None

    inner.count(STARTED)
    inner.count(ENDED)
    inner.leave_step()

    assert (outer.known_sums.iterations, outer.known_sums.cost) == (1, 3)


def test_runs_that_have_ended_are_let_go():
    first = Run(None)
    second = Run(None, first)
    third = Run(None, second)
    second.finished = True

    third.count(STARTED)

    assert third.parent is first
    assert (first.sums.calls, second.sums.calls) == (1, 0)


def test_an_id_that_is_known_is_waited_for_no_more():
    run = Run(None)
    run.ask([("a", "search", {"q": "x"}), ("b", "search", {"q": "x"})], object())

    assert run.execute(KEY, "b").call == "b"
    assert run.execute(KEY) == ("a", 2, False)
    assert run.execute(KEY, "z") == ("z", 3, False)


def test_what_is_unanswered_is_told_once():
    run = Run(None)
    run.ask([("a", "search", {"q": "x"}), ("b", "fetch", {})], object())
    run.execute(KEY)

    assert run.unanswered("a") is None
    assert [run.unanswered("b"), run.unanswered("b")] == ["fetch", None]


def test_what_cannot_be_compared_is_answered_and_repeated_by_nobody():
    run, strange = Run(None), object()
    run.ask([("a", "search", strange)], object())

    assert [run.execute(("search", digest(strange))) for _ in range(2)] == 2 * [(None, 1, False)]
    assert [run.execute(("search", None), "a") for _ in range(2)] == [("a", 1, False), ("a", 1, True)]


def test_a_long_run_does_not_grow():
    run = Run(None)
    for number in range(3 * MOST_REMEMBERED):
        run.ask([(str(number), "search", number)], object())
        run.execute(("fetch", digest(number)), f"fetch {number}")

    first, last = 0, 3 * MOST_REMEMBERED - 1
    assert run.unanswered(str(first)) is None
    assert run.execute(("search", digest(first))) == (None, 1, False)
    assert run.execute(("fetch", digest(first)), f"fetch {first}") == (f"fetch {first}", 1, False)
    assert run.execute(("search", digest(last))) == (str(last), 1, False)
    assert run.execute(("fetch", digest(last)), f"fetch {last}") == (f"fetch {last}", 1, True)


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


class Query(pydantic.BaseModel):
    """Arguments, as an application may have them checked."""

    model_config = {"extra": "allow"}

    q: str
    limit: float = 3


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        ({"a": [2.0]}, {"a": (2,)}),
        (0.0, -0.0),
        (float("nan"), float("nan")),
        (Query(q="x"), {"q": "x"}),
        (Query(q="x", limit=2), {"q": "x", "limit": 2}),
        (Query.model_validate({"q": "x", "lang": "en"}), {"q": "x", "lang": "en"}),
        (PurePosixPath("/a"), "/a"),
        (Path("a"), "a"),
    ],
)
def test_what_json_has_one_word_for_is_equal(one: Any, other: Any):
    assert digest(one) == digest(other) is not None


@pytest.mark.parametrize(("one", "other"), [(1, True), (1, "1"), (1, 1.5), (None, 0), (Query(q="x"), Query(q="y"))])
def test_what_it_has_two_for_is_not(one: Any, other: Any):
    assert digest(one) != digest(other)


def test_no_code_of_the_applications_runs_for_it():
    seen: list[str] = []

    class Number(float):
        def __int__(self) -> int:
            seen.append("number")
            return 0

        is_integer = __int__  # pyright: ignore[reportAssignmentType]  # what it gives is of no account

    class Lazy:
        """It is made when it is looked at."""

        def __getattribute__(self, name: str) -> Any:
            seen.append(name)
            return object.__getattribute__(self, name)

    class Table(dict[str, int]):
        def items(self) -> Any:
            seen.append("items")
            return super().items()

    digests = [digest(value) for value in (Number(4), Number(4.5), Table(a=1), Lazy(), [Lazy()])]

    assert digests == [digest(4), digest(4.5), digest({"a": 1}), None, None]
    assert seen == []


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


def others(first: Any = None, second: Any = None) -> None:
    """A function that can be called without any argument."""


def needs(query: Any, *, page: int = 1, **more: Any) -> None:
    """A function that needs one."""


def named_alike(a: Any, /, **more: Any) -> None:
    """A function whose first argument has no name for its callers."""


class Needs(pydantic.BaseModel):
    """What a function needs, as a model of pydantic."""

    query: str


def several(*queries: Any) -> None:
    """A function that takes any number of arguments."""


@pytest.mark.parametrize(
    ("function", "args", "kwargs", "arguments"),
    [
        (others, ({"second": 1},), {}, {"first": {"second": 1}}),
        (others, (), {"second": 1}, {"second": 1}),
        (others, (), {"first": {"second": 1}}, {"first": {"second": 1}}),
        (needs, ({"query": "x"},), {}, {"query": "x"}),
        (needs, (Needs(query="x"),), {}, Needs(query="x")),
        (needs, (Needs(query="x"),), {"page": 2}, {"query": Needs(query="x"), "page": 2}),
        (needs, ({"query": "x"},), {"page": 2}, {"query": {"query": "x"}, "page": 2}),
        (needs, ("x",), {"page": 2, "z": 3}, {"query": "x", "page": 2, "z": 3}),
        (named_alike, (1,), {"a": 2}, {"a": 1, "more": {"a": 2}}),
        (named_alike, (5,), {"a": 2}, {"a": 5, "more": {"a": 2}}),
        (several, ({"q": "x"},), {}, {"q": "x"}),
        (several, ("x", "y"), {}, {"queries": ("x", "y")}),
        (search, ("x", "y", "z"), {}, {"args": ["x", "y", "z"]}),
    ],
)
def test_arguments_of_other_signatures(function: Any, args: Any, kwargs: Any, arguments: Any):
    assert arguments_of(function, args, kwargs) == arguments


def test_a_key_that_is_no_string_is_not_compared():
    class Key(str):
        __slots__ = ()

        def __lt__(self, other: str) -> bool:
            raise AssertionError("it was asked")

    assert digest({Key("b"): 1, Key("a"): 2}) == digest({"a": 2, "b": 1})
    assert digest({1: "a"}) is None
    assert digest({"1": "a"}) is not None
