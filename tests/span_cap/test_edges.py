"""The promises by plain examples, at their real size."""

from itertools import pairwise

import pytest
from opentelemetry import propagate
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, StatusCode, set_span_in_context
from traced import (
    COUNT,
    CREATED,
    EXPORTED,
    SUMMARIZED,
    Traced,
    from_elsewhere,
    orphans,
    represented,
    span_id,
    told,
)

from otel_claude import install_span_cap
from otel_claude.testing import Telemetry


@pytest.mark.parametrize(
    ("created", "exported"),
    [(1, 1), (799, 799), (800, 800), (801, 801), (999, 999), (1_000, 1_000), (1_001, 1_000), (20_000, 1_000)],
)
def test_the_counts_at_the_edge(created: int, exported: int):
    traced = Traced()
    traced.trace_of(created)

    assert len(traced.spans) == exported
    assert represented(traced.spans) == created


def test_a_trace_of_a_thousand_spans_is_exported_as_it_would_be_without_a_cap():
    capped, plain = Traced(), Traced(0)
    for traced in (capped, plain):
        with traced.tracer.start_as_current_span("root", start_time=1) as root:
            for number in range(999):
                span = traced.tracer.start_span(f"step {number}", start_time=number, attributes={"number": number})
                span.add_event("told", {"at": number}, timestamp=number)
                span.add_link(root.get_span_context(), {"link": number})
                span.set_status(StatusCode.ERROR if number % 7 == 0 else StatusCode.OK)
                span.end(number + 5)

    def written(spans: list[ReadableSpan]) -> list[str]:
        return sorted(span.to_json() for span in spans if span.end_time and span.end_time < 10_000)

    assert len(capped.spans) == 1_000
    assert written(capped.spans) == written(plain.spans)
    # Until the live share is used up, also the order and the moment of the export are the same.
    assert [span.name for span in capped.spans[:799]] == [span.name for span in plain.spans[:799]]


def test_a_live_span_is_exported_when_it_ends():
    traced = Traced()
    with traced.tracer.start_as_current_span("root"):
        for number in range(1, 1_500):
            traced.grow(1)
            assert len(traced.spans) == min(number, 799)
    assert len(traced.spans) == 1_000


def test_the_root_the_event_and_the_metrics_tell_of_a_capped_trace():
    telemetry = Telemetry()
    install_span_cap(
        telemetry.tracer_provider,
        20,
        meter_provider=telemetry.meter_provider,
        logger_provider=telemetry.logger_provider,
    )
    tracer = telemetry.tracer_provider.get_tracer("test")
    for spans in (20, 81):
        with tracer.start_as_current_span(f"root of {spans}"):
            for _ in range(spans - 1):
                tracer.start_span("step").end()

    # 16 are live, the reserve is 4: three spans and one summary, of the 81 - 16 - 3 that are left.
    about = {CREATED: 81, EXPORTED: 19, SUMMARIZED: 62, "claude.trace.cap": 20}
    assert told(telemetry.span("root of 81")) == about
    assert told(telemetry.span("root of 20")) == {}
    (event,) = telemetry.events
    assert (event.name, event.severity, event.attributes) == ("claude.trace.capped", "WARN", about)
    assert event.span_id == span_id(telemetry.span("root of 81"))
    assert telemetry.total("claude.trace.capped") == 1
    disposition = "claude.trace.disposition"
    assert telemetry.total("claude.trace.spans", {disposition: "exported"}) == 20 + 19
    assert telemetry.total("claude.trace.spans", {disposition: "summarized"}) == 62
    assert telemetry.total("claude.trace.spans") == 20 + 81


def test_a_whole_capped_trace():
    telemetry = Telemetry()
    install_span_cap(telemetry.tracer_provider, 10)
    tracer = telemetry.tracer_provider.get_tracer("test")
    with tracer.start_as_current_span("answer", start_time=0):
        with tracer.start_as_current_span("first steps", start_time=0):
            for _ in range(6):
                tracer.start_span("step", start_time=0).end(1_000_000_000)
        with tracer.start_as_current_span("loop", start_time=0):
            for number in range(1, 41):
                usage = {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 10, "claude.cost.usd": 0.25}
                chat = tracer.start_span("chat claude-sonnet-5-5", start_time=number * 1_000_000_000, attributes=usage)
                chat.end((number * 2) * 1_000_000_000)

    # 8 are live: the root, the first steps with six, nothing of the loop. Of the reserve of 2 one is the summary, and
    # one the end of the trace.
    assert telemetry.tree(masked=lambda name: name == "claude.summary.slowest", events=False) == (
        """\
answer | internal
    claude.trace.cap = 10
    claude.trace.spans.created = 49
    claude.trace.spans.exported = 9
    claude.trace.spans.summarized = 40
    first steps | internal
        step | internal
        step | internal
        step | internal
        step | internal
        step | internal
        step | internal
    loop | internal
    chat claude-sonnet-5-5 ×40 (summarized) | internal
        claude.summary.cost_usd = 10.0
        claude.summary.count = 40
        claude.summary.duration.max_s = 40.0
        claude.summary.duration.min_s = 1.0
        claude.summary.duration.sum_s = 820.0
        claude.summary.input_tokens = 4000
        claude.summary.output_tokens = 400
        claude.summary.slowest = …"""  # noqa: RUF001
    )
    summary = telemetry.span("chat claude-sonnet-5-5 ×40 (summarized)")  # noqa: RUF001
    assert (summary.start_time, summary.end_time) == (1_000_000_000, 80_000_000_000)
    assert summary.instrumentation_scope is not None
    assert summary.instrumentation_scope.name == "otel_claude"
    # The slowest are the last, and ids count from one: the loop's is 9, and its calls' are 10 to 49.
    assert told(summary)["claude.summary.slowest"] == tuple(f"{number:016x}" for number in (49, 48, 47, 46, 45))


def test_downstream_of_a_left_out_span_nothing_is_sampled():
    traced = Traced(20)
    flags: list[str] = []
    with traced.tracer.start_as_current_span("root"):
        for _ in range(40):
            with traced.tracer.start_as_current_span("request"):
                carrier: dict[str, str] = {}
                propagate.inject(carrier)
                flags.append(carrier["traceparent"][-2:])

    assert [int(flag, 16) & 1 for flag in flags] == [1] * 15 + [0] * 25


def test_the_trace_state_of_the_application_goes_on_as_it_was():
    traced = Traced(10)
    request = {"traceparent": f"00-{0xABC:032x}-{0xDEF:016x}-01", "tracestate": "vendor=1,other=2"}
    carrier: dict[str, str] = {}
    with traced.tracer.start_as_current_span("root", propagate.extract(request)):
        traced.grow(20)
        with traced.tracer.start_as_current_span("beyond") as beyond:
            propagate.inject(carrier)
            assert dict(beyond.get_span_context().trace_state) == {"vendor": "1", "other": "2"}

    assert carrier["tracestate"] == "vendor=1,other=2"
    traced.provider.force_flush()
    copies = [span.get_span_context() for span in traced.kept]
    assert {context.trace_state.to_header() for context in copies if context} == {"vendor=1,other=2"}
    assert {type(context.trace_state).__name__ for context in copies if context} == {"TraceState"}


def test_children_of_left_out_spans_hang_on_the_nearest_kept_one():
    """Also those that start when their parent has ended, and those whose parent is only known by its ids."""
    traced = Traced(10)
    with traced.tracer.start_as_current_span("root"):
        outer = traced.tracer.start_span("outer")
        traced.grow(7)
        beyond = traced.tracer.start_span("beyond", set_span_in_context(outer))
        below = traced.tracer.start_span("below", set_span_in_context(beyond))
        ids = below.get_span_context()
        anew = SpanContext(ids.trace_id, ids.span_id, is_remote=False, trace_flags=ids.trace_flags)
        known_by_ids = traced.tracer.start_span("by ids", set_span_in_context(NonRecordingSpan(anew)))
        below.end()
        beyond.end()
        late = traced.tracer.start_span("late", set_span_in_context(below))
        for span in (outer, known_by_ids, late):
            span.end()
    parents = {span.name: span.parent.span_id for span in traced.spans if span.parent}

    assert len(traced.spans) == 10
    assert orphans(traced.spans) == []
    assert parents["late"] == span_id(traced.named("outer"))
    assert represented(traced.spans) == 13


def test_all_processors_and_exporters_see_the_same():
    exporters = [InMemorySpanExporter() for _ in range(3)]
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporters[0]))
    install_span_cap(provider, 50)
    provider.add_span_processor(SimpleSpanProcessor(exporters[1]))
    provider.add_span_processor(BatchSpanProcessor(exporters[2]))
    tracer = provider.get_tracer("test")
    with tracer.start_as_current_span("root"):
        for _ in range(200):
            tracer.start_span("step").end()
    provider.shutdown()

    seen = [{span_id(span) for span in exporter.get_finished_spans()} for exporter in exporters]
    assert [len(ids) for ids in seen] == [50, 50, 50]
    assert seen[0] == seen[1] == seen[2]


def test_what_is_held_back_is_delivered_by_a_shutdown():
    traced = Traced(50)
    with traced.tracer.start_as_current_span("root"):
        traced.grow(200)
        traced.provider.shutdown()

        # The root is still open; all others are there.
        assert represented(traced.spans) == 200
        assert len(traced.spans) == 49


def test_what_is_held_back_is_delivered_by_a_flush_and_most_of_the_room_stays():
    traced = Traced(100)
    with traced.tracer.start_as_current_span("root"):
        traced.grow(500)
        traced.provider.force_flush()
        assert represented(traced.spans) == 500
        assert len(traced.spans) == 79 + 5
        traced.grow(500, "later")
        traced.provider.force_flush()
        assert represented(traced.spans) == 1_000

    assert represented(traced.spans) == 1_001
    assert len(traced.spans) <= 100
    assert orphans(traced.spans) == []


def test_a_flush_of_a_trace_under_the_cap_folds_nothing():
    traced = Traced(100)
    with traced.tracer.start_as_current_span("root"):
        traced.grow(90)
        traced.provider.force_flush()
        assert len(traced.spans) == 90

    assert (len(traced.spans), traced.summaries) == (91, [])


def test_several_local_roots_share_the_cap_of_their_trace():
    traced = Traced()
    for _ in range(3):
        with traced.tracer.start_as_current_span("request", from_elsewhere()):
            traced.grow(599)
    traced.provider.shutdown()

    assert len(traced.spans) == 1_000
    assert represented(traced.spans) == 1_800
    assert len([span for span in traced.spans if span.name == "request"]) == 3
    assert orphans(traced.spans) == []


def test_a_thousand_small_requests_of_one_trace_are_a_thousand_spans():
    traced = Traced()
    for _ in range(1_000):
        with traced.tracer.start_as_current_span("request", from_elsewhere()):
            pass
    traced.provider.shutdown()

    assert [span.name for span in traced.spans] == ["request"] * 1_000


def test_traces_do_not_mix():
    traced = Traced(20)
    roots: list[Span] = [traced.tracer.start_span("root") for _ in range(5)]
    for _ in range(30):
        for root in roots:
            traced.grow(1, context=set_span_in_context(root))
    for root in roots:
        root.end()

    for root in roots:
        trace_id = root.get_span_context().trace_id
        own = [span for span in traced.spans if span.context and span.context.trace_id == trace_id]
        assert (len(own), represented(own), orphans(own)) == (20, 31, [])


def test_spans_that_come_after_the_trace_was_handed_over_are_counted_as_late():
    telemetry = Telemetry()
    install_span_cap(telemetry.tracer_provider, 20, meter_provider=telemetry.meter_provider)
    tracer = telemetry.tracer_provider.get_tracer("test")
    with tracer.start_as_current_span("root") as root:
        for _ in range(50):
            tracer.start_span("step").end()
    assert len(telemetry.spans) == 20
    for _ in range(7):
        tracer.start_span("background", set_span_in_context(root)).end()

    assert len(telemetry.spans) == 20
    assert telemetry.total("claude.trace.spans", {"claude.trace.disposition": "late"}) == 7
    assert telemetry.total("claude.trace.spans") == 58


def test_what_other_processors_set_at_the_start_is_in_the_copies():
    """A processor for baggage or a tenant sets attributes on every span, also on those that are only recorded."""

    class Tenant(SpanProcessor):
        def on_start(self, span: Span, parent_context: object = None) -> None:
            span.set_attribute("tenant", "acme")

    traced = Traced(50)
    traced.provider.add_span_processor(Tenant())
    traced.trace_of(200)

    assert {told(span)["tenant"] for span in traced.kept} == {"acme"}


def test_what_the_sdk_dropped_from_a_span_is_told_of_its_copy():
    traced = Traced(10)
    with traced.tracer.start_as_current_span("root"):
        traced.grow(7)
        span = traced.tracer.start_span("full", attributes={f"a{number}": number for number in range(130)})
        for number in range(130):
            span.add_event(f"e{number}")
            span.add_link(SpanContext(1, number + 1, is_remote=True))
        span.end()

    copy = traced.named("full")
    assert (copy.dropped_attributes, copy.dropped_events, copy.dropped_links) == (2, 2, 2)


def test_a_root_that_is_full_of_attributes_loses_none_of_them():
    traced = Traced(10)
    with traced.tracer.start_as_current_span("root") as root:
        root.set_attributes({f"a{number}": number for number in range(128)})
        traced.grow(20)

    assert told(traced.named("root")) == {f"a{number}": number for number in range(128)}


@pytest.mark.parametrize("cap", [2, 3, 4, 5, 7, 10, 16, 99, 1_000])
def test_caps_of_all_sizes(cap: int):
    traced = Traced(cap)
    for created in (cap - 1, cap, cap + 1, cap * 5):
        traced.exporter.clear()
        traced.trace_of(created)
        assert len(traced.spans) == min(cap, created)
        assert represented(traced.spans) == created


def test_a_summary_of_one_span_is_that_span():
    traced = Traced(100)
    with traced.tracer.start_as_current_span("root"):
        traced.grow(79)
        for name in ("a", "b", "c", "d"):
            traced.grow(1, name)
        traced.grow(17)

    # 101 spans: two have to share a place, and the two oldest of one name do.
    assert [told(span)[COUNT] for span in traced.summaries] == [2]
    assert [span.name for span in traced.summaries] == ["step ×2 (summarized)"]  # noqa: RUF001
    assert all(name in {span.name for span in traced.kept} for name in "abcd")


def test_too_many_places_are_joined_and_then_too_many_names():
    traced = Traced(100)
    with traced.tracer.start_as_current_span("root"):
        parents = [traced.tracer.start_span("parent") for _ in range(40)]
        traced.grow(39)
        for _ in range(10):
            for number, parent in enumerate(parents):
                traced.grow(1, f"name {number % 12}", set_span_in_context(parent))
        for parent in parents:
            parent.end()

    # A reserve of 20 has five summaries.
    counts = [told(span)[COUNT] for span in traced.summaries]
    assert len(counts) == 5
    assert len(traced.spans) == 100
    assert represented(traced.spans) == 1 + 40 + 39 + 400
    assert [span.name for span in traced.summaries if span.name.startswith("other spans ×")] != []  # noqa: RUF001
    assert orphans(traced.spans) == []


def test_the_order_of_a_trace_is_kept_by_its_times():
    traced = Traced(100)
    with traced.tracer.start_as_current_span("root"):
        traced.grow(500)
    last = sorted((span for span in traced.kept if span.name == "step"), key=lambda span: span.start_time or 0)

    assert all((one.start_time or 0) <= (other.start_time or 0) for one, other in pairwise(last))
    # The end of the trace is there, without a gap.
    assert [span_id(span) for span in last[-10:]] == list(range(492, 502))


def test_summaries_of_more_and_more_places_lose_nothing():
    """Each agent is a place; once there are too many, places are joined again and again."""
    traced = Traced(100)
    with traced.tracer.start_as_current_span("root"):
        for _ in range(40):
            with traced.tracer.start_as_current_span("agent", attributes={"gen_ai.operation.name": "invoke_agent"}):
                traced.grow(10, "tool")
                traced.grow(10, "search")

    assert (len(traced.spans), represented(traced.spans), orphans(traced.spans)) == (100, 1 + 40 * 21, [])
    assert told(traced.named("root"))[EXPORTED] == len(traced.kept)
