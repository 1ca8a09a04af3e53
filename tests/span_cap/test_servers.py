"""Servers under `opentelemetry-instrument`: workers that were forked, an event loop, and requests at the same time.

A request makes 50 spans below that of the server, and the cap is 20. Requests of one round wait for each other before
they make any, so that they run at the same time: in different workers, where a worker can have only one at a time.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
import zlib
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeVar

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from traced import COUNT, CREATED

CAP = 100
STEPS = 250
COMMAND = Path(sys.executable).with_name("opentelemetry-instrument")
TIMEOUT_S = 30


def are_installed(*names: str) -> bool:
    try:
        return all(distribution(name) for name in names)
    except PackageNotFoundError:
        return False


pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork"),
    pytest.mark.skipif(
        not are_installed(
            "gunicorn",
            "opentelemetry-distro",
            "opentelemetry-exporter-otlp-proto-http",
            "opentelemetry-instrumentation-asgi",
            "opentelemetry-instrumentation-wsgi",
            "otel-claude",
            "uvicorn",
        ),
        reason="servers, their instrumentation or the package are not installed here",
    ),
]

DEPLOYMENT, DEPLOYING = f"{0xD:032x}", f"{0xD:016x}"
"""A trace that something else has begun, and its span in which the server is started."""
SERVED = f"""
import asyncio, os, urllib.request
from opentelemetry import trace
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware as Asgi
from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware as Wsgi
from opentelemetry.propagate import extract

tracer = trace.get_tracer("app")
barrier = asyncio.Barrier(int(os.environ["MEETING"]))

def steps(of):
    for _ in range({STEPS}):
        with tracer.start_as_current_span(f"step of {{of}}"):
            yield

started_by = extract({{"traceparent": "00-{DEPLOYMENT}-{DEPLOYING}-01"}})
with tracer.start_as_current_span("import", started_by, attributes={{"app.process": os.getpid()}}):
    list(steps("import"))

@Wsgi
def wsgi(environ, start_response):
    path = environ["PATH_INFO"]
    trace.get_current_span().set_attribute("app.process", os.getpid())
    urllib.request.urlopen(os.environ["OUTSIDE"], timeout={TIMEOUT_S}).close()
    list(steps(path))
    start_response("204 No Content", [])
    return []

async def answer(scope, receive, send):
    if scope["type"] == "lifespan":
        assert (await receive())["type"] == "lifespan.startup"
        await send({{"type": "lifespan.startup.complete"}})
        assert (await receive())["type"] == "lifespan.shutdown"
        if "FLUSHES" in os.environ:
            trace.get_tracer_provider().force_flush()
        await send({{"type": "lifespan.shutdown.complete"}})
        return
    path = scope["path"]
    await barrier.wait()
    for _ in steps(path):
        await asyncio.sleep(0)
    await send({{"type": "http.response.start", "status": 204, "headers": []}})
    await send({{"type": "http.response.body"}})

asgi = Asgi(answer)
"""


class Span(NamedTuple):
    """A span that was received. `process` is the instance of the service that has sent it."""

    process: str
    name: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, Any]


_Key = TypeVar("_Key")


class Outside:
    """What a server talks to: a receiver of its spans, and a place where so many requests meet."""

    def __init__(self, meeting: int) -> None:
        self.meeting = meeting
        bodies = self._bodies = list[bytes]()
        barrier = threading.Barrier(meeting, timeout=TIMEOUT_S)

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                barrier.wait()
                self.send_response(204)
                self.end_headers()

            def do_POST(self) -> None:
                bodies.append(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class has named it
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def received(self, by: Callable[[Span], _Key]) -> dict[_Key, list[Span]]:
        """The spans, each with those for which `by` gives the same."""
        received: dict[_Key, list[Span]] = defaultdict(list)
        for span in self._spans():
            received[by(span)].append(span)
        return received

    def _spans(self) -> Iterator[Span]:
        for body in self._bodies:
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                (process,) = [pair.value for pair in resource.resource.attributes if pair.key == "service.instance.id"]
                for span in (span for scope in resource.scope_spans for span in scope.spans):
                    yield Span(
                        process.string_value,
                        span.name,
                        span.trace_id.hex(),
                        span.span_id.hex(),
                        span.parent_span_id.hex(),
                        {
                            pair.key: getattr(pair.value, str(pair.value.WhichOneof("value")))
                            for pair in span.attributes
                        },
                    )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Ask:
    """Makes requests to a server, those of one round at the same time. `parents` are the spans that they come from."""

    def __init__(self, address: str) -> None:
        self._address = address
        self.parents = {DEPLOYING}

    def round(self, **paths: str | None) -> None:
        """Asks for each path, in the trace that it is given, or in one of its own."""
        with ThreadPoolExecutor(len(paths)) as pool:
            list(pool.map(self._ask, paths, paths.values()))

    def _ask(self, path: str, trace: str | None) -> None:
        request = urllib.request.Request(f"{self._address}/{path}")  # noqa: S310  # a server of the test's own
        if trace is not None:
            parent = f"{zlib.crc32(path.encode()):016x}"
            self.parents.add(parent)
            request.add_header("traceparent", f"00-{trace}-{parent}-01")
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:  # noqa: S310  # the same
            assert response.status == 204


@contextmanager
def serving(
    *command: str, outside: Outside, folder: Path, end: signal.Signals = signal.SIGTERM, **env: str
) -> Generator[Ask]:
    """A server of the application. It gets a socket that listens already, as `{fd}`, and at the end a signal."""
    (folder / "served.py").write_text(SERVED, encoding="utf-8")
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OTEL_", "ANTHROPIC_", "PYTEST_", "PYTHONPATH", "COV_"))
    }
    settings = {
        "OTEL_CLAUDE_MAX_SPANS_PER_TRACE": str(CAP),
        "OTEL_EXPORTER_OTLP_ENDPOINT": outside.address,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        # It complains where SQLAlchemy is newer than it knows.
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "sqlalchemy",
        "OUTSIDE": outside.address,
        "MEETING": str(outside.meeting),
    }
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port, fd = listener.getsockname()[1], listener.fileno()
        process = subprocess.Popen(
            [str(COMMAND), sys.executable, "-m", *(part.format(fd=fd) for part in command)],
            env={**inherited, **settings, **env},
            cwd=folder,
            pass_fds=[fd],
            stderr=subprocess.PIPE,
            text=True,
        )
    with process:
        try:
            yield Ask(f"http://127.0.0.1:{port}")
            process.send_signal(end)
            _, stderr = process.communicate(timeout=TIMEOUT_S)
        finally:
            process.kill()
    assert process.returncode in {0, -end}, stderr
    assert "Traceback" not in stderr


def orphans(spans: list[Span], remote: set[str]) -> list[str]:
    """Of the spans of one process in one trace: those whose parents it has not sent, and others have not either."""
    known = {span.id for span in spans} | remote
    return [span.name for span in spans if span.parent and span.parent not in known]


def represented(spans: list[Span]) -> int:
    return sum(span.attributes.get(COUNT, 1) for span in spans)


def paths(spans: list[Span]) -> set[str]:
    """What the requests were for that spans, or summaries, are named after."""
    return {word for span in spans for word in span.name.split() if word.startswith("/")}


@pytest.mark.parametrize(("options", "processes"), [([], 2), (["--preload"], 3)], ids=["forked", "preloaded"])
def test_each_process_of_gunicorn_keeps_each_trace_under_the_cap(tmp_path: Path, options: list[str], processes: int):
    """The application is imported by each of the two workers, or by the process that they are forked from."""
    gunicorn = ("gunicorn", "served:wsgi", "--bind", "fd://{fd}", "--workers", "2", "--no-control-socket", *options)
    shared = f"{0xA:032x}"
    with Outside(meeting=2) as outside:
        with serving(*gunicorn, outside=outside, folder=tmp_path) as ask:
            ask.round(own=None, first=shared)
            ask.round(second=shared, third=shared)
        parts = outside.received(by=lambda span: (span.trace, span.process))

    made: dict[str, list[int]] = defaultdict(list)
    pids: dict[str, set[int]] = defaultdict(set)
    for (trace, process), spans in parts.items():
        assert len(spans) == CAP
        assert orphans(spans, ask.parents) == []
        made[trace].append(represented(spans))
        pids[process] |= {span.attributes["app.process"] for span in spans if "app.process" in span.attributes}
    assert [len(of_one) for of_one in pids.values()] == [1] * processes
    # One worker had the first of the shared trace, and then one of the other two: it made the spans of two requests.
    assert sorted(made.pop(shared)) == [1 + STEPS, 2 * (1 + STEPS)]
    assert made.pop(DEPLOYMENT) == [1 + STEPS] * (1 if "--preload" in options else 2)
    ((trace, of_own),) = made.items()
    assert of_own == [1 + STEPS]
    (own,) = [spans for (other, _), spans in parts.items() if other == trace]
    assert paths(own) == {"/own"}
    assert [span.attributes[CREATED] for span in own if not span.parent] == of_own


@pytest.mark.parametrize(
    ("end", "env"),
    [(signal.SIGINT, {}), (signal.SIGTERM, {"FLUSHES": "yes"})],
    ids=["interrupted", "terminated"],
)
def test_uvicorn_keeps_each_trace_under_the_cap(tmp_path: Path, end: signal.Signals, env: dict[str, str]):
    """After SIGTERM it leaves the interpreter no time to shut the provider down, so the application has to flush."""
    uvicorn = ("uvicorn", "served:asgi", "--fd", "{fd}", "--log-level", "warning")
    shared, of_another = f"{0xA:032x}", f"{0xB:032x}"
    own = ["one", "two", "three", "four"]
    with Outside(meeting=len(own) + 3) as outside:
        with serving(*uvicorn, outside=outside, folder=tmp_path, end=end, **env) as ask:
            ask.round(**dict.fromkeys(own), first=shared, second=shared, alone=of_another)
        traces = outside.received(by=lambda span: span.trace)

    # The middleware makes one span for a request, and one for each of the two messages that it is answered with.
    made = 1 + STEPS + 2
    for trace_id, spans in traces.items():
        # A trace from elsewhere may go on after a flush, so that leaves some of its room.
        may_go_on = end is signal.SIGTERM and trace_id in {DEPLOYMENT, shared, of_another}
        assert len(spans) == CAP or (may_go_on and CAP - 5 <= len(spans) < CAP)
        assert orphans(spans, ask.parents) == []
    assert represented(traces.pop(DEPLOYMENT)) == 1 + STEPS
    assert represented(traces.pop(shared)) == 2 * made
    assert sorted((represented(spans), *paths(spans)) for spans in traces.values()) == sorted(
        (made, f"/{path}") for path in [*own, "alone"]
    )
