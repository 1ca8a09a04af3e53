"""The ways in which an application connects, with scripts of frames: nothing of its own changes, all is observed."""

import asyncio
import json
import logging
import sys
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from agent_frames import Passed, recorded
from agent_scenarios import SCENARIOS, sdk, tools
from inline_snapshot import snapshot
from opentelemetry import baggage, context, trace
from opentelemetry.instrumentation.utils import suppress_instrumentation
from scripted_transport import ScriptedTransport

from otel_claude import AnthropicInstrumentor
from otel_claude.agent_sdk import ClaudeAgentInstrumentor, observe_transport
from otel_claude.agent_sdk.conversation import Conversation
from otel_claude.agent_sdk.observer import Observer
from otel_claude.failsafe import failures
from otel_claude.testing import Telemetry

query = sdk.query
"""As an application has it that imports the function before anything is instrumented."""


def scripted(name: str = "two_tools") -> dict[str, Any]:
    options = sdk.ClaudeAgentOptions(mcp_servers={"calc": tools()}, **SCENARIOS[name].options)
    return {"options": options, "transport": ScriptedTransport(recorded(name))}


async def asked(**connection: Any) -> list[Any]:
    return [message async for message in query(prompt="Add 1 and 2.", **connection)]


ANYBODY: Any = None


class Growing(weakref.WeakSet[Any]):
    """A set to which another thread adds something while it is gone through for the first time."""

    def __iter__(self) -> Iterator[Any]:
        for item in super().__iter__():
            if not hasattr(self, "late"):
                self.late: Any = Observer(ANYBODY, new=False, deferring=False)
                self.add(self.late)
            yield item


def names(telemetry: Telemetry) -> list[str]:
    return sorted(span.name for span in telemetry.spans)


TWO_TOOLS = [
    "chat claude-sonnet-4-5-20250929",
    "chat claude-sonnet-4-5-20250929",
    "execute_tool mcp__calc__add",
    "execute_tool mcp__calc__fail",
    "invoke_agent",
]


def test_a_function_that_was_imported_before(agents: Telemetry):
    asyncio.run(asked(**scripted()))
    assert names(agents) == TWO_TOOLS


def test_nothing_is_changed_in_what_the_application_gives_and_gets(agents: Telemetry):
    connection = scripted()
    options: Any = connection["options"]
    given: dict[str, Any] = {**vars(options)}
    transport = connection["transport"]
    messages = asyncio.run(asked(**connection))
    ClaudeAgentInstrumentor().uninstrument()
    assert vars(options) == given
    assert (transport.connected, transport.closed) == (1, 1)
    assert [type(message) for message in messages] == [type(message) for message in asyncio.run(asked(**scripted()))]


def test_a_client_keeps_its_own_transport(agents: Telemetry):
    connection = scripted()

    async def application() -> Any:
        client = sdk.ClaudeSDKClient(**connection)
        await client.connect("Add 1 and 2.")
        assert client._custom_transport is connection["transport"]
        assert isinstance(client._transport, ScriptedTransport)
        assert client._transport.is_ready()
        messages = [message async for message in client.receive_response()]
        await client.disconnect()
        return messages

    assert type(asyncio.run(application())[-1]) is sdk.ResultMessage
    assert names(agents) == TWO_TOOLS


def test_prompts_that_come_one_by_one(agents: Telemetry):
    async def prompts() -> AsyncIterator[dict[str, Any]]:
        yield {"type": "user", "message": {"role": "user", "content": "Add 1 and 2."}, "parent_tool_use_id": None}

    async def application() -> None:
        async for _ in query(prompt=prompts(), **scripted()):
            pass

    asyncio.run(application())
    assert names(agents) == TWO_TOOLS


def test_a_client_that_connects_again_has_a_new_conversation(agents: Telemetry):
    async def application() -> None:
        client = sdk.ClaudeSDKClient(**scripted())
        for _ in range(2):
            client._custom_transport = ScriptedTransport(recorded("two_tools"))
            await client.connect("Add 1 and 2.")
            async for _ in client.receive_response():
                pass
            await client.disconnect()

    asyncio.run(application())
    assert names(agents) == sorted(2 * TWO_TOOLS)


def test_a_transport_that_is_observed_already_is_not_observed_twice(agents: Telemetry):
    connection = scripted()
    observed = observe_transport(connection["transport"])
    assert isinstance(observed, ScriptedTransport)
    assert observe_transport(observed) is observed
    asyncio.run(asked(**{**connection, "transport": observed}))
    assert names(agents) == TWO_TOOLS


def test_an_application_that_reads_its_transport_keeps_its_context(agents: Telemetry):
    tracer = agents.tracer_provider.get_tracer("application")
    asks: dict[str, Any] = {"subtype": "can_use_tool", "tool_name": "Bash", "tool_use_id": "toolu_1", "input": {}}
    script = [Passed(0, "in", {"type": "control_request", "request_id": "1", "request": asks})] * 2

    async def application() -> None:
        transport: Any = observe_transport(Ending(script))
        await transport.connect()
        await transport.write(json.dumps({"type": "user", "message": {"role": "user", "content": "Hello"}}))
        before = context.get_current()
        frames = aiter(transport.read_messages())
        await anext(frames)
        assert context.get_current() is before
        with tracer.start_as_current_span("handling") as handling:
            await anext(frames)
            assert trace.get_current_span() is handling
        await transport.close()
        assert context.get_current() is before

    asyncio.run(application())
    assert names(agents) == ["execute_tool Bash", "handling", "invoke_agent"]
    assert agents.span("handling").parent is None


def test_a_reader_that_is_thrown_away_has_left_the_turn(agents: Telemetry):
    """An event loop that is closed cancels nothing: what waits is collected."""

    async def application() -> None:
        transport: Any = observe_transport(ScriptedTransport(recorded("two_tools")))
        await transport.connect()
        await transport.write(json.dumps({"type": "user", "message": {"role": "user", "content": "Hello"}}))
        async for _ in transport.read_messages():
            pass

    waiting = application()
    loop = asyncio.new_event_loop()
    try:
        # Without a task, so that it is thrown away like one that nobody holds.
        asyncio._set_running_loop(loop)
        waiting.send(None)
    finally:
        asyncio._set_running_loop(None)
        loop.close()
    waiting.close()
    turn = agents.span("invoke_agent").attributes or {}
    assert turn["claude.agent.outcome"] == "abandoned"
    assert "error.type" not in turn


def test_without_instrumentation_a_transport_is_left_alone():
    transport = ScriptedTransport(())
    assert observe_transport(transport) is transport


def test_instrumented_twice_makes_one_span_each(agents: Telemetry, caplog: pytest.LogCaptureFixture):
    ClaudeAgentInstrumentor().instrument(tracer_provider=agents.tracer_provider)
    caplog.clear()
    asyncio.run(asked(**scripted()))
    assert names(agents) == TWO_TOOLS


def test_uninstrumented_leaves_nothing_behind(agents: Telemetry):
    ClaudeAgentInstrumentor().uninstrument()
    asyncio.run(asked(**scripted()))
    assert names(agents) == []
    for name, classes in {
        "_internal.transport.subprocess_cli": {
            "SubprocessCLITransport": ("connect", "write", "read_messages", "close")
        },
        "_internal.client": {"InternalClient": ("process_query",)},
        "_internal.query": {"Query": ("start", "close")},
        "client": {"ClaudeSDKClient": ("connect",)},
    }.items():
        for owner, methods in classes.items():
            cls: type[Any] = getattr(sys.modules[f"claude_agent_sdk.{name}"], owner)
            assert not any(hasattr(vars(cls)[method], "__wrapped__") for method in methods)


def test_the_cap_comes_and_goes_with_the_instrumentation(instrument_agents: Callable[..., Telemetry]):
    telemetry = instrument_agents(max_spans_per_trace=50)
    tracer = telemetry.tracer_provider.get_tracer("app")

    def exported() -> int:
        telemetry.clear()
        with tracer.start_as_current_span("root"):
            for _ in range(60):
                tracer.start_span("step").end()
        return len(telemetry.spans)

    assert exported() <= 50
    ClaudeAgentInstrumentor().uninstrument()
    assert exported() == 61


def test_uninstrumented_in_the_middle_ends_what_is_open(agents: Telemetry):
    async def application() -> None:
        async for message in query(prompt="Add 1 and 2.", **scripted()):
            if isinstance(message, sdk.SystemMessage):
                ClaudeAgentInstrumentor().uninstrument()

    asyncio.run(application())
    turn = agents.span("invoke_agent")
    assert (turn.attributes or {})["claude.agent.outcome"] == "abandoned"


def test_uninstrumented_while_other_threads_connect_ends_what_is_open(agents: Telemetry):
    patches: Any = ClaudeAgentInstrumentor()._patches  # pyright: ignore[reportPrivateUsage]

    async def application() -> None:
        async for message in query(prompt="Add 1 and 2.", **scripted()):
            if isinstance(message, sdk.SystemMessage):
                patches._alive = Growing(patches._alive)
                ClaudeAgentInstrumentor().uninstrument()

    asyncio.run(application())
    assert (agents.span("invoke_agent").attributes or {})["claude.agent.outcome"] == "abandoned"


def test_uninstrumented_in_spite_of_a_fault_leaves_nothing_behind(
    instrument_agents: Callable[..., Telemetry], monkeypatch: pytest.MonkeyPatch
):
    telemetry = instrument_agents(max_spans_per_trace=50)

    def fail(*_: object) -> None:
        raise RuntimeError

    for method in ("closed", "__del__"):
        monkeypatch.setattr(Observer, method, fail)
    observed = observe_transport(ScriptedTransport([]))
    assert type(observed) is not ScriptedTransport
    ClaudeAgentInstrumentor().uninstrument()
    assert type(observe_transport(ScriptedTransport([]))) is ScriptedTransport
    with telemetry.tracer_provider.get_tracer("app").start_as_current_span("root"):
        for _ in range(60):
            telemetry.tracer_provider.get_tracer("app").start_span("step").end()
    assert len(telemetry.spans) == 61
    assert failures.counts == {"Patches.close_all": 1}
    failures.counts.clear()
    monkeypatch.undo()


def test_what_the_application_does_not_want_observed_is_not(agents: Telemetry):
    with suppress_instrumentation():
        asyncio.run(asked(**scripted()))
    assert names(agents) == []


def test_a_cli_that_ends_without_a_result(agents: Telemetry):
    script = [passed for passed in recorded("two_tools") if passed.frame["type"] != "result"]
    connection = scripted()

    async def application() -> None:
        await asked(options=connection["options"], transport=Ending(script))

    asyncio.run(application())
    turn = agents.span("invoke_agent").attributes or {}
    assert (turn["claude.agent.outcome"], turn["error.type"]) == ("failed", "stream_interrupted")
    assert "claude.agent.cost_usd" not in turn


class Ending(ScriptedTransport):
    """Ends with the last of its frames."""

    async def read_messages(self) -> AsyncIterator[dict[str, Any]]:
        await self.end_input()
        async for frame in super().read_messages():
            yield frame


def test_a_connection_that_breaks(agents: Telemetry):
    script = (*recorded("two_tools")[:-3], Passed(0, "exit", {"type": "exit"}))
    connection = scripted()
    with pytest.raises(sdk.ProcessError):
        asyncio.run(asked(options=connection["options"], transport=ScriptedTransport(script)))
    turn = agents.span("invoke_agent").attributes or {}
    assert (turn["claude.agent.outcome"], turn["error.type"]) == ("failed", "ProcessError")


def test_a_cli_that_does_not_exist(agents: Telemetry, tmp_path: Path):
    with pytest.raises(sdk.CLINotFoundError):
        asyncio.run(asked(options=sdk.ClaudeAgentOptions(cli_path=tmp_path / "none")))
    turn = agents.span("invoke_agent").attributes or {}
    assert (turn["claude.agent.outcome"], turn["error.type"]) == ("failed", "CLINotFoundError")


def test_an_event_loop_that_ends_after_a_break(agents: Telemetry):
    """The SDK's generators are left to the loop, which has no time for them."""

    async def application() -> None:
        async for message in query(prompt="Add 1 and 2.", **scripted("left")):
            if isinstance(message, sdk.AssistantMessage):
                break

    asyncio.run(application())
    assert (agents.span("invoke_agent").attributes or {})["claude.agent.outcome"] == "abandoned"


def test_what_fails_of_ours_stays_with_us(
    agents: Telemetry, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def fail(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("of ours")

    for method in ("sent", "received", "close", "open"):
        monkeypatch.setattr(Conversation, method, fail)
    messages = asyncio.run(asked(**scripted()))
    assert type(messages[-1]) is sdk.ResultMessage
    assert {where.partition(".")[0] for where in failures.counts} == {"Observer"}
    failures.counts.clear()
    caplog.clear()


def test_an_sdk_whose_transport_is_elsewhere_is_warned_of_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    module: Any = sys.modules["claude_agent_sdk._internal.transport.subprocess_cli"]
    monkeypatch.delattr(module.SubprocessCLITransport, "write")
    with caplog.at_level(logging.WARNING):
        ClaudeAgentInstrumentor().instrument()
    ClaudeAgentInstrumentor().uninstrument()
    (told,) = [record.getMessage() for record in caplog.records if record.name == "otel_claude"]
    assert told == (
        "otel_claude: this version of claude-agent-sdk has no SubprocessCLITransport.write;"
        " what goes through there is not observed"
    )
    caplog.clear()


def test_baggage_and_metrics(instrument_agents: Callable[..., Telemetry]):
    telemetry = instrument_agents(baggage=("tenant",))
    token = context.attach(baggage.set_baggage("tenant", "acme"))
    try:
        asyncio.run(asked(**scripted()))
    finally:
        context.detach(token)
    assert [(span.attributes or {}).get("tenant") for span in telemetry.spans] == ["acme"] * 5
    everybody = {point["attributes"].get("tenant") for points in telemetry.metrics.values() for point in points}
    assert everybody - {None} == {"acme"}


SHOWN = {"claude.cost.estimated", "claude.token.type", "error.type", "gen_ai.operation.name", "gen_ai.token.type"}


def test_a_turn_has_the_points_of_its_run_its_tools_and_its_tokens(agents: Telemetry):
    asyncio.run(asked(**scripted()))
    assert agents.metrics_table(shown=SHOWN.__contains__) == snapshot("""\
claude.cost | counter | USD
    0.001518: claude.cost.estimated="cli" gen_ai.operation.name="invoke_agent"
claude.token.usage | counter | {token}
    60: claude.token.type="cache_read" gen_ai.operation.name="invoke_agent"
    40: claude.token.type="cache_write_5m" gen_ai.operation.name="invoke_agent"
    300: claude.token.type="input" gen_ai.operation.name="invoke_agent"
    30: claude.token.type="output" gen_ai.operation.name="invoke_agent"
claude.trace.spans | counter | {span}
    5:
gen_ai.client.token.usage | histogram | {token}
    1 x, sum 400: gen_ai.operation.name="invoke_agent" gen_ai.token.type="input"
    1 x, sum 30: gen_ai.operation.name="invoke_agent" gen_ai.token.type="output"
gen_ai.execute_tool.duration | histogram | s
    1 x, sum …:
    1 x, sum …: error.type="tool_error"
gen_ai.invoke_agent.duration | histogram | s
    1 x, sum …:
gen_ai.invoke_agent.inference_calls | histogram | {inference_call}
    1 x, sum 2:
gen_ai.invoke_agent.tool_calls | histogram | {tool_call}
    1 x, sum 2:\
""")
    models = [point["attributes"].get("gen_ai.response.model") for point in agents.metrics["claude.cost"]]
    assert models == ["claude-sonnet-4-5-20250929"]


def test_the_latest_names_of_metrics(instrument_agents: Callable[..., Telemetry]):
    telemetry = instrument_agents(metric_names="latest")
    asyncio.run(asked(**scripted()))
    # 100 and 200 tokens in, each with 30 and 20 of the cache.
    assert telemetry.total("gen_ai.client.inference.operation.input_tokens") == 400
    assert "gen_ai.client.token.usage" not in telemetry.metrics


def test_a_rate_limit_of_which_little_is_left_is_told_of_once(agents: Telemetry):
    def limit(used: float, status: str = "allowed_warning") -> Passed:
        info = {"status": status, "rateLimitType": "five_hour", "utilization": used, "resetsAt": 1}
        return Passed(0, "in", {"type": "rate_limit_event", "rate_limit_info": info, "uuid": "u", "session_id": "s"})

    script = list(recorded("failing"))
    script[-4:-4] = [limit(0.8), limit(0.92), limit(0.97), limit(1.0, "rejected"), limit(0.98), limit(0.5, "allowed")]
    with pytest.raises(sdk.ResultError):
        asyncio.run(asked(options=sdk.ClaudeAgentOptions(), transport=ScriptedTransport(script)))
    assert [(event.name, event.severity, event.attributes) for event in agents.events] == [
        (
            "claude.rate_limit.low",
            "WARN",
            {
                "claude.rate_limit.type": "five_hour",
                "claude.rate_limit.status": status,
                "claude.rate_limit.utilization": used,
                "claude.rate_limit.full_in_s": 0.0,
            },
        )
        for used, status in ((0.92, "allowed_warning"), (1.0, "rejected"))
    ]
    turn = agents.span("invoke_agent").context
    assert turn is not None
    assert {event.span_id for event in agents.events} == {turn.span_id}


LONG = 50
SECRETS = ("Add 1 and 2.", "I add.", "secret of the application", '"a":1', '"a": 1')


def test_without_asking_for_it_no_content_is_recorded(agents: Telemetry):
    asyncio.run(asked(**scripted()))
    everything = agents.tree() + agents.metrics_table()
    assert [secret for secret in SECRETS if secret in everything] == []


def test_content_where_it_is_asked_for(instrument_agents: Callable[..., Telemetry]):
    telemetry = instrument_agents(content="SPAN_AND_EVENT")
    asyncio.run(asked(**scripted()))
    content = ("gen_ai.input", "gen_ai.output", "gen_ai.tool.call.arguments", "gen_ai.tool.call.result")
    found = [
        f"{span.name}: {name} = {value if isinstance(value, str) and len(value) < LONG else '(long)'}"
        for span in telemetry.spans
        for name, value in (span.attributes or {}).items()
        if name.startswith(content)
    ]
    assert found == snapshot(
        [
            'execute_tool mcp__calc__add: gen_ai.tool.call.arguments = {"a":1,"b":2}',
            'execute_tool mcp__calc__add: gen_ai.tool.call.result = [{"type":"text","content":"3"}]',
            'execute_tool mcp__calc__fail: gen_ai.tool.call.arguments = {"a":1}',
            "execute_tool mcp__calc__fail: gen_ai.tool.call.result = (long)",
            "chat claude-sonnet-4-5-20250929: gen_ai.output.messages = (long)",
            "chat claude-sonnet-4-5-20250929: gen_ai.output.messages = (long)",
            "invoke_agent: gen_ai.input.messages = (long)",
        ]
    )
    prompt = (telemetry.span("invoke_agent").attributes or {})["gen_ai.input.messages"]
    assert prompt == '[{"role":"user","parts":[{"type":"text","content":"Add 1 and 2."}]}]'
    said = [(event.name, event.attributes["gen_ai.output.messages"]) for event in telemetry.events]
    assert said[1] == (
        "gen_ai.client.inference.operation.details",
        ({"role": "assistant", "parts": ({"type": "text", "content": "3"},)},),
    )


def test_content_is_redacted_and_bounded(instrument_agents: Callable[..., Telemetry]):
    telemetry = instrument_agents(content="SPAN_ONLY", redact=nothing)
    asyncio.run(asked(**scripted()))
    assert [secret for secret in SECRETS if secret in telemetry.tree()] == []
    telemetry = instrument_bounded(instrument_agents)
    asyncio.run(asked(**scripted()))
    assert (telemetry.span("execute_tool mcp__calc__fail").attributes or {})["anthropic.content.truncated"] is True


def nothing(_kind: str, _part: Any) -> None:
    """Redacts everything."""


def instrument_bounded(instrument_agents: Callable[..., Telemetry]) -> Telemetry:
    ClaudeAgentInstrumentor().uninstrument()
    return instrument_agents(content="SPAN_ONLY", content_max_bytes=120)


def test_both_instrumentors_share_their_providers(agents: Telemetry):
    providers: dict[str, Any] = {
        "tracer_provider": agents.tracer_provider,
        "meter_provider": agents.meter_provider,
        "logger_provider": agents.logger_provider,
    }
    AnthropicInstrumentor().instrument(**providers)
    try:
        asyncio.run(asked(**scripted()))
    finally:
        AnthropicInstrumentor().uninstrument()
    assert names(agents) == TWO_TOOLS
    assert agents.count("gen_ai.invoke_agent.duration") == 1
