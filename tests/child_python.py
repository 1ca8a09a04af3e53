"""Programs in an interpreter of their own."""

import os
import subprocess
import sys
from pathlib import Path

import otel_claude

SRC = str(Path(otel_claude.__file__).parents[1])


def run_python(
    script: str, *arguments: str, env: dict[str, str] | None = None, launcher: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Runs a program in an interpreter of its own, in which only `env` speaks of OpenTelemetry."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OTEL_", "ANTHROPIC_", "PYTEST_", "COV_"))
    }
    return subprocess.run(
        [*launcher, sys.executable, "-c", script, *arguments],
        env={**inherited, "PYTHONPATH": SRC, **(env or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
