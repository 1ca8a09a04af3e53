"""Fixtures for budgets: servers and files that hold a ledger."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis_server import RedisServer

from otel_claude.budgets.ledgers import Ledger, ledger_at


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture(params=["sqlite", "redis"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """That of a ledger which several processes can share."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/ledger.db"
    server: RedisServer = request.getfixturevalue("redis")
    return server.url


@pytest.fixture
def connect(address: str) -> Iterator[Callable[[], Ledger]]:
    """Opens the ledger, as another process would, and closes it after the test."""
    opened: list[Ledger] = []

    def connect() -> Ledger:
        opened.append(ledger_at(address))
        return opened[-1]

    yield connect
    for ledger in opened:
        ledger.close()
