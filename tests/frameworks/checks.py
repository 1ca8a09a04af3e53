"""What has to hold of a framework: its program runs as without us, and each request is told once, in its place.

In: two runs of the program, with us and without. Out: a sentence for everything that does not hold.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from answers import Said
from programs import Point, Run, Span, sent
from table import Framework

OURS = "otel_claude"
THE_SDKS = "com.anthropic.sdk.python"
"""The scope of the spans that the SDK makes itself, from 1.14 on; on a cloud's clients more follows."""

ON_SPANS: Mapping[str, str] = {
    "gen_ai.usage.input_tokens": "prompt",
    "gen_ai.usage.output_tokens": "output",
    "gen_ai.usage.cache_read.input_tokens": "cache_read",
    "gen_ai.usage.cache_write.input_tokens": "cache_write",
}
"""Attributes, with the field of `Said` that they have to be equal to."""

ON_POINTS: Mapping[tuple[str, str, str], str] = {
    ("gen_ai.client.token.usage", "gen_ai.token.type", "input"): "prompt",
    ("gen_ai.client.token.usage", "gen_ai.token.type", "output"): "output",
    ("claude.token.usage", "claude.token.type", "input"): "input",
    ("claude.token.usage", "claude.token.type", "output"): "output",
    ("claude.token.usage", "claude.token.type", "cache_read"): "cache_read",
    ("claude.token.usage", "claude.token.type", "cache_write_5m"): "cache_write",
}
"""Metrics, with an attribute and its value, and the field whose sum they have to be equal to."""


def complaints(framework: Framework, plain: Run, traced: Run) -> Iterator[str]:
    """What does not hold of two runs, the one without and the one with us."""
    for run in (plain, traced):
        if run.status:
            yield f"the program ended with {run.status}:\n{run.printed}{run.errors}"
            return
    if traced.printed != plain.printed:
        yield f"the program printed\n{traced.printed}\nand without us\n{plain.printed}"
    if OURS in traced.errors:
        yield f"we complained:\n{traced.errors}"
    if [request.json for request in traced.requests] != [request.json for request in plain.requests]:
        yield "the program sent other requests than without us"
    if _others(traced.spans) != _others(plain.spans):
        yield f"the framework's own spans are {_others(traced.spans)}, and without us {_others(plain.spans)}"
    if sent(traced.requests) != framework.requests:
        yield f"the requests were {sent(traced.requests)}, not {framework.requests}"
    yield from _of_spans(framework, traced)
    yield from _of_points(traced.points, traced.said)


def _others(spans: Sequence[Span]) -> list[tuple[str, str | None]]:
    """The spans of others than us and the SDK: each with its parent's name."""
    by_id = {span.id: span.name for span in spans}
    return [(span.name, by_id.get(span.parent)) for span in spans if not span.scope.startswith((OURS, THE_SDKS))]


def _of_spans(framework: Framework, run: Run) -> Iterator[str]:
    ours = [span for span in run.spans if span.scope == OURS]
    chats = [span for span in ours if span.name.startswith("chat ")]
    if len(ours) != len(run.requests):
        yield f"{len(run.requests)} requests have {len(ours)} spans: {[span.name for span in ours]}"
    told = Counter(span.attributes.get("gen_ai.response.id") for span in chats)
    if told != Counter(said.id for said in run.said):
        yield f"the answers were {[said.id for said in run.said]}, and the chat spans have {dict(told)}"
    by_id = {said.id: said for said in run.said}
    for span in chats:
        said = by_id.get(str(span.attributes.get("gen_ai.response.id")))
        for name, field in ON_SPANS.items():
            if said is not None and span.attributes.get(name) != getattr(said, field):
                yield f"{name} of {said.id} is {span.attributes.get(name)}, not {getattr(said, field)}"
    if failed := [span.name for span in ours if span.error is not None or "error.type" in span.attributes]:
        yield f"calls that went well have failed spans: {failed}"
    if doubled := [span.name for span in run.spans if span.scope.startswith(THE_SDKS)]:
        yield f"the SDK has spans beside ours: {doubled}"
    yield from _of_parents(framework, run.spans, ours)


def _of_parents(framework: Framework, spans: Sequence[Span], ours: list[Span]) -> Iterator[str]:
    by_id = {span.id: span for span in spans}
    for span in ours:
        parent = by_id.get(span.parent)
        if span.parent and parent is None:
            yield f"{span.name} has a parent that did not come in"
        elif (parent.name if parent else None) not in (framework.under or (None,)):
            yield f"{span.name} is under {parent.name if parent else 'no span'}, not under {framework.under}"


def _of_points(points: Sequence[Point], said: Sequence[Said]) -> Iterator[str]:
    ours = [point for point in points if point.scope == OURS]
    for (metric, attribute, value), field in ON_POINTS.items():
        found = [point for point in ours if point.metric == metric and point.attributes.get(attribute) == value]
        measured, expected = sum(point.value for point in found), sum(getattr(each, field) for each in said)
        if measured != expected:
            yield f"{metric} of {value} is {measured}, not {expected}"
        if found and found[0].count is not None and (count := sum(point.count or 0 for point in found)) != len(said):
            yield f"{metric} of {value} has {count} values, not {len(said)}"
    if failed := [point.metric for point in ours if "error.type" in point.attributes]:
        yield f"calls that went well have points with an error: {failed}"
