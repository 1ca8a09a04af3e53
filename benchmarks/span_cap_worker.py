"""One process of the benchmark of the span cap. `span_cap.py` reads what it prints.

    python span_cap_worker.py count VARIANT KIND [PART]
    python span_cap_worker.py time VARIANT KIND TRACES SPANS
    python span_cap_worker.py memory VARIANT KIND TRACES SPANS

Spans of a KIND go to a VARIANT of a tracer provider. `count` prints the CPU seconds of each workload, `time` those of
so many traces of so many spans, `memory` the bytes that these leave behind. What is exported goes to the endpoint that
OpenTelemetry's environment variables name, and is dropped where memory is looked at. With a PART, which is the
`module:Class.function` of a function, a profiler can count the instructions of that function alone.
"""

import functools
import gc
import importlib
import json
import sys
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import SpanKind
from providers import Drop
from worker import Block

from otel_claude import install_span_cap, names

Attributes = Mapping[str, Any]

BATCH = 512
"""Spans in one request, as OpenTelemetry's SDK has it unless it is told otherwise."""

NEVER_MS = 86_400_000
"""When the batch processor's own thread exports: all is exported by the thread that is measured."""


class Kind(NamedTuple):
    """Spans as a library makes them: `start` when they start, and one of `ends` before they end."""

    title: str
    name: str
    start: Attributes
    ends: Sequence[Attributes]


KINDS: Mapping[str, Kind] = {
    "request": Kind(
        "HTTP request, 6 attributes",
        "POST",
        {
            "http.request.method": "POST",
            "url.full": "https://orders.example.com/v1/orders/20418/items?expand=price",
            "server.address": "orders.example.com",
            "server.port": 443,
        },
        [{"http.response.status_code": 200, "network.protocol.version": "1.1"}],
    ),
    "claude": Kind(
        "Claude call, 24 attributes",
        "chat claude-sonnet-5",
        {
            names.OPERATION: "chat",
            names.PROVIDER: "anthropic",
            names.PLATFORM: "anthropic",
            names.SERVER_ADDRESS: "api.anthropic.com",
            names.SERVER_PORT: 443,
            names.REQUEST_MODEL: "claude-sonnet-5",
            names.MAX_TOKENS: 1024,
            names.MESSAGES: 1,
        },
        [
            {
                names.STATUS_CODE: 200,
                names.REQUEST_ID: "req_011CQkYXWEaYLtjyRLVfhAKc",
                names.ORGANIZATION: "9f0c6b1e-3f0a-4b57-8a55-0a1f1f0c7d11",
                names.RESPONSE_ID: "msg_01YUFu6WCB8ZHZBNCMemdJ2B",
                names.RESPONSE_MODEL: "claude-sonnet-5",
                names.FINISH_REASONS: ("end_turn",),
                names.STOP_REASON: "end_turn",
                names.RESPONSE_TIER: "standard",
                names.INPUT_TOKENS: 12,
                names.OUTPUT_TOKENS: output,
                names.CONTEXT_WINDOW: 1_000_000,
                names.UTILIZATION: 0.000012,
                # At $2 and $10 a million.
                names.COST: (12 * 2 + output * 10) / 1e6,
                names.COST_INPUT: 12 * 2 / 1e6,
                names.COST_OUTPUT: output * 10 / 1e6,
                names.COST_SOURCE: "genai-prices 0.2.3",
            }
            # 61 answers of 41 to 1,001 tokens, in no order.
            for output in (41 + 16 * (step * 37 % 61) for step in range(61))
        ],
    ),
}


class Workload(NamedTuple):
    """So many traces of so many spans, in two sizes. What is reported is their difference, for one span."""

    title: str
    fewer: tuple[int, int]
    more: tuple[int, int]

    @property
    def units(self) -> int:
        """Spans that the larger size has more."""
        return self.more[0] * self.more[1] - self.fewer[0] * self.fewer[1]


# A difference is one of whole batches, or of nearly as many spans for each request.
WORKLOADS: Mapping[str, Workload] = {
    "small": Workload("in a trace of 16", (32, 16), (96, 16)),
    "under": Workload("in a trace of 512", (1, 512), (3, 512)),
    "full": Workload("in a trace of 1,000", (1, 1000), (3, 1000)),
    "over": Workload("beyond the 1,000th of a trace", (1, 1536), (1, 2560)),
}


class RecordOnly(Sampler):
    """Has spans created that no exporter takes."""

    def should_sample(
        self,
        parent_context: Any,
        trace_id: int,
        name: str,
        kind: Any = None,
        attributes: Any = None,
        links: Any = None,
        trace_state: Any = None,
    ) -> SamplingResult:
        """Only recorded, whatever it is."""
        return SamplingResult(Decision.RECORD_ONLY, attributes)

    def get_description(self) -> str:
        """For the SDK's logs."""
        return "RecordOnly"


class Application:
    """What makes spans. `variant` is what becomes of them: `created` and no more, `exported`, or `capped`."""

    def __init__(self, variant: str, kind: Kind, exporter: SpanExporter) -> None:
        self._kind = kind
        self._ended = 0
        provider = TracerProvider(RecordOnly() if variant == "created" else None, shutdown_on_exit=False)
        self.flush: Callable[[], object] = lambda: None
        if variant != "created":
            # Twice a batch, so that its own thread is never woken.
            batches = BatchSpanProcessor(exporter, 8 * BATCH, NEVER_MS, 2 * BATCH)
            provider.add_span_processor(batches)
            self.flush = batches.force_flush
        if variant == "capped":
            install_span_cap(provider)
        self._tracer = provider.get_tracer("application")

    def traces(self, traces: int, spans: int) -> None:
        """Makes so many traces of so many spans and exports them to the last."""
        for _ in range(traces):
            self._trace(spans, lambda: None)
        self.flush()

    def open_trace(self, spans: int, then: Callable[[], None]) -> None:
        """Makes a trace of so many spans, exports what is to be exported now, and calls `then` before the root ends."""
        self._trace(spans, lambda: (self.flush(), then()))

    def _trace(self, spans: int, last: Callable[[], object]) -> None:
        kind = self._kind
        with self._tracer.start_as_current_span("session"):
            for number in range(spans - 1):
                with self._tracer.start_as_current_span(kind.name, kind=SpanKind.CLIENT, attributes=kind.start) as span:
                    span.set_attributes(kind.ends[number % len(kind.ends)])
                self._count()
            last()
        self._count()

    def _count(self) -> None:
        self._ended += 1
        if not self._ended % BATCH:
            self.flush()


def count(application: Application) -> list[float]:
    """CPU seconds of each workload in its two sizes, and before them of the smaller one as a warm-up."""
    sizes = [size for workload in WORKLOADS.values() for size in (workload.fewer, workload.fewer, workload.more)]
    return [_read(application, *size) for size in sizes]


def time(application: Application, traces: int, spans: int) -> float:
    """CPU seconds of so many traces of so many spans."""
    application.traces(2, 1536)
    return _read(application, traces, spans)


def memory(application: Application, traces: int, spans: int) -> int:
    """Bytes that stay allocated for so many traces that have ended, or while the only one is open."""
    application.traces(2, 1536)
    gc.collect()
    kept: list[int] = []
    tracemalloc.start()

    def look() -> None:
        gc.collect()
        kept.append(tracemalloc.get_traced_memory()[0])

    if traces == 1:
        application.open_trace(spans, look)
    else:
        application.traces(traces, spans)
        look()
    return kept[0]


class Part:
    """A function as it is, but that a profiler can count it alone, inside of `PyNumber_InPlaceMatrixMultiply`."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __imatmul__(self, arguments: tuple[Sequence[Any], Mapping[str, Any]]) -> Any:
        """What the function returns: `part @= (positional, by_name)`."""
        return self._function(*arguments[0], **arguments[1])


def _mark(name: str) -> None:
    """Makes the function of a `module:Class.function` a part."""
    module, _, path = name.partition(":")
    *owners, attribute = path.split(".")
    owner: Any = functools.reduce(getattr, owners, importlib.import_module(module))
    function = getattr(owner, attribute)

    @functools.wraps(function)
    def counted(*args: Any, **kwargs: Any) -> Any:
        part: Any = marked
        part @= args, kwargs
        return part

    marked = Part(function)
    setattr(owner, attribute, counted)


def _read(application: Application, traces: int, spans: int) -> float:
    gc.collect()
    gc.freeze()
    return Block(lambda: application.traces(traces, spans)) @ 1


def _main(mode: str, variant: str, kind: str, *more: str) -> object:
    if mode == "memory":
        return memory(Application(variant, KINDS[kind], Drop()), *map(int, more))
    if mode == "time":
        return time(Application(variant, KINDS[kind], OTLPSpanExporter()), *map(int, more))
    for part in more:
        _mark(part)
    return count(Application(variant, KINDS[kind], OTLPSpanExporter()))


if __name__ == "__main__":
    print(json.dumps(_main(*sys.argv[1:])))
