"""Traces that do not just begin and end: long ones, silent ones, those that others share, and very many."""

import gc
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import Span, StatusCode, set_span_in_context
from traced import Traced, from_elsewhere, orphans, represented

from otel_claude.failsafe import failures
from otel_claude.span_cap import excess as excess_module
from otel_claude.span_cap import processor as processor_module
from otel_claude.span_cap import traces as traces_module
from otel_claude.span_cap import watch as watch_module
from otel_claude.span_cap.processor import CapProcessor


class Clock:
    """The monotonic clock of the cap, in seconds."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(processor_module, "time", clock)
    monkeypatch.setattr(excess_module, "time", clock)
    monkeypatch.setattr(traces_module, "time", clock)
    # Nobody looks but the test.
    monkeypatch.setattr(watch_module, "PERIOD_S", 3_600.0)
    return clock


def processor_of(traced: Traced) -> CapProcessor:
    several: Any = traced.provider
    (found,) = [one for one in several._active_span_processor._span_processors if isinstance(one, CapProcessor)]
    return found


def look(traced: Traced) -> None:
    """What the thread does every few seconds."""
    processor: Any = processor_of(traced)
    processor._watch.look()


def test_a_trace_that_goes_on_is_shown_at_intervals_that_grow(clock: Clock):
    traced = Traced()
    shown: list[int] = []
    with traced.tracer.start_as_current_span("server"):
        for minute in range(1, 61):
            traced.grow(1_000)
            clock.now += 60
            before = len(traced.spans)
            look(traced)
            if len(traced.spans) > before:
                shown.append(minute)
                assert represented(traced.spans) > 799

    # At a minute, and whenever it is half as old again.
    assert shown == [1, 2, 3, 5, 8, 12, 18, 27, 41]
    assert len(traced.spans) == 1_000
    assert represented(traced.spans) == 60_001
    assert orphans(traced.spans) == []


def test_a_trace_of_the_life_of_a_process_always_has_room_for_one_more_summary(clock: Clock):
    traced = Traced(20)
    with traced.tracer.start_as_current_span("server"):
        for _ in range(2_000):
            traced.grow(10)
            clock.now += 3_600
            look(traced)
        assert len(traced.spans) <= 19

    assert len(traced.spans) <= 20
    assert represented(traced.spans) == 20_001


def test_what_is_shown_at_an_interval_has_the_errors(clock: Clock):
    traced = Traced()
    with traced.tracer.start_as_current_span("server"):
        traced.grow(900)
        with traced.tracer.start_as_current_span("failed") as failed:
            failed.set_attribute("error.type", "timeout")
            failed.set_status(StatusCode.ERROR)
        traced.grow(900)
        clock.now += 61
        look(traced)

        assert "failed" in {span.name for span in traced.spans}


def test_a_trace_that_another_process_may_go_on_with_keeps_a_part_until_it_is_silent(clock: Clock):
    traced = Traced()
    with traced.tracer.start_as_current_span("request", from_elsewhere()):
        traced.grow(20_000)
    assert len(traced.spans) == 950
    clock.now += 59
    look(traced)
    assert len(traced.spans) == 950
    clock.now += 1
    look(traced)
    # Of the 50 that are left an eighth, with all summaries among them.
    assert len(traced.spans) == 956
    assert [span.name for span in traced.summaries] != []
    traced.provider.shutdown()

    assert (len(traced.spans), represented(traced.spans), orphans(traced.spans)) == (1_000, 20_001, [])


def test_a_trace_id_of_the_life_of_a_process_shows_each_burst_of_work(clock: Clock):
    traced = Traced()
    for _ in range(30):
        with traced.tracer.start_as_current_span("turn", from_elsewhere()) as turn:
            turn.set_status(StatusCode.ERROR)
            turn.set_attribute("error.type", "timeout")
            traced.grow(500)
        clock.now += 600
        look(traced)
    assert represented(traced.spans) > 10_000
    assert len(traced.spans) < 1_000
    traced.provider.shutdown()

    assert (len(traced.spans), represented(traced.spans), orphans(traced.spans)) == (1_000, 30 * 501, [])


def test_a_flush_after_each_turn_of_a_trace_loses_nothing(clock: Clock):
    traced = Traced()
    for _ in range(200):
        with traced.tracer.start_as_current_span("turn", from_elsewhere()):
            traced.grow(50)
        traced.provider.force_flush()
    traced.provider.shutdown()

    assert len(traced.spans) <= 1_000
    assert (represented(traced.spans), orphans(traced.spans)) == (200 * 51, [])


def test_a_span_that_is_never_ended_holds_up_an_ended_trace_for_a_minute(clock: Clock):
    traced = Traced()
    with traced.tracer.start_as_current_span("root"):
        traced.tracer.start_span("never ended")
        traced.grow(5_000)
    look(traced)
    assert len(traced.spans) == 799
    clock.now += 60
    look(traced)

    assert (len(traced.spans), represented(traced.spans)) == (799 + 200, 5_001)


def test_requests_of_a_trace_go_on_being_told_when_its_cap_is_nearly_reached(clock: Clock):
    traced = Traced()
    for _ in range(5_000):
        with traced.tracer.start_as_current_span("request", from_elsewhere()):
            traced.grow(1)
        clock.now += 0.01
    clock.now += 60
    look(traced)
    assert represented(traced.spans) > 9_900
    traced.provider.shutdown()

    assert (len(traced.spans), represented(traced.spans), orphans(traced.spans)) == (1_000, 10_000, [])


def test_nobody_looks_after_traces_that_wait_for_nothing(clock: Clock):
    traced = Traced()
    watch: Any = processor_of(traced)
    traced.trace_of(500)
    assert watch._watch.all() == []
    traced.trace_of(2_000)
    assert len(watch._watch.all()) == 1
    look(traced)
    assert watch._watch.all() == []


def test_the_thread_is_there_only_while_it_is_needed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(watch_module, "PERIOD_S", 0.01)
    traced = Traced()

    def threads() -> set[threading.Thread]:
        return {thread for thread in threading.enumerate() if thread.name == "otel_claude span cap"}

    before = threads()
    traced.trace_of(800)
    assert threads() <= before
    traced.trace_of(2_000)
    for thread in threads() - before:
        thread.join(5)

    assert threads() <= before


@pytest.mark.parametrize("error", [RuntimeError, MemoryError])
def test_when_a_thread_can_be_had_later_a_trace_that_goes_on_is_shown(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
):
    monkeypatch.setattr(watch_module, "PERIOD_S", 0.01)
    monkeypatch.setattr(excess_module, "FIRST_INTERVAL_S", 0.0)
    traced = Traced(20)

    def fail(thread: threading.Thread) -> None:
        raise error("can't start new thread")

    with traced.tracer.start_as_current_span("root"):
        with monkeypatch.context() as there:
            there.setattr(threading.Thread, "start", fail)
            traced.grow(100)
        assert traced.summaries == []
        assert failures.counts.keys() == {"Watch.add"}
        failures.counts.clear()
        traced.grow(1)
        deadline = time.monotonic() + 5
        while not traced.summaries:
            assert time.monotonic() < deadline, "it is not shown"
            time.sleep(0.001)


def test_an_ended_trace_is_shown_without_a_thread(monkeypatch: pytest.MonkeyPatch):
    """What ends the last span goes on, though no thread was to be had for it."""
    traced = Traced(2)

    def fail(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", fail)
    spans = [traced.tracer.start_span("root")]
    spans.append(traced.tracer.start_span("beyond the cap", set_span_in_context(spans[0])))
    for span in spans:
        span.end()
    assert represented(traced.spans) == 2
    assert failures.counts.keys() == {"Watch.add"}
    failures.counts.clear()


def test_the_cap_holds_for_a_trace_that_comes_back(clock: Clock):
    traced = Traced(100)
    for _ in range(10):
        with traced.tracer.start_as_current_span("request", from_elsewhere()):
            traced.grow(50)
        clock.now += 3_000
        look(traced)
    assert len(traced.spans) < 100
    traced.provider.shutdown()

    assert (len(traced.spans), represented(traced.spans)) == (100, 510)


def test_traces_are_forgotten_an_hour_after_their_last_span(clock: Clock):
    traced = Traced()
    known = processor_of(traced).traces
    for _ in range(100):
        traced.trace_of(2)
    assert len(known.all()) == 100
    clock.now += 3_601
    for _ in range(200):
        traced.trace_of(2)

    assert len(known.all()) == 200
    assert known.counts() == {"exported": 600}


def test_no_more_traces_are_remembered_than_may_be(clock: Clock, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(traces_module, "MOST_TRACES", 50)
    traced = Traced(20)
    known = processor_of(traced).traces
    long_lived = traced.tracer.start_span("long lived")
    for _ in range(1_000):
        traced.trace_of(3)
    for _ in range(100):
        traced.grow(1, context=set_span_in_context(long_lived))
    long_lived.end()

    assert len(known.all()) == 50
    # One that is open is not among the forgotten: its cap holds.
    own = [span for span in traced.spans if span.context and span.context.trace_id == 1]
    assert (len(own), represented(own)) == (20, 101)
    assert known.counts()["exported"] + known.counts()["summarized"] == 3_101


def test_more_open_traces_than_are_remembered_do_no_harm(clock: Clock, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(traces_module, "MOST_TRACES", 50)
    traced = Traced(20)
    roots = [traced.tracer.start_span("root") for _ in range(200)]
    for root in roots:
        traced.grow(30, context=set_span_in_context(root))
    for root in roots:
        root.end()
    traced.provider.shutdown()

    assert len(processor_of(traced).traces.all()) <= 51
    assert {span.name for span in traced.kept} == {"root", "step"}
    assert len([span for span in traced.spans if span.name == "root"]) == 200
    assert orphans(traced.spans) == []


def test_traces_that_hold_spans_back_are_bounded_too(clock: Clock, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(watch_module, "MOST_WATCHED", 10)
    traced = Traced(100)
    watch: Any = processor_of(traced)
    roots: list[Span] = [traced.tracer.start_span("root") for _ in range(30)]
    for _ in range(3):
        for root in roots:
            traced.grow(150, context=set_span_in_context(root))
            assert len(watch._watch.all()) <= 10
            waiting = [trace.excess.waiting for trace in processor_of(traced).traces.all() if trace.excess]
            assert sum(count > 20 // 4 for count in waiting) <= 10
    for root in roots:
        root.end()
    traced.provider.shutdown()

    assert represented(traced.spans) == 30 * 451
    assert orphans(traced.spans) == []
    by_trace = [
        sum(span.context.trace_id == number for span in traced.spans if span.context) for number in range(1, 31)
    ]
    assert max(by_trace) <= 100


def test_errors_and_agents_are_kept_however_many_traces_hold_spans_back(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(watch_module, "MOST_WATCHED", 10)
    traced = Traced(200)
    roots: list[Span] = [traced.tracer.start_span("root") for _ in range(30)]
    for turn in range(40):
        for root in roots:
            context = set_span_in_context(root)
            traced.grow(20, context=context)
            if turn == 10:
                failed = traced.tracer.start_span("failed", context)
                failed.set_status(StatusCode.ERROR)
                failed.end()
                traced.tracer.start_span("agent", context, attributes={"gen_ai.operation.name": "invoke_agent"}).end()
    for root in roots:
        root.end()
    traced.provider.shutdown()

    assert [sum(span.name == name for span in traced.kept) for name in ("failed", "agent")] == [30, 30]
    assert represented(traced.spans) == 30 * (1 + 40 * 20 + 2)
    assert max(Counter(span.context.trace_id for span in traced.spans if span.context).values()) <= 200


@pytest.fixture
def collected() -> Callable[[], int]:
    """Counts the spans of the SDK that are alive."""

    def count() -> int:
        gc.collect()
        return sum(1 for found in gc.get_objects() if type(found) is ReadableSpan or type(found).__name__ == "_Span")

    return count


def test_the_memory_of_a_trace_does_not_grow_with_it(collected: Callable[[], int], clock: Clock):
    traced = Traced()
    counts: list[int] = []
    with traced.tracer.start_as_current_span("root"):
        for _ in range(3):
            traced.grow(10_000)
            traced.exporter.clear()
            counts.append(collected())

    # 200 held spans, and the root; those that are alive anyway.
    assert counts[1] == counts[2]
    assert counts[2] - counts[0] <= 1
    traced.exporter.clear()
    assert counts[2] - collected() >= 190


def test_traces_that_were_handed_over_keep_no_spans(collected: Callable[[], int]):
    traced = Traced()
    before = collected()
    for _ in range(20):
        traced.trace_of(2_000)
    traced.exporter.clear()

    assert collected() - before <= 1


def test_types_of_errors_that_are_free_text_do_not_grow(clock: Clock):
    traced = Traced(100)
    with traced.tracer.start_as_current_span("root"):
        for number in range(1_000):
            failed = traced.tracer.start_span("failed", attributes={"error.type": f"no page {number} {'x' * 1_000}"})
            failed.set_status(StatusCode.ERROR)
            failed.end()
    (errors,) = [dict(span.attributes or {})["claude.summary.errors"] for span in traced.summaries]
    assert isinstance(errors, tuple)

    assert len(errors) == 11
    assert max(len(str(error)) for error in errors) < 250
    counts = [int(str(error).rsplit("×", 1)[1]) for error in errors]  # noqa: RUF001
    assert sum(counts) == represented(traced.summaries)


def test_a_chain_of_agents_costs_the_same_all_along(clock: Clock):
    """Each is a child of the one before, which has ended: the way to what is exported must not grow."""
    traced = Traced(100)
    agent: Span | None = None
    with traced.tracer.start_as_current_span("root") as root:
        for _ in range(3_000):
            context = set_span_in_context(agent or root)
            agent = traced.tracer.start_span(
                "agent", context, attributes={"gen_ai.operation.name": "invoke_agent"}, start_time=0
            )
            agent.end(1)
        mark: Any = agent.get_span_context().trace_state if agent else None
        steps = 0
        while mark is not None:
            mark, steps = mark.parent, steps + 1
    assert steps < 100
    assert (len(traced.spans), represented(traced.spans), orphans(traced.spans)) == (100, 3_001, [])


def test_a_deep_trace_needs_its_open_spans_and_no_more(collected: Callable[[], int]):
    traced = Traced(100)
    before = collected()
    dive(traced, 2_000)
    assert (len(traced.spans), represented(traced.spans), orphans(traced.spans)) == (100, 2_000, [])
    traced.exporter.clear()

    assert collected() - before <= 1


def dive(traced: Traced, levels: int) -> None:
    """A trace of as many levels as it has spans."""
    spans: list[Span] = []
    for _ in range(levels):
        spans.append(traced.tracer.start_span("level", set_span_in_context(spans[-1]) if spans else None))
    while spans:
        spans.pop().end()
