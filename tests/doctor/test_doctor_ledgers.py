"""Whether the ledger of the budgets can be reached."""

import os
import sqlite3
from pathlib import Path

import pytest
from doctor_receivers import black_hole, closed_port

from otel_claude.budgets.ledgers import Line
from otel_claude.budgets.ledgers.sqlite import SqliteLedger
from otel_claude.budgets.plan import Plan, read_plan
from otel_claude.doctor.check import Check
from otel_claude.doctor.ledgers import ledger_checks


def plan(ledger: str, **options: str) -> Plan:
    return read_plan({"ledger": ledger, **options, "budgets": {"daily": {"usd": 1, "period": "day"}}})


def checked(ledger: str, *, offline: bool = False, **options: str) -> Check:
    (check,) = ledger_checks(plan(ledger, **options), 1, offline=offline)
    return check


def test_without_budgets_no_ledger_is_asked():
    assert list(ledger_checks(Plan(ledger="redis://127.0.0.1:1"), 1, offline=False)) == []


def test_memory_is_always_there():
    assert checked("memory").status == "ok"


def test_a_file_that_is_not_there_yet_is_not_made(tmp_path: Path):
    assert checked(f"sqlite://{tmp_path}/budgets.db").status == "ok"
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_read_and_left_as_it_is(tmp_path: Path):
    path = tmp_path / "budgets.db"
    ledger = SqliteLedger(path)
    ledger.write([Line("daily/2999-01-01", "one", 5, 4e10)])
    ledger.close()
    before = path.read_bytes()
    assert checked(f"sqlite://{path}").status == "ok"
    assert path.read_bytes() == before


def test_a_folder_that_is_not_there_is_told(tmp_path: Path):
    check = checked(f"sqlite://{tmp_path}/none/budgets.db")
    assert (check.status, check.mend) == ("problem", f"mkdir -p {tmp_path}/none")


def test_a_file_that_is_none_of_sqlite_is_told(tmp_path: Path):
    path = tmp_path / "budgets.db"
    path.write_text("x" * 4_096)
    with pytest.raises(sqlite3.DatabaseError):
        sqlite3.connect(path).execute("SELECT 1 FROM spent")
    check = checked(f"sqlite://{path}")
    assert (check.status, "DatabaseError" in check.says) == ("problem", True)


@pytest.mark.parametrize("name", ["", "budgets.db"])
def test_what_cannot_be_written_to_is_told(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "budgets.db"
    path.touch()
    # Tests may run as somebody who may write everywhere.
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path / name)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]  # as `os.access`
    check = checked(f"sqlite://{path}")
    assert (check.status, check.says) == ("problem", f"this user cannot write to {tmp_path / name}")


def test_a_server_that_does_not_answer_is_told_without_its_password():
    address = closed_port().replace("http://", "redis://me:sesame@")
    check = checked(f"{address}/0")
    assert check.status == "problem"
    assert "ConnectionError" in check.says
    assert "calls go on meanwhile" in check.says
    assert "sesame" not in str(check)
    assert "calls are refused" in checked(f"{address}/0", ledger_failure="closed").says


def test_a_server_that_never_answers_is_given_up():
    with black_hole() as endpoint:
        check = checked(endpoint.replace("http://", "redis://"))
    assert (check.status, "TimeoutError" in check.says) == ("problem", True)


def test_a_server_is_not_asked_offline():
    assert checked("redis://127.0.0.1:1/0", offline=True).status == "ok"


def test_an_address_that_cannot_be_opened_is_told_with_what_is_accepted():
    check = checked("redis://127.0.0.1:1/zero")
    assert (check.status, "redis://host:port/number" in check.mend) == ("problem", True)
    assert "%2F" not in check.mend


def test_a_password_that_cannot_stand_in_an_address_is_to_be_encoded():
    check = checked("redis://:hunt/er@127.0.0.1:1/0")
    assert check.status == "problem"
    assert "write what is special as in an address: %2F for /" in check.mend
    assert "hunt" not in str(check)
