"""The record of one API call: what the patches learn of it, and all that the rest of the package knows of it.

In: facts, from the patches, as the call goes on. Out: the same facts, for pricing and for emitting. Pure: nothing here
knows the SDK or OpenTelemetry, so what holds the span and its context is typed as what it is here, an opaque object.

A *call* is one use of the API by the application. It makes one or more *attempts*, HTTP requests; what makes it repeat
one is a *retry*. Its answer arrives at once or as a *stream* of *events*.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from otel_claude.batches import BatchResults
from otel_claude.usage import Usage, add

Kind = Literal[
    "chat", "text_completion", "count_tokens", "batch_create", "batch_results", "upload", "download", "other"
]
"""What a call is about, as far as it decides on what is recorded. The first two are inferences."""

Outcome = Literal["completed", "interrupted", "abandoned", "cancelled"]
"""How a stream ended: read to its end, broken, no longer read by the application, or cancelled by it."""

INFERENCES = frozenset({"chat", "text_completion"})


class Endpoint(NamedTuple):
    """What is called. `name` is the SDK's own name of the method, such as `anthropic.messages.create`."""

    name: str
    kind: Kind

    @property
    def is_inference(self) -> bool:
        """Whether it is a chat or a text completion. A batch is none: its models answer later, at another price."""
        return self.kind in INFERENCES


class Server(NamedTuple):
    """Who is called. `location` is the cloud region that a price can depend on."""

    platform: str
    provider: str
    address: str | None
    port: int | None
    location: str | None = None


class Request(NamedTuple):
    """What the application asks for.

    `body` is the request's own, only ever read, and of it only scalars and lengths: before the SDK has prepared it, it
    may hold iterators that can be read once. `betas` is what the `anthropic-beta` header lists.
    """

    method: str
    body: Mapping[str, Any]
    model: str | None
    stream: bool
    betas: tuple[str, ...] = ()
    conversation: str | None = None

    @property
    def long_context(self) -> bool:
        """Whether the request opted in to the 1M-token window, which Sonnet 4 and 4.5 price by prompt size.

        https://platform.claude.com/docs/en/build-with-claude/context-windows#1m-token-context-window
        """
        return any(beta.startswith("context-1m-") for beta in self.betas)


class Retry(NamedTuple):
    """One wait of the SDK before it sends a request again, for `wait_s` seconds.

    `error_type` and `status_code` say what had failed; the API may have asked to wait for `after_s` seconds.
    """

    error_type: str
    status_code: int | None = None
    request_id: str | None = None
    aws_request_id: str | None = None
    after_s: float | None = None
    wait_s: float = 0.0


@dataclass(slots=True)
class Response:
    """What came back, as far as it has come. `None`: not said, or not yet."""

    status_code: int | None = None
    headers: Mapping[bytes, bytes] = field(default_factory=dict[bytes, bytes])
    id: str | None = None
    model: str | None = None
    stop_reason: str | None = None
    usage: Usage | None = None
    content: bytes | None = None
    """The body, where it has been read as a whole: what is known of an answer that cannot be parsed."""
    fields: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The body of an answer that is no Message, field by field."""

    def header(self, name: bytes) -> str | None:
        """The value of a header, whose `name` is in lower case."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")


@dataclass(slots=True)
class StreamFacts:
    """How a stream went. Times are nanoseconds of the monotonic clock. `ended`: its last event has come.

    When the reading ended, a byte had been waited for `silence_ns`, and before that nobody had read for `away_ns`.
    """

    chunks: int = 0
    max_gap_ns: int = 0
    silence_ns: int = 0
    away_ns: int = 0
    first_content_at: int | None = None
    ended: bool = False
    outcome: Outcome | None = None


@dataclass(slots=True)
class Progress:
    """How far a call has come: what the patches have to know of it from one place to the next.

    `native_claimed`: the SDK has asked for its own span of the call. `coming_retry` is the wait before another attempt.
    `unanswered`: nothing has come of the attempt that was sent last; `lost`: so it was with an earlier one.
    `handed_over`: the application has the answer to read. `readings` counts the answers that were watched, of which the
    last one counts; `watched` is the identity of its response, and `answer_ended` says that it has been read.
    """

    native_claimed: bool = False
    coming_retry: Retry | None = None
    unanswered: bool = False
    lost: bool = False
    handed_over: bool = False
    readings: int = 0
    watched: int = 0
    answer_ended: bool = False
    finished: bool = False


@dataclass(slots=True, eq=False)
class Call:
    """One API call. Made when the SDK starts it, finished once, whatever happens."""

    endpoint: Endpoint
    server: Server
    request: Request
    started_at: int
    """When it was started, in nanoseconds of the monotonic clock."""
    start_time: int
    """The same in nanoseconds since the epoch."""
    fork: int = 0
    """In which process it was started, as `forks` count them."""
    url: str = ""
    secrets: tuple[str, ...] = ()
    """The client's keys and the user's id, to be kept out of every text."""
    content_mode: str = "NO_CONTENT"
    """Where content goes, as the setting `content` has it."""

    owns_span: bool = True
    """Whether the span is ours, and not the SDK's own."""
    injects: bool = False
    """Whether we send `traceparent`, and not the SDK."""
    tracer: Any = None
    """What the span is made with, where it is ours."""
    span: Any = None
    context: Any = None
    """The context in which the span is current."""

    who: Mapping[str, str] = field(default_factory=dict[str, str])
    """What the application's baggage says of those that the call is for."""
    counted_for: Mapping[str, str] = field(default_factory=dict[str, str])
    """The same for metrics, bounded."""
    scopes: Mapping[str, str] = field(default_factory=dict[str, str])
    """What budgets are per: entries of the baggage, or the conversation."""
    user: str | None = None
    """A hash of `metadata.user_id`, where it is asked for."""
    run: Any = None
    """The run of an agent that the call is made in, an `agents.run.Run`."""
    admitted: Any = None
    """What budgets know of the call until it has ended."""
    refusal: Exception | None = None
    """Why a budget has not let it be sent."""

    timeout_s: float | None = None
    """How long the client waits for a byte."""
    attempts: int = 0
    attempted_at: int = 0
    """When the last attempt began, in nanoseconds of the monotonic clock."""
    retries: list[Retry] = field(default_factory=list[Retry])
    sent_body: Mapping[str, Any] | None = None
    """The request as it was sent. It may be looked at, but is not recorded unless content is."""
    sent_bytes: int | None = None
    """The size of the request as it was sent."""
    file_bytes: int | None = None
    """The size of what is uploaded, where that is known without reading it."""

    response: Response = field(default_factory=Response)
    earlier: list[Response] = field(default_factory=list[Response])
    """Answers that came before the last one, where a middleware has asked more than once: each is billed."""
    stream: StreamFacts | None = None
    batch: BatchResults | None = None
    executed: list[Any] = field(default_factory=list[Any])
    """Tools that the API has executed for the answer, each an `agents.execution.Execution`."""
    bytes_received: int | None = None
    """The size of what was downloaded."""
    output: Callable[[], Sequence[Mapping[str, Any]]] | None = None
    """What gives the content blocks of the answer, where content is recorded."""
    content: Any = None
    """What is made of the content of the request and of the answer, a `content.Content`."""

    error: BaseException | None = None
    ended_at: int | None = None
    """When it ended, in nanoseconds of the monotonic clock."""
    progress: Progress = field(default_factory=Progress)

    @property
    def duration_s(self) -> float:
        """Seconds from the start to the end of the call."""
        return ((self.ended_at or self.started_at) - self.started_at) / 1e9

    @property
    def attempt_s(self) -> float:
        """Seconds from the start of the last attempt to the end of the call."""
        return ((self.ended_at or self.attempted_at) - self.attempted_at) / 1e9

    def whole_usage(self, usage: Usage) -> Usage:
        """The `usage` of the last answer, with that of earlier ones that a middleware has asked for."""
        for earlier in self.earlier:
            if earlier.usage is not None:
                usage = add(earlier.usage, usage)._replace(service_tier=usage.service_tier)
        return usage
