"""What the cap promises, of any program whatever: traces of small caps, made of random steps.

The same program runs without a cap beside it. That run, and what the program itself has done, is what each promise is
held against.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry import propagate
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    StatusCode,
    TraceFlags,
    get_current_span,
    set_span_in_context,
)
from traced import (
    CREATED,
    EXPORTED,
    SUMMARIZED,
    Traced,
    from_elsewhere,
    is_summary,
    orphans,
    represented,
    span_id,
    told,
)

TOKENS = "gen_ai.usage.input_tokens"
COST = "claude.cost.usd"


class Step(NamedTuple):
    """Starts a span below one of those before, open or not, or ends one of those that are open."""

    starts: bool
    which: int
    name: str = "step"
    kind: str = ""
    error: str | None = None
    tokens: int = 0
    through: str = "context"


def by_header(context: Context) -> Context:
    """What is left of a context once it was a header."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier, context)
    return propagate.extract(carrier, Context())


def by_ids(context: Context) -> Context:
    """What somebody makes of two ids that he has noted."""
    own = get_current_span(context).get_span_context()
    sampled = SpanContext(own.trace_id, own.span_id, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    return set_span_in_context(NonRecordingSpan(sampled))


HANDED_ON: Mapping[str, Callable[[Context], Context]] = {
    "context": lambda context: context,
    "header": by_header,
    "ids": by_ids,
}

steps = st.builds(
    Step,
    starts=st.booleans(),
    which=st.integers(0, 10_000),
    name=st.sampled_from(["chat", "GET", "SELECT", "embed"]),
    kind=st.sampled_from(["", "", "", "agent"]),
    error=st.sampled_from([None, None, None, "timeout", "KeyError"]),
    tokens=st.sampled_from([0, 0, 7, 1_000]),
    through=st.just("context"),
)


@dataclass
class Ran:
    """What a program has done: each span, by its id, with its parent's."""

    parents: dict[int, int | None] = field(default_factory=dict[int, "int | None"])
    tokens: int = 0
    rested: bool = False


def run(program: list[Step], traced: Traced, *, remote: bool, flush_at: int | None = None) -> Ran:
    """Runs a program: all of its spans are of one trace. Its clock is the number of the step."""
    ran = Ran()
    contexts: list[Context] = [from_elsewhere()] if remote else []
    spans: list[tuple[Span, int]] = []

    def start(step: Step, now: int, context: Context | None, parent: int | None) -> None:
        attributes: dict[str, Any] = {"gen_ai.operation.name": "invoke_agent"} if step.kind else {}
        span = traced.tracer.start_span(step.name, context, attributes=attributes, start_time=now)
        identity = span.get_span_context().span_id
        ran.parents[identity] = parent
        spans.append((span, identity))
        contexts.append(set_span_in_context(span))

    def end(step: Step, now: int, which: int) -> None:
        span, _ = spans.pop(which)
        if step.tokens:
            ran.tokens += step.tokens
            span.set_attributes({TOKENS: step.tokens, COST: step.tokens / 1_000})
        if step.error is not None:
            span.set_attribute("error.type", step.error)
            span.set_status(StatusCode.ERROR)
        span.end(now)
        ran.rested |= not spans

    def context_id(index: int) -> int | None:
        return None if remote and index == 0 else list(ran.parents)[index - remote]

    start(Step(starts=True, which=0, name="root"), 1, contexts[0] if remote else None, None)
    for now, step in enumerate(program, 2):
        if now == flush_at:
            traced.provider.force_flush()
        if step.starts or len(spans) <= (0 if remote else 1):
            index = step.which % len(contexts)
            start(step, now, HANDED_ON[step.through](contexts[index]), context_id(index))
        else:
            # The root of a trace that began here is the last to end: what comes later is a test of its own.
            end(step, now, step.which % len(spans) if remote else 1 + step.which % (len(spans) - 1))
    while spans:
        end(Step(starts=False, which=0), len(program) + 2, len(spans) - 1)
    return ran


programs = st.lists(steps, min_size=30, max_size=150)
handed_on = st.lists(
    st.builds(Step._replace, steps, through=st.sampled_from(list(HANDED_ON))), min_size=30, max_size=150
)
caps = st.integers(2, 60)


def content(span: ReadableSpan) -> tuple[Any, ...]:
    parent = None if span.parent is None else span.parent.span_id
    own = {name: value for name, value in told(span).items() if not name.startswith("claude.trace.")}
    return span_id(span), parent, span.name, own, span.start_time, span.end_time, span.status.status_code


def live_share(cap: int) -> int:
    """Four fifths of the cap: at least one span of it is the reserve."""
    return cap - max(1, cap // 5)


@given(programs, caps, st.booleans())
@settings(max_examples=100)
def test_never_more_than_the_cap_and_not_one_less(program: list[Step], cap: int, remote: bool):
    traced = Traced(cap)
    ran = run(program, traced, remote=remote)
    traced.provider.shutdown()

    assert len(traced.spans) == min(cap, len(ran.parents))


@given(handed_on, caps, st.booleans())
@settings(max_examples=100)
def test_work_that_is_handed_on_by_headers_or_ids_is_counted_and_has_a_parent(
    program: list[Step], cap: int, remote: bool
):
    traced = Traced(cap)
    ran = run(program, traced, remote=remote)
    traced.provider.shutdown()

    assert len(traced.spans) == min(cap, len(ran.parents))
    assert (represented(traced.spans), orphans(traced.spans)) == (len(ran.parents), [])


@given(programs, caps, st.booleans())
@settings(max_examples=100)
def test_no_orphans_and_the_nearest_kept_ancestor_is_the_parent(program: list[Step], cap: int, remote: bool):
    traced = Traced(cap)
    ran = run(program, traced, remote=remote)
    together = not remote or not ran.rested
    traced.provider.shutdown()

    assert orphans(traced.spans) == []
    kept = {span_id(span) for span in traced.kept}
    for span in traced.kept:
        ancestor = ran.parents[span_id(span)]
        while ancestor is not None and ancestor not in kept:
            ancestor = ran.parents[ancestor]
        if together and ancestor is not None:
            assert span.parent is not None
            assert span.parent.span_id == ancestor


@given(programs, caps, st.booleans(), st.none() | st.integers(2, 150))
@settings(max_examples=100)
def test_nothing_vanishes_from_the_sums(program: list[Step], cap: int, remote: bool, flush_at: int | None):
    traced = Traced(cap)
    ran = run(program, traced, remote=remote, flush_at=flush_at)
    traced.provider.shutdown()
    spans = traced.spans

    assert len(spans) <= cap
    assert orphans(spans) == []
    assert represented(spans) == len(ran.parents)
    assert sum(told(span).get(TOKENS, 0) + told(span).get("claude.summary.input_tokens", 0) for span in spans) == (
        ran.tokens
    )


@given(programs, caps, st.booleans())
@settings(max_examples=100)
def test_the_live_share_is_what_it_would_have_been(program: list[Step], cap: int, remote: bool):
    capped, plain = Traced(cap), Traced(0)
    run(program, capped, remote=remote)
    run(program, plain, remote=remote)
    live = live_share(cap)

    assert [content(span) for span in capped.kept if span_id(span) <= live] == [
        content(span) for span in plain.spans if span_id(span) <= live
    ]


@given(programs, caps)
@settings(max_examples=100)
def test_a_capped_trace_says_so_and_no_other_does(program: list[Step], cap: int):
    traced = Traced(cap)
    ran = run(program, traced, remote=False)
    about: Mapping[str, Any] = {
        name: value for name, value in told(traced.named("root")).items() if name.startswith("claude.trace.")
    }
    if len(ran.parents) <= cap:
        assert about == {}
    else:
        summarized = sum(told(span)["claude.summary.count"] for span in traced.summaries)
        assert about == {
            CREATED: len(ran.parents),
            EXPORTED: len(traced.kept),
            SUMMARIZED: summarized,
            "claude.trace.cap": cap,
        }


@given(st.lists(steps, min_size=150, max_size=250), st.integers(80, 100))
@settings(max_examples=50)
def test_the_first_and_the_last_error_of_each_type_are_kept(program: list[Step], cap: int):
    """Two types of errors need four places: a cap of 80 has them, in the quarter of its reserve that is for errors."""
    capped, plain = Traced(cap), Traced(0)
    run(program, capped, remote=False)
    run(program, plain, remote=False)
    kept = {span_id(span) for span in capped.kept}
    for error in ("timeout", "KeyError"):
        failed = [span_id(span) for span in plain.spans if told(span).get("error.type") == error]
        beyond = [identity for identity in failed if identity > live_share(cap)]
        assert beyond == [] or {beyond[0], beyond[-1]} <= kept


@given(programs, caps)
@settings(max_examples=100)
def test_a_summary_stands_for_spans_of_one_name_and_status_where_it_hangs(program: list[Step], cap: int):
    capped, plain = Traced(cap), Traced(0)
    run(program, capped, remote=False)
    run(program, plain, remote=False)
    kept = {span_id(span) for span in capped.kept}
    gone = [span for span in plain.spans if span_id(span) not in kept]
    for summary in capped.summaries:
        name = summary.name.rsplit(" ", 2)[0]
        assert summary.name == f"{name} ×{told(summary)['claude.summary.count']} (summarized)"  # noqa: RUF001
        if name != "other spans":
            same = [
                span for span in gone if span.name == name and span.status.status_code is summary.status.status_code
            ]
            assert told(summary)["claude.summary.count"] <= len(same)
            assert min(span.start_time or 0 for span in same) <= (summary.start_time or 0)
            assert max(span.end_time or 0 for span in same) >= (summary.end_time or 0)
    assert sum(told(span)["claude.summary.count"] for span in capped.summaries) == len(gone)
    assert [span for span in capped.spans if is_summary(span) and span_id(span) in kept] == []
