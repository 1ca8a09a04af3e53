"""Fixtures: telemetry of the Claude Agent SDK, and its connections, by a script of frames and by the bundled CLI."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from otel_claude import Settings
from otel_claude.agent_sdk import ClaudeAgentInstrumentor
from otel_claude.failsafe import failures
from otel_claude.testing import SimulatedClaude, Telemetry

LOGGERS = ("otel_claude", "opentelemetry")


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    """Telemetry of what a test emits itself, with no SDK instrumented. Nothing of ours may fail."""
    found = Telemetry()
    failures.counts.clear()
    yield found
    found.shutdown()
    assert failures.counts == {}


@pytest.fixture
def instrument_agents(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[..., Telemetry]]:
    """Instruments the SDK with the settings that it is given, until the test has ended. Nothing of ours may fail."""
    started: list[Telemetry] = []
    failures.counts.clear()

    def instrument(**settings: Any) -> Telemetry:
        telemetry = Telemetry()
        started.append(telemetry)
        ClaudeAgentInstrumentor().instrument(
            tracer_provider=telemetry.tracer_provider,
            meter_provider=telemetry.meter_provider,
            logger_provider=telemetry.logger_provider,
            settings=Settings(**settings),
        )
        return telemetry

    yield instrument
    if ClaudeAgentInstrumentor().is_instrumented_by_opentelemetry:
        ClaudeAgentInstrumentor().uninstrument()
    for telemetry in started:
        telemetry.shutdown()
    assert failures.counts == {}
    assert [record.message for record in caplog.get_records("call") if record.name.startswith(LOGGERS)] == []


@pytest.fixture
def agents(instrument_agents: Callable[..., Telemetry]) -> Telemetry:
    return instrument_agents()


@pytest.fixture(params=["scripted", "cli"])
def connections(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], Callable[[], Any]]]:
    """Makes, for a scenario, what makes the keywords of its connections: to a script of it, or to the bundled CLI."""
    import bundled_cli
    from agent_frames import recorded
    from agent_scenarios import SCENARIOS, sdk, tools
    from scripted_transport import ScriptedTransport

    started: list[SimulatedClaude] = []

    def scripted(name: str, script: str | None = None) -> Callable[[], dict[str, Any]]:
        options = sdk.ClaudeAgentOptions(mcp_servers={"calc": tools()}, **SCENARIOS[name].options)
        return lambda: {"options": options, "transport": ScriptedTransport(recorded(script or name))}

    def with_cli(name: str, script: str | None = None) -> Callable[[], dict[str, Any]]:
        started.append(SimulatedClaude(default=SCENARIOS[name].answers()).start())
        options = bundled_cli.options(started[-1], tmp_path, **SCENARIOS[name].options)
        return lambda: {"options": options}

    if request.param == "cli" and not bundled_cli.is_bundled():
        pytest.skip("there is no CLI in this package")
    yield scripted if request.param == "scripted" else with_cli
    for claude in started:
        claude.stop()
