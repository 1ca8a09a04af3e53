"""What is left of a call when it is over, and what comes of one that the program does not finish."""

import gc
import os
import signal
import weakref
from typing import Any

import anthropic
import pytest
from apps import HELLO, SPAN, SwitchOn

from child_python import run_python
from otel_claude.testing import BadRequest, SimulatedClaude, Telemetry

DROPS_AT_THE_END = """
import gc, time, weakref
from anthropic import Anthropic
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from otel_claude import AnthropicInstrumentor
from otel_claude.testing import SimulatedClaude

class Slow(SpanProcessor):
    def on_end(self, span):
        time.sleep(0.3)

class Printed(SpanExporter):
    def export(self, spans):
        print([span.attributes["claude.stream.outcome"] for span in spans], flush=True)

provider = TracerProvider()
provider.add_span_processor(Slow())
provider.add_span_processor(BatchSpanProcessor(Printed()))
AnthropicInstrumentor().instrument(tracer_provider=provider)
claude = SimulatedClaude().start()
client = Anthropic(base_url=claude.base_url, api_key="sk-ant-simulated")
hello = {"model": "claude-sonnet-5-5", "max_tokens": 8, "messages": [{"role": "user", "content": "Hi"}]}
stream = client.messages.create(**hello, stream=True)
next(iter(stream))
stream.itself = stream  # So that it is collected, in the middle of which nothing can be recorded.
gone = weakref.ref(stream)
del stream
while gone() is not None:  # Another thread may be at a collection of its own.
    gc.collect()
"""

SETS_A_PROVIDER_LATER = """
import gc, sys, threading, time, weakref
import otel_claude
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

class Slow(SpanProcessor):
    def on_end(self, span):
        time.sleep(0.3)

class Printed(SpanExporter):
    def export(self, spans):
        print(*[span.name for span in spans], flush=True)

@otel_claude.agent
def left():
    yield 1

class Box:
    pass

def drop():
    box = Box()
    box.itself, box.items = box, left()
    next(box.items)
    gone = weakref.ref(box)
    del box
    while gone() is not None:  # Another thread may be at a collection of its own.
        gc.collect()

def drop_later():
    threading.main_thread().join()
    drop()

given = {"meter_provider": MeterProvider()} if sys.argv[1] == "given" else {}
otel_claude.AnthropicInstrumentor().instrument(**given)
if sys.argv[1] == "global":
    metrics.set_meter_provider(MeterProvider())
    list(left())  # Now it is known that somebody listens.
provider = TracerProvider()
provider.add_span_processor(Slow())
provider.add_span_processor(BatchSpanProcessor(Printed()))
trace.set_tracer_provider(provider)
threading.Thread(target=drop_later).start()
drop()
"""

COLLECTED = """
import faulthandler, gc, sys, threading, weakref
from contextlib import suppress
import otel_claude
from anthropic import Anthropic
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from otel_claude.testing import SimulatedClaude

faulthandler.dump_traceback_later(20, exit=True)
lock = threading.Lock()

class Exporting(SpanProcessor):
    def on_end(self, span):
        with lock:
            print(span.name, flush=True)

provider = TracerProvider()
provider.add_span_processor(Exporting())
otel_claude.AnthropicInstrumentor().instrument(tracer_provider=provider)
hello = {"model": "claude-sonnet-5-5", "max_tokens": 8, "messages": [{"role": "user", "content": "Hi"}]}

def run():
    return otel_claude.agent("run")(lambda: (number for number in range(2)))()

def run_in_good_order():
    with otel_claude.agent("run"), suppress(GeneratorExit):
        yield 1

def tool_in_good_order():
    with otel_claude.tool_call({"type": "tool_use", "id": "toolu_1", "name": "run"}), suppress(GeneratorExit):
        yield 1

def call_in_good_order():
    with SimulatedClaude() as claude, Anthropic(base_url=claude.base_url, api_key="sk-ant-simulated") as client:
        with client.messages.stream(**hello) as stream, suppress(GeneratorExit):
            yield next(stream)

class Box:
    pass

gc.disable()
box = Box()
box.itself, box.items = box, globals()[sys.argv[1]]()
next(box.items)
gone = weakref.ref(box)
del box
if sys.argv[2] == "uninstrumented":
    otel_claude.AnthropicInstrumentor().uninstrument()
with lock:  # As an exporter has it while a collection begins.
    while gone() is not None:  # Another thread may be at one of its own.
        gc.collect()
"""

NO_THREAD_AT_THE_END = """
import _thread, gc, weakref
import otel_claude
from otel_claude.testing import Telemetry
from opentelemetry.sdk.trace import SpanProcessor

class Printed(SpanProcessor):
    def on_end(self, span):
        print(span.name)

telemetry = Telemetry()
telemetry.tracer_provider.add_span_processor(Printed())
otel_claude.AnthropicInstrumentor().instrument(tracer_provider=telemetry.tracer_provider)

def no_thread(*_):
    raise RuntimeError("can't start new thread")

_thread.start_new_thread = no_thread
class Holder(list):
    pass

holder = Holder([otel_claude.agent("left")(lambda: (number for number in range(2)))()])
next(holder[0])
holder.append(holder)
gone = weakref.ref(holder)
del holder
while gone() is not None:  # Another thread may be at a collection of its own.
    gc.collect()
print("The end.")
"""

GIVEN_AND_THEN_GLOBAL = """
from anthropic import Anthropic
from opentelemetry import metrics
from otel_claude import AnthropicInstrumentor
from otel_claude.testing import SimulatedClaude, Telemetry

telemetry = Telemetry()
hello = {"model": "claude-sonnet-5-5", "max_tokens": 8, "messages": [{"role": "user", "content": "Hi"}]}
with SimulatedClaude() as claude:
    client = Anthropic(base_url=claude.base_url, api_key="sk-ant-simulated")
    for round in (1, 2):
        given = {"meter_provider": telemetry.meter_provider} if round == 1 else {}
        AnthropicInstrumentor().instrument(**given)
        client.messages.create(**hello)
        print(telemetry.total("claude.responses"), "claude.rate_limit.remaining" in telemetry.metrics)
        AnthropicInstrumentor().uninstrument()
        if round == 1:
            metrics.set_meter_provider(telemetry.meter_provider)
"""


def test_a_stream_that_is_dropped_as_the_program_ends_is_recorded():
    done = run_python(DROPS_AT_THE_END)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "['abandoned']\n"


@pytest.mark.parametrize("first", ["given", "global"])
def test_what_is_dropped_as_the_program_ends_is_recorded_by_a_provider_that_was_set_last(first: str):
    """Also by a thread that goes on when the main one has come to its end."""
    done = run_python(SETS_A_PROVIDER_LATER, first)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["invoke_agent", "left"] * 2


@pytest.mark.parametrize("how", ["run", "run_in_good_order", "tool_in_good_order", "call_in_good_order"])
@pytest.mark.parametrize("when", ["instrumented", "uninstrumented"])
def test_what_is_collected_while_an_exporter_holds_its_lock_waits_for_nobody(how: str, when: str):
    done = run_python(COLLECTED, how, when)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout in ("invoke_agent run\n", "execute_tool run\n", f"{SPAN}\n")


def test_what_is_dropped_when_there_is_no_thread_to_be_had_is_recorded_at_the_end():
    done = run_python(NO_THREAD_AT_THE_END)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["The end.", "invoke_agent left"]


def test_a_provider_that_is_given_first_and_global_later_counts_on():
    done = run_python(GIVEN_AND_THEN_GLOBAL)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "1 True\n2 True\n"


HELD_TO_THE_END = """
import atexit, os, signal, sys, threading
import otel_claude
from anthropic import Anthropic
from otel_claude.testing import Answer, SimulatedClaude, Telemetry

telemetry = Telemetry()
otel_claude.AnthropicInstrumentor().instrument(
    tracer_provider=telemetry.tracer_provider, meter_provider=telemetry.meter_provider
)

@atexit.register
def tell():
    for span in telemetry.spans:
        told = span.attributes
        print(span.name, told.get("claude.stream.outcome") or told.get("claude.agent.outcome"))
    runs, calls = telemetry.count("gen_ai.invoke_agent.duration"), telemetry.count("gen_ai.client.operation.duration")
    print(runs, calls, telemetry.total("claude.token.usage", {"claude.token.type": "input"}))

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has its background jobs ignore it
claude = SimulatedClaude(default=Answer("Hello", usage={"input_tokens": 1_000, "output_tokens": 5})).start()
client = Anthropic(base_url=claude.base_url, api_key="sk-ant-simulated")
hello = {"model": "claude-sonnet-5-5", "max_tokens": 8, "messages": [{"role": "user", "content": "Hi"}]}
begun = threading.Event()

def begin():
    return client.messages.create(**hello, stream=True)

def read():
    for event in begin():
        yield event

def fail():
    stream = begin()
    for event in stream:
        raise RuntimeError("no")

def interrupt():
    stream = begin()
    for event in stream:
        os.kill(os.getpid(), signal.SIGINT)

def hold():
    global stream
    stream = begin()
    next(stream)

def wait():
    for event in read():
        begun.set()
        threading.Event().wait()

def leave_to_a_thread():
    threading.Thread(target=wait, daemon=True).start()
    begun.wait()

def run():
    with otel_claude.agent("outer"), otel_claude.agent("inner"):
        yield from read()

def hold_a_run():
    global running
    running = run()
    next(running)

def fork():
    hold()
    if os.fork():
        os.wait()
    else:
        telemetry.clear()

globals()[sys.argv[1]]()
"""


@pytest.mark.parametrize(
    ("how", "code"),
    [("fail", 1), ("interrupt", -signal.SIGINT), ("hold", 0), ("leave_to_a_thread", 0)],
)
def test_a_stream_that_is_held_to_the_end_of_the_program_is_recorded(how: str, code: int):
    """By the frames of what ends it, by a module, or by a thread that nobody waits for."""
    done = run_python(HELD_TO_THE_END, how)
    assert done.returncode == code
    assert "otel_claude" not in done.stderr.replace("import otel_claude", "")
    assert done.stdout.splitlines() == [f"{SPAN} abandoned", "0 1 1000"]


def test_runs_that_are_held_to_the_end_of_the_program_are_recorded_after_what_is_in_them():
    done = run_python(HELD_TO_THE_END, "hold_a_run")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        f"{SPAN} abandoned",
        "invoke_agent inner abandoned",
        "invoke_agent outer abandoned",
        "2 1 1000",
    ]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_what_a_parent_holds_is_not_recorded_at_the_end_of_its_child():
    done = run_python(HELD_TO_THE_END, "fork")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["0 0 0", f"{SPAN} abandoned", "0 1 1000"]


class Held:
    """An object of the application's that a frame of its holds."""


@pytest.mark.parametrize("stream", [False, True])
def test_a_failed_call_keeps_nothing_of_the_application(
    stream: bool, client: Any, claude: SimulatedClaude, telemetry: Telemetry, switch_on: SwitchOn
):
    """Its exception knows the frames that it went through, which hold the application's objects."""
    switch_on()

    def application() -> "weakref.ref[Held]":
        held = Held()
        claude.will(BadRequest("no"))
        try:
            client.messages.create(**HELLO, stream=stream)
        except anthropic.BadRequestError:
            pass
        return weakref.ref(held)

    gc.collect()
    gc.disable()
    try:
        assert application()() is None
    finally:
        gc.enable()
    assert len(telemetry.spans) == 1
