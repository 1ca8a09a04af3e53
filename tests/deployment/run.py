"""Deployments of a Claude application: web servers, task queues, functions, pods and scripts, with their processes.

    python tests/deployment/run.py                # all of them
    python tests/deployment/run.py --slice        # the shortest way of each
    python tests/deployment/run.py --only lambda  # these

Each application runs in an environment of its own against the simulated API, and exports OTLP to a receiver on the
loopback interface. When its processes have ended, what has come of all of them is compared with what the API has
answered, number by number. Environments are made in `.venvs` and kept. Two deployments run at a time. Exit status 1 if
one fails.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

# Neither the tests nor the examples are packages.
sys.path += [str(Path(__file__).parents[1] / part) for part in (".", "backends", "../examples")]

import celery_workers
import injected
import lambda_functions
import process_pools
import web_servers
from environments import commands
from ground import Outcome
from processes import DeploymentFailed
from runtime_api import FunctionFailed

DEPLOYMENTS: dict[str, Callable[..., Iterator[Outcome]]] = {
    "web": web_servers.check,
    "celery": celery_workers.check,
    "lambda": lambda_functions.check,
    "kubernetes": injected.check,
    "pools": process_pools.check_pools,
    "scripts": process_pools.check_scripts,
}


class Result(NamedTuple):
    """How a deployment did. `seconds` are for its environment, where that had to be made, and for its runs."""

    name: str
    outcomes: list[Outcome]
    failure: str
    installing: float
    running: float

    @property
    def passed(self) -> bool:
        return not self.failure and not any(outcome.complaints for outcome in self.outcomes)


def main() -> int:
    """Runs what the command line asks for, and prints a line for each run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slice", action="store_true", help="the shortest way of each")
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=DEPLOYMENTS, help=", ".join(DEPLOYMENTS))
    options = parser.parse_args()

    def examine(name: str) -> Result:
        return _examine(name, quick=options.slice)

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(examine, options.only or DEPLOYMENTS))
    for result in results:
        for outcome in result.outcomes:
            for complaint in outcome.complaints:
                print(f"{outcome.run}: {complaint}")
        if result.failure:
            print(f"{result.name}: {result.failure}")
    for result in results:
        for outcome in result.outcomes:
            print(f"    {'FAILED' if outcome.complaints else 'passed'} {outcome.numbers:4} numbers  {outcome.run}")
        print(
            f"{result.name:10} {'passed' if result.passed else 'FAILED'} "
            f"{result.installing:4.0f} s to install, {result.running:4.0f} s to run"
        )
    return 0 if all(result.passed for result in results) else 1


def _examine(name: str, *, quick: bool) -> Result:
    started = installed = time.monotonic()
    outcomes: list[Outcome] = []
    failure = ""
    try:
        where = commands(name)
        installed = time.monotonic()
        outcomes.extend(DEPLOYMENTS[name](where, quick=quick))
    except subprocess.SubprocessError as error:
        failure = f"{error}\n{getattr(error, 'stdout', None) or ''}{getattr(error, 'stderr', None) or ''}"
    except (DeploymentFailed, FunctionFailed, OSError) as error:
        failure = f"{type(error).__name__}: {error}"
    return Result(name, outcomes, failure, installed - started, time.monotonic() - installed)


if __name__ == "__main__":
    sys.exit(main())
