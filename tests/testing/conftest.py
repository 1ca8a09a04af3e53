"""Fixtures: the simulated API, and clients of the installed SDK that talk to it and do not retry."""

from collections.abc import Iterator

import pytest
from anthropic import Anthropic

from otel_claude.testing import SimulatedClaude


@pytest.fixture
def claude() -> Iterator[SimulatedClaude]:
    with SimulatedClaude() as claude:
        yield claude


@pytest.fixture
def client(claude: SimulatedClaude) -> Iterator[Anthropic]:
    with Anthropic(base_url=claude.base_url, api_key="sk-ant-simulated", max_retries=0) as client:
        yield client
