"""Whether the ledger of the budgets can be reached.

In: the address of a ledger. Out: a check. A file is opened for reading only, so that none is made that the application
could not write to. A server is asked for a sum as budgets do it, and keeps a mark of that for a day.
"""

import os
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

from otel_claude.budgets.ledgers import LedgerError, Line, ledger_at
from otel_claude.budgets.ledgers.address import file_of
from otel_claude.budgets.plan import Plan
from otel_claude.doctor.check import Check
from otel_claude.doctor.deadline import Work
from otel_claude.doctor.own_settings import without_password

NAME = "ledger"
SLOT = "otel-claude-doctor"
"""A slot that no budget has."""

ENCODED = "; in its user and password, write what is special as in an address: %2F for /, %3A for :, %40 for @"
MENDS = {
    "AuthenticationError": "correct the user and password of the address",
    "AuthenticationWrongNumberOfArgsError": "correct the user and password of the address",
    "ConnectionError": "start the server, or correct the host and port of the address",
    "NoPermissionError": "let the user of the address read and write keys, and run scripts",
    "ResponseError": "look at the number of the database, and at what the user of the address may do",
    "TimeoutError": "look for a firewall, or correct the host and port of the address",
}
"""What to do about an exception, by its class."""


def ledger_checks(plan: Plan, seconds: float, *, offline: bool) -> Iterator[Check]:
    """Whether the ledger can be reached, where there are budgets.

    Texts of its errors may have a password in them, and are not shown.
    """
    if not plan.budgets:
        return
    shown = without_password(plan.ledger)
    otherwise = {"open": "calls go on meanwhile", "closed": "calls are refused meanwhile"}[plan.ledger_failure]
    try:
        if plan.ledger == "memory":
            yield Check("ok", NAME, "memory: each process counts alone, and forgets when it ends")
        elif (path := file_of(plan.ledger)) is not None:
            yield _file_check(Path(path))
        elif offline:
            ledger_at(plan.ledger)
            yield Check("ok", NAME, f"{shown}: not asked, offline")
        else:
            Work(lambda: _ask(plan.ledger), seconds).result()
            yield Check("ok", NAME, f"{shown} answers")
    except LedgerError as error:
        mend = f"accepted: {error}{ENCODED if '@' in plan.ledger else ''}"
        yield Check("problem", NAME, f"{shown} cannot be opened; {otherwise}", mend)
    except Exception as error:
        kind = type(error).__name__
        mend = MENDS.get(kind, "look at the server's log")
        yield Check("problem", NAME, f"{shown} does not answer ({kind}); {otherwise}", mend)


def _ask(address: str) -> None:
    with closing(ledger_at(address)) as ledger:
        ledger.write([Line(SLOT, "", None, time.time() + 1)])


def _file_check(path: Path) -> Check:
    folder = path.parent
    if not folder.is_dir():
        return Check("problem", NAME, f"{folder} is no folder, so {path} cannot be made", f"mkdir -p {folder}")
    if not os.access(folder, os.W_OK):
        return _unwritable(folder)
    if not path.exists():
        return Check("ok", NAME, f"{path} is not there yet, and will be made")
    if not os.access(path, os.W_OK):
        return _unwritable(path)
    with closing(ledger_at(f"sqlite://{path}")) as ledger:
        list(islice(ledger.listed(), 1))
    return Check("ok", NAME, f"{path} can be read and written")


def _unwritable(path: Path) -> Check:
    return Check("problem", NAME, f"this user cannot write to {path}", "change its owner or its mode")
