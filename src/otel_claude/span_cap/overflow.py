"""The mark of a span that was started after the live share of its trace was used up.

In: what the sampler knows at the start of such a span. Out: an `Overflow`, which is the span's own trace state: it goes
wherever the span's context goes in this process, to children in other threads and tasks, however late, so that a child
always finds the nearest ancestor that is exported. On the wire it is a trace state like any other.
"""

from typing import TYPE_CHECKING

import wrapt
from opentelemetry.trace import DEFAULT_TRACE_STATE, Span, SpanContext, TraceFlags, TraceState

# What `super()` finds, and the class itself too: but only after a search that takes as long as the rest of the mark.
_begin = TraceState.__init__


class Overflow(TraceState):
    """A trace state that knows the way from its span to an ancestor that is exported.

    `parent` is the mark of the parent, where that has one. `anchor` is the nearest ancestor without a mark: a span of
    the live share, or a remote one. A span is `structural` if it gives the trace its structure, so that it is likely to
    be exported; `branch` is the nearest ancestor with a mark that is. `copy` is the context that the span was exported
    with, once it was, and `folded` says that it has gone into a summary.
    """

    span_id = 0
    structural = False
    parent: "Overflow | None" = None
    branch: "Overflow | None" = None
    copy: SpanContext | None = None
    folded = False

    def __init__(self, state: TraceState | None, parent: "Overflow | None", anchor: SpanContext | None) -> None:
        if state is None or state is DEFAULT_TRACE_STATE:
            _begin(self)
        else:
            _begin(self, list(state.items()))
        self.anchor = anchor
        if parent is not None:
            self.parent = parent
            self.branch = parent if parent.structural else parent.branch

    def __reduce__(self) -> tuple[type[TraceState], tuple[list[tuple[str, str]]]]:
        return TraceState, (list(self.items()),)

    @property
    def plain(self) -> TraceState:
        """The trace state as the application's sampler made it."""
        return TraceState(list(self.items()))

    @property
    def place(self) -> "Overflow | SpanContext | None":
        """Where a summary of the span hangs: on what holds it together with others, if that is still there."""
        self.skip_folded()
        return self.anchor if self.branch is None else self.branch

    def place_id(self) -> int:
        """The id of that span, 0 for none."""
        place = self.place
        return 0 if place is None else place.span_id

    def skip_folded(self) -> None:
        """Lets go of ancestors that will not be exported, so that no chain of them is walked twice, or kept."""
        while self.branch is not None and self.branch.folded:
            self.branch = self.branch.branch
        while self.parent is not None and self.parent.folded:
            self.parent = self.parent.parent

    def kept_ancestor(self) -> SpanContext | None:
        """The nearest ancestor that was exported, or is going to be when it ends, or is remote."""
        ancestor = self.parent
        while ancestor is not None:
            if ancestor.copy is not None:
                return ancestor.copy
            ancestor = ancestor.parent
        return self.anchor


if TYPE_CHECKING:
    SpanProxy = wrapt.ObjectProxy[Span]
else:
    SpanProxy = wrapt.ObjectProxy  # generic from wrapt 2 on


class AsSampled(SpanProxy):
    """A span that was not sampled, as it would be if it had: all else is the span's own."""

    _self_context: SpanContext

    def __init__(self, span: Span) -> None:
        super().__init__(span)
        self._self_context = sampled(span.get_span_context())

    def get_span_context(self) -> SpanContext:
        """The context of the span, sampled."""
        return self._self_context

    @property
    def context(self) -> SpanContext:
        """The same, as the SDK's spans have it."""
        return self._self_context


def sampled(context: SpanContext) -> SpanContext:
    """The context of a span that was not sampled, as it would have been if it had."""
    state = context.trace_state
    return SpanContext(
        context.trace_id,
        context.span_id,
        is_remote=False,
        trace_flags=TraceFlags(context.trace_flags | TraceFlags.SAMPLED),
        trace_state=state.plain if isinstance(state, Overflow) else state,
    )
