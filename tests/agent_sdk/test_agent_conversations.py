"""What a record makes of frames: those that the CLI has sent, and those that it sends now and then."""

from typing import Any

import agent_frames
import pytest
from agent_frames import MS, Passed, played, recorded
from observed_connection import MODEL, answer, gave, task, use

from otel_claude.agent_sdk.conversation import Conversation
from otel_claude.agent_sdk.limits import Limits
from otel_claude.agent_sdk.runs import Answer, Limit, Run, Step, ToolUse
from otel_claude.values import is_object


def runs(steps: list[Step]) -> list[Run]:
    return [thing for what, thing in steps if what == "end" and isinstance(thing, Run)]


def answers(steps: list[Step]) -> list[Answer]:
    return [thing for what, thing in steps if what == "end" and isinstance(thing, Answer)]


def tools(steps: list[Step]) -> list[ToolUse]:
    return [thing for what, thing in steps if what == "end" and isinstance(thing, ToolUse)]


def at(name: str, frame_type: str, index: int = 0) -> int:
    """When a frame of this type has passed in a recording, in nanoseconds."""
    return [passed.ms for passed in recorded(name) if passed.frame["type"] == frame_type][index] * MS


def prompt(text: str = "Hello") -> dict[str, Any]:
    return {"type": "user", "message": {"role": "user", "content": text}}


def result(**more: Any) -> dict[str, Any]:
    return {"type": "result", "subtype": "success", "is_error": False, **more}


class Connection:
    """A conversation to talk to, frame by frame, one each second."""

    def __init__(self, *, new: bool = True) -> None:
        self.conversation = Conversation(new=new)
        self.steps: list[Step] = []
        self._now = 0

    def send(self, frame: dict[str, Any], caller: object = "a caller") -> None:
        self._now += 1000
        self.steps += self.conversation.sent(frame, self._now, caller)

    def receive(self, *frames: dict[str, Any]) -> None:
        for frame in frames:
            self._now += 1000
            self.steps += self.conversation.received(frame, self._now)

    def close(self) -> None:
        self._now += 1000
        self.steps += self.conversation.close(self._now, "abandoned")


def test_frames_of_one_response_are_one_answer():
    _, steps = played(recorded("two_tools"))
    assert [(answer.id, [block["type"] for block in answer.blocks]) for answer in answers(steps)] == [
        ("msg_sim_0001", ["text", "tool_use", "tool_use"]),
        ("msg_sim_0002", ["text"]),
    ]


def test_an_answer_lasts_from_what_was_asked_to_its_last_frame():
    first, second = answers(played(recorded("two_tools"))[1])
    # The first `user` frame is the prompt, the others are what the tools gave.
    assert (first.started_at, first.ended_at) == (at("two_tools", "user"), at("two_tools", "assistant", 2))
    assert (second.started_at, second.ended_at) == (at("two_tools", "user", -1), at("two_tools", "assistant", -1))


def test_how_long_an_output_is_only_the_end_of_its_stream_says():
    # 20 and 10 are the tokens that the simulated API was told to say.
    assert [answer.usage.output for answer in answers(played(recorded("two_tools"))[1])] == [None, None]
    assert [answer.usage.output for answer in answers(played(recorded("partial"))[1])] == [20, 10]


def test_what_an_answer_took_in_is_always_known():
    # 100 and 200 tokens, with 30 read from the cache and 20 written to it.
    assert [answer.usage.prompt for answer in answers(played(recorded("two_tools"))[1])] == [150, 250]


def test_a_subagent_in_the_background_outlives_its_turn():
    first, subagent, second, third = runs(played(recorded("background"))[1])
    assert (first.launcher, second.launcher, third.launcher) == (None, None, None)
    assert subagent.launcher is not None
    assert subagent.launcher.run is first
    assert subagent.ended_at is not None
    assert first.ended_at is not None
    assert subagent.ended_at > first.ended_at
    assert (second.origin, second.follows, second.caller) == ("task-notification", first, "the application")
    assert (third.origin, third.follows) == (None, None)


def test_a_turn_counts_what_was_done_since_the_turn_before():
    first, subagent, second, third = runs(played(recorded("background"))[1])
    # The subagent asks twice and uses a tool after the first turn, in which its own launch is a tool call.
    assert [(run.iterations, run.tool_calls) for run in (first, subagent, second, third)] == [
        (2, 1),
        (2, 1),
        (3, 1),
        (1, 0),
    ]


def test_of_a_subagent_whose_texts_the_cli_keeps_the_iterations_are_not_known():
    subagent, turn = runs(played(recorded("foreground"))[1])
    assert (subagent.iterations, subagent.input_tokens, subagent.tool_calls) == (None, None, 1)
    assert (turn.iterations, turn.tool_calls) == (None, 2)


def test_a_subagent_whose_texts_are_forwarded_has_all_its_sums():
    connection = Connection()
    connection.send({"type": "control_request", "request": {"subtype": "initialize", "forwardSubagentText": True}})
    connection.send(prompt())
    connection.receive(
        answer("1", use("toolu_agent", "Agent", subagent_type="Explore")),
        task("task_started", subagent_type="Explore", is_backgrounded=False),
        answer("2", parent_tool_use_id="toolu_agent"),
        gave("toolu_agent"),
        result(),
    )
    subagent, turn = runs(connection.steps)
    assert (subagent.name, subagent.iterations, subagent.input_tokens) == ("Explore", 1, 7)
    assert turn.iterations == 2


def test_a_subagent_inside_a_subagent_counts_for_both():
    connection = Connection()
    connection.send(prompt())
    background = {"is_backgrounded": True}
    connection.receive(
        answer("1", use("toolu_agent", "Agent")),
        task("task_started", **background),
        answer("2", use("toolu_inner", "Agent"), parent_tool_use_id="toolu_agent", agent_id="task_1"),
        task("task_started", **background) | {"task_id": "task_2", "tool_use_id": "toolu_inner"},
        answer("3", parent_tool_use_id="toolu_inner", agent_id="task_2"),
        task("task_updated", patch={"status": "completed"}) | {"task_id": "task_2", "tool_use_id": None},
        task("task_notification", status="failed"),
        result(),
    )
    inner, outer, turn = runs(connection.steps)
    assert inner.launcher is not None
    assert inner.launcher.run is outer
    assert (inner.iterations, outer.iterations, turn.iterations) == (1, 2, 3)
    assert (inner.input_tokens, outer.input_tokens) == (7, 14)
    assert (inner.outcome, outer.outcome, outer.error_type) == ("completed", "failed", "subagent_failed")


def launched(number: int) -> tuple[dict[str, Any], ...]:
    """The frames of an answer that launches a subagent in the background."""
    launcher = f"toolu_{number}"
    return (
        answer(f"launch {number}", use(launcher, "Agent")),
        task("task_started", task_id=f"task_{number}", tool_use_id=launcher, is_backgrounded=True),
        gave(launcher) | {"tool_use_result": {"isAsync": True}},
    )


def finished(number: int) -> dict[str, Any]:
    return task("task_notification", task_id=f"task_{number}", tool_use_id=f"toolu_{number}", status="completed")


NOTIFIED = {"origin": {"kind": "task-notification"}}


def test_the_cli_goes_back_to_the_turn_of_each_subagent_that_has_finished():
    connection = Connection()
    connection.send(prompt(), "first caller")
    connection.receive(*launched(1), result())
    connection.send(prompt(), "second caller")
    connection.receive(*launched(2), finished(1), finished(2), result())
    connection.receive(answer("own 1"), result(**NOTIFIED), answer("own 2"), result(**NOTIFIED))
    turns = [run for run in runs(connection.steps) if run.launcher is None]
    assert [run.caller for run in turns] == ["first caller", "second caller", "first caller", "second caller"]
    assert [run.follows for run in turns] == [None, None, turns[0], turns[1]]


def test_a_turn_of_the_clis_own_goes_back_to_the_last_one_that_was_asked_for():
    connection = Connection()
    connection.send(prompt())
    connection.receive(answer("1"), result(), answer("2"), result(**NOTIFIED), answer("3"), result(**NOTIFIED))
    first, *own = runs(connection.steps)
    assert [run.follows for run in own] == [first, first]


def test_what_the_model_was_told_with_a_prompt_it_is_not_told_again():
    connection = Connection()
    connection.send(prompt(), "first caller")
    connection.receive(*launched(1), result(), finished(1))
    connection.send(prompt(), "second caller")
    connection.receive(answer("2"), result())
    assert connection.conversation.is_settled()
    connection.receive(answer("3"), result(**NOTIFIED))
    assert runs(connection.steps)[-1].caller == "second caller"


@pytest.mark.parametrize(("frames", "is_known"), [((finished(1), result()), True), ((result(), finished(1)), False)])
def test_a_closed_connection_has_told_of_what_had_finished_before_its_last_result(
    frames: tuple[dict[str, Any], ...], *, is_known: bool
):
    connection = Connection()
    connection.send(prompt())
    connection.receive(*launched(1), *frames)
    assert not connection.conversation.is_settled()
    connection.close()
    assert connection.conversation.is_settled() == is_known


def test_a_cli_that_is_idle_goes_back_to_nothing():
    connection = Connection()
    connection.send(prompt())
    connection.receive(RUNNING, INIT, *launched(1), finished(1), result())
    assert not connection.conversation.is_settled()
    connection.receive(IDLE)
    assert connection.conversation.is_settled()


def test_a_shell_in_the_background_is_no_subagent():
    connection = Connection()
    connection.send(prompt())
    connection.receive(answer("1", use("toolu_agent")), task("task_started", task_type="local_bash"), result())
    assert len(runs(connection.steps)) == 1


def test_an_answer_of_a_subagent_begins_it_where_no_task_was_told_of():
    connection = Connection()
    connection.send(prompt())
    connection.receive(
        answer("1", use("toolu_agent", "Task", subagent_type="Plan")),
        answer("2", parent_tool_use_id="toolu_agent"),
        gave("toolu_agent"),
        result(),
    )
    subagent, _ = runs(connection.steps)
    assert (subagent.name, subagent.launcher) == ("Plan", tools(connection.steps)[0])


def test_a_late_answer_of_a_subagent_belongs_to_the_turn():
    connection = Connection()
    connection.send(prompt())
    connection.receive(
        answer("1", use("toolu_agent", "Agent")),
        task("task_started"),
        gave("toolu_agent"),
        answer("2", parent_tool_use_id="toolu_agent"),
        result(),
    )
    *_, turn = runs(connection.steps)
    assert answers(connection.steps)[-1].run is turn


def test_a_prompt_that_is_sent_during_a_turn_of_the_clis_own_gets_the_next_one():
    connection = Connection()
    connection.send(prompt(), "first caller")
    connection.receive(answer("1"), result())
    connection.send(prompt(), "second caller")
    connection.receive(
        answer("2"), result(origin={"kind": "task-notification"}), answer("3"), result(origin={"kind": "human"})
    )
    first, own, second = runs(connection.steps)
    assert (own.origin, own.follows, own.prompt) == ("task-notification", first, None)
    assert (second.origin, second.follows, second.prompt, second.caller) == (None, None, "Hello", "second caller")


def state(word: str) -> dict[str, Any]:
    return {"type": "system", "subtype": "session_state_changed", "state": word}


IDLE, RUNNING, INIT = state("idle"), state("running"), {"type": "system", "subtype": "init"}


def asked(steps: list[Step]) -> list[tuple[Any, ...]]:
    """For each turn: who has asked, when it began, and what was asked."""
    return [(run.caller, run.started_at, run.prompt, *(each.content for each in run.joined)) for run in runs(steps)]


def test_prompts_that_are_there_when_the_cli_starts_to_run_are_one_turn():
    connection = Connection()
    connection.send(prompt("one"), "first caller")
    connection.send(prompt("two"), "second caller")
    connection.receive(RUNNING, INIT, answer("1"), result(), IDLE)
    connection.send(prompt("three"), "third caller")
    connection.receive(RUNNING, INIT, answer("2"), result(), IDLE)
    assert asked(connection.steps) == [("first caller", 1000, "one", "two"), ("third caller", 8000, "three")]
    assert [each.caller for each in runs(connection.steps)[0].joined] == ["second caller"]


def test_a_prompt_that_is_sent_before_the_cli_says_that_it_is_idle_does_not_lose_its_turn():
    connection = Connection()
    connection.send(prompt("one"))
    connection.send(prompt("two"))
    connection.receive(RUNNING, INIT, answer("1"), result())
    connection.send(prompt("three"), "third caller")
    connection.receive(IDLE, RUNNING, INIT, answer("2"), result())
    assert asked(connection.steps) == [("a caller", 1000, "one", "two"), ("third caller", 7000, "three")]


def test_a_prompt_after_an_interrupt_has_a_turn_of_its_own():
    """The CLI has not read it yet when it says that it is idle."""
    connection = Connection()
    connection.send(prompt("one"), "first caller")
    connection.receive(RUNNING, INIT)
    connection.send(prompt("two"), "second caller")
    connection.receive(result(subtype="error_during_execution", terminal_reason="aborted_streaming"))
    connection.receive(IDLE, RUNNING, INIT, answer("1"), result(), IDLE)
    assert asked(connection.steps) == [("first caller", 1000, "one"), ("second caller", 8000, "two")]
    assert [run.outcome for run in runs(connection.steps)] == ["cancelled", "completed"]


def test_a_prompt_that_is_written_just_before_the_result_of_a_turn_of_the_clis_own():
    """It was written just after it in the recording."""
    script = [passed for passed in recorded("background") if passed.way != "exit"]
    index = [index for index, passed in enumerate(script) if passed.way == "out" and passed.frame["type"] == "user"][1]
    script.insert(index - 1, script.pop(index)._replace(ms=script[index - 1].ms))
    *_, own, second = runs(played(script)[1])
    assert (own.origin, own.prompt) == ("task-notification", None)
    assert (second.origin, second.prompt, second.caller) == (None, "And now?", "the application")


def test_a_prompt_that_was_answered_in_the_turn_before_has_none():
    """The CLI takes prompts in between two answers as well, and does not say so."""
    connection = Connection()
    connection.send(prompt("one"))
    connection.receive(RUNNING, INIT, answer("1", use("toolu_1")))
    connection.send(prompt("two"))
    connection.receive(gave("toolu_1"), answer("2"), result(), IDLE)
    connection.send(prompt("three"))
    connection.receive(RUNNING, INIT, answer("3"), result(), IDLE)
    connection.receive(RUNNING, INIT, answer("4"), result(origin={"kind": "task-notification"}))
    assert [run.prompt for run in runs(connection.steps)] == ["one", "three", None]


def test_a_turn_of_the_clis_own_answers_none_of_the_prompts_that_wait():
    connection = Connection()
    connection.send(prompt("one"), "first caller")
    connection.send(prompt("two"), "second caller")
    connection.receive(RUNNING, INIT, answer("1"), result(origin={"kind": "task-notification"}))
    connection.receive(INIT, answer("2"), result())
    assert asked(connection.steps)[:2] == [("first caller", 1000, None), ("first caller", 7000, "one")]


def test_a_prompt_that_waits_while_the_cli_is_idle_twice_is_forgotten():
    connection = Connection()
    connection.send(prompt("one"))
    connection.receive(RUNNING)
    connection.send(prompt("two"))
    connection.receive(result(), IDLE, IDLE, RUNNING, INIT, answer("1"), result(origin={"kind": "task-notification"}))
    first, own = runs(connection.steps)
    assert (own.prompt, own.prompted, own.follows) == (None, False, first)


def test_a_prompt_that_waits_has_a_turn_of_its_own():
    connection = Connection()
    connection.send(prompt("one"))
    connection.receive(RUNNING)
    connection.send(prompt("two"))
    connection.receive(answer("1"), result())
    connection.send(prompt("three"))
    connection.receive(INIT, answer("2"), result(), INIT, answer("3"), result())
    assert asked(connection.steps) == [
        ("a caller", 1000, "one"),
        ("a caller", 7000, "two"),
        ("a caller", 10_000, "three"),
    ]


def test_a_turn_begins_before_its_prompt_where_the_application_asks_for_both():
    conversation = Conversation(new=True)
    ((what, turn),) = conversation.open(1, "a caller")
    assert (what, conversation.turn) == ("start", turn)
    assert conversation.sent(prompt(), 2, "another") == []
    assert isinstance(turn, Run)
    assert (turn.caller, turn.prompt, turn.started_at) == ("a caller", "Hello", 1)


def test_tools_say_who_executes_them():
    connection = Connection()
    servers = [{"name": "calc", "source": "sdk"}, {"name": "calc__more"}]
    connection.send(prompt())
    connection.receive(
        {"type": "system", "subtype": "init", "mcp_servers": servers},
        answer(
            "1",
            use("1"),
            use("2", "mcp__calc__add"),
            use("3", "mcp__calc__more__add"),
            use("4", "mcp__other__add"),
            {"type": "server_tool_use", "id": "5", "name": "web_search", "input": {}},
            {"type": "web_search_tool_result", "tool_use_id": "5", "content": {"error_code": "unavailable"}},
        ),
        result(),
    )
    found = {tool.id: (tool.kind, tool.server, tool.in_process, tool.error_type) for tool in tools(connection.steps)}
    assert found == {
        "1": ("client", None, False, "cancelled"),
        "2": ("mcp", "calc", True, "cancelled"),
        "3": ("mcp", "calc__more", False, "cancelled"),
        "4": ("mcp", "other", False, "cancelled"),
        "5": ("server", None, False, "unavailable"),
    }
    # Those of the API's side are not counted.
    assert runs(connection.steps)[0].tool_calls == 4


def test_a_denied_tool_was_not_executed():
    _, steps = played(recorded("denied"))
    assert [tool.error_type for tool in tools(steps)] == ["permission_denied"]
    assert runs(steps)[0].tool_calls == 0


def test_a_tool_without_a_result_that_the_turn_says_was_denied():
    connection = Connection()
    connection.send(prompt())
    connection.receive(answer("1", use("toolu_1")), result(permission_denials=[{"tool_use_id": "toolu_1"}]))
    assert [tool.error_type for tool in tools(connection.steps)] == ["permission_denied"]


def test_a_tool_that_was_interrupted():
    connection = Connection()
    connection.send(prompt())
    interrupted = gave("toolu_1", is_error=True)
    interrupted["tool_result_meta"] = [{"id": "toolu_1", "non_execution_kind": "user-rejected"}]
    connection.receive(
        answer("1", use("toolu_1")),
        interrupted,
        result(is_error=True, subtype="error_during_execution", terminal_reason="aborted_tools"),
    )
    (turn,) = runs(connection.steps)
    assert [tool.error_type for tool in tools(connection.steps)] == ["cancelled"]
    assert (turn.outcome, turn.error_type) == ("cancelled", None)


def test_a_tool_that_is_not_there_was_not_executed():
    connection = Connection()
    connection.send(prompt())
    words = "<tool_use_error>Error: No such tool available: Bosh</tool_use_error>"
    connection.receive(
        answer("1", use("toolu_1", "Bosh"), use("toolu_2")),
        gave("toolu_1", is_error=True, content=words),
        gave("toolu_2", is_error=True, content=[{"type": "text", "text": words}]),
        result(),
    )
    assert [tool.error_type for tool in tools(connection.steps)] == ["not_executed", "tool_error"]
    assert runs(connection.steps)[0].tool_calls == 1


def test_a_permission_that_is_asked_for_starts_the_tool_before_its_block_comes():
    connection = Connection()
    connection.send(prompt())
    asked = {"subtype": "can_use_tool", "tool_name": "Bash", "tool_use_id": "toolu_1", "input": {"command": "ls"}}
    connection.receive({"type": "control_request", "request": asked}, answer("1", use("toolu_1")), gave("toolu_1"))
    (tool,) = tools(connection.steps)
    assert (tool.name, tool.started_at) == ("Bash", 2000)


def test_a_hook_of_a_subagent_starts_the_tool_in_its_run():
    connection = Connection()
    connection.send(prompt())
    about: dict[str, Any] = {"tool_name": "Bash", "tool_use_id": "toolu_1", "agent_id": "task_1", "tool_input": {}}
    hook, late = (
        {
            "type": "control_request",
            "request": {"subtype": "hook_callback", "input": {**about, "hook_event_name": name}},
        }
        for name in ("PreToolUse", "PostToolUse")
    )
    connection.receive(
        answer("1", use("toolu_agent", "Agent")),
        task("task_started"),
        hook,
        gave("toolu_1"),
        late,
    )
    (tool,) = tools(connection.steps)
    assert tool.run.launcher is not None
    assert [what for what, thing in connection.steps if thing is tool] == ["start", "end"]
    assert connection.steps[-1] == Step("end", tool)


def test_failures_that_look_like_success():
    _, steps = played(recorded("failing"))
    (turn,) = runs(steps)
    assert (turn.outcome, turn.error_type, answers(steps)) == ("failed", "invalid_request_error", [])


def test_the_error_of_a_turn_is_the_most_telling_word_of_its_result():
    for ending, error_type in (
        ({"subtype": "error_max_turns", "is_error": True}, "error_max_turns"),
        ({"is_error": True, "api_error_status": 529}, "529"),
        ({"is_error": True}, "overloaded"),
        ({"subtype": "error_during_execution", "terminal_reason": "x"}, "error_during_execution"),
    ):
        connection = Connection()
        connection.send(prompt())
        synthetic = answer("1", error="overloaded")
        synthetic["message"]["model"] = "<synthetic>"
        connection.receive(synthetic, result(**ending))
        assert [run.error_type for run in runs(connection.steps)] == [error_type]
    connection = Connection()
    connection.send(prompt())
    connection.receive(result(is_error=True))
    assert [run.error_type for run in runs(connection.steps)] == ["_OTHER"]


def test_what_is_open_when_the_connection_is_closed():
    script = [*recorded("background")]
    cut = next(index for index, passed in enumerate(script) if passed.frame.get("agent_id"))
    conversation, _ = played(script[: cut + 1])
    conversation.sent(prompt(), 10**12)
    steps = conversation.close(10**12, "abandoned")
    assert [(type(thing).__name__, getattr(thing, "outcome", None)) for _, thing in steps] == [
        ("Answer", None),
        ("Run", "cancelled"),
        ("Run", "abandoned"),
    ]
    assert conversation.close(10**12, "abandoned") == []


def test_a_rate_limit_is_told_of():
    connection = Connection()
    info = {"status": "allowed_warning", "rateLimitType": "five_hour", "utilization": 0.92, "resetsAt": 1_795_410_000}
    connection.receive({"type": "rate_limit_event", "rate_limit_info": info}, {"type": "rate_limit_event"})
    assert connection.steps == [Step("tell", Limit("five_hour", "allowed_warning", 0.92, 1_795_410_000.0, None))]


def test_a_result_that_nothing_came_before_is_a_turn():
    connection = Connection()
    connection.receive(result())
    assert [run.outcome for run in runs(connection.steps)] == ["completed"]


def test_every_recording_ends_everything():
    for name in agent_frames.names():
        conversation, steps = played(recorded(name))
        steps += conversation.close(10**12, "abandoned")
        started = [thing for what, thing in steps if what == "start"]
        ended = [thing for what, thing in steps if what == "end"]
        assert sorted(map(id, started)) == sorted(map(id, ended)), name
        assert len(set(map(id, ended))) == len(ended), name


def test_frames_that_say_nothing_of_runs_make_no_step():
    connection = Connection()
    connection.receive({"type": "keep_alive"}, {"type": "system"}, {"type": "control_request"}, {})
    connection.send({"type": "control_response"})
    connection.close()
    assert connection.steps == []


def test_what_passed_is_read_from_recordings():
    assert {passed.way for passed in recorded("failing")} == {"in", "out", "exit"}
    assert recorded("failing")[-1] == Passed(recorded("failing")[-1].ms, "exit", {"type": "exit"})


def test_turns_wait_for_subagents_inside_of_subagents():
    connection = Connection()
    connection.send(prompt())
    connection.receive(
        answer("1", use("toolu_agent", "Agent")),
        task("task_started"),
        task("task_started"),
        answer("2", use("toolu_inner", "Agent"), parent_tool_use_id="toolu_agent"),
        task("task_started") | {"task_id": "task_2", "tool_use_id": "toolu_inner"},
        result(),
    )
    assert [run.outcome for run in runs(connection.steps)] == ["cancelled", "cancelled", "completed"]


def kept(conversation: Conversation) -> list[Any]:
    """The tools and subagents that a conversation holds, by whatever name."""
    ongoing: Any = vars(conversation)["_ongoing"]
    held: dict[str, Any] = {**vars(ongoing)}
    return [thing for value in held.values() if is_object(value) for thing in value.values()]


def test_a_connection_keeps_nothing_of_what_has_ended():
    conversation, _ = played(recorded("background"))
    assert kept(conversation) == []


def test_a_launch_that_came_to_nothing_is_forgotten():
    connection = Connection()
    connection.send(prompt())
    connection.receive(answer("1", use("toolu_agent", "Agent")), gave("toolu_agent", is_error=True), result())
    assert kept(connection.conversation) == []


def test_answers_that_say_little():
    """Without an id nothing tells them from others, without usage nothing is known of their tokens."""
    connection = Connection()
    connection.send(prompt())
    connection.send({"type": "control_request", "request": {"subtype": "interrupt"}})
    events = [{"type": "message_delta", "usage": {"output_tokens": 5}}, {"type": "message_start"}, {"type": "ping"}]
    connection.receive(*({"type": "stream_event", "event": event} for event in events))
    connection.receive({"type": "assistant", "message": {"content": [use("toolu_1")]}})
    connection.receive({"type": "assistant", "message": {"id": "1"}}, result())
    (answered,) = answers(connection.steps)
    assert (answered.usage.prompt, answered.usage.output) == (None, None)
    assert [tool.id for tool in tools(connection.steps)] == ["toolu_1"]


def test_a_conversation_that_begins_anew_counts_anew():
    connection = Connection(new=False)
    connection.send(prompt())
    spent = {"modelUsage": {MODEL: {"inputTokens": 4, "outputTokens": 2, "costUSD": 0.5}}}
    connection.receive({"type": "conversation_reset"}, result(**spent))
    (turn,) = runs(connection.steps)
    assert turn.input_tokens == 4


def test_a_turn_that_has_begun_is_not_begun_again():
    conversation = Conversation(new=True)
    conversation.open(1, "a caller")
    assert conversation.open(2, "a caller") == []


def test_a_late_answer_of_a_subagent_begins_no_turn():
    """It would take the next prompt's."""
    connection = Connection()
    late = {"type": "stream_event", "parent_tool_use_id": "toolu_agent"}
    start = {"type": "message_start", "message": {"id": "9"}}
    connection.receive(answer("1", use("toolu_1"), parent_tool_use_id="toolu_agent"), late | {"event": start})
    assert connection.steps == []
    connection.send(prompt("one"))
    connection.receive(answer("2"), result())
    assert asked(connection.steps) == [("a caller", 3000, "one")]


def test_frames_of_answers_that_come_late_or_twice_count_once():
    connection = Connection()
    connection.send(prompt())
    connection.receive(
        answer("1", use("toolu_1")), answer("2"), answer("1"), gave("toolu_1"), answer("1", use("toolu_1")), result()
    )
    assert [answered.id for answered in answers(connection.steps)] == ["1", "2"]
    assert [tool.id for tool in tools(connection.steps)] == ["toolu_1"]
    assert [(run.iterations, run.tool_calls) for run in runs(connection.steps)] == [(2, 1)]


def test_a_limit_is_told_of_once_in_its_window_or_hour():
    """The CLI may say what it says with each answer."""
    hour = 3600.0

    def told(*said: tuple[float, str, float | None]) -> list[float]:
        limits = Limits()
        return [now for now, status, ends in said if limits.is_news(Limit("five_hour", status, 0.95, ends, None), now)]

    assert told((1, "allowed_warning", 9), (2, "allowed_warning", 9.5), (9, "allowed_warning", 20)) == [1, 9]
    assert told((1, "allowed_warning", None), (2, "allowed_warning", 9), (1 + hour, "allowed_warning", None)) == [
        1,
        1 + hour,
    ]
    assert told((5, "rejected", 1), (6, "rejected", 1)) == [5]
    assert told((1, "allowed_warning", 9), (2, "rejected", 9), (3, "allowed_warning", 9)) == [1, 2]
    assert not Limits().is_news(Limit("five_hour", "allowed", 0.5, None, None), 1)


def test_a_limit_is_told_of_when_less_than_a_tenth_of_it_is_left():
    told = [used for used in (0.86, 0.9, 0.91) if Limits().is_news(Limit("five_hour", "allowed", used, 9, None), 1)]
    assert told == [0.91]


def test_numbers_that_are_none_end_a_turn_all_the_same():
    for number in (1e300, -1.0, 10**400, float("nan"), float("inf"), "much"):
        connection = Connection()
        connection.send(prompt())
        spent = {"modelUsage": {MODEL: {"inputTokens": number, "outputTokens": 2, "costUSD": number}}}
        connection.receive(answer("1"), result(**spent))
        (turn,) = runs(connection.steps)
        assert turn.outcome == "completed"
        assert turn.spend is not None
        assert (turn.input_tokens, turn.spend.output, turn.spend.cost) == (None, 2, None)


def test_a_block_with_a_type_that_is_none_is_no_tool():
    connection = Connection()
    connection.send(prompt())
    connection.receive(answer("1", {**use("toolu_1"), "type": ["tool_use"]}), result())
    assert tools(connection.steps) == []


def test_a_state_that_is_none_is_left_alone():
    connection = Connection()
    connection.send(prompt("one"))
    connection.receive(state("requires_action"), {"type": "system", "subtype": "session_state_changed"})
    connection.send(prompt("two"))
    connection.receive(answer("1"), result(), IDLE)
    assert asked(connection.steps) == [("a caller", 1000, "one", "two")]
