"""Fixtures: a simulated API, clients of the installed SDK that talk to it, and the telemetry of their calls.

Tests of both clients are written once, as coroutines: `calls/driver.py` has what they need. A test that uses `client`
or `make` runs with the sync and with the async client.
"""

import asyncio
import gc
import inspect
from collections.abc import Callable, Coroutine, Iterator, Mapping
from typing import Any, cast

import anthropic
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from opentelemetry import context

from fixture_types import API_KEY, Clock, Instrument, Make, Runner, Steps
from otel_claude import AnthropicInstrumentor, Settings, dropped
from otel_claude.agents import scope
from otel_claude.agents import telemetry as agents
from otel_claude.anthropic import bodies, calls, listeners, reading, server_tools
from otel_claude.anthropic.scope import current_call
from otel_claude.failsafe import failures
from otel_claude.testing import SimulatedClaude, Telemetry

LOGGERS = ("otel_claude", "opentelemetry")

# How fast examples are made says more of the machine, which may have others on it, than of the code.
hypothesis_settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("project")


def pytest_collection_finish() -> None:
    """Leaves what was imported to nobody's collection: tests collect often, and it is a million objects."""
    gc.collect()
    gc.freeze()


@pytest.fixture(params=["sync", "async"])
def runner(request: pytest.FixtureRequest) -> Iterator[Runner]:
    if request.param == "sync":
        yield Steps()
    else:
        with asyncio.Runner() as runner:
            yield runner


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Runs a coroutine, and holds that the calls in it leave the context as it was."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters}
    runner = cast("Runner", pyfuncitem.funcargs["runner"])
    runner.run(_with_context_left_alone(pyfuncitem.obj, arguments))
    return True


async def _with_context_left_alone(test: Callable[..., Coroutine[Any, Any, None]], arguments: dict[str, Any]) -> None:
    before = context.get_current()
    await test(**arguments)
    assert context.get_current() is before
    assert current_call() is None


@pytest.fixture
def claude() -> Iterator[SimulatedClaude]:
    with SimulatedClaude() as claude:
        yield claude


@pytest.fixture
def make(runner: Runner, claude: SimulatedClaude) -> Iterator[Make]:
    """Makes a client of a class, by the name that it has in the sync SDK, and closes it after the test."""
    clients: list[Any] = []
    synchronous = isinstance(runner, Steps)
    # Loading certificates, which nobody needs here, takes longer than most tests.
    http_client: Any = anthropic.DefaultHttpxClient if synchronous else anthropic.DefaultAsyncHttpxClient

    def make(name: str = "Anthropic", **options: Any) -> Any:
        name = name if synchronous else f"Async{name}"
        if not hasattr(anthropic, name):
            pytest.skip(f"anthropic {anthropic.__version__} has no {name}")
        usual: dict[str, Any] = {"base_url": claude.base_url, "max_retries": 0}
        if "http_client" not in options:
            usual["http_client"] = http_client(verify=False)
        clients.append(getattr(anthropic, name)(**{**usual, **options}))
        return clients[-1]

    yield make
    for client in clients:
        closing = client.close()
        if closing is not None:
            runner.run(closing)


@pytest.fixture
def client(make: Make) -> Any:
    return make(api_key=API_KEY)


@pytest.fixture(autouse=True)
def no_failures_yet() -> None:
    failures.counts.clear()


@pytest.fixture
def instrument(caplog: pytest.LogCaptureFixture) -> Iterator[Instrument]:
    """Instruments the SDK with the settings that it is given, until the test has ended; `providers` replace its own.

    Nothing in the instrumentation may fail, and nothing may be logged, in whatever a test does.
    """
    started: list[Telemetry] = []

    def instrument(providers: Mapping[str, Any] | None = None, **settings: Any) -> Telemetry:
        telemetry = Telemetry()
        started.append(telemetry)
        own = {
            "tracer_provider": telemetry.tracer_provider,
            "meter_provider": telemetry.meter_provider,
            "logger_provider": telemetry.logger_provider,
        }
        AnthropicInstrumentor().instrument(**{**own, **(providers or {})}, settings=Settings(**settings))
        return telemetry

    yield instrument
    AnthropicInstrumentor().uninstrument()
    for telemetry in started:
        telemetry.shutdown()
    assert failures.counts == {}
    assert [record.message for record in caplog.get_records("call") if record.name.startswith(LOGGERS)] == []


@pytest.fixture
def telemetry(instrument: Instrument) -> Telemetry:
    return instrument()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of all calls. Without it, they have the real one."""
    clock = Clock()
    for module in (agents, bodies, calls, dropped, listeners, reading, scope, server_tools):
        for name in ("perf_counter_ns", "time_ns"):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, clock.read)
    return clock
