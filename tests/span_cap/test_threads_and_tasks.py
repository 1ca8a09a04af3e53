"""Threads, tasks, forks and garbage collection."""

import asyncio
import gc
import os
import pickle
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from opentelemetry import context as context_api
from opentelemetry.trace import NonRecordingSpan, set_span_in_context
from traced import Traced, orphans, represented

from otel_claude import install_span_cap
from otel_claude.failsafe import failures
from otel_claude.span_cap.reports import Reports
from otel_claude.span_cap.summaries import Summaries
from otel_claude.testing import Telemetry

FORKS = pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")


def busy(traced: Traced, parent: context_api.Context, spans: int) -> None:
    """Spans with children, below a parent of another thread."""
    token = context_api.attach(parent)
    try:
        for _ in range(spans // 4):
            with traced.tracer.start_as_current_span("outer"):
                traced.grow(2)
                with traced.tracer.start_as_current_span("inner"):
                    pass
    finally:
        context_api.detach(token)


def test_threads_share_the_cap_of_a_trace():
    traced = Traced()
    with traced.tracer.start_as_current_span("root"), ThreadPoolExecutor(64) as pool:
        parent = context_api.get_current()
        for done in [pool.submit(busy, traced, parent, 400) for _ in range(64)]:
            done.result()

    assert (len(traced.spans), represented(traced.spans), orphans(traced.spans)) == (1_000, 64 * 400 + 1, [])
    assert failures.counts == {}


def test_threads_that_outlive_the_root():
    traced = Traced()
    started = threading.Barrier(9)

    def work(parent: context_api.Context) -> None:
        with traced.tracer.start_as_current_span("thread", parent):
            started.wait()
            busy(traced, context_api.get_current(), 400)

    with traced.tracer.start_as_current_span("root"):
        parent = context_api.get_current()
        threads = [threading.Thread(target=work, args=(parent,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        started.wait()
    for thread in threads:
        thread.join()

    assert (len(traced.spans), represented(traced.spans), orphans(traced.spans)) == (1_000, 8 * 401 + 1, [])


def test_traces_of_many_threads_at_once():
    traced = Traced(100)

    def request(_: int) -> None:
        with traced.tracer.start_as_current_span("root"):
            busy(traced, context_api.get_current(), 400)

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(request, range(64)))
    by_trace: dict[int, list[int]] = {}
    for span in traced.spans:
        if span.context:
            by_trace.setdefault(span.context.trace_id, []).append(span.context.span_id)

    assert [len(ids) for ids in by_trace.values()] == [100] * 64
    assert represented(traced.spans) == 64 * 401
    assert orphans(traced.spans) == []


def test_tasks_share_the_cap_of_a_trace():
    traced = Traced()

    async def step(number: int) -> None:
        with traced.tracer.start_as_current_span("task"):
            await asyncio.sleep(0)
            for _ in range(9):
                with traced.tracer.start_as_current_span("inner"):
                    await asyncio.sleep(0)
            if number % 5 == 0:
                raise asyncio.CancelledError

    async def run() -> None:
        with traced.tracer.start_as_current_span("root"):
            await asyncio.gather(*(step(number) for number in range(500)), return_exceptions=True)

    asyncio.run(run())

    assert (len(traced.spans), represented(traced.spans), orphans(traced.spans)) == (1_000, 5_001, [])


def in_a_child(work: Callable[[], bytes]) -> bytes:
    """What `work` returns in a forked child."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, work())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as told:
        said = told.read()
    os.waitpid(child, 0)
    return said


@FORKS
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_has_a_cap_of_its_own_and_nothing_of_its_parents():
    traced = Traced(100)

    def work() -> bytes:
        traced.exporter.clear()
        with traced.tracer.start_as_current_span("child"):
            traced.grow(300, "of the child")
        traced.provider.shutdown()
        names = {span.name.split(" ×")[0] for span in traced.spans}  # noqa: RUF001
        return repr((len(traced.spans), represented(traced.spans), sorted(names))).encode()

    with traced.tracer.start_as_current_span("root"):
        traced.grow(300, "of the parent")
        said = in_a_child(work)

    assert said == repr((100, 301, ["child", "of the child"])).encode()
    assert (len(traced.spans), represented(traced.spans), orphans(traced.spans)) == (100, 301, [])


@FORKS
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_fork_while_other_threads_hold_the_locks():
    traced = Traced(100)
    stop = threading.Event()

    def work() -> None:
        with traced.tracer.start_as_current_span("root"):
            while not stop.is_set():
                traced.grow(1)

    def child() -> bytes:
        traced.exporter.clear()
        traced.trace_of(300)
        return repr(len(traced.spans)).encode()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        said = [in_a_child(child) for _ in range(10)]
    finally:
        stop.set()
        for thread in threads:
            thread.join()

    assert said == [b"100"] * 10


def test_spans_in_summaries_are_counted_while_others_are_added():
    """By another thread, or in the middle of a garbage collection."""
    summaries: Any = Summaries(10)

    class OfTwo:
        count = 2

        @property
        def only(self) -> None:
            summaries.by_key[(0, str(len(summaries.by_key)), False)] = OfTwo()

    summaries.by_key.update({(0, "first", False): OfTwo(), (0, "second", False): OfTwo()})
    assert summaries.folded == 2 + 2


def test_the_event_of_a_capped_trace_has_the_counts_that_go_with_what_was_handed_over(monkeypatch: pytest.MonkeyPatch):
    """Other threads go on with the trace before the event is told."""
    telemetry = Telemetry()
    install_span_cap(telemetry.tracer_provider, 20, logger_provider=telemetry.logger_provider)
    tracer = telemetry.tracer_provider.get_tracer("test")
    capped = Reports.capped

    def later(self: Reports, *told: Any) -> None:
        for _ in range(30):
            tracer.start_span("step").end()
        capped(self, *told)

    monkeypatch.setattr(Reports, "capped", later)
    with tracer.start_as_current_span("root"):
        for _ in range(80):
            tracer.start_span("step").end()
        telemetry.tracer_provider.force_flush()
    (event,) = telemetry.events
    # 16 are live. Of the 81 - 16 that are not, all are in a summary that is handed over, but for copies.
    told = event.attributes
    assert told["claude.trace.spans.created"] == 81
    assert told["claude.trace.spans.exported"] + told["claude.trace.spans.summarized"] == 81


def test_a_span_that_ends_while_garbage_is_collected():
    """In the middle of whatever the thread was about, and so also of the cap's own work."""
    traced = Traced(50)

    class Dropped:
        def __init__(self) -> None:
            self.span = traced.tracer.start_span("dropped")
            self.me = self

        def __del__(self) -> None:
            self.span.end()

    before = gc.get_threshold()
    gc.set_threshold(5, 2, 2)
    try:
        with traced.tracer.start_as_current_span("root"):
            for _ in range(500):
                Dropped()
                traced.grow(1)
            gc.collect()
    finally:
        gc.set_threshold(*before)

    assert (len(traced.spans), represented(traced.spans), orphans(traced.spans)) == (50, 1_001, [])


def test_the_context_of_a_span_can_be_pickled_and_copied_as_without_the_cap():
    traced = Traced(10)
    with traced.tracer.start_as_current_span("root"):
        traced.grow(20)
        context = traced.tracer.start_span("beyond").get_span_context()
    copy = pickle.loads(pickle.dumps(context))  # noqa: S301  # made here

    assert copy == context
    assert type(copy.trace_state).__name__ == "TraceState"
    traced.grow(1, "known by its copy", set_span_in_context(NonRecordingSpan(copy)))
    assert orphans(traced.spans) == []
