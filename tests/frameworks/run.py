"""Frameworks that call Claude, each in an environment of its own, under `opentelemetry-instrument`.

    python tests/frameworks/run.py               # all of them
    python tests/frameworks/run.py --only agno   # these
    python tests/frameworks/run.py --write       # and put what they show into docs/frameworks.md

Each program runs twice against the simulated API, without otel-claude and with it. Environments are made in `.venvs`
and kept. Two of them work at a time. Exit status 1 if one fails.
"""

import argparse
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from difflib import unified_diff
from typing import NamedTuple

import page
from checks import complaints
from environments import environment
from programs import run, sent
from table import FRAMEWORKS, Framework
from trees import drawn

_writing = threading.Lock()


class Result(NamedTuple):
    """How one framework did. `seconds` are for its environment, where that had to be made, and its program."""

    framework: Framework
    complaints: tuple[str, ...]
    requests: str
    installing: float
    running: float


def main() -> int:
    """Runs what the command line asks for, and prints a line for each framework."""
    known = {framework.name: framework for framework in FRAMEWORKS}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=known, help=", ".join(known))
    parser.add_argument("--write", action="store_true", help="put what they show into docs/frameworks.md")
    options = parser.parse_args()

    def examine(name: str) -> Result:
        return _examine(known[name], write=options.write)

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(examine, options.only or known))
    for result in results:
        for complaint in result.complaints:
            print(f"{result.framework.name}: {complaint}")
    for result in results:
        print(
            f"{result.framework.name:16} anthropic {result.framework.anthropic:8} "
            f"{'FAILED' if result.complaints else 'passed'} {result.requests:8} "
            f"{result.installing:4.0f} s to install, {result.running:3.0f} s to run"
        )
    return 1 if any(result.complaints for result in results) else 0


def _examine(framework: Framework, *, write: bool) -> Result:
    started = time.monotonic()
    try:
        commands = environment(framework)
        installed = time.monotonic()
        plain, traced = (run(framework, commands, traced=traced) for traced in (False, True))
    except subprocess.SubprocessError as error:
        said = f"{getattr(error, 'stdout', None) or ''}{getattr(error, 'stderr', None) or ''}"
        return Result(framework, (f"{error}\n{said}",), "", time.monotonic() - started, 0)
    found = [*complaints(framework, plain, traced)]
    tree = drawn(traced.spans, traced.points)
    if write and not found:
        with _writing:
            page.show(framework.program, tree)
    shown = page.shown(framework.program)
    if shown != tree:
        found.append("docs/frameworks.md shows another tree:\n" + _difference(shown or "", tree))
    return Result(framework, tuple(found), sent(traced.requests), installed - started, time.monotonic() - installed)


def _difference(shown: str, tree: str) -> str:
    return "\n".join(unified_diff(shown.splitlines(), tree.splitlines(), "in the page", "now", lineterm=""))


if __name__ == "__main__":
    sys.exit(main())
