"""Web servers with workers: gunicorn, which forks them, and uvicorn, which spawns them.

In: the ways that a server is started in. Out: what does not hold of each, after work, a reload of all workers by
SIGHUP, more work, and SIGTERM right after the last answer.
"""

import signal
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from threading import Thread
from typing import NamedTuple

from answered import CALLS, cost, numbered
from exported import AUDITED
from facts import CHATS
from ground import APPS, INTERVAL_S, Ground, Outcome, ground
from processes import DeploymentFailed, Service, otherwise, service
from servers import HOST, free_ports, read

WORKERS = 2
CLIENTS = 4
REQUESTS = 100
"""In so many, each worker gets one."""

ADMITTED = 8
OVERLAP_S = 2.0
MARGIN_USD = 1e-9
"""So that a budget is spent whichever way a sum is rounded."""

NEVER = {"OTEL_BSP_SCHEDULE_DELAY": "600000", "OTEL_BLRP_SCHEDULE_DELAY": "600000"}
"""In milliseconds: all spans and events are in memory when the process ends."""


class Way(NamedTuple):
    """How a server is started: the command, without its address, and more variables of the environment."""

    name: str
    command: tuple[str, ...]
    preferences: tuple[str, ...] = ("cumulative",)
    environment: Mapping[str, str] = {}


_FORKED = ("gunicorn", "--config", str(APPS / "gunicorn_conf.py"), "--workers", str(WORKERS))
_RECYCLED = ("--max-requests", "9", "--max-requests-jitter", "3")
_SPAWNED = (
    *("opentelemetry-instrument", "uvicorn", "--workers", str(WORKERS)),
    # A worker that is not ready by then does not take the place of the one before it.
    *("--timeout-worker-healthcheck", "60"),
)
_UVICORN_WORKERS = (*_FORKED, "--worker-class", "uvicorn.workers.UvicornWorker", "asgi_app:app")
_CLOSES = {"CLOSES": "yes", **NEVER}

WAYS = (
    Way("gunicorn", (*_FORKED, *_RECYCLED, "wsgi_app:app"), ("cumulative", "delta"), NEVER),
    Way("gunicorn --preload", (*_FORKED, "--preload", "wsgi_app:app"), ("delta",)),
    Way("gunicorn --threads", (*_FORKED, "--threads", "4", "wsgi_app:app")),
    Way(
        "gunicorn, gevent",
        (*_FORKED, "--worker-class", "gevent", "wsgi_app:app"),
        ("delta",),
        {"OTEL_PYTHON_AUTO_INSTRUMENTATION_EXPERIMENTAL_GEVENT_PATCH": "patch_all", **NEVER},
    ),
    Way(
        "gunicorn, switched on before the fork",
        ("opentelemetry-instrument", "gunicorn", "--workers", str(WORKERS), "wsgi_app:app"),
        ("delta",),
        # So that the master does not export in the middle of a fork: see docs/deployment.md.
        {"OTEL_METRIC_EXPORT_INTERVAL": "600000"},
    ),
    Way("gunicorn, uvicorn", _UVICORN_WORKERS, ("delta",), _CLOSES),
    Way("uvicorn", (*_SPAWNED, "asgi_app:app"), ("cumulative", "delta"), _CLOSES),
)
LOSING = (
    Way("gunicorn, uvicorn, not closed", _UVICORN_WORKERS, environment=NEVER),
    Way("uvicorn, not closed", (*_SPAWNED, "asgi_app:app"), environment=NEVER),
)
SLICE = ("gunicorn", "uvicorn")


class Ending(NamedTuple):
    """The end of a worker of gunicorn by SIGTERM while its stream is under way, and takes `pause_s` more seconds.

    `options` are gunicorn's. `loses` is whether all is lost that the worker has in memory.
    """

    name: str
    options: tuple[str, ...]
    pause_s: float
    loses: bool


ENDINGS = (
    Ending("gunicorn, a stream at SIGTERM", ("--graceful-timeout", "30"), 2.0, loses=False),
    Ending("gunicorn, a stream too long at SIGTERM", ("--graceful-timeout", "1"), 20.0, loses=True),
)


def check(commands: Path, *, quick: bool) -> Iterator[Outcome]:
    """Runs the ways, and a budget over the workers; those of the slice, with one temporality, where it is `quick`."""
    for way in WAYS:
        if not quick or way.name in SLICE:
            for preference in way.preferences[-1:] if quick else way.preferences:
                yield _reloaded(commands, way, preference)
    for way in () if quick else LOSING:
        yield _lost(commands, way)
    for ending in () if quick else ENDINGS:
        yield _under_way(commands, ending)
    yield _over_budget(commands)


@contextmanager
def serving(commands: Path, way: Way, ready: Ground) -> Generator[Service]:
    """Runs a server until the end of the block."""
    (port,) = free_ports(1)
    at = ("--host", HOST, "--port", str(port)) if "uvicorn" in way.command else ("--bind", f"{HOST}:{port}")
    # The command of a server stands in the environment of its own.
    command = [commands / part if part in ("gunicorn", "uvicorn", _SPAWNED[0]) else part for part in way.command]
    with service((*command, *at), ready.environment(**way.environment), ready.home, port) as running:
        running.get("/")
        yield running


def worked(running: Service, enough: Callable[[set[str]], bool], path: str = "/work") -> set[str]:
    """The processes that have worked, when they are `enough`.

    Raises:
        DeploymentFailed: they never are.
    """
    seen: set[str] = set()
    with ThreadPoolExecutor(CLIENTS) as pool:

        def work() -> bool:
            seen.update(pool.map(running.get, [path] * CLIENTS))
            return enough(seen)

        running.until(work, "some workers do not work")
    return seen


def _reloaded(commands: Path, way: Way, preference: str) -> Outcome:
    with ground(preference) as ready, serving(commands, way, ready) as running:
        first = worked(running, lambda seen: len(seen) >= WORKERS)
        running.send(signal.SIGHUP)
        running.until(lambda: running.get("/") not in first, "its workers are not replaced")
        second = worked(running, lambda seen: len(seen - first) >= WORKERS)
        complaints = otherwise(running.end(), running.written)
        return ready.outcome(way.name, complaints, worked=first | second)


def _lost(commands: Path, way: Way) -> Outcome:
    """Without a word at the end, uvicorn's workers take with them what has not been exported by then."""
    with ground() as ready, serving(commands, way, ready) as running:
        pids = worked(running, lambda seen: len(seen) >= WORKERS)
        complaints = otherwise(running.end(), running.written)
        return ready.shown(way.name, complaints, {CHATS: 0, AUDITED: 0}, pids)


def _under_way(commands: Path, ending: Ending) -> Outcome:
    """A call that is under way when a worker has to end: whether that waits for it, and what is lost with it."""
    way = Way(ending.name, (*_FORKED, *ending.options, "wsgi_app:app"), environment=NEVER)
    with ground() as ready, serving(commands, way, ready) as running:
        pids = worked(running, lambda seen: len(seen) >= WORKERS)
        # Each worker has a stream.
        ready.answers.pause_s, before = ending.pause_s, len(ready.answers.calls)
        asking = [Thread(target=_asked, args=(running.url,), daemon=True) for _ in pids]
        for each in asking:
            each.start()
        running.until(lambda: len(ready.answers.calls) == before + CALLS * len(pids), "the streams do not begin")
        complaints = otherwise(running.end(), running.written)
        if ending.loses:
            return ready.shown(way.name, complaints, {CHATS: 0, AUDITED: 0}, pids)
        return ready.outcome(way.name, complaints, worked=pids)


def _asked(url: str) -> None:
    with suppress(OSError, HTTPException):
        read(f"{url}/work")


def _over_budget(commands: Path) -> Outcome:
    """A budget for so many answers lets no more through, whichever worker they go to."""
    limit = cost(map(numbered, range(1, ADMITTED + 1))) - MARGIN_USD
    with ground() as ready:
        ready.budget(limit, "block")
        refused: set[str] = set()
        with serving(commands, Way("", (*_FORKED, "wsgi_app:app")), ready) as running:
            _each_works(running, ready)
            for _ in range(REQUESTS):
                if not refused:
                    _heard(running, ready)
                said = running.get("/work").split()
                if said[0] == "BudgetExceeded":
                    refused.add(said[1])
                if len(refused) == WORKERS:
                    break
            complaints = otherwise(running.end(), running.written)
        complaints += [*ready.misplaced(ready.came), *ready.misbooked()]
        if len(refused) != WORKERS:
            complaints.append(f"calls were refused by {refused} only")
        if len(ready.answers.calls) != ADMITTED:
            complaints.append(f"{len(ready.answers.calls)} calls were let through, not {ADMITTED}")
        return Outcome("gunicorn, over its budget", complaints, 2 * ADMITTED + 2)


def _each_works(running: Service, ready: Ground) -> None:
    """Has each worker do a piece of work: one that does its first goes by what it knows, which is nothing.

    Raises:
        DeploymentFailed: one of them does not.
    """
    worked(running, lambda seen: len(seen) >= WORKERS, "/")
    # While it waits for its stream, a worker takes no other request.
    ready.answers.pause_s = OVERLAP_S
    with ThreadPoolExecutor(WORKERS) as pool:
        seen = set(pool.map(running.get, ["/work"] * WORKERS))
    ready.answers.pause_s = 0.0
    if len(seen) != WORKERS:
        raise DeploymentFailed(f"only {seen} have worked")


def _heard(running: Service, ready: Ground) -> None:
    """Waits until all workers know what has been spent: what the ledger has is read twice in each interval."""
    running.until(lambda: not [*ready.misbooked()], "the ledger is not written to")
    time.sleep(2 * INTERVAL_S)
