"""Spans in the wrong place, metrics with wrong labels and events of something else: each of these is shown one."""

from typing import Any

import events
import labels
import pytest
from by_hand import RUNAWAY, Done
from events import Told
from facts import ROOTS, expected, of_nodes
from otlp_points import CUMULATIVE, Series
from receiver import Span
from said import Call, Failure, Said
from trees import Node, misplaced, orphans, outside, roots

MODEL = "claude-sonnet-5-5"
ROOT = Node("round", "t", "1", "", 10.0, 20.0)
CHILD = Node("chat", "t", "2", "1", 11.0, 19.0)
TREE = {("round", ""): 1, ("chat", "round"): 1}
TIMES = "\N{MULTIPLICATION SIGN}"
CALLED = Call(MODEL, 100, 10, 1_000, 40, 0)
RAN = Said([CALLED], done=Done({}, {}), began=1.0, ended=3.0)


def test_all_is_well_with_spans_where_they_have_to_be():
    nodes = [ROOT, CHILD]
    assert (roots(nodes), orphans(nodes), outside(nodes)) == (1, 0, 0)
    assert [*misplaced(nodes, TREE, 10.0, 20.0)] == []


def test_a_span_that_has_lost_its_parent_is_a_root_too_many():
    lost = [ROOT, CHILD._replace(parent="", trace="other")]
    assert of_nodes(lost)[ROOTS] == expected(RAN._replace(done=Done(TREE, {})))[ROOTS] + 1
    assert [*misplaced(lost, TREE, 10.0, 20.0)] == [
        "0 spans 'chat' below 'round', not 1",
        "1 spans 'chat', not 0",
    ]


def test_a_span_below_another_one_is_told():
    nodes = [ROOT, CHILD, CHILD._replace(id="3", parent="2")]
    assert [*misplaced(nodes, {**TREE, ("chat", "round"): 2}, 10.0, 20.0)] == [
        "1 spans 'chat' below 'round', not 2",
        "1 spans 'chat' below 'chat', not 0",
    ]


@pytest.mark.parametrize(("start", "end"), [(9.9, 19.0), (11.0, 8_011.0), (19.0, 11.0)])
def test_a_span_outside_the_time_of_its_parent(start: float, end: float):
    assert outside([ROOT, CHILD._replace(start=start, end=end)]) == 1


def test_a_root_outside_the_time_of_the_run():
    assert [*misplaced([ROOT, CHILD], TREE, 10.0, 19.9)] == [
        "1 spans are not within the time of the run, such as 'round'"
    ]


def test_calls_that_were_over_before_the_api_had_answered():
    call = ROOT._replace(name="chat x")
    assert [*misplaced([call], {("chat x", ""): 1}, 10.0, 20.0, 10.0)] == []
    short = call._replace(end=10.01)
    assert len([*misplaced([short], {("chat x", ""): 1}, 10.0, 20.0, 10.0)]) == 1


def test_a_summary_stands_for_spans_of_its_name():
    tree = {("round", ""): 1, ("chat", "round"): 9, ("step", "chat"): 2}
    nodes = [
        ROOT,
        CHILD,
        CHILD._replace(name=f"chat {TIMES}8 (summarized)", id="3"),
        CHILD._replace(name=f"step {TIMES}2 (summarized)", id="4"),
    ]
    assert [*misplaced(nodes, tree, 10.0, 20.0)] == []
    assert [*misplaced(nodes[:-1], tree, 10.0, 20.0)] == ["0 spans 'step', not 2"]


def test_the_agent_that_has_run_away_makes_so_many_spans():
    assert sum(RUNAWAY.tree.values()) == 20_032


def test_metrics_of_a_call_by_hand():
    # USD per million tokens of Claude Sonnet 5.5: 2 of input, 10 of output, 0.10 read, 2.50 written. With nothing
    # cached, all 1,140 tokens of the prompt would have cost 2.
    told = labels.by_hand(RAN)
    of = f"chat, {MODEL}, {MODEL}"
    assert {fact: round(value, 12) for fact, value in told.items()} == {
        f"claude.token.usage{{{of}, input}}": 100,
        f"claude.token.usage{{{of}, output}}": 10,
        f"claude.token.usage{{{of}, cache_read}}": 1_000,
        f"claude.token.usage{{{of}, cache_write_5m}}": 40,
        f"claude.cost{{{of}, standard, input}}": 0.0002,
        f"claude.cost{{{of}, standard, output}}": 0.0001,
        f"claude.cost{{{of}, standard, cache_read}}": 0.0001,
        f"claude.cost{{{of}, standard, cache_write}}": 0.0001,
        f"claude.cost.savings{{{of}, cache}}": 0.00188,
        f"gen_ai.client.token.usage{{{of}, input}}": 1_140,
        f"gen_ai.client.token.usage{{{of}, output}}": 10,
        f"gen_ai.client.token.usage, count{{{of}, input}}": 1,
        f"gen_ai.client.token.usage, count{{{of}, output}}": 1,
        f"gen_ai.client.operation.duration, count{{chat, {MODEL}, -}}": 1,
        **{f"claude.rate_limit.limit{{{MODEL}, {kind}}}": limit for kind, limit in labels.LIMITS.items()},
        f"claude.rate_limit.remaining{{{MODEL}, requests}}": 3_999,
        f"claude.rate_limit.remaining{{{MODEL}, tokens}}": 480_000,
        f"claude.rate_limit.remaining{{{MODEL}, input_tokens}}": 400_000,
        f"claude.rate_limit.remaining{{{MODEL}, output_tokens}}": 80_000,
    }


def test_a_batch_saves_half():
    # 2 and 10 USD per million tokens, in a batch 1 and 5.
    told = labels.by_hand(RAN._replace(calls=[Call(MODEL, 1_000, 100, 0, 0, 0, batch=True)]))
    assert told[f"claude.cost{{chat, -, {MODEL}, batch, input}}"] == pytest.approx(0.001)
    assert told[f"claude.cost.savings{{chat, -, {MODEL}, batch}}"] == pytest.approx(0.0015)


def series(metric: str, value: float, until: int = 1, **attributes: Any) -> Series:
    named = {name.replace("_", "."): text for name, text in attributes.items()}
    return Series(metric, named, CUMULATIVE, monotonic=True, value=value, values=7, exports=1, overlaps=0, until=until)


def test_series_add_up_and_gauges_do_not():
    told = labels.of_series(
        [
            series("claude.retries", 1, error_type="a"),
            series("claude.retries", 2, error_type="a", server_port=1),
            series("claude.rate_limit.limit", 5, until=2),
            series("claude.rate_limit.limit", 6, until=1),
            series("gen_ai.client.operation.duration", 0.5),
        ]
    )
    assert told == {
        "claude.retries{-, -, a}": 3,
        "claude.rate_limit.limit{-, -}": 5,
        "gen_ai.client.operation.duration, count{-, -, -}": 7,
    }


def test_gauges_of_processes_are_in_no_sum():
    told = {"claude.rate_limit.limit{-, -}": 5, "claude.retries{-, -, a}": 3}
    assert labels.that_add_up(told) == {"claude.retries{-, -, a}": 3}


def test_what_is_missing_and_what_is_too_much():
    assert [*labels.unlike({"a": 1}, {"b": 2})] == ["a: 0, not 1", "b: 2, not 0"]


@pytest.mark.parametrize("seconds", [0.0, 0.4, 2_000.0])
def test_calls_that_cannot_have_taken_so_long(seconds: float):
    waited = RAN._replace(paused=0.5)
    assert len([*labels.too_long(waited, seconds)]) == 1
    assert [*labels.too_long(waited, 1.5)] == []


CALL = Span("chat", b"t", b"s", b"", 0, 1, {"gen_ai.request.model": MODEL}, None, "otel_claude")
RETRIED = Told("claude.retry", b"t", b"s", {"gen_ai.request.model": MODEL, "error.type": "rate_limit_error"})


def test_an_event_of_a_call():
    assert [*events.strays([RETRIED], [CALL])] == []
    assert [*events.unlike([RETRIED], RAN._replace(retries=[Failure(MODEL, "rate_limit_error")]))] == []


@pytest.mark.parametrize(
    ("event", "complaint"),
    [
        (RETRIED._replace(trace=b""), "the event claude.retry is at no span"),
        (RETRIED._replace(span=b"x"), "the event claude.retry is at no span"),
        (
            RETRIED._replace(attributes={"gen_ai.request.model": "x"}),
            f"the event claude.retry of x is at a call of {MODEL}",
        ),
    ],
)
def test_an_event_that_leads_to_no_call(event: Told, complaint: str):
    assert [*events.strays([event], [CALL])] == [complaint]


def test_an_event_of_a_call_that_a_summary_stands_for():
    summary = CALL._replace(name=f"chat {TIMES}8 (summarized)", id=b"other")
    assert [*events.strays([RETRIED], [summary])] == []
    assert [*events.strays([RETRIED._replace(span=b"")], [summary])] == ["the event claude.retry is at no span"]


def test_events_of_other_errors():
    said = RAN._replace(errors=[Failure(MODEL, "not_found_error")])
    assert [*events.unlike([RETRIED], said)] == [
        f"0 events gen_ai.client.operation.exception of {MODEL} with not_found_error, not 1",
        f"1 events claude.retry of {MODEL} with rate_limit_error, not 0",
    ]
