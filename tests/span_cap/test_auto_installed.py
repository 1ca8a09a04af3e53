"""`opentelemetry-instrument`, with the package installed: the cap is on in a program of which no line was changed."""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

import pytest
from traced import COUNT, CREATED, EXPORTED, SUMMARIZED

VARIABLE = "OTEL_CLAUDE_MAX_SPANS_PER_TRACE"
COMMAND = Path(sys.executable).with_name("opentelemetry-instrument")


def is_installed() -> bool:
    try:
        points = distribution("otel-claude").entry_points
    except PackageNotFoundError:
        return False
    return COMMAND.exists() and "claude_span_cap" in points.names


pytestmark = [
    pytest.mark.skipif(not is_installed(), reason="the package or `opentelemetry-distro` is not installed here"),
    pytest.mark.skipif(importlib.util.find_spec("httpx2") is None, reason="the programs of these tests use httpx2"),
]

ENVIRONMENT = {
    "OTEL_TRACES_EXPORTER": "console",
    "OTEL_METRICS_EXPORTER": "none",
    "OTEL_LOGS_EXPORTER": "none",
    # It complains where SQLAlchemy is newer than it knows.
    "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "sqlalchemy",
}

SPANS = """
import sys
from opentelemetry import trace

tracer = trace.get_tracer("app")

def grow(spans):
    for _ in range(spans):
        tracer.start_span("step").end()

def trace_of(spans, context=None):
    with tracer.start_as_current_span("root", context):
        grow(spans - 1)
"""
"""Makes spans of the program's own."""

HTTP = (
    SPANS
    + """
import httpx2

def ask(times):
    with httpx2.Client(verify=False) as client:
        for _ in range(times):
            client.get(sys.argv[1])
"""
)
"""Asks for a page, so that httpx's instrumentation makes spans."""

ASKING = HTTP + 'with tracer.start_as_current_span("root"): ask(40)'
"""A trace of 41 spans."""


class Ran(NamedTuple):
    """The spans that a program has printed, and what it said besides."""

    spans: list[dict[str, Any]]
    stderr: str

    def all_of(self, name: str) -> list[dict[str, Any]]:
        return [span for span in self.spans if span["name"] == name]

    @property
    def represented(self) -> int:
        return sum(span["attributes"].get(COUNT, 1) for span in self.spans)

    @property
    def orphans(self) -> list[str]:
        known = {span["context"]["span_id"] for span in self.spans}
        return [span["name"] for span in self.spans if span["parent_id"] is not None and span["parent_id"] not in known]

    @property
    def said(self) -> dict[str, int]:
        """What the root says of its trace."""
        (root,) = self.all_of("root")
        return {name: value for name, value in root["attributes"].items() if name.startswith("claude.trace.")}


class Page(BaseHTTPRequestHandler):
    """An empty page. Its connections stay open."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class has named it
        pass


@pytest.fixture(scope="module")
def page() -> Iterator[str]:
    """The address of a page on the loopback interface."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def no_sdk(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which the SDK cannot be imported, so that programs start in a fifth of the time."""
    folder = tmp_path_factory.mktemp("no_sdk")
    (folder / "anthropic.py").write_text("raise ImportError('there is no SDK here')\n", encoding="utf-8")
    return {"PYTHONPATH": str(folder)}


def run(
    program: str, *arguments: str, env: Mapping[str, str] | None = None, by: tuple[str, ...] = (str(COMMAND),)
) -> Ran:
    """Runs a program by `opentelemetry-instrument`, in an environment in which only `env` speaks of OpenTelemetry."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OTEL_", "ANTHROPIC_", "PYTEST_", "PYTHONPATH", "COV_"))
    }
    done = subprocess.run(
        [*by, sys.executable, "-c", program, *arguments],
        env={**inherited, **ENVIRONMENT, **(env or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Ran(list(printed(done.stdout)), done.stderr)


def printed(stdout: str) -> Iterator[dict[str, Any]]:
    """The JSON documents that the console exporter prints one after the other."""
    decoder, at = json.JSONDecoder(), 0
    while (at := stdout.find("{", at)) >= 0:
        document, at = decoder.raw_decode(stdout, at)
        yield document


def assert_capped(ran: Ran, cap: int, created: int) -> None:
    """That a trace is exported as the cap promises."""
    assert len(ran.spans) == cap
    assert ran.represented == created
    assert ran.orphans == []
    summaries = [span for span in ran.spans if COUNT in span["attributes"]]
    assert ran.said == {
        CREATED: created,
        EXPORTED: cap - len(summaries),
        SUMMARIZED: created - (cap - len(summaries)),
        "claude.trace.cap": cap,
    }


def assert_not_capped(ran: Ran, created: int) -> None:
    """That a trace is exported whole."""
    assert len(ran.spans) == created
    assert ran.said == {}


def test_a_program_is_capped_at_a_thousand_spans_without_any_code(page: str):
    ran = run(HTTP + 'with tracer.start_as_current_span("root"): grow(980); ask(40)', page)

    assert_capped(ran, 1_000, 1 + 980 + 40)
    assert ran.stderr == ""


ORDERED = (
    """
import sys
from opentelemetry.instrumentation import auto_instrumentation
from opentelemetry.instrumentation.auto_instrumentation import _load

find, place = _load.entry_points, sys.argv[2]

def in_order(group):
    return sorted(find(group=group), key=lambda point: point.name == "claude_anthropic", reverse=place == "first")

_load.entry_points = in_order
auto_instrumentation.initialize()
"""
    + ASKING
)


@pytest.mark.parametrize("place", ["first", "last"])
def test_the_tracers_of_other_instrumentations_are_capped_in_any_order(page: str, place: str):
    ran = run(ORDERED, page, place, env={VARIABLE: "20"}, by=())

    assert_capped(ran, 20, 41)
    # 16 are live, the root among them, and the reserve of 4 is three spans and a summary.
    assert len(ran.all_of("GET")) == 15 + 3
    assert ran.stderr == ""


def test_zero_is_no_cap(page: str, no_sdk: dict[str, str]):
    assert_not_capped(run(ASKING, page, env={**no_sdk, VARIABLE: "0"}), 41)


def test_a_value_that_is_not_accepted_is_one_warning_and_the_default():
    ran = run(SPANS + "trace_of(1_020)", env={VARIABLE: "1"})

    assert_capped(ran, 1_000, 1_020)
    assert ran.stderr.count(VARIABLE) == 1
    assert ran.stderr.count("\n") == 1


@pytest.mark.parametrize("disabled", ["sqlalchemy, claude_span_cap", "claude_anthropic", "*"])
def test_it_is_off_where_it_is_disabled(disabled: str):
    ran = run(SPANS + "trace_of(41)", env={VARIABLE: "20", "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": disabled})

    assert_not_capped(ran, 41)
    assert "otel_claude" not in ran.stderr


def test_it_needs_no_sdk(page: str, no_sdk: dict[str, str]):
    ran = run(ASKING, page, env={**no_sdk, VARIABLE: "20"})

    assert_capped(ran, 20, 41)
    assert "there is no SDK here" in ran.stderr


@pytest.mark.parametrize(("broken", "exported"), [("Settings", 20), ("cap", 20), ("install_span_cap", 41)])
def test_an_exception_in_the_hook_leaves_the_instrumentation_of_other_libraries_alone(
    page: str, no_sdk: dict[str, str], broken: str, exported: int
):
    """They are instrumented after the hook has run, and the switch of the SDK installs the cap then, if it can."""
    program = """
import sys
from opentelemetry.instrumentation import auto_instrumentation
from otel_claude.span_cap import installation

class Broken:
    def __call__(self, *arguments, **keywords):
        raise RuntimeError("broken on purpose")
    def __getattr__(self, name):
        raise RuntimeError("broken on purpose")

setattr(installation, sys.argv[2], Broken())
auto_instrumentation.initialize()
"""
    ran = run(program + ASKING, page, broken, env={**no_sdk, VARIABLE: "20"}, by=())

    assert (len(ran.spans), ran.represented) == (exported, 41)
    assert "otel_claude: the span cap could not be installed" in ran.stderr
    assert "broken on purpose" in ran.stderr


THREE_TRACES = (
    SPANS
    + """
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

def request(flags):
    parent = SpanContext(0xABC + flags, 0xDEF, is_remote=True, trace_flags=TraceFlags(flags))
    return set_span_in_context(NonRecordingSpan(parent))

trace_of(41)
trace_of(41, request(1))
trace_of(41, request(0))
"""
)
"""One of its own, and two of requests that came in: from one who samples them and from one who does not."""


@pytest.mark.parametrize(
    ("sampler", "argument", "exported"),
    [
        # Of its own, of a sampled request, of one that is not sampled.
        ("always_on", "", (20, 20, 20)),
        ("always_off", "", (0, 0, 0)),
        ("parentbased_always_on", "", (20, 20, 0)),
        ("parentbased_traceidratio", "1.0", (20, 20, 0)),
        ("parentbased_traceidratio", "0.0", (0, 20, 0)),
    ],
)
def test_the_sampler_of_the_environment_decides_what_there_is_to_cap(
    no_sdk: dict[str, str], sampler: str, argument: str, exported: tuple[int, int, int]
):
    chosen = {"OTEL_TRACES_SAMPLER": sampler, "OTEL_TRACES_SAMPLER_ARG": argument}
    ran = run(THREE_TRACES, env={**no_sdk, **chosen, VARIABLE: "20"})

    names = {f"0x{0xABC + 1:032x}": "sampled", f"0x{0xABC:032x}": "not sampled"}
    traces = {"own": Ran([], ""), "sampled": Ran([], ""), "not sampled": Ran([], "")}
    for span in ran.spans:
        traces[names.get(span["context"]["trace_id"], "own")].spans.append(span)
    assert tuple(len(trace.spans) for trace in traces.values()) == exported
    for trace in traces.values():
        assert trace.represented == (41 if trace.spans else 0)
        assert [name for name in trace.orphans if name != "root"] == []


def test_a_disabled_sdk_of_opentelemetry_is_left_alone(page: str):
    ran = run(ASKING, page, env={"OTEL_SDK_DISABLED": "true", VARIABLE: "20"})

    assert ran.spans == []
    assert ran.stderr == ""


@pytest.mark.parametrize(
    ("instrumentors", "env"),
    [
        ({"httpx2": {}, "claude_anthropic": {"max_spans_per_trace": 20}}, {}),
        ({"claude_anthropic": {"max_spans_per_trace": 20}}, {VARIABLE: "30"}),
        ({"httpx2": {}, "claude_anthropic": {}}, {VARIABLE: "20"}),
        ({"httpx2": {}}, {VARIABLE: "20"}),
    ],
    ids=["declared", "declared over the environment", "in the environment", "only others are declared"],
)
def test_declarative_configuration_runs_instrumentors_before_the_hook(
    page: str, tmp_path: Path, instrumentors: dict[str, Any], env: dict[str, str]
):
    for needed in ("opentelemetry.configuration", "yaml", "jsonschema"):
        pytest.importorskip(needed, reason=f"declarative configuration needs {needed}")
    file = tmp_path / "otel.json"
    exported: dict[str, Any] = {"batch": {"exporter": {"console": {}}}}
    file.write_text(
        json.dumps(
            {
                "file_format": "1.0",
                "tracer_provider": {"processors": [exported]},
                "instrumentation/development": {"python": instrumentors},
            }
        ),
        encoding="utf-8",
    )
    ran = run(ASKING, page, env={**env, "OTEL_CONFIG_FILE": str(file)})

    assert_capped(ran, 20, 41)


def test_a_provider_that_the_program_sets_itself_is_capped_by_install_span_cap(page: str, no_sdk: dict[str, str]):
    """Nothing configures the SDK: httpx is instrumented, and asked for a page, before there is a provider or a cap."""
    program = (
        HTTP
        + """
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter
from otel_claude import install_span_cap

ask(1)
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(ConsoleSpanExporter()))
trace.set_tracer_provider(provider)
ask(1)
install_span_cap(max_spans=20)
with tracer.start_as_current_span("root"):
    ask(40)
"""
    )
    ran = run(program, page, env={**no_sdk, "OTEL_PYTHON_CONFIGURATOR": "none"})

    alone, *rest = ran.spans
    assert (alone["name"], alone["parent_id"]) == ("GET", None)
    assert_capped(Ran(rest, ""), 20, 41)
