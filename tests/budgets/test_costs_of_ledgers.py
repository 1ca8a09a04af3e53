"""`otel-claude costs --ledger`: what the ledger of the budgets has."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otel_claude.budgets.ledgers import Line, ledger_at
from otel_claude.budgets.ledgers.memory import MemoryLedger
from otel_claude.budgets.money import picodollars
from otel_claude.commands import main

SPENT = (
    ("daily/2026-11-22", "one", 1.25),
    ("daily/2026-11-22", "other", 0.5),
    ("daily/2026-11-23", "one", 2.0),
    ("hourly/2026-11-23T05+0100", "one", 0.75),
    ("monthly/2026-11", "one", 3.0),
    ("tenants/acme/europe/2026-11-23", "one", 0.125),
    ("rolling/86400s-494460", "one", 4.0),
)
"""494,460 hours after 1970-01-01 it is 2026-05-29T12:00:00Z: 20,602 days and 12 hours."""


@pytest.fixture
def write() -> Callable[..., None]:
    def write(address: str, spent: Any = SPENT, until: float | None = None) -> None:
        ledger = ledger_at(address)
        expires_at = time.time() + 3_600 if until is None else until
        ledger.write([Line(slot, writer, picodollars(usd), expires_at) for slot, writer, usd in spent])
        ledger.claim("daily/86400/50", expires_at)
        ledger.close()

    return write


def report(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main(["costs", "--format", "json", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


def test_each_slot_is_a_row(address: str, write: Callable[..., None], capsys: pytest.CaptureFixture[str]):
    write(address)

    shown = report(capsys, "--ledger", address)

    rows = {tuple(group["labels"].values()): group["usd"]["total"] for group in shown["groups"]}
    assert rows == {
        ("daily", "2026-11-22"): 1.75,
        ("daily", "2026-11-23"): 2.0,
        ("hourly", "2026-11-23T05+0100"): 0.75,
        ("monthly", "2026-11"): 3.0,
        ("rolling", "from 2026-05-29T12:00+0000"): 4.0,
        ("tenants", "2026-11-23", "acme/europe"): 0.125,
    }
    assert shown["source"] == "ledger"
    assert "total" not in shown
    assert shown["notes"] == ["A call is on every budget that it belongs to, so budgets are not to be added up."]


def test_one_budget_adds_up(address: str, write: Callable[..., None], capsys: pytest.CaptureFixture[str]):
    write(address, SPENT[:3])

    shown = report(capsys, "--ledger", address, "--by", "budget")

    assert shown["total"]["usd"]["total"] == 3.75
    assert [group["labels"] for group in shown["groups"]] == [{"budget": "daily"}]
    assert shown["notes"] == []


def test_days_that_are_asked_for(address: str, write: Callable[..., None], capsys: pytest.CaptureFixture[str]):
    write(address)

    shown = report(capsys, "--ledger", address, "--by", "day", "--since", "2026-11-22", "--until", "2026-11-22")

    assert [(group["labels"], group["usd"]["total"]) for group in shown["groups"]] == [
        ({"budget": "daily", "day": "2026-11-22"}, 1.75)
    ]


def test_the_ledger_of_the_environment(
    write: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    write(f"sqlite:///{tmp_path}/ledger.db", SPENT[:3])
    monkeypatch.setenv("OTEL_CLAUDE_BUDGET_LEDGER", f"sqlite:///{tmp_path}/ledger.db")

    assert report(capsys, "--ledger")["total"]["usd"]["total"] == 3.75


def test_what_has_expired_is_not_shown(address: str, write: Callable[..., None], capsys: pytest.CaptureFixture[str]):
    write(address, SPENT[:1])
    write(address, SPENT[2:3], until=time.time() - 1)

    assert report(capsys, "--ledger", address)["total"]["usd"]["total"] == 1.25


def test_many_slots_are_each_counted_once(address: str, write: Callable[..., None], capsys: pytest.CaptureFixture[str]):
    write(address, [(f"tenants/{number}/2026-11-23", "one", 0.001) for number in range(3_000)])

    shown = report(capsys, "--ledger", address, "--by", "budget")

    assert shown["total"]["usd"]["total"] == 3.0


def test_keys_of_others_are_left_alone(address: str, write: Callable[..., None], capsys: pytest.CaptureFixture[str]):
    write(address, [*SPENT[:1], ("something else", "one", 9.0), ("daily/soon", "one", 9.0)])

    assert report(capsys, "--ledger", address)["total"]["usd"]["total"] == 1.25


def test_an_empty_ledger_shows_nothing(address: str, write: Callable[..., None], capsys: pytest.CaptureFixture[str]):
    write(address, [])

    assert main(["costs", "--ledger", address]) == 1
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--ledger", "metrics.json"), "--ledger: memory, sqlite:///absolute/path, redis://host:port/number"),
        (("--ledger", "memory"), "--ledger: the ledger in memory ends with its process"),
        (("--ledger",), "--ledger: the ledger in memory ends with its process"),
        (("--ledger", "sqlite:///nowhere/ledger.db"), "--ledger: there is no such file"),
        (("--ledger", "redis://:secret@127.0.0.1:9/0"), "--ledger: it cannot be read (ConnectionError)"),
        (("metrics.json", "--ledger", "redis://127.0.0.1:9/0"), "neither files nor --from go with it"),
        (("--from", "spans", "--ledger", "redis://127.0.0.1:9/0"), "neither files nor --from go with it"),
        (
            ("--ledger", "redis://127.0.0.1:9/0", "--by", "model"),
            "--by model: a ledger knows budget, scope, period, day",
        ),
    ],
)
def test_what_cannot_be_read_is_said(arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]):
    assert main(["costs", *arguments]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "secret" not in told


def test_the_ledger_of_a_process_lists_its_own():
    ledger = MemoryLedger()
    ledger.write([Line("daily/2026-11-22", "one", 5, 9e9), Line("daily/2026-11-22", "other", 7, 9e9)])

    assert list(ledger.listed()) == [("daily/2026-11-22", 12)]
