"""Datadog's `ddapm-test-agent`: traces, metrics and log records over both protocols of OTLP, read back as JSON.

It keeps what came under a *session token*, which programs send as a header. A *snapshot* is a file of the spans of a
session, their ids numbered. The agent compares with it; where there is none, it writes one if it is let to.

https://github.com/DataDog/dd-apm-test-agent
"""

import tempfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.error import HTTPError

import events
import labels
from facts import OF_EVENTS, OF_METRICS, OF_TRACES, Facts, differences, expected, nodes, of_events, of_spans
from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from otlp_points import CUMULATIVE, DELTA, Series, of_metrics, series, wrong_temporality
from program import SUPPORT, ran, rounds
from receiver import Payload, Receiver, Span
from results import Shown
from said import Said
from script import TYPO, support
from servers import HOST, fetched, free_ports, read, server, settled
from trees import misplaced

SNAPSHOTS = Path(__file__).with_name("snapshots")
ALL = (*OF_TRACES, *OF_METRICS, *OF_EVENTS)
OTHER_EACH_TIME = (
    "startTimeUnixNano",
    "endTimeUnixNano",
    "version",
    "meta.server.port",
    "meta.service.instance.id",
    "meta.telemetry.auto.version",
    "meta.telemetry.sdk.version",
    "meta.claude.cost.source",
    "meta.claude.retry.wait_s",
    "meta.claude.stream.max_gap_s",
    "meta.gen_ai.response.time_to_first_chunk",
)
"""Fields and, as the agent calls them, `meta.` attributes, which are no part of a snapshot."""

Export = TypeVar("Export", bound=Message)


class Agent(NamedTuple):
    """The agent: where it takes OTLP, over HTTP and over gRPC, and where it is asked for snapshots."""

    http: str
    grpc: str
    url: str

    def came(self, signal: str, export: type[Export], session: str) -> list[Export]:
        """The exports of a session, as they came."""
        documents: Any = fetched(f"{self.http}/test/session/{signal}", test_session_token=session)
        return [ParseDict(document, export()) for document in documents]

    def compare(self, session: str, name: str) -> Iterator[str]:
        """What is different from the snapshot of this name, or that there is none."""
        other = ",".join(OTHER_EACH_TIME)
        query = {"test_session_token": session, "file": str(SNAPSHOTS / name), "ignores": other, "removes": other}
        try:
            read(f"{self.url}/test/session/snapshot", **query)
        except HTTPError as error:
            yield f"the spans are not those of snapshots/{name}:\n{error.read().decode()}"


@contextmanager
def agent(commands: Path, home: Path, *, write: bool = False) -> Generator[tuple[Agent, float]]:
    """Runs the agent, and tells in how many seconds it was ready. `write` lets it make snapshots that are missing."""
    port, http, grpc = free_ports(3)
    command = (
        commands / "ddapm-test-agent",
        *("--port", str(port), "--otlp-http-port", str(http), "--otlp-grpc-port", str(grpc)),
        *("--snapshot-dir", str(SNAPSHOTS), "--snapshot-ci-mode", "0" if write else "1"),
        "--disable-llmobs-data-forwarding",
    )
    with server(command, home, port, "/info", {}) as started:
        yield Agent(f"http://{HOST}:{http}", f"http://{HOST}:{grpc}", started.url), started.ready_s


class Came(NamedTuple):
    """What came in a session."""

    facts: Facts
    series: Sequence[Series]
    spans: Sequence[Span]
    events: Sequence[events.Told]

    def unlike(self, said: Said) -> Iterator[str]:
        """A sentence for everything that the facts do not tell, and that is not as the API said."""
        yield from misplaced(nodes(self.spans), said.done.tree, said.began, said.ended, said.paused)
        yield from labels.unlike(labels.by_hand(said), labels.of_series(self.series))
        yield from labels.too_long(said, labels.lasted(self.series))
        yield from events.strays(self.events, self.spans)
        yield from events.unlike(self.events, said)


def came(agent: Agent, session: str) -> Came:
    """What has come in a session so far."""
    found = series(agent.came("metrics", ExportMetricsServiceRequest, session))
    traces = agent.came("traces", ExportTraceServiceRequest, session)
    logs = agent.came("logs", ExportLogsServiceRequest, session)
    with Receiver() as received:
        for signal, exports in (("traces", traces), ("logs", logs)):
            received.payloads.extend(Payload(f"/v1/{signal}", {}, each.SerializeToString()) for each in exports)
        spans = received.spans
        facts = {**of_spans(spans), **of_metrics(found), **of_events(received.events)}
    return Came(facts, found, spans, events.told(logs))


def check(commands: Path, *, write: bool = False) -> Iterator[Shown]:
    """Runs programs with every protocol and temporality, and tells what the agent shows of each.

    `write` has snapshots made that are missing.
    """
    with tempfile.TemporaryDirectory() as home, agent(commands, Path(home), write=write) as (running, _):
        over_http = {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}
        over_grpc = {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
        yield _of_rounds(running, "HTTP, delta", running.http, DELTA, over_http)
        yield _of_rounds(running, "HTTP, cumulative", running.http, CUMULATIVE, over_http)
        yield _of_rounds(running, "gRPC, delta", running.grpc, DELTA, over_grpc)
        yield _of_the_demo(running)


def _of_rounds(agent: Agent, way: str, endpoint: str, temporality: int, protocol: Mapping[str, str]) -> Shown:
    session = way.replace(", ", "-").lower()
    variables = {**protocol, **_session(session), TEMPORALITY: "delta" if temporality == DELTA else "cumulative"}

    def arrived(said: Said) -> Came:
        wanted = expected(said)
        return settled(lambda: came(agent, session), lambda seen: not [*differences(wanted, seen.facts, ALL)])

    with rounds(endpoint, **variables) as program:
        # The first round is here before the second one begins, so each of its counters is exported at least twice.
        first = program.next()
        complaints = [*differences(expected(first), arrived(first).facts, ALL)]
        second = program.next()
    seen = arrived(second)
    complaints += [
        *seen.unlike(second),
        *wrong_temporality(seen.series, temporality),
        *agent.compare(session, "calls"),
    ]
    if not any(each.exports > 1 for each in seen.series if each.metric == "claude.token.usage"):
        complaints.append("claude.token.usage was exported once only")
    return Shown(way, expected(second), seen.facts, ALL, complaints=complaints)


def _of_the_demo(agent: Agent) -> Shown:
    variables = {**_session("demo"), "SUPPORT_COMPLAINTS_MODEL": TYPO}
    said = ran(SUPPORT, support(), agent.http, **variables)
    wanted = expected(said)
    seen = settled(lambda: came(agent, "demo"), lambda seen: not [*differences(wanted, seen.facts, ALL)])
    complaints = [*seen.unlike(said), *agent.compare("demo", "demo")]
    return Shown("the demo", wanted, seen.facts, ALL, complaints=complaints)


TEMPORALITY = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"


def _session(token: str) -> Mapping[str, str]:
    return {"OTEL_EXPORTER_OTLP_HEADERS": f"x-datadog-test-session-token={token}"}
