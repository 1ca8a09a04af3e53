"""`otel-claude doctor` as a user runs it, bare and under `opentelemetry-instrument`, and the page about it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from doctor_receivers import answering, black_hole
from receiver import Receiver

from otel_claude.commands import main
from otel_claude.version import __version__

PROJECT = Path(__file__).parents[2]
PAGE = PROJECT / "docs" / "doctor.md"
COMMANDS = Path(sys.executable).parent
DOCTOR, INSTRUMENT = COMMANDS / "otel-claude", COMMANDS / "opentelemetry-instrument"
SECRET = "open-sesame-4711"
TIMEOUT_S = 60

pytestmark = pytest.mark.skipif(
    not DOCTOR.exists() or not INSTRUMENT.exists(), reason="the package or `opentelemetry-distro` is not installed here"
)


def run(*arguments: str, instrumented: bool = False, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs the command in an environment that says nothing else of OpenTelemetry."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OTEL_", "ANTHROPIC_", "PYTEST_")) and not name.lower().endswith("_proxy")
    }
    launcher = [str(INSTRUMENT)] if instrumented else []
    return subprocess.run(
        [*launcher, str(DOCTOR), "doctor", *arguments],
        env={**inherited, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", "OTEL_SERVICE_NAME": "shop", **variables},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


@pytest.mark.parametrize("instrumented", [False, True])
def test_a_receiver_that_accepts_everything_is_well(*, instrumented: bool):
    with Receiver() as receiver:
        ran = run(
            instrumented=instrumented,
            OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
            OTEL_EXPORTER_OTLP_HEADERS=f"api-key={SECRET}",
        )
        spans, points, events = receiver.spans, receiver.points, receiver.events
    assert (ran.returncode, ran.stderr) == (0, "")
    (span,) = spans
    assert span.trace.hex() in ran.stdout
    # Some versions of OpenTelemetry's SDK have metrics of their own.
    assert [point.metric for point in points if point.scope == "otel_claude"] == ["claude.doctor"]
    assert [event.name for event in events] == ["claude.doctor"]
    assert "api-key" in ran.stdout
    assert SECRET not in ran.stdout
    assert ("was not started by opentelemetry-instrument" in ran.stdout) is not instrumented
    assert "set up providers, and instrumented anthropic" in " ".join(ran.stdout.split())


@pytest.mark.parametrize("instrumented", [False, True])
def test_a_receiver_that_refuses_is_told_and_is_the_exit_status(*, instrumented: bool):
    with answering(401, SECRET.encode(), content_type="text/plain") as endpoint:
        ran = run(
            instrumented=instrumented,
            OTEL_EXPORTER_OTLP_ENDPOINT=endpoint,
            OTEL_EXPORTER_OTLP_HEADERS=f"authorization=Bearer {SECRET}",
        )
    assert ran.returncode == 1
    assert "HTTP 401" in ran.stdout
    assert SECRET not in ran.stdout + ran.stderr


def test_a_black_hole_does_not_keep_the_process():
    with black_hole() as endpoint:
        ran = run("--timeout", "1", "--format", "json", OTEL_EXPORTER_OTLP_ENDPOINT=endpoint)
    assert (ran.returncode, ran.stderr) == (1, "")
    told = json.loads(ran.stdout)
    assert told["problems"] == 1
    assert "trace_id" not in told


def test_a_missing_exporter_is_told_under_opentelemetry_instrument_too():
    ran = run("--offline", "--format", "json", instrumented=True, OTEL_TRACES_EXPORTER="jaeger")
    assert ran.returncode == 1
    problems = [check["name"] for check in json.loads(ran.stdout)["checks"] if check["status"] == "problem"]
    assert problems == ["this process", "exporter"]


def test_bad_settings_are_told():
    ran = run("--offline", "--format", "json", OTEL_CLAUDE_NATIVE_SPANS="remove", OTEL_CLAUDE_PRICES="/no/such/file")
    assert ran.returncode == 1
    told = json.loads(ran.stdout)
    problems = {check["name"]: check["says"] for check in told["checks"] if check["status"] == "problem"}
    assert set(problems) == {"native_spans", "prices"}
    assert "replace, enrich, keep" in problems["native_spans"]


def test_attributes_that_are_dropped_are_a_note_and_nothing_raw():
    with Receiver() as receiver:
        ran = run(
            "--format",
            "json",
            OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
            OTEL_RESOURCE_ATTRIBUTES=f"app.token=a,{SECRET},broken",
        )
    assert (ran.returncode, ran.stderr) == (0, "")
    (check,) = [check for check in json.loads(ran.stdout)["checks"] if check["name"] == "resource"]
    assert check["status"] == "note"
    assert "entry 2 and entry 3 are" in check["says"]
    assert SECRET not in ran.stdout


def test_a_key_that_is_in_the_wrong_variable_is_not_shown():
    key = "sk-ant-api03-0123456789abcdef"
    variables: dict[str, Any] = {
        "ANTHROPIC_API_KEY": key,
        "OTEL_EXPORTER_OTLP_HEADERS": key,
        "OTEL_CLAUDE_NATIVE_SPANS": key,
        "OTEL_CLAUDE_BUDGET_LEDGER": f"redis://me:{SECRET}@127.0.0.1:1/x",
        "OTEL_CLAUDE_DAILY_BUDGET_USD": "1",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://me:{SECRET}@127.0.0.1:1/{key}?key={SECRET}",
        "OTEL_EXPORTER_OTLP_TIMEOUT": key,
    }
    ran = run("--timeout", "1", **variables)
    assert ran.returncode == 1
    assert key not in ran.stdout + ran.stderr
    assert SECRET not in ran.stdout + ran.stderr


def test_an_sdk_that_cannot_be_imported_is_the_one_problem_and_no_key_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """As with a limit that is no number, for which it looks while it is imported."""

    class Fails(ModuleType):
        def __getattr__(self, name: str) -> Any:
            raise ValueError(f"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT is {name} of {SECRET}")

    monkeypatch.setitem(sys.modules, "otel_claude.doctor.examination", Fails("examination"))
    monkeypatch.setenv("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "x")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"api-key={SECRET}")
    assert main(["doctor", "--format", "json"]) == 1
    told = json.loads(capsys.readouterr().out)
    (check,) = told["checks"]
    assert (told["problems"], check["status"]) == (1, "problem")
    assert check["mend"] == "correct OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT, or unset it"
    assert SECRET not in json.dumps(told)


@pytest.mark.parametrize("seconds", ["0", "-1", "soon", "nan", "601"])
def test_a_timeout_that_is_none_is_a_wrong_argument(seconds: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main(["doctor", f"--timeout={seconds}"])
    assert ended.value.code == 2
    assert repr(seconds) in capsys.readouterr().err


def test_nothing_else_imports_the_doctor():
    program = "import sys, otel_claude; print([name for name in sys.modules if 'doctor' in name])"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
    assert ran.stdout == "[]\n"


BLOCK = re.compile(r"^    \$ otel-claude doctor\n(?P<output>(?:(?:    .*)?\n)+)", re.MULTILINE)
CHANGING = re.compile(r"\d+\.\d+(?:\.\d+)?(?:b\d+)?")
"""Versions, which others may have."""

PAGES_ENDPOINT = "http://127.0.0.1:4318"


def said(text: str, instead: Mapping[str, str]) -> list[str]:
    """The words of an output, without versions."""
    for found, shown in instead.items():
        text = text.replace(found, shown)
    return CHANGING.sub("…", text).split()


def test_the_output_of_the_page_is_current(set_variables: Callable[..., None], capsys: pytest.CaptureFixture[str]):
    block: Any = BLOCK.search(PAGE.read_text("utf-8"))
    body = b'{"message":"unknown API key"}'
    with answering(401, body, content_type="application/json") as endpoint:
        set_variables(
            OTEL_EXPORTER_OTLP_ENDPOINT=endpoint,
            OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf",
            OTEL_EXPORTER_OTLP_HEADERS=f"api-key={SECRET}",
            OTEL_LOGS_EXPORTER="none",
            OTEL_CLAUDE_DAILY_BUDGET_USD="50",
            OTEL_CLAUDE_NATIVE_SPANS="remove",
        )
        assert main(["doctor"]) == 1
    printed = capsys.readouterr().out
    assert __version__ in printed
    host = endpoint.removeprefix("http://")
    assert said(block["output"], {}) == said(printed, {endpoint: PAGES_ENDPOINT, host: "127.0.0.1:4318"})
