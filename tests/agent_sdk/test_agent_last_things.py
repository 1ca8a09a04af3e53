"""What is left of a connection that nobody closes: it is dropped, its process ends, or it was a parent's."""

import gc
import json
import os
from typing import Any

import pytest
from scripted_transport import ScriptedTransport

from child_python import run_python
from otel_claude.agent_sdk import observe_transport
from otel_claude.testing import Telemetry

CONNECTED = """
import asyncio, faulthandler, gc, os, sys, threading
import otel_claude
from otel_claude.agent_sdk import ClaudeAgentInstrumentor, observe_transport
from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

lock = threading.Lock()

class Exporting(SpanProcessor):
    def on_end(self, span):
        with lock:
            pass

class Printed(SpanExporter):
    def export(self, spans):
        print(*[(span.name, span.attributes["claude.agent.outcome"]) for span in spans], flush=True)

def set_provider():
    provider = TracerProvider()
    provider.add_span_processor(Exporting())
    provider.add_span_processor(BatchSpanProcessor(Printed()))
    trace.set_tracer_provider(provider)

class Transport:
    async def connect(self): pass
    async def write(self, data): pass
    async def close(self): pass
    async def read_messages(self):
        await asyncio.get_running_loop().create_future()
        yield {}

async def connect():
    transport = observe_transport(Transport())
    await transport.connect()
    await transport.write('{"type": "user", "message": {"content": "Hello"}}')
    return transport

async def read():
    async for _ in (await connect()).read_messages():
        pass
"""

COLLECTED = """
faulthandler.dump_traceback_later(20, exit=True)
set_provider()
ClaudeAgentInstrumentor().instrument()

@otel_claude.agent("run")
def run():
    yield 1

gc.disable()
if sys.argv[1] == "a run":
    box = [run()]
    next(box[0])
    box.append(box)
    del box
else:
    loop = asyncio.new_event_loop()
    task = loop.create_task(read())
    loop.run_until_complete(asyncio.sleep(0.01))
    task._log_destroy_pending = False
    loop.close()
    del task, loop
with lock:  # As an exporter has it while a collection begins.
    gc.collect()
"""

OPEN_AT_THE_END = """
if sys.argv[1] == "before":
    set_provider()
ClaudeAgentInstrumentor().instrument()
if sys.argv[1] == "after":
    set_provider()
transport = asyncio.run(connect())
if sys.argv[1] == "after the first connection":
    asyncio.run(transport.close())
    set_provider()
    transport = asyncio.run(connect())
"""

FORKED = """
set_provider()
ClaudeAgentInstrumentor().instrument()
transport = asyncio.run(connect())
child = os.fork()
if child == 0:
    if sys.argv[1] == "closes":
        asyncio.run(transport.close())
    sys.exit()
assert os.waitpid(child, 0)[1] == 0
print("The child has ended.", flush=True)
"""


@pytest.mark.parametrize(("what", "name"), [("a run", "invoke_agent run"), ("a reader", "invoke_agent")])
def test_what_is_collected_while_an_exporter_holds_its_lock_waits_for_nobody(what: str, name: str):
    """With no other instrumentor than this one."""
    done = run_python(CONNECTED + COLLECTED, what)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{(name, 'abandoned')}\n"


@pytest.mark.parametrize("when", ["before", "after", "after the first connection"])
def test_what_is_open_as_the_program_ends_is_recorded_whenever_the_provider_was_set(when: str):
    done = run_python(CONNECTED + OPEN_AT_THE_END, when)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{('invoke_agent', 'abandoned')}\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
@pytest.mark.parametrize("how", ["ends", "closes"])
def test_a_child_leaves_the_connections_of_its_parent_alone(how: str):
    done = run_python(CONNECTED + FORKED, how)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["The child has ended.", str(("invoke_agent", "abandoned"))]


async def ask(transport: Any) -> None:
    await transport.connect()
    await transport.write(json.dumps({"type": "user", "message": {"role": "user", "content": "Hello"}}))


def test_a_connection_that_is_dropped_ends_its_turn(agents: Telemetry):
    asking = ask(observe_transport(ScriptedTransport(())))
    with pytest.raises(StopIteration):
        asking.send(None)
    del asking
    gc.collect()
    assert (agents.span("invoke_agent").attributes or {})["claude.agent.outcome"] == "abandoned"
