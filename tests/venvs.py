"""Virtual environments for programs that cannot share one, made in `.venvs` and kept."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
TIMEOUT_S = 900


def commands_of(name: str, wanted: Sequence[str], constraints: str, *, ours: bool = True) -> Path:
    """The folder with the commands of an environment, which is made where there is none of these versions.

    Args:
        name: What the name of its folder begins with.
        wanted: The packages, as `pip` takes them.
        constraints: The versions of these and of what they bring along, a line each.
        ours: Whether this project is installed into it.

    Raises:
        subprocess.SubprocessError: it cannot be installed.
    """
    key = hashlib.sha256("\n".join([*wanted, constraints]).encode()).hexdigest()[:8]
    home = PROJECT / ".venvs" / f"{name}-{key}"
    commands, done = home / "bin", home / "complete"
    if done.exists():
        return commands
    _quietly(sys.executable, "-m", "venv", "--clear", "--without-pip", str(home))
    chosen = home / "constraints.txt"
    chosen.write_text(constraints, "utf-8")
    pip = (sys.executable, "-m", "pip", "--python", str(commands / "python"), "--quiet", "--disable-pip-version-check")
    # Most of what is installed is never imported, so Python may compile what is.
    install = (*pip, "install", "--no-compile", "--constraint", str(chosen))
    _quietly(*install, *wanted, *(("--editable", str(PROJECT)) if ours else ()))
    done.touch()
    return commands


def _quietly(*command: str) -> None:
    subprocess.run(  # pip and venv
        command,
        check=True,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        env={**os.environ, "PIP_NO_INPUT": "1"},
    )
