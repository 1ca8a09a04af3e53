"""What `opentelemetry-instrument` sets up: its providers, and our instrumentations.

In: this process, or variables with which another one is started under `opentelemetry-instrument`. Out: what there is.
The other process runs nothing but this module, sends nothing, and ends at once.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from opentelemetry import _logs, metrics, trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider

from otel_claude.agent_sdk.instrumentor import ClaudeAgentInstrumentor
from otel_claude.doctor.confidential import Confidential
from otel_claude.doctor.signals import LOGS, METRICS, SIGNALS, TRACES, Signal
from otel_claude.doctor.variables import Variables
from otel_claude.environment_variables import (
    OTEL_CLAUDE_BUDGET_LEDGER,
    OTEL_CLAUDE_BUDGETS,
    OTEL_CLAUDE_DAILY_BUDGET_USD,
)
from otel_claude.instrumentor import AnthropicInstrumentor

LAUNCH = "import sys; from opentelemetry.instrumentation.auto_instrumentation import run; sys.exit(run())"
"""What the command `opentelemetry-instrument` does, wherever that is installed."""

START_S = 30.0
"""How long the process may take to start."""

TOLD = "otel-claude doctor: "
"""What the line begins with by which the process tells what there is."""

FAILED = "Failed to auto initialize"
"""What `opentelemetry-instrument` logs where it gives up."""

EXCEPTION = re.compile(r"(?:[\w.]+(?:Error|Exception|Exit|Interrupt|Warning|Timeout)\b|Configuration of ).*")

LONG_MS = "3600000"
INTERVALS = ("OTEL_BSP_SCHEDULE_DELAY", "OTEL_BLRP_SCHEDULE_DELAY", "OTEL_METRIC_EXPORT_INTERVAL")
"""In milliseconds. Where they are long, nothing is sent before the process ends."""

BUDGETS = (OTEL_CLAUDE_BUDGETS, OTEL_CLAUDE_BUDGET_LEDGER, OTEL_CLAUDE_DAILY_BUDGET_USD)
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

    It `gave_up` where `opentelemetry-instrument` has not done all that it does.
    """

    setup: Setup | None
    error: str = ""
    gave_up: bool = False


def setup_here() -> Setup:
    """What there is in this process."""
    return Setup(
        [signal.name for signal in SIGNALS if isinstance(PROVIDERS[signal][0](), PROVIDERS[signal][1])],
        [name for name, make in INSTRUMENTORS.items() if make().is_instrumented_by_opentelemetry],
    )


def try_setup(variables: Variables, *, offline: bool = False) -> Tried:
    """Starts the other process, and waits for its end.

    Raises:
        OSError: it cannot be started.
        TimeoutExpired: it has not ended in time.
    """
    ran = subprocess.run(  # noqa: S603  # Python, with a module of our own
        [sys.executable, "-c", LAUNCH, sys.executable, "-m", __name__],
        env=_environment(variables, offline=offline),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=START_S,
        check=False,
    )
    told = [line.removeprefix(TOLD) for line in ran.stdout.splitlines() if line.startswith(TOLD)]
    setup = Setup(*json.loads(told[-1])) if told else None
    error = Confidential(variables.values).without(_last_error(ran.stderr))
    return Tried(setup, error, FAILED in ran.stderr)


def _environment(variables: Variables, *, offline: bool) -> Mapping[str, str]:
    """The variables as the user has set them, but for what would have the process do more than look."""
    given = {name: value for name, value in variables.values.items() if name not in variables.by_distro}
    left_out = {*BUDGETS, DETECTORS} if offline else {*BUDGETS}
    long = {name: LONG_MS for name in INTERVALS if _is_interval(given.get(name) or LONG_MS)}
    return {name: value for name, value in given.items() if name not in left_out} | long


def _is_interval(value: str) -> bool:
    """Whether a number is one. What is none is left, for the SDK to say so."""
    try:
        return float(value) > 0
    except ValueError:
        return False


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
