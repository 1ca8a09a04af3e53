"""A part of a trace, or all of it: what its spans say together.

A *summary* is the span that stands for those that the cap has left out. What it says of them counts here as if they
said it themselves.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from receiver import Span

COUNT = "claude.summary.count"
TIMES = "×"  # noqa: RUF001  # a multiplication sign is what is meant
"""What stands before a number of spans, in the words of the cap."""


class Part(NamedTuple):
    """Spans of a trace, summaries among them, and what they say together."""

    spans: Sequence[Span]

    def named(self, name: str) -> "Part":
        """The spans of a name."""
        return Part([span for span in self.spans if span.name == name])

    @property
    def summaries(self) -> list[Span]:
        return [span for span in self.spans if is_summary(span)]

    @property
    def summarized(self) -> int:
        """How many spans the summaries stand for."""
        return sum(span.attributes[COUNT] for span in self.summaries)

    @property
    def exported(self) -> int:
        """How many spans came in as they are."""
        return len(self.spans) - len(self.summaries)

    @property
    def created(self) -> int:
        return self.exported + self.summarized

    @property
    def input(self) -> int:
        """Tokens of prompts, cached ones included."""
        return sum(_number(span, "gen_ai.usage.input_tokens", "input_tokens") for span in self.spans)

    @property
    def output(self) -> int:
        """Tokens of answers."""
        return sum(_number(span, "gen_ai.usage.output_tokens", "output_tokens") for span in self.spans)

    @property
    def tokens(self) -> int:
        return self.input + self.output

    @property
    def cost(self) -> float:
        """In USD."""
        return sum(_number(span, "claude.cost.usd", "cost_usd") for span in self.spans)

    @property
    def dearest(self) -> float:
        """The cost of the dearest call that came in as it is, in USD."""
        return max((span.attributes.get("claude.cost.usd", 0) for span in self.spans), default=0)

    @property
    def time(self) -> float:
        """The sum of the durations, in seconds."""
        return sum(_duration(span, "sum_s") for span in self.spans)

    @property
    def longest(self) -> float:
        """The longest duration, in seconds."""
        return max((_duration(span, "max_s") for span in self.spans), default=0)

    @property
    def errors(self) -> Counter[str]:
        """The errors that came in as they are, by their type."""
        return Counter(
            span.attributes.get("error.type", span.error)
            for span in self.spans
            if span.error is not None and not is_summary(span)
        )

    @property
    def summarized_errors(self) -> Counter[str]:
        """The errors that summaries stand for, by their type."""
        counts: Counter[str] = Counter()
        for summary in self.summaries:
            for each in summary.attributes.get("claude.summary.errors", ()):
                error, _, count = each.rpartition(f" {TIMES}")
                counts[error] += int(count)
        return counts

    @property
    def root(self) -> Span | None:
        """The span that all others hang on."""
        return next((span for span in self.spans if not span.parent), None)

    @property
    def orphans(self) -> int:
        """How many spans have a parent that is not among them."""
        known = {span.id for span in self.spans}
        return sum(bool(span.parent) and span.parent not in known for span in self.spans)


def is_summary(span: Span) -> bool:
    return COUNT in span.attributes


def _number(span: Span, name: str, summed: str) -> float:
    """A number of a span, which a summary says under another name."""
    return span.attributes.get(f"claude.summary.{summed}" if is_summary(span) else name, 0)


def _duration(span: Span, summed: str) -> float:
    return span.attributes.get(f"claude.summary.duration.{summed}", span.end - span.start)
