"""A program that runs under `opentelemetry-instrument` against the simulated API, and exports to a backend.

In: the program, what the API says, and the variables of OpenTelemetry. Out: what the API has said.
"""

import os
import subprocess
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import by_hand
from launch import environment
from said import NOTHING, ROUND, Said, said

from otel_claude.testing import Outcome, SimulatedClaude
from venvs import PROJECT, commands_of

EXAMPLES = PROJECT / "examples"
CALLS = Path(__file__).with_name("apps") / "calls.py"
SUPPORT = EXAMPLES / "support_assistant.py"
RUNAWAY = EXAMPLES / "runaway_agent.py"
CONTENT = Path(__file__).with_name("apps") / "content.py"
STAYING = Path(__file__).with_name("apps") / "staying.py"
DONE = {SUPPORT: by_hand.SUPPORT, RUNAWAY: by_hand.RUNAWAY, CONTENT: by_hand.CONTENT}
SERVICE = "otel-claude-backends"
TIMEOUT_S = 120
NEEDED = (
    "anthropic==2.12.0",
    "opentelemetry-distro",
    "opentelemetry-exporter-otlp-proto-grpc",
    "opentelemetry-exporter-otlp-proto-http",
    "opentelemetry-exporter-prometheus",
)
OFF = {"OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"}
QUICKLY = {"OTEL_BSP_SCHEDULE_DELAY": "200", "OTEL_BLRP_SCHEDULE_DELAY": "200", "OTEL_METRIC_EXPORT_INTERVAL": "500"}
"""Exports of spans, log records and metrics, in milliseconds apart."""


class ProgramFailed(Exception):
    """A program has ended in another way than it should. The message has what it wrote."""


class Rounds:
    """`apps/calls.py` while it runs: it makes a round of calls whenever it is told to."""

    def __init__(self, process: subprocess.Popen[str], claude: SimulatedClaude, errors: IO[str]) -> None:
        self._process = process
        self._claude = claude
        self._errors = errors
        self._rounds = 0
        self._began = time.time()

    def next(self) -> Said:
        """Has a round made, and returns what was said in all of them.

        Raises:
            ProgramFailed: it has ended.
        """
        self._claude.will(*ROUND)
        self._rounds += 1
        if self._process.stdin:
            self._process.stdin.write("\n")
            self._process.stdin.flush()
        self.wait()
        return self.said

    def wait(self) -> None:
        """Waits until the program says that it is done.

        Raises:
            ProgramFailed: it has ended.
        """
        if self._process.stdout:
            while (line := self._process.stdout.readline()) != "done\n":
                if not line:
                    self.fail()

    @property
    def said(self) -> Said:
        told = said(self._claude.requests, ROUND * self._rounds)
        return told._replace(done=by_hand.ROUND.times(self._rounds), began=self._began, ended=time.time())

    def end(self) -> None:
        """Lets the program come to its end.

        Raises:
            ProgramFailed: it ends with an error.
        """
        self._process.communicate(timeout=TIMEOUT_S)
        if self._process.returncode:
            self.fail()

    def fail(self) -> None:
        """Raises `ProgramFailed`, with what the program wrote."""
        self._errors.seek(0)
        raise ProgramFailed(self._errors.read())


@contextmanager
def rounds(endpoint: str, **variables: str) -> Generator[Rounds]:
    """Runs `apps/calls.py` until the end of the block."""
    with SimulatedClaude() as claude, _running(claude, endpoint, CALLS, **variables) as running:
        yield running


@contextmanager
def stays(program: Path, outcomes: Sequence[Outcome], endpoint: str, **variables: str) -> Generator[Said]:
    """Runs a program that then stays until the end of the block, and tells what was said to it."""
    with SimulatedClaude() as claude:
        claude.will(*outcomes)
        began = time.time()
        with _running(claude, endpoint, STAYING, program, **variables) as running:
            running.wait()
            yield _said(claude, program, outcomes, began)


@contextmanager
def _running(claude: SimulatedClaude, endpoint: str, *program: Path, **variables: str) -> Generator[Rounds]:
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as errors,
        subprocess.Popen(
            _command(*program),
            env=_environment(endpoint, claude.base_url, **variables),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            encoding="utf-8",
        ) as process,
    ):
        running = Rounds(process, claude, errors)
        try:
            yield running
            running.end()
        finally:
            process.kill()


def ran(program: Path, outcomes: Sequence[Outcome], endpoint: str, **variables: str) -> Said:
    """Runs a program to its end, and returns what was said to it.

    Raises:
        ProgramFailed: it ended with an error.
    """
    with SimulatedClaude() as claude:
        claude.will(*outcomes)
        began = time.time()
        done = subprocess.run(  # the programs of this project
            _command(program),
            env=_environment(endpoint, claude.base_url, **variables),
            capture_output=True,
            encoding="utf-8",
            timeout=TIMEOUT_S,
            check=False,
        )
        if done.returncode:
            raise ProgramFailed(done.stdout + done.stderr)
        return _said(claude, program, outcomes, began)


def _said(claude: SimulatedClaude, program: Path, outcomes: Sequence[Outcome], began: float) -> Said:
    told = said(claude.requests, outcomes)
    return told._replace(done=DONE.get(program, NOTHING), began=began, ended=time.time())


def _command(*program: Path) -> list[Path]:
    pins = (PROJECT / "constraints.txt").read_text("utf-8")
    commands = commands_of("backend-program", NEEDED, pins)
    return [commands / "opentelemetry-instrument", commands / "python", *program]


def _environment(endpoint: str, api: str, **variables: str) -> dict[str, str]:
    outer = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "PYTHON"))}
    given = {"OTEL_SERVICE_NAME": SERVICE, "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "httpx2", **QUICKLY, **variables}
    return environment(outer, endpoint, api, **given)
