"""Fixtures: one simulated API for all tests, in-memory telemetry, and the switch."""

from collections.abc import Iterator
from typing import Any

import pytest
from apps import SwitchOn, connect

from otel_claude import AnthropicInstrumentor
from otel_claude.testing import SimulatedClaude, Telemetry


@pytest.fixture(scope="session")
def running_claude() -> Iterator[SimulatedClaude]:
    with SimulatedClaude() as claude:
        yield claude


@pytest.fixture
def claude(running_claude: SimulatedClaude) -> SimulatedClaude:
    running_claude.clear()
    return running_claude


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    telemetry = Telemetry()
    yield telemetry
    telemetry.shutdown()


@pytest.fixture
def client(claude: SimulatedClaude) -> Iterator[Any]:
    with connect(claude) as client:
        yield client


@pytest.fixture
def switch_on(telemetry: Telemetry) -> Iterator[SwitchOn]:
    """`instrument`, with the in-memory providers; what a test leaves switched on is switched off."""
    instrumentor = AnthropicInstrumentor()

    def switch_on(**options: Any) -> AnthropicInstrumentor:
        instrumentor.instrument(
            **{
                "tracer_provider": telemetry.tracer_provider,
                "meter_provider": telemetry.meter_provider,
                "logger_provider": telemetry.logger_provider,
                **options,
            }
        )
        return instrumentor

    yield switch_on
    if instrumentor.is_instrumented_by_opentelemetry:
        instrumentor.uninstrument()
