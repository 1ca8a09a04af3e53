"""Switching on and off: who is covered, and that nothing is left behind."""

import inspect
import pkgutil
import sys
from collections.abc import Iterator
from importlib import import_module
from itertools import count
from typing import Any

import anthropic
import pytest
import wrapt
from anthropic import Anthropic
from anthropic._base_client import SyncAPIClient
from apps import HELLO, SPAN, SwitchOn, connect, connect_async

from child_python import run_python
from otel_claude import AnthropicInstrumentor, Settings
from otel_claude.anthropic.calls import Calls
from otel_claude.anthropic.patches import Patches
from otel_claude.testing import RateLimited, SimulatedClaude, Telemetry

NATIVE_MODES = ("replace", "enrich", "keep")


def classes_of_the_sdk() -> Iterator[type]:
    for found in pkgutil.walk_packages(anthropic.__path__, "anthropic."):
        if found.name.startswith(("anthropic.types", "anthropic.__main__")) or "cli" in found.name.split("."):
            continue
        try:
            import_module(found.name)
        except Exception:  # noqa: S112 - a module of an optional dependency
            continue
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "anthropic" and not name.startswith("anthropic.types"):
            yield from (value for value in vars(module).values() if inspect.isclass(value))


def attributes_of_the_sdk() -> dict[tuple[type, str], Any]:
    return {
        (cls, name): value
        for cls in classes_of_the_sdk()
        if cls.__module__.startswith("anthropic")
        for name, value in vars(cls).items()
        if name not in {"__dict__", "__weakref__", "__abstractmethods__", "_abc_impl"}
    }


@pytest.mark.parametrize("mode", NATIVE_MODES)
def test_switching_off_puts_the_very_same_objects_back(switch_on: SwitchOn, mode: str):
    before = attributes_of_the_sdk()

    instrumentor = switch_on(settings=Settings(native_spans=mode))
    assert any(before.get(key) is not value for key, value in attributes_of_the_sdk().items())
    instrumentor.uninstrument()
    after = attributes_of_the_sdk()

    assert before.keys() == after.keys()
    assert [key for key, value in after.items() if before[key] is not value] == []


def test_nothing_is_patched_but_the_methods_that_the_design_names(switch_on: SwitchOn):
    before = attributes_of_the_sdk()
    switch_on()
    changed = {
        (cls.__name__, name) for (cls, name), value in attributes_of_the_sdk().items() if before[cls, name] is not value
    }

    of_runners = {(cls, name) for cls, name in changed if cls.endswith("ToolRunner")}
    assert {name for _, name in of_runners} <= {
        "__run__",
        "close",
        "_generate_tool_call_response",
        "_run_tool",
        "_run_tools_while_streaming",
        "_run_toolset_member",
    }
    assert changed - of_runners - {("BaseClient", "_tracer")} == {
        ("SyncAPIClient", "request"),
        ("AsyncAPIClient", "request"),
        ("BaseClient", "_build_request"),
        ("SyncAPIClient", "_process_response"),
        ("AsyncAPIClient", "_process_response"),
        ("SyncAPIClient", "_sleep_for_retry"),
        ("AsyncAPIClient", "_sleep_for_retry"),
        ("BaseClient", "_calculate_retry_timeout"),
        ("Stream", "__stream__"),
        ("AsyncStream", "__stream__"),
        ("JSONLDecoder", "__decode__"),
        ("AsyncJSONLDecoder", "__decode__"),
    }


def test_objects_made_before_are_covered(claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry):
    with connect(claude) as client:
        messages, raw, streaming = (
            client.messages,
            client.messages.with_raw_response,
            client.messages.with_streaming_response,
        )
        create = client.messages.create
        switch_on()

        messages.create(**HELLO)
        raw.create(**HELLO)
        with streaming.create(**HELLO) as response:
            response.read()
        create(**HELLO)

    assert [span.name for span in telemetry.spans] == [SPAN] * 4
    assert telemetry.count("gen_ai.client.token.usage", {"gen_ai.token.type": "output"}) == 4


def test_objects_made_while_it_was_on_are_silent_afterwards(
    claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry
):
    instrumentor = switch_on()
    with connect(claude) as client:
        raw, streaming, create = (
            client.messages.with_raw_response,
            client.messages.with_streaming_response,
            client.messages.create,
        )
        raw.create(**HELLO)
        telemetry.clear()
        instrumentor.uninstrument()

        raw.create(**HELLO)
        with streaming.create(**HELLO) as response:
            response.read()
        create(**HELLO)
        assert list(client.messages.create(**HELLO, stream=True))[-1].type == "message_stop"

    assert telemetry.spans == []
    assert telemetry.count("gen_ai.client.operation.duration") == 0
    assert telemetry.total("claude.token.usage") == 0
    assert telemetry.events == []


def test_rate_limits_are_not_reported_after_switching_off(client: Any, switch_on: SwitchOn, telemetry: Telemetry):
    """They would be reported as they were at the last call, for as long as the process lives."""
    instrumentor = switch_on()
    client.messages.create(**HELLO)
    assert "claude.rate_limit.remaining" in telemetry.metrics
    instrumentor.uninstrument()
    telemetry.clear()

    assert [name for name in telemetry.metrics if name.startswith("claude.rate_limit")] == []


def test_switching_on_again_with_the_same_providers_counts_each_call_once(
    claude: SimulatedClaude, client: Any, switch_on: SwitchOn, telemetry: Telemetry
):
    for _ in range(3):
        claude.reply("Hi", usage={"input_tokens": 7, "output_tokens": 3})
        instrumentor = switch_on()
        client.messages.create(**HELLO)
        instrumentor.uninstrument()

    assert telemetry.total("claude.token.usage", {"claude.token.type": "input"}) == 3 * 7
    assert telemetry.total("claude.token.usage", {"claude.token.type": "output"}) == 3 * 3
    assert telemetry.count("gen_ai.client.operation.duration") == 3


def test_switching_on_again_with_the_same_providers_reports_each_rate_limit_once(
    client: Any, switch_on: SwitchOn, telemetry: Telemetry, caplog: pytest.LogCaptureFixture
):
    instrumentor = switch_on()
    client.messages.create(**HELLO)
    instrumentor.uninstrument()
    switch_on()
    client.messages.create(**HELLO)

    types = [point["attributes"]["claude.rate_limit.type"] for point in telemetry.metrics["claude.rate_limit.limit"]]
    assert sorted(types) == ["input_tokens", "output_tokens", "requests", "tokens"]
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == []


def test_a_second_switching_on_changes_nothing(
    client: Any, switch_on: SwitchOn, telemetry: Telemetry, caplog: pytest.LogCaptureFixture
):
    switch_on()
    patched = vars(SyncAPIClient)["request"]
    other = Telemetry()
    switch_on(tracer_provider=other.tracer_provider)
    client.messages.create(**HELLO)

    assert vars(SyncAPIClient)["request"] is patched
    assert [span.name for span in telemetry.spans] == [SPAN]
    assert other.spans == []
    assert telemetry.count("gen_ai.client.operation.duration") == 1
    assert "already instrumented" in caplog.text


def test_a_second_switching_off_changes_nothing(client: Any, switch_on: SwitchOn):
    instrumentor = switch_on()
    instrumentor.uninstrument()
    instrumentor.uninstrument()

    assert client.messages.create(**HELLO).type == "message"


def test_on_off_on_gives_one_span_per_call_and_new_providers(client: Any, switch_on: SwitchOn, telemetry: Telemetry):
    instrumentor = switch_on()
    client.messages.create(**HELLO)
    instrumentor.uninstrument()
    client.messages.create(**HELLO)
    later = Telemetry()
    switch_on(
        tracer_provider=later.tracer_provider,
        meter_provider=later.meter_provider,
        logger_provider=later.logger_provider,
    )
    client.messages.create(**HELLO)

    assert [span.name for span in telemetry.spans] == [SPAN]
    assert [span.name for span in later.spans] == [SPAN]
    assert telemetry.count("gen_ai.client.operation.duration") == 1
    assert later.count("gen_ai.client.operation.duration") == 1


def test_a_stream_that_is_open_when_it_is_switched_off_still_ends(
    claude: SimulatedClaude, client: Any, switch_on: SwitchOn, telemetry: Telemetry
):
    claude.reply("one two three", usage={"input_tokens": 11, "output_tokens": 5})
    instrumentor = switch_on()
    stream = client.messages.create(**HELLO, stream=True)
    next(iter(stream))
    instrumentor.uninstrument()
    assert telemetry.spans == []

    assert [event.type for event in stream][-1] == "message_stop"

    (span,) = telemetry.spans
    assert span.attributes
    assert span.attributes["claude.stream.outcome"] == "completed"
    assert span.attributes["gen_ai.usage.output_tokens"] == 5


async def use_async(claude: SimulatedClaude, instrumentor: AnthropicInstrumentor) -> None:
    async with connect_async(claude) as client:
        stream = await client.messages.create(**HELLO, stream=True)
        await anext(stream)
        instrumentor.uninstrument()
        assert [event.type async for event in stream][-1] == "message_stop"


def test_an_async_stream_that_is_open_when_it_is_switched_off_still_ends(
    claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry
):
    import asyncio

    asyncio.run(use_async(claude, switch_on()))

    (span,) = telemetry.spans
    assert span.attributes
    assert span.attributes["claude.stream.outcome"] == "completed"


def test_a_stream_that_is_not_begun_when_it_is_switched_off_still_ends(
    client: Any, switch_on: SwitchOn, telemetry: Telemetry
):
    """Its parser is not watched any more; its bytes still are."""
    instrumentor = switch_on()
    stream = client.messages.create(**HELLO, stream=True)
    instrumentor.uninstrument()

    assert [event.type for event in stream][-1] == "message_stop"
    stream.close()
    del stream

    assert [span.name for span in telemetry.spans] == [SPAN]


def test_a_call_that_is_under_way_when_it_is_switched_off_still_ends(
    claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry
):
    instrumentor = switch_on()
    hooks: list[str] = []

    def answer(request: object) -> Any:
        from otel_claude.testing import Answer

        instrumentor.uninstrument()
        hooks.append("off")
        return Answer("late")

    with SimulatedClaude(default=answer) as slow, connect(slow) as client:
        assert client.messages.create(**HELLO).content[0].type == "text"

    assert hooks == ["off"]
    assert [span.name for span in telemetry.spans] == [SPAN]


@wrapt.decorator
def shout(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    shouted.append(type(instance).__name__)
    return wrapped(*args, **kwargs)


shouted: list[str] = []


class EveryOther:
    """An attribute that is there for every other look at it."""

    def __init__(self, name: str, looks: Iterator[int]) -> None:
        self._name, self._looks = name, looks

    def __get__(self, owner: Any, kind: type) -> Any:
        return owner.__dict__[self._name] if next(self._looks) % 2 == 0 else None

    def __set__(self, owner: Any, value: Any) -> None:
        owner.__dict__[self._name] = value


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("stream", [False, True])
def test_another_thread_may_switch_off_at_any_moment_of_a_call(
    claude: SimulatedClaude, switch_on: SwitchOn, monkeypatch: pytest.MonkeyPatch, first: int, stream: bool
):
    """As if it did between any two looks at who wants to know: every other look finds nobody."""
    looks = count(first)
    switch_on()
    with monkeypatch.context() as there, connect(claude, max_retries=1) as client:
        there.setattr(Patches, "_calls", EveryOther("_calls", looks), raising=False)
        claude.will(RateLimited(retry_after=0))
        answer = client.messages.create(**HELLO, stream=stream)
        assert [event.type for event in answer][-1] == "message_stop" if stream else answer.type == "message"
    assert next(looks) >= 5  # One at each wrapper that the call, its retry and its response go through.
    assert len(claude.requests) == 2


def test_a_call_in_which_it_is_switched_off_comes_to_its_end(
    client: Any, switch_on: SwitchOn, monkeypatch: pytest.MonkeyPatch, telemetry: Telemetry
):
    attempt = Calls.attempt

    def attempted(self: Calls, *args: Any) -> None:
        attempt(self, *args)
        instrumentor.uninstrument()

    monkeypatch.setattr(Calls, "attempt", attempted)
    instrumentor = switch_on()
    assert client.messages.create(**HELLO).type == "message"
    assert [span.name for span in telemetry.spans] == [SPAN]


def test_a_patch_that_came_on_top_survives_and_ours_is_inert(
    client: Any, switch_on: SwitchOn, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
):
    original = vars(SyncAPIClient)["request"]
    instrumentor = switch_on()
    on_top = shout(vars(SyncAPIClient)["request"])
    monkeypatch.setattr(SyncAPIClient, "request", on_top)
    shouted.clear()
    instrumentor.uninstrument()

    assert vars(SyncAPIClient)["request"] is on_top
    assert client.messages.create(**HELLO).type == "message"
    assert shouted == ["Anthropic"]
    assert telemetry.spans == []

    switch_on()
    client.messages.create(**HELLO)
    assert shouted == ["Anthropic"] * 2
    assert [span.name for span in telemetry.spans] == [SPAN]
    AnthropicInstrumentor().uninstrument()
    monkeypatch.setattr(SyncAPIClient, "request", original)


def test_a_patch_that_was_there_before_stays(
    client: Any, switch_on: SwitchOn, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
):
    below = shout(vars(SyncAPIClient)["request"])
    monkeypatch.setattr(SyncAPIClient, "request", below)
    shouted.clear()
    instrumentor = switch_on()
    client.messages.create(**HELLO)
    instrumentor.uninstrument()

    assert vars(SyncAPIClient)["request"] is below
    assert shouted == ["Anthropic"]
    assert [span.name for span in telemetry.spans] == [SPAN]


def test_a_subclass_of_the_applications_is_covered(claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry):
    class Ours(Anthropic):
        def request(self, *args: Any, **kwargs: Any) -> Any:
            request: Any = super().request
            return request(*args, **kwargs)

    switch_on()
    with Ours(base_url=claude.base_url, api_key="sk-ant-simulated") as client:
        client.messages.create(**HELLO)

    assert [span.name for span in telemetry.spans] == [SPAN]


def test_without_either_sdk_switching_on_does_nothing():
    """The auto-instrumentation loads both instrumentors where one of the SDKs is there."""
    done = run_python(
        """
import logging, sys
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
sys.modules["anthropic"] = sys.modules["claude_agent_sdk"] = None
from otel_claude import AnthropicInstrumentor
from otel_claude.agent_sdk import ClaudeAgentInstrumentor
for instrumentor in (AnthropicInstrumentor(), ClaudeAgentInstrumentor()):
    instrumentor.instrument(skip_dep_check=True)
    instrumentor.uninstrument()
print("runs on")
"""
    )

    assert (done.returncode, done.stderr, done.stdout) == (0, "", "runs on\n")
