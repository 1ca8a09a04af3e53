"""Whatever frames come, in whatever order, and however the connection ends: each thing starts once and ends once."""

from typing import Any

import agent_frames
from agent_frames import MS, Passed, recorded
from hypothesis import given
from hypothesis import strategies as st

from otel_claude.agent_sdk.conversation import Conversation
from otel_claude.agent_sdk.runs import Limit, Run, Step, ToolUse
from otel_claude.values import is_array, is_object

ALL = [passed for name in agent_frames.names() for passed in recorded(name) if passed.way != "exit"]


def steps_of(script: list[Passed]) -> list[Step]:
    conversation, steps = Conversation(new=True), list[Step]()
    for index, passed in enumerate(script):
        if passed.way == "out":
            steps += conversation.sent(passed.frame, index * MS)
        else:
            steps += conversation.received(passed.frame, index * MS)
    return steps + conversation.close(len(script) * MS, "abandoned")


def check(steps: list[Step]) -> None:
    open_now: list[Any] = []
    done: list[Any] = []
    for what, thing in steps:
        assert not isinstance(thing, Limit)
        if what == "start":
            assert thing not in open_now
            assert thing not in done
            around = thing.run if not isinstance(thing, Run) else thing.launcher
            # Its span needs the context of what it is inside of, which may have ended.
            assert around is None or around in open_now or around in done
            open_now.append(thing)
        else:
            open_now.remove(thing)
            done.append(thing)
            assert thing.ended_at is not None
            assert thing.ended_at >= thing.started_at
    assert open_now == []
    for thing in done:
        assert not isinstance(thing, Run) or thing.iterations is None or thing.iterations >= 0
    used = [thing for thing in done if isinstance(thing, ToolUse) and thing.error_type != "permission_denied"]
    turns = [thing for thing in done if isinstance(thing, Run) and thing.launcher is None]
    assert sum(turn.tool_calls for turn in turns) <= len(used)


@given(st.data())
def test_frames_in_any_order_start_and_end_each_thing_once(data: st.DataObject):
    script = list(recorded(data.draw(st.sampled_from(agent_frames.names()))))
    check(steps_of(data.draw(st.permutations([passed for passed in script if passed.way != "exit"]))))


@given(st.data())
def test_frames_that_are_missing_or_come_twice_start_and_end_each_thing_once(data: st.DataObject):
    check(steps_of(data.draw(st.lists(st.sampled_from(ALL), max_size=80))))


@given(st.data())
def test_a_connection_that_ends_early_starts_and_ends_each_thing_once(data: st.DataObject):
    script = [passed for passed in recorded(data.draw(st.sampled_from(agent_frames.names()))) if passed.way != "exit"]
    check(steps_of(script[: data.draw(st.integers(0, len(script)))]))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


# By their numbers: whole frames are more than Hypothesis likes to print.
NUMBERS = st.integers(0, len(ALL) - 1)
PATHS = st.lists(st.integers(0, 30), min_size=1, max_size=4)


@given(st.lists(st.tuples(NUMBERS, PATHS, JSON), max_size=20))
def test_frames_with_something_else_where_anything_was(spoiled: list[tuple[int, list[int], Any]]):
    frames = [(ALL[number], path, value) for number, path, value in spoiled]
    check(steps_of([passed._replace(frame=_spoiled(passed.frame, path, value)) for passed, path, value in frames]))


def _spoiled(value: Any, path: list[int], other: Any) -> Any:
    """`value` with `other` somewhere in it: at the object that is the outermost one, behind the first field."""
    if not path:
        return other
    if is_object(value) and value:
        keys = list(value)
        key = keys[path[0] % len(keys)]
        return {**value, key: _spoiled(value[key], path[1:], other)}
    if is_array(value) and value:
        index = path[0] % len(value)
        return [*value[:index], _spoiled(value[index], path[1:], other), *value[index + 1 :]]
    return other
