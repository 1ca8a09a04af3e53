"""Putting the cap on a provider, and what it leaves as it was: samplers, tracers, other processors."""

import logging
import threading
from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ConcurrentMultiSpanProcessor, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    DEFAULT_OFF,
    Decision,
    ParentBased,
    Sampler,
    SamplingResult,
    TraceIdRatioBased,
)
from opentelemetry.trace import Link, SpanKind, TraceState
from opentelemetry.util.types import Attributes
from traced import Traced, from_elsewhere, orphans, represented, told

from otel_claude import AnthropicInstrumentor, SettingError, Settings, install_span_cap
from otel_claude.failsafe import failures

LISTED = pytest.mark.skipif(
    not hasattr(TracerProvider(shutdown_on_exit=False), "_tracers"),
    reason="before opentelemetry-sdk 1.41 a provider keeps no list of its tracers",
)


class ByName(Sampler):
    """Decides by the name of a span: `dropped`, `recorded`, or sampled, with an attribute and a trace state."""

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        if name == "dropped":
            return SamplingResult(Decision.DROP)
        decision = Decision.RECORD_ONLY if name == "recorded" else Decision.RECORD_AND_SAMPLE
        return SamplingResult(decision, {**(attributes or {}), "sampled.by": "name"}, TraceState([("by", "name")]))

    def get_description(self) -> str:
        return "by name"


@pytest.mark.parametrize(
    "sampler", [ALWAYS_ON, ParentBased(ALWAYS_ON), TraceIdRatioBased(1.0), ParentBased(TraceIdRatioBased(1.0))]
)
def test_samplers_that_take_everything(sampler: Sampler):
    traced = Traced(50, sampler)
    traced.trace_of(200)

    assert (len(traced.spans), represented(traced.spans), orphans(traced.spans)) == (50, 200, [])
    assert traced.provider.sampler.get_description() == sampler.get_description()


@pytest.mark.parametrize("sampler", [ALWAYS_OFF, DEFAULT_OFF, TraceIdRatioBased(0.0)])
def test_samplers_that_take_nothing(sampler: Sampler):
    traced = Traced(50, sampler)
    with traced.tracer.start_as_current_span("root") as root:
        assert not root.is_recording()
        traced.grow(200)

    assert traced.spans == []


def test_a_remote_parent_that_is_not_sampled_is_followed():
    traced = Traced(50)
    for _ in range(3):
        with traced.tracer.start_as_current_span("request", from_elsewhere()):
            traced.grow(100)
    unsampled = trace.SpanContext(0xABC, 0xFEED, is_remote=True)
    context = trace.set_span_in_context(trace.NonRecordingSpan(unsampled))
    with traced.tracer.start_as_current_span("not sampled", context) as root:
        assert not root.is_recording()
        traced.grow(10, "below")
    traced.provider.shutdown()

    assert represented(traced.spans) == 303
    assert {"not sampled", "below"}.isdisjoint(span.name for span in traced.spans)


def test_what_the_sampler_of_the_application_leaves_out_counts_for_nothing():
    """Before the live share is used up and after, below live spans and below those that are only recorded."""
    traced = Traced(50, ByName())
    with traced.tracer.start_as_current_span("root"):
        for _ in range(200):
            with traced.tracer.start_as_current_span("step") as step:
                traced.grow(1, "dropped")
                with traced.tracer.start_as_current_span("recorded") as recorded:
                    assert recorded.is_recording()
                assert step.is_recording()

    assert (len(traced.spans), represented(traced.spans), orphans(traced.spans)) == (50, 201, [])
    assert {span.name.split(" ")[0] for span in traced.spans} == {"root", "step"}
    assert {told(span)["sampled.by"] for span in traced.kept} == {"name"}
    states = [span.context.trace_state.to_header() for span in traced.kept if span.context]
    assert set(states) == {"by=name"}


def test_a_sampler_that_follows_its_parent_takes_the_children_of_spans_that_are_only_recorded():
    traced = Traced(20, ParentBased(TraceIdRatioBased(1.0)))
    with traced.tracer.start_as_current_span("root"):
        for _ in range(50):
            with traced.tracer.start_as_current_span("outer"), traced.tracer.start_as_current_span("inner") as inner:
                assert inner.is_recording()

    assert (len(traced.spans), represented(traced.spans), orphans(traced.spans)) == (20, 101, [])


def test_an_exception_of_the_sampler_goes_where_it_would_go():
    class Broken(ByName):
        def should_sample(self, *args: Any, **kwargs: Any) -> SamplingResult:
            raise LookupError("no rule")

    traced = Traced(50, Broken())
    with pytest.raises(LookupError, match="no rule"):
        traced.tracer.start_span("span")
    assert failures.counts == {}


def test_a_sampler_of_six_parameters_is_called_as_the_sdk_calls_it():
    class Old(Sampler):
        def should_sample(  # pyright: ignore[reportIncompatibleMethodOverride]
            self, parent_context: Any, trace_id: int, name: str, kind: Any, attributes: Any, links: Any
        ) -> SamplingResult:
            return SamplingResult(Decision.RECORD_AND_SAMPLE, MappingProxyType(attributes or {}))

        def get_description(self) -> str:
            return "old"

    traced = Traced(20, Old())
    traced.trace_of(100)

    assert (len(traced.spans), represented(traced.spans)) == (20, 100)


@LISTED
def test_tracers_that_a_provider_has_already_are_capped():
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    before = provider.get_tracer("before")
    install_span_cap(provider, 20)
    with before.start_as_current_span("root"):
        for _ in range(100):
            before.start_span("step").end()

    assert len(exporter.get_finished_spans()) == 20


@LISTED
def test_a_trace_that_was_begun_before_the_cap_is_capped_from_there_on():
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    with tracer.start_as_current_span("root"):
        tracer.start_span("before").end()
        install_span_cap(provider, 20)
        for _ in range(100):
            tracer.start_span("step").end()
    provider.shutdown()
    spans = exporter.get_finished_spans()

    assert len(spans) == 2 + 20
    assert orphans(spans) == []


def test_installing_it_twice_is_once_and_the_last_number_holds():
    traced = Traced(100)
    sampler = traced.provider.sampler
    install_span_cap(traced.provider, 20)
    assert traced.provider.sampler is sampler
    traced.trace_of(200)

    assert len(traced.spans) == 20


def test_it_can_be_taken_off_and_put_on_again():
    traced = Traced(20)
    counts: list[int] = []
    for max_spans in (0, 20, 0):
        install_span_cap(traced.provider, max_spans)
        traced.exporter.clear()
        traced.trace_of(100)
        counts.append(len(traced.spans))

    assert counts == [100, 20, 100]


def test_taken_off_in_the_middle_of_a_trace_it_leaves_no_orphans():
    for sampler in (None, ParentBased(TraceIdRatioBased(1.0))):
        traced = Traced(20, sampler)
        with traced.tracer.start_as_current_span("root"):
            traced.grow(50)
            with traced.tracer.start_as_current_span("beyond"):
                install_span_cap(traced.provider, 0)
                traced.grow(10, "below")
            traced.grow(10, "after")

        assert len([span for span in traced.spans if span.name == "after"]) == 10
        assert represented(traced.spans) == 72
        assert orphans(traced.spans) == []


@pytest.mark.parametrize("value", [1, -1, True, 2.5, "many", None])
def test_a_number_that_is_not_accepted_is_an_error_that_says_what_is(value: Any):
    with pytest.raises(SettingError, match=r"max_spans is .*; accepted: a whole number of spans from 2"):
        install_span_cap(TracerProvider(shutdown_on_exit=False), value)


def test_a_provider_of_another_kind_is_an_error_that_says_so():
    with pytest.raises(SettingError, match="accepted: a TracerProvider of opentelemetry-sdk"):
        install_span_cap(trace.NoOpTracerProvider())


@LISTED
def test_without_a_provider_it_is_the_global_one(monkeypatch: pytest.MonkeyPatch):
    traced = Traced(0)
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: traced.provider)
    install_span_cap(max_spans=20)
    traced.trace_of(100)

    assert len(traced.spans) == 20


def test_where_the_whole_sdk_is_disabled_nothing_happens(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    provider = TracerProvider(shutdown_on_exit=False)
    sampler = provider.sampler
    install_span_cap(provider)

    assert provider.sampler is sampler


def test_an_sdk_that_keeps_its_processors_otherwise_is_named_in_a_warning_and_the_cap_works(
    caplog: pytest.LogCaptureFixture,
):
    class Other(SpanProcessor):
        """Processors in a list, as no version of the SDK has them."""

        def __init__(self) -> None:
            self.all: list[SpanProcessor] = []

        def add_span_processor(self, span_processor: SpanProcessor) -> None:
            self.all.append(span_processor)

        def on_start(self, span: Any, parent_context: Any = None) -> None:
            for one in self.all:
                one.on_start(span, parent_context)

        def on_end(self, span: Any) -> None:
            for one in self.all:
                one.on_end(span)

        def force_flush(self, timeout_millis: int = 30_000) -> bool:
            return [one.force_flush(timeout_millis) for one in self.all] == [True] * len(self.all)

    exporter = InMemorySpanExporter()
    several: Any = Other()
    provider = TracerProvider(active_span_processor=several, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with caplog.at_level(logging.WARNING, "otel_claude"):
        install_span_cap(provider, 20)
    with provider.get_tracer("test").start_as_current_span("root"):
        for _ in range(100):
            provider.get_tracer("test").start_span("step").end()

    (warning,) = caplog.records
    assert "call force_flush() before it" in warning.getMessage()
    assert (len(exporter.get_finished_spans()), represented(exporter.get_finished_spans())) == (20, 101)


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_of_a_provider_do_not_wait_for_each_other(threads: int):
    """Roots that end on all of them at once: none may need another of them to hand over what waits."""
    exporter = InMemorySpanExporter()
    processor = ConcurrentMultiSpanProcessor(threads)
    provider = TracerProvider(active_span_processor=processor, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    install_span_cap(provider, 20)
    tracer = provider.get_tracer("test")

    def trace_of_fifty() -> None:
        with tracer.start_as_current_span("root"):
            for _ in range(49):
                tracer.start_span("step").end()

    work = [threading.Thread(target=trace_of_fifty, daemon=True) for _ in range(8)]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join(30)

    assert [thread.is_alive() for thread in work] == [False] * 8
    assert (len(exporter.get_finished_spans()), represented(exporter.get_finished_spans())) == (160, 400)
    provider.shutdown()


def test_processors_that_raise_at_what_is_handed_over_do_no_harm():
    """Bridges that pair starts and ends know no start of a summary, and have seen the end of a held span."""

    class Pairs(SpanProcessor):
        def __init__(self) -> None:
            self.open: dict[int, Any] = {}
            self.shut_down = False

        def on_start(self, span: Any, parent_context: Any = None) -> None:
            self.open[span.get_span_context().span_id] = span

        def on_end(self, span: Any) -> None:
            self.open.pop(span.context.span_id)

        def shutdown(self) -> None:
            self.shut_down = True

    traced, pairs = Traced(50), Pairs()
    traced.provider.add_span_processor(pairs)
    traced.trace_of(200)
    with traced.tracer.start_as_current_span("request", from_elsewhere()):
        traced.grow(200)
    traced.provider.shutdown()

    assert (len(traced.spans), represented(traced.spans), pairs.open) == (100, 401, {})
    assert pairs.shut_down
    failures.counts.clear()


def test_a_sampler_may_look_at_the_parent():
    class Curious(ByName):
        def should_sample(
            self, parent_context: Context | None, trace_id: int, name: str, *args: Any, **kwargs: Any
        ) -> SamplingResult:
            parent: Any = trace.get_current_span(parent_context)
            if name != "root":
                assert parent.attributes["number"] == 1
                assert parent.is_recording()
                assert parent.context.trace_flags.sampled
            return super().should_sample(parent_context, trace_id, name, *args, **kwargs)

    traced = Traced(20, Curious())
    with traced.tracer.start_as_current_span("root", attributes={"number": 1}):
        for _ in range(50):
            with traced.tracer.start_as_current_span("step", attributes={"number": 1}):
                traced.grow(1)

    assert (len(traced.spans), represented(traced.spans)) == (20, 101)


def test_a_provider_that_calls_its_processors_on_threads():
    exporter = InMemorySpanExporter()
    provider = TracerProvider(active_span_processor=ConcurrentMultiSpanProcessor(2), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    install_span_cap(provider, 20)
    tracer = provider.get_tracer("test")
    with tracer.start_as_current_span("root"):
        for _ in range(100):
            tracer.start_span("step").end()
    provider.force_flush()
    provider.shutdown()
    spans = exporter.get_finished_spans()

    assert (len(spans), represented(spans), orphans(spans)) == (20, 101, [])


@LISTED
def test_the_instrumentor_puts_it_on_and_takes_it_off(monkeypatch: pytest.MonkeyPatch):
    traced = Traced(0)
    AnthropicInstrumentor().instrument(tracer_provider=traced.provider, settings=Settings(max_spans_per_trace=20))
    traced.trace_of(100)
    AnthropicInstrumentor().uninstrument()
    capped = len(traced.spans)
    traced.exporter.clear()
    traced.trace_of(100)

    assert (capped, len(traced.spans)) == (20, 100)


def test_the_instrumentor_leaves_a_cap_as_it_is():
    traced = Traced(20)
    AnthropicInstrumentor().instrument(tracer_provider=traced.provider)
    AnthropicInstrumentor().uninstrument()
    traced.trace_of(100)

    assert len(traced.spans) == 20


def test_the_instrumentor_leaves_it_off_where_it_is_switched_off(monkeypatch: pytest.MonkeyPatch):
    for name, value in (
        ("OTEL_CLAUDE_MAX_SPANS_PER_TRACE", "0"),
        ("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "requests, claude_span_cap"),
    ):
        traced = Traced(0)
        with monkeypatch.context() as patched:
            patched.setenv(name, value)
            AnthropicInstrumentor().instrument(tracer_provider=traced.provider)
        traced.trace_of(1_200)
        AnthropicInstrumentor().uninstrument()

        assert len(traced.spans) == 1_200
