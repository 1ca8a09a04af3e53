"""Programs that export to real backends, and what these show of them.

    python tests/backends/run.py                  # all of them
    python tests/backends/run.py --slice          # those that start within a second
    python tests/backends/run.py --only phoenix   # these
    python tests/backends/run.py --write          # and put what they show into docs/backends.md, and missing snapshots

Each backend is started from its package, on free ports of the loopback interface, and asked over its own interfaces.
What it shows is compared with what the simulated API said, number by number. Environments are made in `.venvs` and
kept; Prometheus is that of the system. The OpenTelemetry Collector is built there, and skipped where it cannot be. Exit
status 1 if one fails.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

# Neither the tests nor the examples are packages.
sys.path += [str(Path(__file__).parents[1]), str(Path(__file__).parents[2] / "examples")]

import backends_page
import collector
import collector_build
import collector_outages
import datadog_agent
import mlflow_server
import phoenix_server
import prometheus_server
from results import Shown

from venvs import commands_of

CONSTRAINTS = Path(__file__).with_name("constraints")


def _python(name: str, requirement: str) -> Path:
    pins = (CONSTRAINTS / f"{name}.txt").read_text("utf-8")
    return commands_of(f"backend-{name}", (requirement,), pins, ours=False)


class Backend(NamedTuple):
    """A row: the folder with its commands, which is made where it is not there, and what tells what it shows.

    `writing` does the same where what is missing may be written, if that makes a difference.
    """

    name: str
    commands: Callable[[], Path]
    check: Callable[[Path], Iterator[Shown]]
    writing: Callable[[Path], Iterator[Shown]] | None = None


AGENT = partial(_python, "ddapm", "ddapm-test-agent==1.69.1")
BACKENDS = {
    backend.name: backend
    for backend in (
        Backend("ddapm", AGENT, datadog_agent.check, partial(datadog_agent.check, write=True)),
        Backend("prometheus", partial(Path, "/usr/bin"), prometheus_server.check),
        Backend("phoenix", partial(_python, "phoenix", "arize-phoenix==20.26.1"), phoenix_server.check),
        Backend("mlflow", partial(_python, "mlflow", "mlflow==3.17.2"), mlflow_server.check),
        Backend("collector", collector_build.commands, partial(collector.check, agents=AGENT)),
        Backend("outages", collector_build.commands, partial(collector_outages.check, agents=AGENT)),
    )
}
SLICE = ("ddapm", "prometheus")
"""For every change: the others take half a minute to start."""


class Result(NamedTuple):
    """How a backend did. `seconds` are for its environment, where that had to be made, and for its programs.

    `skipped` is why it was, if it was.
    """

    name: str
    failures: list[str]
    numbers: int
    installing: float
    running: float
    skipped: str | None = None

    @property
    def line(self) -> str:
        if self.skipped:
            return f"{self.name:12} skipped, {self.skipped}"
        return (
            f"{self.name:12} {'FAILED' if self.failures else 'passed'} {self.numbers:4} numbers, "
            f"{self.installing:4.0f} s to install, {self.running:4.0f} s to run"
        )


def main() -> int:
    """Runs what the command line asks for, and prints a line for each backend."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slice", action="store_true", help="those that start within a second")
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=BACKENDS, help=", ".join(BACKENDS))
    parser.add_argument("--write", action="store_true", help="put what they show into the page, and missing snapshots")
    options = parser.parse_args()
    names = options.only or (SLICE if options.slice else BACKENDS)
    results = [_examine(BACKENDS[name], write=options.write) for name in names]
    for result in results:
        for failure in result.failures:
            print(f"{result.name}: {failure}")
    for result in results:
        print(result.line)
    return 1 if any(result.failures for result in results) else 0


def _examine(backend: Backend, *, write: bool) -> Result:
    started = time.monotonic()
    installed = started
    failures: list[str] = []
    shown: list[Shown] = []
    try:
        where = backend.commands()
        installed = time.monotonic()
        for each in ((write and backend.writing) or backend.check)(where):
            shown.append(each)
            failures += [f"{each.run}: {failure}" for failure in each.failures]
    except collector_build.NotAvailable as error:
        return Result(backend.name, [], 0, time.monotonic() - started, 0, str(error))
    except subprocess.SubprocessError as error:
        failures.append(f"{error}\n{getattr(error, 'stdout', None) or ''}{getattr(error, 'stderr', None) or ''}")
    except Exception as error:
        # What a backend answers is its own affair: where that cannot be read, the others have their turn all the same.
        failures.append(f"{type(error).__name__}: {error}")
    if not failures:
        if write:
            backends_page.show(backend.name, shown)
        failures += backends_page.differences(backend.name, shown)
    numbers = sum(len(each.wanted) for each in shown)
    return Result(backend.name, failures, numbers, installed - started, time.monotonic() - installed)


if __name__ == "__main__":
    sys.exit(main())
