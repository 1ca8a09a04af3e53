"""The `usage` object of a response: what the API counted, field by field.

In: the `usage` of a Message, of a stream's `message_start` and `message_delta`, or of one of its `iterations`, as a
mapping. Out: a `Usage`, which pricing, spans and metrics read. Pure.

A *step* is one pass of a model over a prompt. Most responses are one step. Server tools, compaction, the advisor and
the server-side fallback make several, and the beta API lists them in `iterations`.
"""

from typing import NamedTuple

from otel_claude.values import Fields, fields, is_array, is_object, text, whole


class Step(NamedTuple):
    """One entry of `usage.iterations`.

    `kind` is the entry's `type`: `message`, `compaction`, `advisor_message`, `fallback_message`. `model` is the entry's
    own model, or `None` where it is that of the response.
    """

    kind: str
    model: str | None
    usage: "Usage"


class Usage(NamedTuple):
    """The counts of one response, in tokens and requests, as the API says them. `None`: the API did not say.

    `input` leaves out what was read from or written to the cache; `prompt` is the sum of the three. `cache_write` is
    the sum over both lifetimes and `cache_write_1h` its one-hour part, so `cache_write_5m` is what is left of it.
    `thinking` is a part of `output`. `fallback_credit`: one was redeemed, which changes the bill.

    The sums leave out compaction and advisor steps, which are billed all the same: `steps` has them.
    https://platform.claude.com/docs/en/build-with-claude/compaction
    """

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    cache_write_1h: int = 0
    thinking: int | None = None
    web_searches: int = 0
    web_fetches: int = 0
    code_executions: int = 0
    service_tier: str | None = None
    speed: str | None = None
    inference_geo: str | None = None
    steps: tuple[Step, ...] = ()
    fallback_credit: bool = False

    @property
    def prompt(self) -> int | None:
        """All input tokens, cached ones included. `None` while the API has not said how many."""
        if self.input is None:
            return None
        return self.input + (self.cache_read or 0) + (self.cache_write or 0)

    @property
    def cache_write_5m(self) -> int:
        """Tokens written to the cache for five minutes; without a split by lifetime that is all of them."""
        return (self.cache_write or 0) - self.cache_write_1h

    def utilization(self, window: int | None) -> float | None:
        """How much of a context `window`, in tokens, the prompt of the last model step filled, from 0 to 1.

        The usage of a loop with server tools is a sum over its steps, so without the steps nothing can be said.
        """
        if window is None:
            return None
        prompt = self.prompt
        if self.steps:
            own = [step.usage.prompt for step in self.steps if step.kind == "message"]
            prompt = own[-1] if own else None
        elif self.web_searches or self.web_fetches or self.code_executions:
            return None
        return None if prompt is None else prompt / window


NOTHING = Usage()


def merge(start: Fields, delta: Fields) -> Fields:
    """The usage of a stream after a `message_delta`.

    The numbers of a delta are cumulative: they take the place of earlier ones and are never added to them. A field
    that the delta leaves out or has as null keeps what `message_start` said.
    https://platform.claude.com/docs/en/build-with-claude/streaming#event-types
    """
    return {**start, **{name: value for name, value in delta.items() if value is not None}}


def read(said: Fields) -> Usage:
    """The `Usage` that the API has `said`. A field that is missing or of another type counts as not said."""
    get = said.get
    tools = fields(get("server_tool_use"))
    entries = get("iterations")
    return Usage(
        whole(get("input_tokens")),
        whole(get("output_tokens")),
        whole(get("cache_read_input_tokens")),
        whole(get("cache_creation_input_tokens")),
        whole(fields(get("cache_creation")).get("ephemeral_1h_input_tokens")) or 0,
        whole(fields(get("output_tokens_details")).get("thinking_tokens")),
        whole(tools.get("web_search_requests")) or 0,
        whole(tools.get("web_fetch_requests")) or 0,
        whole(tools.get("code_execution_requests")) or 0,
        text(get("service_tier")),
        text(get("speed")),
        text(get("inference_geo")),
        tuple(_step(entry) for entry in entries if is_object(entry)) if is_array(entries) else (),
        fields(fields(get("fallback_credit")).get("status")).get("type") == "redeemed",
    )


def _step(entry: Fields) -> Step:
    return Step(str(entry.get("type")), text(entry.get("model")), read(entry))


COUNTS = Usage._fields.index("service_tier")
"""How many of the fields are counts; they come first."""


def add(one: Usage, other: Usage) -> Usage:
    """The counts of two responses together. What only one of them says is what it says; nothing else is kept."""
    return Usage(*(_sum(a, b) for a, b in zip(one[:COUNTS], other[:COUNTS], strict=True)))  # pyright: ignore[reportArgumentType]  # the counts are the first fields


def _sum(one: int | None, other: int | None) -> int | None:
    return one if other is None else other if one is None else one + other
