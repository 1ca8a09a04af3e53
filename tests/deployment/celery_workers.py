"""Celery with its pool of forked processes, which it ends after some tasks, and all of them at SIGTERM.

The broker is a Redis of the system, on a free port of the loopback interface.
"""

import subprocess
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

from exported import AUDITED
from facts import CHATS, differences
from ground import APPS, Ground, Outcome, ground
from processes import START_TIMEOUT_S, otherwise, service
from servers import HOST, free_ports
from web_servers import NEVER

TASKS = 8
TASKS_A_PROCESS = 3
PROCESSES = 2
FORKED = ("--pool", "prefork", "--max-tasks-per-child", str(TASKS_A_PROCESS))
THREADS = ("--pool", "threads")


def check(commands: Path, *, quick: bool) -> Iterator[Outcome]:
    """Tasks in processes that are replaced; with nothing done at their end, what they have in memory is lost."""
    for preference in ("delta",) if quick else ("cumulative", "delta"):
        yield _worked(commands, preference)
    if not quick:
        yield _lost(commands)
        yield _in_threads(commands)
        yield _in_threads_alone(commands)


def _worked(commands: Path, preference: str) -> Outcome:
    with ground(preference) as ready, _broker(ready) as broker:
        pids, complaints = _done(commands, ready, {"BROKER": broker, "CLOSES": "yes", **NEVER})
        if len(pids) <= PROCESSES:
            complaints.append(f"no process was replaced: {pids}")
        return ready.outcome("celery", complaints, pids)


def _lost(commands: Path) -> Outcome:
    with ground() as ready, _broker(ready) as broker:
        pids, complaints = _done(commands, ready, {"BROKER": broker, **NEVER})
        return ready.shown("celery, not closed", complaints, {CHATS: 0, AUDITED: 0}, pids)


def _in_threads(commands: Path) -> Outcome:
    """Threads of one process, which is switched on as it starts, and ends in good order."""
    with ground() as ready, _broker(ready) as broker:
        variables = {"BROKER": broker, **NEVER}
        pids, complaints = _done(commands, ready, variables, THREADS, (commands / "opentelemetry-instrument",))
        if len(pids) != 1:
            complaints.append(f"the threads are in the processes {pids}")
        return ready.outcome("celery, threads", complaints, pids)


def _in_threads_alone(commands: Path) -> Outcome:
    """No process of a pool begins, so nothing switches OpenTelemetry on."""
    with ground() as ready, _broker(ready) as broker:
        pids, complaints = _done(commands, ready, {"BROKER": broker, **NEVER}, THREADS)
        complaints += [*differences({CHATS: 0, AUDITED: 0}, ready.came.facts, (CHATS, AUDITED))]
        if len(pids) != 1 or ready.instrumented:
            complaints.append(f"{pids} have worked, and otel-claude was on in {ready.instrumented}")
        return Outcome("celery, threads, not switched on", complaints, 3)


def _done(
    commands: Path,
    ready: Ground,
    variables: dict[str, str],
    pool: tuple[str, ...] = FORKED,
    before: tuple[Path, ...] = (),
) -> tuple[set[str], list[str]]:
    """The processes that have done the tasks, and a sentence if the worker has not ended as it should.

    `before` is what stands before the command of the worker.
    """
    environment = ready.environment(**variables)
    options = ("--concurrency", str(PROCESSES), *pool)
    worker = (*before, commands / "celery", "--app", "celery_app", "worker", *options)
    with service(worker, environment, ready.home) as running:
        client = subprocess.run(  # the application that is beside this file
            (commands / "python", APPS / "celery_client.py", str(TASKS)),
            env=environment,
            cwd=ready.home,
            capture_output=True,
            text=True,
            timeout=START_TIMEOUT_S,
            check=True,
        )
        return set(client.stdout.split()), otherwise(running.end(), running.written)


@contextmanager
def _broker(ready: Ground) -> Generator[str]:
    (port,) = free_ports(1)
    home = ready.home / "redis"
    home.mkdir()
    command = ("redis-server", "--bind", HOST, "--port", str(port), "--save", "", "--dir", str(home))
    with service(command, ready.environment(), home) as running:
        running.until(lambda: "Ready to accept connections" in running.written, "redis-server does not start")
        yield f"redis://{HOST}:{port}/0"
