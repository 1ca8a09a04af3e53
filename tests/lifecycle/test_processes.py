"""Processes: forks, and the end of the interpreter."""

import os
import sys

import pytest
from apps import SPAN

from child_python import run_python

FORKS = pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")

PREPARED = """
import os, sys
from anthropic import Anthropic
from otel_claude import AnthropicInstrumentor
from otel_claude.testing import SimulatedClaude, Telemetry

hello = dict(model="claude-sonnet-5-5", max_tokens=5, messages=[{"role": "user", "content": "Hi"}])
telemetry = Telemetry()
AnthropicInstrumentor().instrument(
    tracer_provider=telemetry.tracer_provider,
    meter_provider=telemetry.meter_provider,
    logger_provider=telemetry.logger_provider,
)
claude = SimulatedClaude().start()

def connect():
    return Anthropic(base_url=claude.base_url, api_key="sk-ant-simulated")

def told(who):
    calls = telemetry.count("gen_ai.client.operation.duration")
    print(who, [span.name for span in telemetry.spans], calls, telemetry.total("claude.cost") > 0, flush=True)
"""


@FORKS
@pytest.mark.parametrize("moment", ["before the first call", "after a call", "while the price list is loading"])
def test_the_calls_of_a_forked_child_are_recorded_in_the_child(moment: str):
    done = run_python(
        PREPARED
        + """
import time
moment = sys.argv[1]
if moment == "while the price list is loading":
    from otel_claude.pricing import Prices
    load = Prices.load
    def slowly(self):
        time.sleep(0.3)
        load(self)
    Prices.load = slowly
if moment != "before the first call":
    connect().messages.create(**hello)
if moment == "after a call":
    time.sleep(0.5)
child = os.fork()
if child == 0:
    telemetry.clear()
    with connect() as client:
        client.messages.create(**hello)
        for _ in client.messages.create(**hello, stream=True):
            pass
    told("child")
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
telemetry.clear()
connect().messages.create(**hello)
told("parent")
claude.stop()
""",
        moment,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [f"child ['{SPAN}', '{SPAN}'] 2 True", f"parent ['{SPAN}'] 1 True"]


@FORKS
def test_the_calls_of_workers_of_multiprocessing_are_recorded():
    done = run_python(
        PREPARED
        + """
import multiprocessing

def work(number):
    telemetry.clear()
    with connect() as client:
        client.messages.create(**hello)
    return len(telemetry.spans), telemetry.count("gen_ai.client.operation.duration")

connect().messages.create(**hello)
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(pool.map(work, range(4)), flush=True)
claude.stop()
"""
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{[(1, 1)] * 4}\n"


@FORKS
def test_a_stream_that_was_open_at_the_fork_is_ended_by_its_reader_alone():
    done = run_python(
        PREPARED
        + """
stream = connect().messages.create(**hello, stream=True)
next(stream)
child = os.fork()
if child == 0:
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
for _ in stream:
    pass
told("parent")
claude.stop()
"""
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"parent ['{SPAN}'] 1 True\n"


@FORKS
def test_what_a_child_drops_of_its_parents_is_told_of_by_the_parent_alone():
    """Also by a child that leaves the block of a run, and the frames that hold a stream."""
    done = run_python(
        PREPARED
        + """
import otel_claude
from contextlib import ExitStack

def work(child=0):
    with ExitStack() as stack:
        stack.enter_context(otel_claude.agent("outer"))
        stack.enter_context(otel_claude.tool_call({"type": "tool_use", "id": "toolu_1", "name": "work"}))
        stream = connect().messages.create(**hello, stream=True)
        next(stream)
        child = os.fork()
        if child == 0:
            return "child"
        assert os.waitpid(child, 0)[1] == 0
        for _ in stream:
            pass
    return "parent"

who = work()
if who == "child":
    told(who)
    with otel_claude.agent("own"):
        connect().messages.create(**hello)
told(who)
if who == "child":
    os._exit(0)
claude.stop()
"""
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "child [] 0 False",
        f"child ['{SPAN}', 'invoke_agent own'] 1 True",
        f"parent ['{SPAN}', 'execute_tool work', 'invoke_agent outer'] 1 True",
    ]


OPEN_STREAMS = {
    "a stream": "stream = client.messages.create(**hello, stream=True); next(stream)",
    "an unread stream": "stream = client.messages.create(**hello, stream=True)",
    "a helper": "manager = client.messages.stream(**hello); stream = manager.__enter__(); next(stream)",
    "bytes": (
        "manager = client.messages.with_streaming_response.create(**hello, stream=True);"
        " response = manager.__enter__(); chunks = response.iter_bytes(); next(chunks)"
    ),
    "a stream in a cycle": (
        "stream = client.messages.create(**hello, stream=True); next(stream); holder = [stream]; holder.append(holder);"
        " del stream, holder"
    ),
}


@pytest.mark.parametrize("how", OPEN_STREAMS)
@pytest.mark.parametrize("providers", ["in memory", "batching"])
def test_an_interpreter_that_ends_with_an_open_answer_ends_in_silence(how: str, providers: str):
    script = PREPARED + f"client = connect()\n{OPEN_STREAMS[how]}\n"
    if providers == "batching":
        script = script.replace(
            "telemetry = Telemetry()",
            """
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk._logs import LoggerProvider
class telemetry:
    tracer_provider = TracerProvider()
    meter_provider = MeterProvider([InMemoryMetricReader()])
    logger_provider = LoggerProvider()
telemetry.tracer_provider.add_span_processor(BatchSpanProcessor(InMemorySpanExporter()))
""",
        )
    done = run_python(script)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_an_interpreter_that_ends_in_an_open_async_stream_hears_nothing_of_us():
    """The HTTP library may complain of its own generators, with us and without."""
    done = run_python(
        PREPARED
        + """
import asyncio
from anthropic import AsyncAnthropic

async def main():
    client = AsyncAnthropic(base_url=claude.base_url, api_key="sk-ant-simulated")
    global stream
    stream = await client.messages.create(**hello, stream=True)
    await anext(stream)

asyncio.run(main())
"""
    )

    assert (done.returncode, done.stdout) == (0, "")
    assert "otel_claude" not in done.stderr
    assert "detach" not in done.stderr


def test_an_interpreter_that_ends_while_the_price_list_is_loading_ends_in_silence():
    done = run_python(PREPARED + "connect().messages.create(**hello)\nsys.exit(3)\n")

    assert (done.returncode, done.stdout, done.stderr) == (3, "", "")


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_an_interrupt_passes_and_its_call_is_no_error():
    done = run_python(
        PREPARED
        + """
import signal, threading, time
from otel_claude.testing import Hang
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has its background jobs ignore it
claude.will(Hang(5))
client = connect()

def interrupt():
    while not claude.requests:
        time.sleep(0.01)
    time.sleep(0.1)
    os.kill(os.getpid(), signal.SIGINT)

threading.Thread(target=interrupt, daemon=True).start()
try:
    client.messages.create(**hello)
except KeyboardInterrupt:
    (span,) = telemetry.spans
    print("interrupted", span.status.status_code.name, "error.type" in span.attributes, len(telemetry.events))
claude.stop()
"""
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "interrupted UNSET False 0\n"


def test_many_threads_that_make_the_first_call_at_once_load_the_price_list_without_harm():
    done = run_python(
        PREPARED
        + """
from concurrent.futures import ThreadPoolExecutor
client = connect()
with ThreadPoolExecutor(16) as pool:
    list(pool.map(lambda _: client.messages.create(**hello), range(16)))
costs = [span.attributes.get("claude.cost.usd", 0) > 0 for span in telemetry.spans]
print(len(costs), all(costs))
claude.stop()
"""
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "16 True\n"
