"""Pools of processes, whose ends Python's `atexit` does not see, and scripts, whose ends it sees but for signals.

In: how a process is started, and how it ends. Out: what does not hold.
"""

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from exported import AUDITED, UNLIMITED
from facts import CHATS
from ground import APPS, Ground, Outcome, ground
from processes import START_TIMEOUT_S, otherwise
from web_servers import NEVER

METHODS = ("fork", "spawn", "forkserver")
LOSE = ("fork", "forkserver")
"""Methods of which a process ends without `atexit`, before Python 3.13."""

RARELY = {"OTEL_METRIC_EXPORT_INTERVAL": "600000"}
"""In milliseconds: the process that forks does not export in the middle of it."""


class Ending(NamedTuple):
    """How a script ends, and the status that it then has."""

    name: str
    status: int
    loses: bool = False


ENDINGS = (
    Ending("returned", 0),
    Ending("raised", 1),
    Ending("handled", 143),
    Ending("terminated", -15, loses=True),
)


def check_pools(commands: Path, *, quick: bool) -> Iterator[Outcome]:
    """Runs a pool of each method, closed and not."""
    for method in METHODS[:1] if quick else METHODS:
        with ground("delta") as ready:
            pids, complaints = _ran(commands, ready, "process_pool.py", method, {"CLOSES": "yes"})
            yield ready.outcome(f"pool, {method}", complaints, pids)
        with ground() as ready:
            pids, complaints = _ran(commands, ready, "process_pool.py", method, {})
            run = f"pool, {method}, not closed"
            if method in LOSE:
                yield ready.shown(run, complaints, {CHATS: 0, AUDITED: 0}, pids)
            else:
                yield ready.outcome(run, complaints, pids)

    if not quick:
        yield _inherited(commands)


def _inherited(commands: Path) -> Outcome:
    """What was counted before a fork is counted by the child as well: the SDK leaves it there."""
    with ground() as ready:
        pids, complaints = _ran(commands, ready, "forking.py", "", {})
        told = len(ready.answers.calls)
        facts = {CHATS: told, AUDITED: told, UNLIMITED: 2 * told}
        return ready.shown("forked after calls", [*complaints, *ready.misbooked()], facts, pids)


def check_scripts(commands: Path, *, quick: bool) -> Iterator[Outcome]:
    """Runs a script to each of its ends, and a notebook."""
    for ending in ENDINGS[:1] if quick else ENDINGS:
        yield script(commands, ending)
    if not quick:
        yield _notebook(commands)


def script(commands: Path, ending: Ending) -> Outcome:
    """Runs a script to one of its ends."""
    with ground() as ready:
        pids, complaints = _ran(commands, ready, "script.py", "", {"ENDS": ending.name}, ending.status)
        run = f"script, {ending.name}"
        if ending.loses:
            return ready.shown(run, complaints, {CHATS: 0, AUDITED: 0}, pids)
        return ready.outcome(run, complaints, pids)


def _notebook(commands: Path) -> Outcome:
    """A notebook in a kernel that is shut down at its end."""
    cell: Any = {
        "cell_type": "code",
        "execution_count": None,
        "id": "work",
        "metadata": {},
        "outputs": [],
        "source": "from work import work\nfrom pathlib import Path\nPath('pid').write_text(str(work()))",
    }
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    with ground() as ready:
        written = ready.home / "notebook.ipynb"
        written.write_text(json.dumps({"cells": [cell], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}))
        command = (commands / "opentelemetry-instrument", commands / "jupyter-execute", written)
        _, complaints = _run(command, ready, {})
        return ready.outcome("notebook", complaints, {(ready.home / "pid").read_text("utf-8")})


def _ran(  # what a program is started with, and how it ends
    commands: Path, ready: Ground, program: str, argument: str, variables: Mapping[str, str], status: int = 0
) -> tuple[set[str], list[str]]:
    """The processes that a program has printed, and a sentence if it has not ended with this status."""
    command = (commands / "opentelemetry-instrument", commands / "python", APPS / program)
    return _run((*command, argument) if argument else command, ready, variables, status)


def _run(
    command: tuple[str | Path, ...], ready: Ground, variables: Mapping[str, str], status: int = 0
) -> tuple[set[str], list[str]]:
    done = subprocess.run(  # the applications that are beside this file
        command,
        env=ready.environment(**{**NEVER, **RARELY, **variables}),
        cwd=ready.home,
        capture_output=True,
        text=True,
        timeout=START_TIMEOUT_S,
        check=False,
    )
    return set(done.stdout.split()), otherwise(done.returncode, done.stderr, status)
