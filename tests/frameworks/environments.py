"""The environments: one for each framework, made in `.venvs` and kept."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from table import Framework

PROJECT = Path(__file__).parents[2]
CONSTRAINTS = Path(__file__).with_name("constraints.txt")
NEEDED = ("opentelemetry-distro", "opentelemetry-exporter-otlp-proto-http")
TIMEOUT_S = 900


def environment(framework: Framework) -> Path:
    """The folder with the commands of its environment, which is made where there is none of these versions.

    Raises:
        subprocess.SubprocessError: it cannot be installed.
    """
    wanted = (f"anthropic=={framework.anthropic}", *framework.requirements, *NEEDED)
    pins = _by_package(CONSTRAINTS.read_text("utf-8").splitlines()) | _by_package(framework.instead)
    constraints = "\n".join(pins.values())
    key = hashlib.sha256("\n".join([*wanted, constraints]).encode()).hexdigest()[:8]
    home = PROJECT / ".venvs" / f"framework-{framework.name}-{key}"
    commands, done = home / "bin", home / "complete"
    if done.exists():
        return commands
    _quietly(sys.executable, "-m", "venv", "--clear", str(home))
    chosen = home / "constraints.txt"
    chosen.write_text(constraints, "utf-8")
    pip = (str(commands / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    _quietly(*pip, "--constraint", str(chosen), *wanted, "--editable", str(PROJECT))
    done.touch()
    return commands


def _by_package(pins: Iterable[str]) -> dict[str, str]:
    return {pin.partition("==")[0]: pin for pin in pins if not pin.startswith("#")}


def _quietly(*command: str) -> None:
    subprocess.run(  # pip and venv
        command,
        check=True,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        env={**os.environ, "PIP_NO_INPUT": "1"},
    )
