"""What the ledger of the budgets says was spent.

In: the address of a ledger. Out: entries, one for each slot of each budget. A ledger knows no calls, tokens or models:
only how much each budget, and each scope of it, has spent in each of its periods, for as long as those are kept.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date, datetime, tzinfo
from decimal import Decimal

from otel_claude import names
from otel_claude.budgets.ledgers import LedgerError, ledger_at
from otel_claude.budgets.money import PICODOLLARS
from otel_claude.budgets.periods import SLOTS
from otel_claude.commands.spend import DAY, UNSPLIT, Entry, Quantity
from otel_claude.settings import Settings

BUDGET, SCOPE, PERIOD = "budget", "scope", "period"
LABELS: Mapping[str, str] = {BUDGET: names.BUDGET_NAME, SCOPE: names.BUDGET_SCOPE, PERIOD: names.BUDGET_PERIOD}
"""What a ledger can be grouped by, beside days, with the attributes that these are."""

SPENT = Quantity("usd", UNSPLIT)

CALENDAR = re.compile(r"(?P<year>\d{4})-(?P<month>\d\d)(-(?P<day>\d\d)(T\d\d[+-]\d{4})?)?")
ROLLING = re.compile(r"(?P<length>\d+)s-(?P<number>\d+)")
"""The names of slots, as `budgets.periods` gives them."""


class LedgerSpend:
    """A source of spend. The parts of rolling periods stand on days in `zone`."""

    signal = "ledger"

    def __init__(self, address: str, zone: tzinfo) -> None:
        self._address = address
        self._zone = zone
        self._budgets: set[str] = set()

    @property
    def adds_up(self) -> bool:
        """Whether the sum over all entries is what was spent."""
        return len(self._budgets) <= 1

    @property
    def notes(self) -> Sequence[str]:
        """What a reader of the sums should know."""
        if self.adds_up:
            return []
        return ["A call is on every budget that it belongs to, so budgets are not to be added up."]

    def entries(self) -> Iterator[Entry]:
        """What was spent.

        Raises:
            ValueError: the ledger cannot be opened or read.
        """
        try:
            with closing(ledger_at(self._address)) as ledger:
                for slot, amount in ledger.listed():
                    if (entry := self._entry(slot, amount)) is not None:
                        yield entry
        except LedgerError as error:
            raise ValueError(f"--ledger: {error}") from None
        except Exception as error:
            # Its text may have the address, and that a password.
            raise ValueError(f"--ledger: it cannot be read ({type(error).__name__})") from error

    def _entry(self, slot: str, amount: int) -> Entry | None:
        account, _, period = slot.rpartition("/")
        budget, _, scope = account.partition("/")
        begins = self._beginning(period)
        if begins is None or not budget:
            return None
        self._budgets.add(budget)
        day, shown = begins
        labels = {names.BUDGET_NAME: budget, names.BUDGET_PERIOD: shown}
        if scope:
            labels[names.BUDGET_SCOPE] = scope
        return Entry(day, labels, None, SPENT, Decimal(amount) / PICODOLLARS)

    def _beginning(self, period: str) -> tuple[date, str] | None:
        """The day on which a slot begins, and how it is shown."""
        if (named := CALENDAR.fullmatch(period)) is not None:
            return date(int(named["year"]), int(named["month"]), int(named["day"] or 1)), period
        if (named := ROLLING.fullmatch(period)) is not None:
            begins = datetime.fromtimestamp(int(named["number"]) * int(named["length"]) / SLOTS, self._zone)
            return begins.date(), f"from {begins:%Y-%m-%dT%H:%M%z}"
        return None


def address_of(given: str) -> str:
    """The address that is given, or where none is, that of the budgets in the environment.

    Raises:
        ValueError: the environment has no ledger that another process could read.
    """
    address = given or Settings.from_environment().plan.ledger
    if address == "memory":
        raise ValueError("--ledger: the ledger in memory ends with its process; expected that of a file or a server")
    return address


def labels_of(wanted: Sequence[str]) -> tuple[str, ...]:
    """What to group by: the budget first, as budgets do not add up.

    Raises:
        ValueError: a ledger does not know it.
    """
    for label in wanted:
        if label not in (*LABELS, DAY):
            raise ValueError(f"--by {label}: a ledger knows {', '.join((*LABELS, DAY))}")
    return tuple(dict.fromkeys((BUDGET, *(wanted or (PERIOD, SCOPE)))))
