"""The programs of the frameworks, run against the simulated API: a framework goes in, what it did comes out."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from answers import Said, Script
from table import Framework

from otel_claude.testing import Request, SimulatedClaude

# The examples are no package.
sys.path.append(str(Path(__file__).parents[2] / "examples"))

from launch import environment
from receiver import Point, Receiver, Span

APPS = Path(__file__).with_name("apps")
TIMEOUT_S = 180


class Run(NamedTuple):
    """One run of a program: what it printed, what it sent, what it was answered, and what it exported."""

    status: int
    printed: str
    errors: str
    requests: Sequence[Request]
    said: Sequence[Said]
    spans: Sequence[Span]
    points: Sequence[Point]


def run(framework: Framework, commands: Path, *, traced: bool) -> Run:
    """Runs the program of a framework under `opentelemetry-instrument`, in a home of its own.

    Unless `traced`, our instrumentation is switched off, and everything else is the same.
    """
    script = Script()
    switched_off = {} if traced else {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "claude_anthropic"}
    with (
        SimulatedClaude(default=script) as claude,
        Receiver() as receiver,
        tempfile.TemporaryDirectory() as home,
    ):
        outer = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "PYTHON"))}
        done = subprocess.run(  # the programs are those beside this file
            (commands / "opentelemetry-instrument", commands / "python", APPS / framework.program),
            env=environment(
                outer, receiver.endpoint, claude.base_url, HOME=home, **framework.environment, **switched_off
            ),
            cwd=home,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        return Run(
            done.returncode,
            done.stdout,
            done.stderr,
            list(claude.requests),
            script.said,
            receiver.spans,
            receiver.points,
        )


def sent(requests: Sequence[Request]) -> str:
    """The requests in the letters of the table."""
    return "".join(_letter(request.path, request.json) for request in requests)


def _letter(path: str, document: Any) -> str:
    if path.endswith("/count_tokens"):
        return "c"
    return "s" if document.get("stream") else "w"
