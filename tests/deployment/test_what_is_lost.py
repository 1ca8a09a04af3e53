"""What deployments are compared by finds what is lost, doubled or mixed up: each of these shows it such a thing."""

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import labels
import process_pools
import pytest
from answered import Answers
from exported import AUDITED, UNLIMITED, Came
from facts import CHATS, SPAN_INPUT
from ground import CAP, Ground
from otlp_points import CUMULATIVE, DELTA, Series
from processes import otherwise
from receiver import Receiver
from trees import Node

from otel_claude.budgets.ledgers import Line, ledger_at
from otel_claude.testing import Request

ONE, OTHER = (11, "instance-1"), (12, "instance-2")
PIDS = {11, 12}
TIMES = "\N{MULTIPLICATION SIGN}"


@pytest.fixture
def ready(tmp_path: Path) -> Any:
    """The ground of a run whose API has answered twice."""
    answers = Answers()
    for _ in range(2):
        answers(Request("POST", "/v1/messages", {}, {}, b"{}"))
    nobody: Any = None
    return Ground(answers, nobody, nobody, tmp_path, "delta")


@pytest.fixture
def whole(ready: Ground) -> Came:
    """All that has to come of two processes that have answered once each."""
    one = Series("claude.token.usage", {}, DELTA, monotonic=True, value=1.0, values=0, exports=1, overlaps=0, until=1)
    began = ready.answers.said.began
    # A piece of work, with two calls and 30 steps, all in an instant.
    names = ["work", *["chat claude-sonnet-5-5"] * 2, "step", f"step {TIMES}29 (summarized)"]
    spans = [Node(name, "t", str(number), "0" if number else "", began, began) for number, name in enumerate(names)]
    return Came(
        ready.expected,
        Counter(msg_0001=1, msg_0002=1),
        frozenset({ONE, OTHER}),
        frozenset({ONE[1], OTHER[1]}),
        CAP,
        [one],
        spans,
        labels.that_add_up(labels.by_hand(ready.answers.said)),
        1e-5,
    )


def test_nothing_is_told_where_all_is_there(ready: Any, whole: Came):
    assert [*ready._complaints(whole, PIDS)] == []


@pytest.mark.parametrize("fact", [CHATS, SPAN_INPUT, AUDITED, UNLIMITED, "`claude.token.usage`, cache_read"])
@pytest.mark.parametrize("change", [-1, 1])
def test_a_number_that_is_too_small_or_too_large(ready: Any, whole: Came, fact: str, change: int):
    other = whole._replace(facts={**whole.facts, fact: whole.facts[fact] + change})

    assert [told.split(":")[0] for told in ready._complaints(other, PIDS)] == [fact]


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"ids": Counter(msg_0001=2)}, "answers without a span, or with more than one: {'msg_0001': 2, 'msg_0002': 0}"),
        ({"largest": CAP + 1}, f"a trace has {CAP + 1} spans"),
        ({"strays": ("an event",)}, "an event"),
        ({"seconds": 1e6}, "calls took 1000000.0 s"),
        ({"metered": frozenset({ONE[1]})}, "spans are of the instances ['instance-1', 'instance-2'], and metrics of"),
    ],
    ids=["spans", "cap", "events", "durations", "metrics of one"],
)
def test_what_the_sums_would_hide(ready: Any, whole: Came, other: Any, told: str):
    assert [said[: len(told)] for said in ready._complaints(whole._replace(**other), PIDS)] == [told]


def test_a_metric_of_another_model(ready: Any, whole: Came):
    of_one, of_other = (f"claude.token.usage{{chat, {model}, {model}, input}}" for model in ("claude-sonnet-5-5", "x"))
    told = {**whole.labels, of_other: whole.labels[of_one]}
    del told[of_one]

    # Two answers, of 11 and 12 tokens of input.
    assert [*ready._complaints(whole._replace(labels=told), PIDS)] == [f"{of_one}: 0, not 23", f"{of_other}: 23, not 0"]


def test_spans_that_stand_elsewhere_or_have_another_time(ready: Any, whole: Came):
    root, call, *others = whole.nodes
    late = call._replace(end=call.end + 3_600)
    assert [*ready._complaints(whole._replace(nodes=[root, late, *others]), PIDS)] == [
        "1 spans are not within the time of the run, such as 'chat claude-sonnet-5-5'"
    ]
    assert [*ready._complaints(whole._replace(nodes=[root, *others]), PIDS)] == [
        "1 spans 'chat claude-sonnet-5-5', not 2"
    ]


def test_a_process_that_tells_nothing(ready: Any, whole: Came):
    alone = whole._replace(processes=frozenset({ONE}), metered=frozenset({ONE[1]}))

    assert [*ready._complaints(alone, PIDS)] == ["the processes {11, 12} have worked, and spans tell of {11}"]


def test_two_processes_under_the_name_of_one(ready: Any, whole: Came):
    same = whole._replace(processes=frozenset({ONE, (OTHER[0], ONE[1])}), metered=frozenset({ONE[1]}))

    assert [*ready._complaints(same, PIDS)] == [
        "the processes and their instances are [(11, 'instance-1'), (12, 'instance-1')]"
    ]


def test_points_of_another_temporality(ready: Any, whole: Came):
    other = whole._replace(series=[whole.series[0]._replace(temporality=CUMULATIVE)])

    assert len([*ready._complaints(other, PIDS)]) == 1


def test_an_api_that_was_asked_nothing(ready: Any, whole: Came):
    silent = ready._replace(answers=Answers())
    nothing = Came(silent.expected, Counter(), frozenset(), frozenset(), 0, [])

    assert [*silent._complaints(nothing, set())] == ["the API was asked nothing"]


def test_a_ledger_that_is_not_there_or_lacks_something(ready: Any):
    # Claude Sonnet 5.5 at $2, $10, $0.10 (read) and $2.50 (written) a million tokens, for answers of (input, output,
    # read, written) tokens: (11, 21, 50, 5) and (12, 22, 100, 10). In picodollars: a microdollar has a million.
    cost = 2_000_000 * 23 + 10_000_000 * 43 + 100_000 * 150 + 2_500_000 * 15
    later = 2e9
    assert len([*ready.misbooked()]) == 1
    ledger = ledger_at(ready.ledger)
    for amount, complaints in ((cost - 1_000_000, 1), (1_000_000, 0)):
        ledger.write([Line("all/2026-11", f"process {amount}", amount, later)])
        assert len([*ready.misbooked()]) == complaints
    ledger.close()


@pytest.fixture
def silent(ready: Any) -> Iterator[Ground]:
    """The same ground, to which nothing has come."""
    with Receiver() as receiver:
        yield ready._replace(receiver=receiver)


@pytest.fixture
def do_nothing(tmp_path: Path) -> Path:
    """A folder with commands that come to nothing."""
    for name in ("opentelemetry-instrument", "python"):
        written = tmp_path / "commands" / name
        written.parent.mkdir(exist_ok=True)
        written.write_text("#!/bin/sh\n")
        written.chmod(0o755)
    return written.parent


def marked(ground: Ground, *pids: int) -> Ground:
    """The ground of processes whose calls were instrumented."""
    (ground.home / "instrumented").mkdir()
    for pid in pids:
        (ground.home / "instrumented" / str(pid)).touch()
    return ground


def test_nothing_is_told_where_all_is_lost_that_has_to_be(silent: Ground):
    assert marked(silent, 11, 12).shown("lost", (), {CHATS: 0}, {"11", "12"}).complaints == []


@pytest.mark.parametrize("pids", [(), (11,), (11, 13)])
def test_what_a_process_loses_in_which_otel_claude_was_not_on(silent: Ground, pids: tuple[int, ...]):
    complaints = marked(silent, *pids).shown("lost", (), {CHATS: 0}, {"11", "12"}).complaints

    assert complaints == [f"the processes ['11', '12'] have worked, and otel-claude was on in {sorted(map(str, pids))}"]


def test_what_is_lost_of_an_api_that_was_asked_nothing(silent: Ground):
    asked_nothing = marked(silent, 11)._replace(answers=Answers())

    assert asked_nothing.shown("lost", (), {CHATS: 0}, {"11"}).complaints == ["the API was asked nothing"]


def test_what_is_lost_where_nobody_has_worked(silent: Ground):
    assert len(silent.shown("lost", (), {CHATS: 0}, set()).complaints) == 1


def test_a_status_that_is_not_the_expected_one():
    assert otherwise(0, "") == otherwise(-9, "", -9) == []
    assert otherwise(0, "all is well", -9) == ["it ended with 0, not -9:\nall is well"]


def test_pools_and_scripts_that_have_never_run(do_nothing: Path):
    outcomes = [
        *process_pools.check_pools(do_nothing, quick=False),
        *(process_pools.script(do_nothing, ending) for ending in process_pools.ENDINGS),
    ]

    assert [outcome.run for outcome in outcomes if not outcome.complaints] == []


def test_a_script_that_loses_everything_and_is_not_instrumented(do_nothing: Path):
    (do_nothing / "opentelemetry-instrument").write_text('#!/bin/sh\nexec "$@"\n')
    (do_nothing / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    terminated = next(ending for ending in process_pools.ENDINGS if ending.loses)

    (complaint,) = process_pools.script(do_nothing, terminated).complaints
    assert complaint.endswith("and otel-claude was on in []")
