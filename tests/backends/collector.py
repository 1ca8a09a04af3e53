"""The OpenTelemetry Collector between a program and Datadog's test agent.

It runs with the configuration that the documentation has for users, on other ports. What leaves it is asked of the
agent. How many *items* it has accepted, refused and sent on, which are spans, points of metrics and log records, is
asked of itself, and compared with what was counted before it. https://opentelemetry.io/docs/collector/internal-telemetry/
"""

import re
import tempfile
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import yaml
from collector_pages import plain, wrong
from datadog_agent import ALL, TEMPORALITY, Agent, agent, came
from facts import (
    OF_TRACES,
    OF_TREES,
    SPAN_INPUT,
    SPAN_OUTPUT,
    SPAN_READ,
    SPAN_USD,
    SPAN_WRITTEN,
    expected,
)
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from otlp_points import DELTA, Series, wrong_temporality
from program import CONTENT, RUNAWAY, SUPPORT, ran, rounds
from relay import Relay, log_records, metric_points, relay
from results import Shown
from said import RUNAWAY_SAYS, Said
from script import TYPO, support
from servers import HOST, free_ports, read, server, settled

from otel_claude.testing import Answer, usage

CAP = 1_000
WITHOUT_CAP = {"OTEL_CLAUDE_MAX_SPANS_PER_TRACE": "0", "OTEL_BSP_MAX_QUEUE_SIZE": "65536"}
"""All spans of an agent that has run away, and room for them before the exporter."""
WITH_CONTENT = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY", "OTEL_BSP_SCHEDULE_DELAY": "60000"}
"""All spans go in one export, at the end: 6 MB, where a receiver for gRPC takes 4 unless it is told to take more."""
ANSWERS = [Answer("Those of the Baltic Sea.", usage=usage(input_tokens=12_000, output_tokens=8))] * 100
OVER_GRPC = {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
SENT_TIMEOUT_S = 120

ITEMS = ("spans", "metric_points", "log_records")
COUNTED = re.compile(r"^otelcol_(?P<name>\w+)\{.*\} (?P<value>\S+)$", re.MULTILINE)
ACCEPTED, SENT = "receiver_accepted_", "exporter_sent_"
NOT_ACCEPTED = ("receiver_refused_", "receiver_failed_")
NOT_SENT = ("exporter_send_failed_", "exporter_enqueue_failed_")

SPANS = "spans that the Collector has accepted"
RECORDS = "log records that it has accepted"
REFUSED = "items that it has refused"
UNSENT = "items that it has not sent on"
OF_ITSELF = (SPANS, RECORDS, REFUSED, UNSENT)

OF_SUMMARIES: Mapping[str, str] = {
    SPAN_INPUT: "claude.summary.input_tokens",
    SPAN_OUTPUT: "claude.summary.output_tokens",
    SPAN_READ: "claude.summary.cache_read.input_tokens",
    SPAN_WRITTEN: "claude.summary.cache_write.input_tokens",
    SPAN_USD: "claude.summary.cost_usd",
}
"""What summaries have of the spans that they stand for."""


class Place(NamedTuple):
    """Where a Collector runs, its ports, the session of the agent behind it, and what counts before it.

    The ports are for OTLP over HTTP and over gRPC, and for its own metrics.
    """

    program: Path
    home: Path
    agent: Agent
    session: str
    ports: Sequence[int]
    relay: Relay

    @property
    def http(self) -> str:
        return _address(self.ports[0])

    @property
    def counts(self) -> Counter[str]:
        """What the Collector has counted so far. Most of its counters are there from their first increment on."""
        found: Counter[str] = Counter()
        for name, value in COUNTED.findall(read(f"{_address(self.ports[2])}/metrics").decode()):
            found[name] += int(float(value))
        return found

    @property
    def spans(self) -> Sequence[Span]:
        """The spans that have come to the agent."""
        return [
            span
            for each in self.agent.came("traces", ExportTraceServiceRequest, self.session)
            for resource in each.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    @property
    def points(self) -> int:
        """How many points of metrics have come to the agent."""
        return sum(map(metric_points, self.agent.came("metrics", ExportMetricsServiceRequest, self.session)))

    @property
    def records(self) -> int:
        """How many log records have come to the agent."""
        return sum(map(log_records, self.agent.came("logs", ExportLogsServiceRequest, self.session)))


class Seen(NamedTuple):
    """What there is to see of a run, the series of its metrics, and its spans."""

    shown: Shown
    series: Sequence[Series]
    spans: Sequence[Span]

    def but(self, *complaints: str) -> Shown:
        """With more complaints."""
        return self.shown.but(*complaints)


@contextmanager
def place(commands: Path, agent: Agent, session: str) -> Generator[Place]:
    """A place for a Collector, which may run there several times."""
    with tempfile.TemporaryDirectory() as home:
        *ports, one, other = free_ports(5)
        with relay(ports[:2], (one, other)) as counting:
            yield Place(commands / "otelcol", Path(home), agent, session.replace(" ", "-"), ports, counting)


def _address(port: int) -> str:
    return f"http://{HOST}:{port}"


@contextmanager
def collector(place: Place, **limits: int | str) -> Generator[None]:
    """Runs the Collector at a place. `limits` are settings of its memory limiter, over those that are documented."""
    http, grpc, own = place.ports
    reader = {"pull": {"exporter": {"prometheus": {"host": HOST, "port": own}}}}
    protocols = {"http": {"endpoint": f"{HOST}:{http}"}, "grpc": {"endpoint": f"{HOST}:{grpc}"}}
    session = {"x-datadog-test-session-token": place.session}
    other = {
        "receivers": {"otlp": {"protocols": protocols}},
        "processors": {"memory_limiter": limits},
        "exporters": {"otlp_http": {"endpoint": place.agent.http, "headers": session}},
        "service": {"telemetry": {"metrics": {"readers": [reader]}}},
    }
    files = {place.home / "documented.yaml": plain().document, place.home / "other.yaml": other}
    for file, document in files.items():
        file.write_text(yaml.safe_dump(document), "utf-8")
    command = (place.program, *(f"--config={file}" for file in files))
    with server(command, place.home, own, "/metrics", {}):
        yield


def check(commands: Path, agents: Callable[[], Path]) -> Iterator[Shown]:
    """Runs programs that export through the Collector, and tells what it and the agent show of each."""
    with tempfile.TemporaryDirectory() as home, agent(agents(), Path(home)) as (running, _):
        with place(commands, running, "grpc") as here, collector(here):
            yield _of_rounds(here, "gRPC", here.relay.grpc, OVER_GRPC).but(*wrong(commands / "otelcol"))
        with place(commands, running, "http") as here, collector(here):
            seen = _of_rounds(here, "HTTP, delta", here.relay.http, {TEMPORALITY: "delta"})
            yield seen.but(*wrong_temporality(seen.series, DELTA))
        with place(commands, running, "demo") as here, collector(here):
            said = ran(SUPPORT, support(), here.relay.grpc, **OVER_GRPC, SUPPORT_COMPLAINTS_MODEL=TYPO)
            yield _seen(here, "the demo", said, ALL).shown
        with place(commands, running, "content") as here, collector(here):
            said = ran(CONTENT, ANSWERS, here.relay.grpc, **OVER_GRPC, **WITH_CONTENT)
            yield _seen(here, "content", said, ALL).shown
        with place(commands, running, "uncapped") as here, collector(here):
            said = ran(RUNAWAY, RUNAWAY_SAYS, here.relay.grpc, **OVER_GRPC, **WITHOUT_CAP)
            yield _seen(here, "uncapped", said, OF_TRACES).shown
        with place(commands, running, "capped") as here, collector(here):
            said = ran(RUNAWAY, RUNAWAY_SAYS, here.relay.grpc, **OVER_GRPC)
            seen = _seen(here, "capped", said, (*OF_TREES, *OF_SUMMARIES))
            yield seen.but(*_over_the_cap(seen.spans))


def _of_rounds(place: Place, run: str, endpoint: str, variables: Mapping[str, str]) -> Seen:
    with rounds(endpoint, **variables) as program:
        program.next()
        said = program.next()
    return _seen(place, run, said, ALL)


def _over_the_cap(spans: Sequence[Span]) -> Iterator[str]:
    for trace, count in Counter(span.trace_id for span in spans).items():
        if count > CAP:
            yield f"{count} spans came of the trace {trace.hex()}, which has a cap of {CAP}"


def _seen(place: Place, run: str, said: Said, wanted: Sequence[str]) -> Seen:
    """Of a run that is over, when all that was accepted is sent on."""
    counts = settled(lambda: place.counts, _all_sent, SENT_TIMEOUT_S)
    seen, spans = came(place.agent, place.session), place.spans
    items: Mapping[str, int] = dict(zip(ITEMS, (len(spans), place.points, place.records), strict=True))
    facts = {
        **seen.facts,
        **{fact: seen.facts[fact] + _of_summaries(spans, name) for fact, name in OF_SUMMARIES.items()},
        SPANS: counts[f"{ACCEPTED}spans"],
        RECORDS: counts[f"{ACCEPTED}log_records"],
        REFUSED: _total(counts, NOT_ACCEPTED),
        UNSENT: _total(counts, NOT_SENT),
    }
    passed = place.relay.counts
    wished = {
        **expected(said),
        SPANS: passed["accepted_spans"],
        RECORDS: passed["accepted_log_records"],
        REFUSED: 0,
        UNSENT: 0,
    }
    complaints = [*seen.unlike(said), *miscounted(counts, passed), *_otherwise(counts, items)]
    shown = Shown(run, wished, facts, (*wanted, *OF_ITSELF), complaints=complaints)
    return Seen(shown, seen.series, spans)


def _all_sent(counts: Counter[str]) -> bool:
    return all(counts[SENT + item] == counts[ACCEPTED + item] for item in ITEMS)


def _total(counts: Counter[str], kinds: Sequence[str]) -> int:
    return sum(counts[kind + item] for kind in kinds for item in ITEMS)


def _of_summaries(spans: Sequence[Span], name: str) -> float:
    return sum(
        attribute.value.int_value or attribute.value.double_value
        for span in spans
        for attribute in span.attributes
        if attribute.key == name
    )


def _otherwise(counts: Counter[str], items: Mapping[str, int]) -> Iterator[str]:
    """A sentence for each kind of items of which not as many were accepted, sent on, and came."""
    for item, many in items.items():
        if not counts[ACCEPTED + item] == counts[SENT + item] == many:
            yield f"{item}: {counts[ACCEPTED + item]} accepted, {counts[SENT + item]} sent on, {many} came"


def miscounted(counts: Counter[str], passed: Mapping[str, int]) -> Iterator[str]:
    """A sentence for each kind of items of which the Collector counts others than it has answered for."""
    for item in ITEMS:
        for answer, kinds in {"accepted": (ACCEPTED,), "refused": NOT_ACCEPTED}.items():
            counted, many = sum(counts[kind + item] for kind in kinds), passed[f"{answer}_{item}"]
            if counted != many:
                yield f"{item}: {counted} {answer} as the Collector counts, {many} as it has answered"
