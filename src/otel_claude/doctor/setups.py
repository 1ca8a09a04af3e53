"""What `opentelemetry-instrument` sets up: its providers, and our instrumentations.

In: this process, or variables with which another one is started under `opentelemetry-instrument`. Out: what there is.
The other process runs nothing but this module, sends nothing, and ends at once.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from opentelemetry import _logs, metrics, trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider

from otel_claude.agent_sdk.instrumentor import ClaudeAgentInstrumentor
from otel_claude.doctor.confidential import Confidential
from otel_claude.doctor.deadline import Work
from otel_claude.doctor.signals import LOGS, METRICS, SIGNALS, TRACES, Signal
from otel_claude.doctor.variables import Variables
from otel_claude.instrumentor import AnthropicInstrumentor

START_S = 30.0
"""How long the process may take to start."""

LAUNCH = (
    "import signal, sys; getattr(signal, 'alarm', abs)({seconds});"
    "from opentelemetry.instrumentation.auto_instrumentation import run; sys.exit(run())"
)
"""What the command `opentelemetry-instrument` does, wherever that is installed.

Where this process is killed and cannot end the other one, its alarm does, which stays when it runs another program.
"""

TOLD = "otel-claude doctor: "
"""What the line begins with by which the process tells what there is."""

FAILED = "Failed to auto initialize"
"""What `opentelemetry-instrument` logs where it gives up."""

EXCEPTION = re.compile(r"(?:[\w.]+(?:Error|Exception|Exit|Interrupt|Warning|Timeout)\b|Configuration of ).*")

LONG_MS = "3600000"
INTERVALS: Mapping[str, Callable[[str], float]] = {
    "OTEL_BSP_SCHEDULE_DELAY": int,
    "OTEL_BLRP_SCHEDULE_DELAY": int,
    "OTEL_METRIC_EXPORT_INTERVAL": float,
}
"""In milliseconds, and how the SDK reads each. Where they are long, nothing is sent before the process ends."""

LARGE = "2048"
SIZES = tuple((f"OTEL_{kind}_MAX_QUEUE_SIZE", f"OTEL_{kind}_MAX_EXPORT_BATCH_SIZE") for kind in ("BSP", "BLRP"))
"""How many things are kept, and how many of those are sent as soon as there are so many."""

DETECTORS = "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS"

PROVIDERS: Mapping[Signal, tuple[Callable[[], Any], type[Any]]] = {
    TRACES: (trace.get_tracer_provider, TracerProvider),
    METRICS: (metrics.get_meter_provider, MeterProvider),
    LOGS: (_logs.get_logger_provider, LoggerProvider),
}
INSTRUMENTORS: Mapping[str, Callable[[], AnthropicInstrumentor | ClaudeAgentInstrumentor]] = {
    "claude_anthropic": AnthropicInstrumentor,
    "claude_agent_sdk": ClaudeAgentInstrumentor,
}


class Setup(NamedTuple):
    """What there is in a process: signals with a provider of the SDK, and our entry points that are switched on."""

    signals: Sequence[str]
    switched_on: Sequence[str]


class Tried(NamedTuple):
    """What there was in the other process, `None` where it has not told, and the last error that it has printed.

    It `gave_up` where `opentelemetry-instrument` has not done all that it does. `printed` is all that it has printed of
    errors, and is not for people.
    """

    setup: Setup | None
    error: str = ""
    gave_up: bool = False
    printed: str = ""


def setup_here() -> Setup:
    """What there is in this process."""
    return Setup(
        [signal.name for signal in SIGNALS if isinstance(PROVIDERS[signal][0](), PROVIDERS[signal][1])],
        [name for name, make in INSTRUMENTORS.items() if make().is_instrumented_by_opentelemetry],
    )


class Trial:
    """The other process, which `run` starts and waits for, and which `end` ends at any time."""

    def __init__(self, variables: Variables, *, offline: bool = False) -> None:
        self._variables = variables
        self._environment = _environment(variables, offline=offline)
        self._process: subprocess.Popen[str] | None = None

    def run(self) -> Tried:
        """What it tells.

        Raises:
            OSError: it cannot be started.
            TimeoutExpired: it has not ended in time.
        """
        launch = LAUNCH.format(seconds=round(START_S) + 5)
        with subprocess.Popen(  # noqa: S603  # Python, with a module of our own
            [sys.executable, "-c", launch, sys.executable, "-m", __name__],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
        ) as self._process:
            try:
                said, printed = self._process.communicate(timeout=START_S)
            finally:
                self.end()
        told = [line.removeprefix(TOLD) for line in said.splitlines() if line.startswith(TOLD)]
        setup = Setup(*json.loads(told[-1])) if told else None
        error = Confidential(self._variables.values).without(_last_error(printed))
        return Tried(setup, error, FAILED in printed, printed)

    def end(self) -> None:
        """Ends it, if it has not ended."""
        if self._process is not None:
            self._process.kill()


@contextmanager
def trying(variables: Variables, *, offline: bool = False) -> Generator[Work[Tried]]:
    """The other process at work. It does not outlive this."""
    trial = Trial(variables, offline=offline)
    try:
        yield Work(trial.run, START_S + 1)
    finally:
        trial.end()


def _environment(variables: Variables, *, offline: bool) -> Mapping[str, str]:
    """The variables as the user has set them, but for what would have the process do more than look."""
    given = {name: value for name, value in variables.values.items() if name not in variables.by_distro}
    if offline:
        given.pop(DETECTORS, None)
    return given | _patience(given)


def _patience(given: Mapping[str, str]) -> dict[str, str]:
    """What keeps things from being sent at once. Values that are not accepted are left, for the SDK to say so."""

    def number(name: str, default: str, read: Callable[[str], float] = int) -> float | None:
        try:
            return read(given.get(name) or default)
        except ValueError:
            return None

    patience = {name: LONG_MS for name, read in INTERVALS.items() if (number(name, LONG_MS, read) or 0) > 0}
    for names in SIZES:
        # In the place of what is no number, the SDK has its own defaults.
        kept, sent = (number(name, default) for name, default in zip(names, (LARGE, "512"), strict=True))
        if 0 < (512 if sent is None else sent) <= (int(LARGE) if kept is None else kept):
            patience |= {name: LARGE for name, size in zip(names, (kept, sent), strict=True) if size is not None}
    return patience


def _last_error(printed: str) -> str:
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    return next((line for line in reversed(lines) if EXCEPTION.match(line)), lines[-1] if lines else "")


def tell() -> None:
    """Tells what there is in this process, and ends it before anything is sent."""
    sys.stdout.write(f"\n{TOLD}{json.dumps(setup_here())}\n")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    tell()
