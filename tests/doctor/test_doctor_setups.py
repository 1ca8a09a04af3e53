"""What `opentelemetry-instrument` sets up is tried in another process, and what that is told."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest
from receiver import Receiver

from otel_claude.doctor import setups
from otel_claude.doctor.check import Check
from otel_claude.doctor.deadline import Work
from otel_claude.doctor.examination import examine
from otel_claude.doctor.processes import process_checks
from otel_claude.doctor.report import Report
from otel_claude.doctor.setups import LAUNCH, Setup, Trial, Tried
from otel_claude.doctor.variables import Variables, variables

pytest.importorskip("opentelemetry.distro", reason="`opentelemetry-distro` is not installed here")

SOURCE = Path(__file__).parents[2] / "src"
SECRET = "open-sesame-4711"
ALL = Setup(["traces", "metrics", "logs"], ["claude_anthropic", "claude_agent_sdk"])
"""All that there can be."""

EXPORTED = Variables({f"OTEL_{name}_EXPORTER": "otlp" for name in ("TRACES", "METRICS", "LOGS")})


def before_the_source(folder: Path) -> str:
    """The path of a process that finds what is in a folder."""
    return os.pathsep.join((str(folder), str(SOURCE)))


def checked(tried: Tried, values: Variables = EXPORTED) -> Check:
    (check,) = process_checks(values, Work(lambda: tried, 5))
    return check


def this_process(report: Report) -> Check:
    (check,) = [check for section in report.sections for check in section.checks if check.name == "this process"]
    return check


def tried_with(set_variables: Callable[..., None], **values: str) -> Check:
    set_variables(OTEL_SERVICE_NAME="shop", OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf", **values)
    with variables() as found:
        return checked(Trial(found).run(), found)


def test_what_is_well_is_told_with_what_is_instrumented(set_variables: Callable[..., None]):
    check = tried_with(set_variables)
    assert check.status == "ok"
    assert "has set up providers, and instrumented anthropic" in check.says


# What the SDK says of these values stands in its own source, at the places where it reads them.
@pytest.mark.parametrize(
    ("values", "part"),
    [
        ({"OTEL_BSP_MAX_QUEUE_SIZE": "256"}, "ValueError: max_export_batch_size"),
        (
            {"OTEL_BSP_MAX_QUEUE_SIZE": "256", "OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"},
            "ValueError: max_export_batch_size",
        ),
        ({"OTEL_METRIC_EXPORT_INTERVAL": "0"}, "ValueError: interval value"),
        ({"OTEL_PYTHON_ID_GENERATOR": "xray"}, "'xray' not found"),
        ({"OTEL_PYTHON_CONFIGURATOR": "nope"}, "nope is set by OTEL_PYTHON_CONFIGURATOR"),
        ({"OTEL_METRICS_EXPORTER": "prometheus", "OTEL_EXPORTER_PROMETHEUS_PORT": "abc"}, "'abc'"),
    ],
)
def test_what_keeps_opentelemetry_from_being_set_up_is_a_problem(
    values: dict[str, str], part: str, set_variables: Callable[..., None]
):
    check = tried_with(set_variables, **values)
    assert check.status == "problem"
    assert part in check.says


def test_the_whole_examination_tells_it(really_tried: None, set_variables: Callable[..., None]):
    set_variables(OTEL_SERVICE_NAME="shop", OTEL_BSP_MAX_QUEUE_SIZE="256")
    report = examine(5, offline=True)
    assert [report.count("problem"), this_process(report).status] == [1, "problem"]


def test_a_port_that_is_taken_is_for_somebody_to_judge(set_variables: Callable[..., None]):
    """The program that runs there already has it, where the doctor is run beside that."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        check = tried_with(
            set_variables,
            OTEL_METRICS_EXPORTER="prometheus",
            OTEL_EXPORTER_PROMETHEUS_HOST="127.0.0.1",
            OTEL_EXPORTER_PROMETHEUS_PORT=str(port),
        )
    assert (check.status, "in use" in check.says) == ("note", True)
    assert "change the port" in check.mend


EARLY = """
import pathlib, time

from opentelemetry import _logs, metrics, trace


class Early:
    def instrument(self, **kwargs):
        for _ in range(2):
            trace.get_tracer("early").start_span("early").end()
            metrics.get_meter("early").create_counter("early").add(1)
            _logs.get_logger("early").emit(_logs.LogRecord(body="early"))
        time.sleep(1)
        pathlib.Path({marker!r}).touch()
"""
"""An instrumentation that has something to send before the program begins, and time enough for that."""


@pytest.fixture
def early(install: Callable[..., None], tmp_path: Path) -> Path:
    """Installs such an instrumentation, for programs with `tmp_path` on their path. The file that it makes at last."""
    marker = tmp_path / "marker"
    entry_points = "[opentelemetry_instrumentor]\nearly = early:Early\n"
    install("early", "1.0", entry_points, module=EARLY.format(marker=str(marker)))
    return marker


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"OTEL_BSP_SCHEDULE_DELAY": "1", "OTEL_BLRP_SCHEDULE_DELAY": "1", "OTEL_METRIC_EXPORT_INTERVAL": "1"},
        {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "1", "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE": "1"},
        {"OTEL_BSP_MAX_QUEUE_SIZE": "1", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "1"},
        {"OTEL_BSP_MAX_QUEUE_SIZE": "many", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "1"},
    ],
)
def test_nothing_is_sent_from_the_other_process(
    values: dict[str, str], early: Path, set_variables: Callable[..., None], tmp_path: Path
):
    with Receiver() as receiver:
        set_variables(
            OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
            OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf",
            PYTHONPATH=before_the_source(tmp_path),
            **values,
        )
        with variables() as found:
            tried = Trial(found, offline=True).run()
        assert early.exists()
        assert tried.setup is not None
        assert tried.setup.signals == ALL.signals
        assert receiver.payloads == []


@pytest.mark.parametrize("offline", [False, True])
def test_offline_the_machine_is_not_asked_what_it_is(
    install: Callable[..., None], set_variables: Callable[..., None], tmp_path: Path, *, offline: bool
):
    """Detectors of clouds ask over the network."""
    marker = tmp_path / "marker"
    module = (
        "import pathlib\nfrom opentelemetry.sdk.resources import Resource, ResourceDetector\n"
        "class Asking(ResourceDetector):\n    def detect(self):\n"
        f"        pathlib.Path({str(marker)!r}).touch()\n        return Resource.get_empty()\n"
    )
    install("asking", "1.0", "[opentelemetry_resource_detector]\nasking = asking:Asking\n", module=module)
    set_variables(OTEL_EXPERIMENTAL_RESOURCE_DETECTORS="asking", PYTHONPATH=before_the_source(tmp_path))
    with variables() as found:
        assert Trial(found, offline=offline).run().setup is not None
    assert marker.exists() is not offline


def test_a_ledger_of_budgets_is_left_alone_by_the_other_process(set_variables: Callable[..., None], tmp_path: Path):
    ledger = tmp_path / "budgets.db"
    set_variables(OTEL_CLAUDE_DAILY_BUDGET_USD="1", OTEL_CLAUDE_BUDGET_LEDGER=f"sqlite://{ledger}")
    with variables() as found:
        assert Trial(found).run().error == ""
    assert not ledger.exists()


def test_what_another_instrumentation_breaks_is_told_without_secrets(
    install: Callable[..., None], set_variables: Callable[..., None], tmp_path: Path
):
    module = f"class Broken:\n    def __init__(self):\n        raise LookupError('no key {SECRET}')\n"
    install("broken", "1.0", "[opentelemetry_instrumentor]\nbroken = broken:Broken\n", module=module)
    check = tried_with(set_variables, PYTHONPATH=before_the_source(tmp_path), MY_API_KEY=SECRET)
    assert (check.status, "LookupError: no key …" in check.says) == ("problem", True)


def test_a_program_that_does_not_start_is_a_problem():
    check = checked(Tried(None, "ImportError: no such thing"))
    assert (check.status, "ImportError: no such thing" in check.says) == ("problem", True)


@pytest.mark.parametrize(
    ("tried", "values", "status"),
    [
        (Tried(ALL), EXPORTED, "ok"),
        (Tried(ALL, "LookupError: x", gave_up=True), EXPORTED, "problem"),
        (Tried(ALL._replace(signals=["traces", "metrics"])), EXPORTED, "problem"),
        # A distro that has no events.
        (Tried(ALL._replace(signals=["traces"])), Variables({"OTEL_TRACES_EXPORTER": "otlp"}), "ok"),
        (Tried(ALL._replace(signals=["traces"])), EXPORTED._replace(values={"OTEL_CONFIG_FILE": "x"}), "ok"),
        (Tried(ALL._replace(signals=[])), Variables({}), "problem"),
        (Tried(ALL._replace(switched_on=[])), EXPORTED, "problem"),
        (
            Tried(ALL._replace(switched_on=[])),
            Variables({**EXPORTED.values, "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "claude_anthropic"}),
            "ok",
        ),
    ],
)
def test_what_is_lacking_is_a_problem_where_it_is_wanted(tried: Tried, values: Variables, status: str):
    assert checked(tried, values).status == status


def fail(*_args: object, **_kwargs: object) -> NoReturn:
    raise PermissionError


def hang(*_args: object, **_kwargs: object) -> NoReturn:
    time.sleep(5)
    raise AssertionError


@pytest.mark.parametrize(
    ("popen", "status", "part"),
    [(fail, "note", "cannot be started"), (hang, "problem", "has not started within 30 s")],
)
def test_what_cannot_be_tried_is_told(
    popen: Callable[..., NoReturn], status: str, part: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(subprocess, "Popen", popen)
    (check,) = process_checks(EXPORTED, Work(Trial(EXPORTED).run, 0.5))
    assert (check.status, part in check.says) == (status, True)


def test_a_process_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(setups, "START_S", 0.5)
    monkeypatch.setattr(
        setups,
        "LAUNCH",
        f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(60)",
    )
    with pytest.raises(subprocess.TimeoutExpired):
        Trial(Variables({"PATH": "/bin"})).run()
    # It may be ended before it has written anything.
    written = tmp_path / "pid"
    assert not written.exists() or not written.read_text() or not Path(f"/proc/{written.read_text()}").exists()


HANGING = """
import signal, socket


class Hanging:
    def instrument(self, **kwargs):
        # The alarm is not to end it here.
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        socket.create_connection(("127.0.0.1", {port})).recv(1)
"""
"""An instrumentation that waits for somebody who says nothing."""


@pytest.mark.skipif(not hasattr(signal, "alarm"), reason="there are no alarms here")
def test_an_interrupted_doctor_leaves_no_process_behind(install: Callable[..., None], tmp_path: Path):
    # What a shell starts in its background ignores interrupts, and so does all that this starts.
    heeding = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    program = f"{heeding}; import sys; from otel_claude.commands import main; sys.exit(main(['doctor', '--offline']))"
    environ = {**os.environ, "PYTHONPATH": before_the_source(tmp_path)}
    with socket.create_server(("127.0.0.1", 0)) as listening:
        module = HANGING.format(port=listening.getsockname()[1])
        install("hanging", "1.0", "[opentelemetry_instrumentor]\nhanging = hanging:Hanging\n", module=module)
        listening.settimeout(50)
        with (
            subprocess.Popen([sys.executable, "-c", program], env=environ, start_new_session=True) as doctor,
            listening.accept()[0] as child,
        ):
            doctor.send_signal(signal.SIGINT)
            assert doctor.wait(50) == 130
            # A process that is no more has no connection.
            child.settimeout(10)
            assert child.recv(1) == b""


@pytest.mark.skipif(not hasattr(signal, "alarm"), reason="there are no alarms here")
def test_the_other_process_ends_by_itself_at_last():
    launch = [sys.executable, "-c", LAUNCH.format(seconds=2), sys.executable, "-c", "import time; time.sleep(60)"]
    assert subprocess.run(launch, capture_output=True, timeout=50, check=False).returncode == -signal.SIGALRM


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"OTEL_BSP_MAX_QUEUE_SIZE": "many"}, ["OTEL_BSP_MAX_QUEUE_SIZE is 'many'"]),
        ({"OTEL_BSP_SCHEDULE_DELAY": "5s"}, ["OTEL_BSP_SCHEDULE_DELAY is '5s'"]),
        (
            {"OTEL_METRIC_EXPORT_INTERVAL": "60s", "OTEL_METRIC_EXPORT_TIMEOUT": "1m"},
            ["OTEL_METRIC_EXPORT_INTERVAL is '60s'", "OTEL_METRIC_EXPORT_TIMEOUT is '1m'"],
        ),
        (
            {"OTEL_EXPORTER_OTLP_COMPRESSION": "gzip", "OTEL_EXPORTER_OTLP_LOGS_COMPRESSION": "zstd"},
            ["OTEL_EXPORTER_OTLP_LOGS_COMPRESSION is 'zstd'"],
        ),
    ],
)
def test_values_that_the_sdk_quietly_replaces_are_told(
    values: dict[str, str], told: list[str], set_variables: Callable[..., None]
):
    set_variables(OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf", **values)
    with variables() as found:
        *replaced, last = process_checks(found, Work(Trial(found).run, 60))
    assert [(check.status, check.says.partition(",")[0]) for check in replaced] == [("problem", each) for each in told]
    assert last.status == "ok"


def test_what_there_is_in_this_process_is_seen():
    program = (
        "from opentelemetry import trace; from opentelemetry.sdk.trace import TracerProvider;"
        "from otel_claude.doctor.setups import setup_here; from otel_claude import AnthropicInstrumentor;"
        "trace.set_tracer_provider(TracerProvider()); AnthropicInstrumentor().instrument(); print(*setup_here())"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout == "['traces'] ['claude_anthropic']\n"
