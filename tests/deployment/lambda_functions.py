"""AWS Lambda: its own runtime interface client, frozen after each answer, and removed while it is frozen.

In: how the function exports what it has in memory. Out: what does not hold after each answer, when the process is
frozen, and nothing can come any more.
"""

import signal
import socket
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

from exported import AUDITED, UNLIMITED
from facts import CHATS, differences
from ground import ALL, Ground, Outcome, ground
from processes import Service, otherwise, service
from runtime_api import FUNCTION, RuntimeApi
from servers import HOST
from web_servers import NEVER

INVOCATIONS = 3
CALLS = 2
"""Of a piece of work."""

HANDLER = "lambda_function.handler"
NO_METRICS = {"OTEL_METRIC_EXPORT_INTERVAL": "600000"}
IN_MEMORY = {**NEVER, **NO_METRICS}
INSTRUMENTATION = "aws-lambda"
DELAY_S = 5.0
"""The SDK's own interval between exports of spans."""
SOON_S = 0.5
SIGNALS = 3
MARGIN_S = 1.0


def check(commands: Path, *, quick: bool) -> Iterator[Outcome]:
    """Functions that export before they answer, or do not, or leave it to the instrumentation of Lambda."""
    for preference in ("delta",) if quick else ("cumulative", "delta"):
        yield _flushed(commands, preference, "flushed", {"FLUSHES": "all"})
    yield _lost(commands)
    if not quick:
        yield _late(commands)
        yield _without_events(commands)
        yield _without_sdk(commands)
        yield _unanswered(commands)
        yield _flushed(commands, "delta", "flushed by aws-lambda, the rest by itself", {"FLUSHES": "rest"}, theirs=True)


@contextmanager
def _function(
    commands: Path, ready: Ground, variables: dict[str, str], *, theirs: bool = False, switched_on: bool = True
) -> Generator[tuple[RuntimeApi, Service]]:
    """The function in its environment.

    `theirs` says whether OpenTelemetry's instrumentation of Lambda is on, `switched_on` whether anything is.
    """
    disabled = {} if theirs else {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": f"httpx2,{INSTRUMENTATION}"}
    with RuntimeApi() as api:
        environment = ready.environment(_HANDLER=HANDLER, **api.environment, **disabled, **variables)
        instrument = (commands / "opentelemetry-instrument",) if switched_on else ()
        command = (*instrument, commands / "python", "-m", "awslambdaric", HANDLER)
        with service(command, environment, ready.home) as running:
            yield api, running


def _flushed(commands: Path, preference: str, how: str, variables: dict[str, str], *, theirs: bool = False) -> Outcome:
    with ground(preference) as ready:
        # Theirs makes a span of each invocation.
        ready.answers.around = FUNCTION if theirs else ""
        complaints: list[str] = []
        pids: set[str] = set()
        with _function(commands, ready, {**IN_MEMORY, **variables}, theirs=theirs) as (api, running):
            for number in range(INVOCATIONS):
                pids.add(str(api.invoke(running.pid, {})))
                found = [*differences(ready.expected, ready.came.facts, ALL), *ready.misbooked()]
                complaints += [f"frozen after {number + 1}: {each}" for each in found]
            complaints += _killed(running)
        return ready.outcome(f"lambda, {how}", complaints, pids)


def _lost(commands: Path) -> Outcome:
    with ground() as ready:
        with _function(commands, ready, IN_MEMORY) as (api, running):
            pids = {str(api.invoke(running.pid, {})) for _ in range(INVOCATIONS)}
            complaints = _killed(running)
        return ready.shown("lambda, not flushed", complaints, {CHATS: 0, AUDITED: 0, UNLIMITED: 0}, pids)


def _late(commands: Path) -> Outcome:
    """What has not been exported when the environment freezes comes when it thaws, at the next event."""
    with ground() as ready:
        complaints: list[str] = []
        with _function(commands, ready, {"WAITS_S": str(SOON_S), **NO_METRICS}) as (api, running):
            pid = str(api.invoke(running.pid, {}))
            time.sleep(DELAY_S)
            complaints += differences({CHATS: 0}, ready.came.facts, (CHATS,))
            api.invoke(running.pid, {})
            complaints += _killed(running)
        return ready.shown("lambda, late", complaints, {CHATS: CALLS}, {pid})


def _without_events(commands: Path) -> Outcome:
    with ground() as ready:
        with _function(commands, ready, IN_MEMORY, theirs=True) as (api, running):
            pids = {str(api.invoke(running.pid, {})) for _ in range(INVOCATIONS)}
            complaints = _killed(running)
        told = INVOCATIONS * CALLS
        facts = {CHATS: told, UNLIMITED: told, AUDITED: 0}
        return ready.shown("lambda, flushed by aws-lambda", complaints, facts, pids)


def _without_sdk(commands: Path) -> Outcome:
    """Where nobody has switched OpenTelemetry on, there is nothing to flush, and the function answers all the same."""
    with ground() as ready:
        with _function(commands, ready, {"FLUSHES": "all"}, switched_on=False) as (api, running):
            answered = {str(api.invoke(running.pid, {})) for _ in range(INVOCATIONS)}
            complaints = _killed(running)
        if answered != {str(running.pid)} or ready.instrumented:
            complaints.append(f"{answered} have answered, and otel-claude was on in {ready.instrumented}")
        return Outcome("lambda, without an SDK", complaints, INVOCATIONS + 1)


def _unanswered(commands: Path) -> Outcome:
    """An endpoint that never answers holds an answer no longer than a second for each signal."""
    with ground() as ready, socket.create_server((HOST, 0)) as silent:
        endpoint = f"http://{HOST}:{silent.getsockname()[1]}"
        variables = {"FLUSHES": "all", "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_TIMEOUT": "1"}
        took: list[float] = []
        with _function(commands, ready, {**IN_MEMORY, **variables}) as (api, running):
            for _ in range(INVOCATIONS):
                began = time.monotonic()
                api.invoke(running.pid, {})
                took.append(time.monotonic() - began)
            complaints = _killed(running)
        # The first one is thawed while it is still loading.
        if not all(1 <= each <= SIGNALS + MARGIN_S for each in took[1:]):
            complaints.append(f"where nobody answers, invocations took {took} s")
        return Outcome("lambda, nobody answers", complaints, INVOCATIONS - 1)


def _killed(running: Service) -> list[str]:
    """Removes the environment, and has a sentence if its process had ended before."""
    return otherwise(running.end(signal.SIGKILL), running.written, -signal.SIGKILL)
