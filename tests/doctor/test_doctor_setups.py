"""What `opentelemetry-instrument` sets up is tried in another process, and what that is told."""

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
from otel_claude.doctor.setups import Setup, Tried, try_setup
from otel_claude.doctor.variables import Variables, variables

pytest.importorskip("opentelemetry.distro", reason="`opentelemetry-distro` is not installed here")

SECRET = "open-sesame-4711"
ALL = Setup(["traces", "metrics", "logs"], ["claude_anthropic", "claude_agent_sdk"])
"""All that there can be."""

EXPORTED = Variables({f"OTEL_{name}_EXPORTER": "otlp" for name in ("TRACES", "METRICS", "LOGS")})


def checked(tried: Tried, values: Variables = EXPORTED) -> Check:
    (check,) = process_checks(values, Work(lambda: tried, 5))
    return check


def this_process(report: Report) -> Check:
    (check,) = [check for section in report.sections for check in section.checks if check.name == "this process"]
    return check


def tried_with(set_variables: Callable[..., None], **values: str) -> Check:
    set_variables(OTEL_SERVICE_NAME="shop", OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf", **values)
    with variables() as found:
        return checked(try_setup(found), found)


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
    import socket

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


def test_nothing_is_sent_from_the_other_process(set_variables: Callable[..., None]):
    with Receiver() as receiver:
        set_variables(
            OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
            OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf",
            OTEL_BSP_SCHEDULE_DELAY="1",
            OTEL_METRIC_EXPORT_INTERVAL="1",
        )
        with variables() as found:
            tried = try_setup(found)
        assert tried.setup is not None
        assert tried.setup.signals == ALL.signals
        assert receiver.payloads == []


def test_a_ledger_of_budgets_is_left_alone_by_the_other_process(set_variables: Callable[..., None], tmp_path: Path):
    ledger = tmp_path / "budgets.db"
    set_variables(OTEL_CLAUDE_DAILY_BUDGET_USD="1", OTEL_CLAUDE_BUDGET_LEDGER=f"sqlite://{ledger}")
    with variables() as found:
        assert try_setup(found).error == ""
    assert not ledger.exists()


def test_what_another_instrumentation_breaks_is_told_without_secrets(
    install: Callable[..., None], set_variables: Callable[..., None], tmp_path: Path
):
    module = f"class Broken:\n    def __init__(self):\n        raise LookupError('no key {SECRET}')\n"
    install("broken", "1.0", "[opentelemetry_instrumentor]\nbroken = broken:Broken\n", module=module)
    check = tried_with(set_variables, PYTHONPATH=str(tmp_path), MY_API_KEY=SECRET)
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


@pytest.mark.parametrize(("run", "part"), [(fail, "cannot be started"), (hang, "has not started within")])
def test_what_cannot_be_tried_is_a_note(run: Callable[..., NoReturn], part: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(subprocess, "run", run)
    (check,) = process_checks(EXPORTED, Work(lambda: try_setup(EXPORTED), 0.5))
    assert (check.status, part in check.says) == ("note", True)


def test_a_process_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(setups, "START_S", 0.5)
    monkeypatch.setattr(
        setups,
        "LAUNCH",
        f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(60)",
    )
    with pytest.raises(subprocess.TimeoutExpired):
        try_setup(Variables({"PATH": "/bin"}))
    # It may be ended before it has written anything.
    written = tmp_path / "pid"
    assert not written.exists() or not written.read_text() or not Path(f"/proc/{written.read_text()}").exists()


def test_what_there_is_in_this_process_is_seen():
    program = (
        "from opentelemetry import trace; from opentelemetry.sdk.trace import TracerProvider;"
        "from otel_claude.doctor.setups import setup_here; from otel_claude import AnthropicInstrumentor;"
        "trace.set_tracer_provider(TracerProvider()); AnthropicInstrumentor().instrument(); print(*setup_here())"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout == "['traces'] ['claude_anthropic']\n"
