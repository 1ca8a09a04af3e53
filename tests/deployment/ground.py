"""What every deployment here stands on: the simulated API, a receiver of OTLP, a ledger of budgets, and a folder.

In: a name for the run. Out: an environment for its processes, and at the end a sentence for everything that does not
hold: each answer of the API has one span, and tokens, costs, events and the ledger have all of them.
"""

import os
import tempfile
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import labels
from answered import Answers
from exported import AUDITED, UNLIMITED, Came, came
from facts import OF_EVENTS, OF_METRICS, OF_TRACES, Facts, differences, expected, same, text
from launch import environment
from otlp_points import CUMULATIVE, DELTA, wrong_temporality
from receiver import Receiver
from trees import misplaced

from otel_claude.budgets.ledgers import LedgerError, ledger_at
from otel_claude.testing import SimulatedClaude

APPS = Path(__file__).with_name("apps")
CAP = 20
"""Spans of a trace: fewer than a piece of work has."""

AT_A_TIME = 4
"""As many calls there are at most at the same time."""

ALL = (*OF_TRACES, *OF_METRICS, *OF_EVENTS, AUDITED, UNLIMITED)
TEMPORALITY = {"cumulative": CUMULATIVE, "delta": DELTA}
PICODOLLARS = 1e12

BUDGET = """
ledger = "{ledger}"
interval_s = {interval_s}

[budgets.all]
usd = {usd}
period = "month"
action = "{action}"
"""
INTERVAL_S = 0.4
A_LOT = 1_000_000.0


class Outcome(NamedTuple):
    """A run: what does not hold of it, and how many numbers were compared."""

    run: str
    complaints: Sequence[str]
    numbers: int


class Ground(NamedTuple):
    """It is there for one run. `preference` is the temporality that its processes are asked for."""

    answers: Answers
    claude: SimulatedClaude
    receiver: Receiver
    home: Path
    preference: str

    def environment(self, **more: str) -> dict[str, str]:
        """The environment of a process, with `more` in it.

        Spans and events are exported at the SDK's own intervals, so what a process has done in the last five seconds
        is in its memory alone.
        """
        outer = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "PYTHON"))}
        ours = {
            "HOME": str(self.home),
            "PYTHONPATH": str(APPS),
            "OTEL_SERVICE_NAME": "otel-claude-deployment",
            "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": self.preference,
            "OTEL_METRIC_EXPORT_INTERVAL": "1000",
            "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "httpx2",
            "OTEL_CLAUDE_MAX_SPANS_PER_TRACE": str(CAP),
            "OTEL_CLAUDE_AUDIT": "true",
            "OTEL_CLAUDE_BUDGETS": str(self.home / "budgets.toml"),
        }
        return environment(outer, self.receiver.endpoint, self.claude.base_url, **{**ours, **more})

    @property
    def came(self) -> Came:
        """What has been exported so far."""
        return came(self.receiver)

    @property
    def instrumented(self) -> set[str]:
        """The ids of the processes that have said that their calls were instrumented."""
        return {path.name for path in (self.home / "instrumented").glob("*")}

    @property
    def booked(self) -> float:
        """What the ledger has, in USD: nothing, where there is none."""
        ledger = ledger_at(self.ledger)
        try:
            return sum(amount for _, amount in ledger.listed()) / PICODOLLARS
        except LedgerError:
            return 0.0
        finally:
            ledger.close()

    @property
    def ledger(self) -> str:
        return f"sqlite://{self.home}/ledger.db"

    @property
    def expected(self) -> Facts:
        """What has to have come of the answers."""
        answered = len(self.answers.calls)
        return {**expected(self.answers.said), AUDITED: answered, UNLIMITED: answered}

    def budget(self, usd: float, action: str) -> None:
        """Writes the file of budgets."""
        (self.home / "budgets.toml").write_text(
            BUDGET.format(ledger=self.ledger, usd=usd, action=action, interval_s=INTERVAL_S), "utf-8"
        )

    def outcome(self, run: str, complaints: Sequence[str], worked: set[str]) -> Outcome:
        """What does not hold, now that all processes have ended. `worked` are the ids of those that have worked."""
        found = [*complaints, *self._complaints(self.came, {int(pid) for pid in worked}), *self.misbooked()]
        return Outcome(self._named(run), found, len(ALL) + 2 * len(self.answers.calls) + 1)

    def shown(self, run: str, complaints: Iterable[str], facts: Facts, worked: set[str]) -> Outcome:
        """The same, where only these facts are to be as they are given, and others are lost."""
        found = [*complaints, *self._nothing_to_lose(worked), *differences(facts, self.came.facts, facts)]
        return Outcome(self._named(run), found, len(facts) + len(worked))

    def _nothing_to_lose(self, worked: set[str]) -> Iterator[str]:
        """A sentence if the API was asked nothing, and for the processes whose calls were not instrumented."""
        if not self.answers.calls:
            yield "the API was asked nothing"
        if not worked or self.instrumented != worked:
            yield f"the processes {sorted(worked)} have worked, and otel-claude was on in {sorted(self.instrumented)}"

    def _named(self, run: str) -> str:
        return f"{run}, {self.preference}"

    def _complaints(self, seen: Came, worked: set[int]) -> Iterator[str]:
        if not self.answers.calls:
            yield "the API was asked nothing"
            return
        said = self.answers.said
        yield from differences(self.expected, seen.facts, ALL)
        yield from misplaced(seen.nodes, said.done.tree, said.began, said.ended, said.paused)
        yield from labels.unlike(labels.that_add_up(labels.by_hand(said)), seen.labels)
        yield from labels.too_long(said, seen.seconds, AT_A_TIME)
        yield from seen.strays
        yield from self.misplaced(seen)
        yield from wrong_temporality(seen.series, TEMPORALITY[self.preference])
        if seen.largest > CAP:
            yield f"a trace has {seen.largest} spans"
        pids = {pid for pid, _ in seen.processes}
        instances = frozenset(instance for _, instance in seen.processes)
        if pids != worked:
            yield f"the processes {worked} have worked, and spans tell of {pids}"
        if not len(pids) == len(instances) == len(seen.processes):
            yield f"the processes and their instances are {sorted(seen.processes)}"
        if instances != seen.metered:
            yield f"spans are of the instances {sorted(instances)}, and metrics of {sorted(seen.metered)}"

    def misplaced(self, seen: Came) -> Iterator[str]:
        """A sentence for answers that do not have one span each."""
        if wrong := {said: seen.ids[said] for said in self.answers.calls if seen.ids[said] != 1}:
            yield f"answers without a span, or with more than one: {wrong}"

    def misbooked(self) -> Iterator[str]:
        """A sentence if the ledger does not have what the answers cost."""
        if not same(self.booked, self.answers.cost):
            yield f"the ledger has {text(self.booked)}, not {text(self.answers.cost)}"


@contextmanager
def ground(preference: str = "cumulative") -> Generator[Ground]:
    """The ground of one run."""
    answers = Answers()
    with (
        SimulatedClaude(default=answers) as claude,
        Receiver() as receiver,
        tempfile.TemporaryDirectory(prefix="deployment-") as home,
    ):
        made = Ground(answers, claude, receiver, Path(home), preference)
        made.budget(A_LOT, "warn")
        yield made
