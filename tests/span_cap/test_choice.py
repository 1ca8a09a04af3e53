"""Which spans of a trace over the cap are kept: the ones that somebody debugging wants."""

from collections.abc import Mapping
from typing import Any

import pytest
from opentelemetry.trace import Span, StatusCode
from traced import COUNT, Traced, from_elsewhere, orphans, represented, span_id, told

SECOND = 1_000_000_000


def begun(traced: Traced, name: str, attributes: Mapping[str, Any] | None = None) -> Span:
    return traced.tracer.start_span(name, start_time=0, attributes=dict(attributes or {}))


def names(traced: Traced) -> set[str]:
    return {span.name for span in traced.kept}


def steps(traced: Traced, spans: int) -> None:
    """Spans of a millisecond that nobody needs."""
    for _ in range(spans):
        begun(traced, "step").end(SECOND // 1_000)


def test_the_beginning_and_the_end_are_kept_and_the_middle_gives_way():
    traced = Traced(100)
    with traced.tracer.start_as_current_span("root"):
        for number in range(1, 1_000):
            begun(traced, str(number)).end(1)
    kept = sorted(int(name) for name in names(traced) - {"root"})

    assert kept[:79] == list(range(1, 80))
    # 20 are the reserve: five summaries, one of the slowest (all are as slow), and the last.
    assert kept[-14:] == list(range(986, 1_000))


@pytest.mark.parametrize("at", [100, 500, 899])
def test_a_single_error_is_kept_wherever_it_is(at: int):
    traced = Traced(100)
    with traced.tracer.start_as_current_span("root"):
        steps(traced, at)
        failed = begun(traced, "failed")
        failed.set_status(StatusCode.ERROR, "it broke")
        failed.end(1)
        steps(traced, 900 - at)

    assert traced.named("failed").status.description == "it broke"


def test_the_first_and_the_last_error_of_each_type_are_kept_and_the_others_are_summarized_apart():
    traced = Traced()
    with traced.tracer.start_as_current_span("root"):
        steps(traced, 800)
        for number in range(2_000):
            call = begun(traced, "call")
            if number % 10 == 0:
                kind = ("rate_limit_error", "overloaded_error")[number % 20 // 10]
                call.set_attributes({"error.type": kind, "number": number})
                call.set_status(StatusCode.ERROR)
            call.end(1)
        steps(traced, 300)
    kept = {(told(span)["error.type"], told(span)["number"]) for span in traced.kept if "error.type" in told(span)}

    assert kept == {
        ("rate_limit_error", 0),
        ("rate_limit_error", 1_980),
        ("overloaded_error", 10),
        ("overloaded_error", 1_990),
    }
    (failures,) = [span for span in traced.summaries if span.status.status_code is StatusCode.ERROR]
    assert failures.name == "call ×196 (summarized)"  # noqa: RUF001
    assert set(told(failures)["claude.summary.errors"]) == {"rate_limit_error ×98", "overloaded_error ×98"}  # noqa: RUF001


def test_an_exception_tells_the_type_of_an_error_that_has_none():
    traced = Traced(100)
    with traced.tracer.start_as_current_span("root"):
        steps(traced, 100)
        for number in range(300):
            call = begun(traced, "call", {"number": number})
            if number in {7, 42, 150, 290}:
                call.record_exception(TimeoutError() if number == 42 else KeyError(number))
                call.set_status(StatusCode.ERROR)
            call.end(1)
        steps(traced, 300)
    failed = {
        told(span)["number"]: dict(span.events[0].attributes or {})["exception.type"]
        for span in traced.kept
        if span.status.status_code is StatusCode.ERROR
    }

    # 150 is the only one left to be summarized, and a summary of one span is that span.
    assert failed == {7: "KeyError", 42: "TimeoutError", 150: "KeyError", 290: "KeyError"}


def test_the_slowest_are_kept():
    traced = Traced(1_000)
    with traced.tracer.start_as_current_span("root"):
        steps(traced, 900)
        for number in range(2_000):
            # 7 has no factor with 2,000, so each duration is there once.
            begun(traced, "slow").end(number * 7 % 2_000 * SECOND)
        steps(traced, 400)
    durations = sorted(
        ((span.end_time or 0) - (span.start_time or 0)) // SECOND for span in traced.kept if span.name == "slow"
    )

    assert durations[-10:] == list(range(1_990, 2_000))


def test_the_dearest_are_kept():
    traced = Traced(1_000)
    with traced.tracer.start_as_current_span("root"):
        steps(traced, 900)
        for number in range(2_000):
            begun(traced, "chat", {"claude.cost.usd": number * 7 % 2_000 / 1_000}).end(1)
        steps(traced, 400)
    costs = sorted(told(span)["claude.cost.usd"] for span in traced.kept if span.name == "chat")

    assert costs[-10:] == [number / 1_000 for number in range(1_990, 2_000)]
    whole = sum(costs) + sum(told(span).get("claude.summary.cost_usd", 0) for span in traced.summaries)
    assert whole == pytest.approx(sum(range(2_000)) / 1_000)


@pytest.mark.parametrize(
    "attributes",
    [
        {"gen_ai.operation.name": "invoke_agent"},
        {"gen_ai.operation.name": "invoke_workflow"},
        {"openinference.span.kind": "AGENT"},
        {"traceloop.span.kind": "workflow"},
    ],
)
def test_what_holds_others_together_is_kept_with_the_summaries_below_it(attributes: dict[str, str]):
    traced = Traced(100)
    with traced.tracer.start_as_current_span("root"):
        steps(traced, 100)
        for agent in ("searcher", "writer"):
            with traced.tracer.start_as_current_span(agent, attributes=attributes):
                for _ in range(200):
                    with traced.tracer.start_as_current_span("turn"):
                        begun(traced, "chat").end(1)
        steps(traced, 100)
    below = {
        agent: [
            span for span in traced.summaries if span.parent and span.parent.span_id == span_id(traced.named(agent))
        ]
        for agent in ("searcher", "writer")
    }

    assert {"root", "searcher", "writer"} <= names(traced)
    assert orphans(traced.spans) == []
    assert represented(traced.spans) == 1 + 100 + 2 * 401 + 100
    for summaries in below.values():
        assert {span.name.split(" ")[0] for span in summaries} >= {"chat"}


def test_what_says_only_after_its_start_that_it_holds_others_together_is_kept_too():
    """As OpenInference's and OpenLLMetry's tracers do."""
    traced = Traced(100)
    with traced.tracer.start_as_current_span("root"):
        steps(traced, 100)
        agent = begun(traced, "agent")
        agent.set_attribute("openinference.span.kind", "AGENT")
        agent.end(1)
        steps(traced, 300)

    assert "agent" in names(traced)


def test_a_local_root_that_starts_beyond_the_live_share_is_kept_and_says_that_its_trace_was_capped():
    traced = Traced(100)
    with traced.tracer.start_as_current_span("first request", from_elsewhere()):
        steps(traced, 300)
    with traced.tracer.start_as_current_span("second request", from_elsewhere()):
        steps(traced, 300)
    traced.provider.shutdown()
    second = traced.named("second request")

    assert second.parent is not None
    assert second.parent.is_remote
    assert told(second)["claude.trace.spans.created"] == 602
    assert len(traced.spans) == 100


def test_spans_of_other_libraries_need_nothing_of_ours():
    traced = Traced(100)
    with traced.tracer.start_as_current_span("GET /"):
        for number in range(1_000):
            with traced.tracer.start_as_current_span(
                "SELECT users", attributes={"db.system.name": "postgresql"}
            ) as query:
                query.set_attribute("rows", number)

    assert (len(traced.spans), represented(traced.spans)) == (100, 1_001)
    (summary,) = traced.summaries
    assert set(told(summary)) == {
        f"claude.summary.{name}" for name in ("count", "slowest", *(f"duration.{of}_s" for of in ("sum", "min", "max")))
    }


def test_batches_and_retries_are_in_the_sums():
    traced = Traced(10)
    with traced.tracer.start_as_current_span("root"):
        for _ in range(50):
            begun(
                traced,
                "anthropic.messages.batches.results",
                {
                    "claude.batch.input_tokens": 1_000,
                    "claude.batch.output_tokens": 100,
                    "claude.retry.count": 2,
                    "gen_ai.usage.cache_read.input_tokens": True,
                    "claude.cost.usd": "much",
                },
            ).end(1)
    (summary,) = traced.summaries
    count = told(summary)[COUNT]

    assert told(summary)["claude.summary.input_tokens"] == count * 1_000
    assert told(summary)["claude.summary.output_tokens"] == count * 100
    assert told(summary)["claude.summary.retries"] == count * 2
    # A value that is no number is not added up.
    assert "claude.summary.cache_read.input_tokens" not in told(summary)
    assert "claude.summary.cost_usd" not in told(summary)
