"""What the processes of a deployment have exported, each for itself, and all of them together.

In: what came to a receiver of OTLP. Out: facts, which are compared with what the API has answered. Each process has a
`service.instance.id` of its own, so that its counts stand beside those of the others and do not take their place.
https://opentelemetry.io/docs/specs/semconv/resource/#service-instance
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import events
import labels
from facts import Facts, nodes, of_events, of_spans
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from otlp_points import Series, of_metrics, series
from receiver import Receiver
from trees import Node

INSTANCE = "service.instance.id"
PID = "work.pid"
"""The attribute by which the applications tell in which process they worked."""

AUDITED = "events of the audit"
UNLIMITED = "`gen_ai.client.operation.duration`, count"


class Came(NamedTuple):
    """What has come: the facts of all processes, and what makes them worth something.

    `ids` are how often the answers have a span each. `processes` are the process ids with the instance that each
    exports as, once for each span that tells it; `metered` are the instances that metrics come from. `largest` is how
    many spans the largest trace has, `strays` are sentences for events that do not lead to their calls.
    """

    facts: Facts
    ids: Counter[str]
    processes: frozenset[tuple[int, str]]
    metered: frozenset[str]
    largest: int
    series: Sequence[Series]
    nodes: Sequence[Node] = ()
    labels: Facts = MappingProxyType({})
    seconds: float = 0.0
    strays: Sequence[str] = ()


def came(receiver: Receiver) -> Came:
    """What has come to a receiver so far."""
    found = _by_instance(receiver)
    every = [each for of_one in found.values() for each in of_one]
    spans = receiver.spans
    logs = map(ExportLogsServiceRequest.FromString, _bodies(receiver, "/v1/logs"))
    calls = [each for each in every if each.metric == "gen_ai.client.operation.duration"]
    return Came(
        {
            **of_spans(spans),
            **of_metrics(every),
            **of_events(receiver.events),
            AUDITED: sum(event.name == "claude.audit" for event in receiver.events),
            UNLIMITED: sum(each.values for each in calls),
        },
        Counter(str(span.attributes.get("gen_ai.response.id")) for span in spans if span.name.startswith("chat ")),
        frozenset(_processes(receiver)),
        frozenset(instance for instance, of_one in found.items() if _has_calls(of_one)),
        max(Counter(span.trace for span in spans).values(), default=0),
        every,
        nodes(spans),
        labels.that_add_up(labels.of_series(every)),
        labels.lasted(every),
        [*events.strays(events.told(logs), spans)],
    )


def _has_calls(found: Iterable[Series]) -> bool:
    return any(each.metric == "claude.token.usage" for each in found)


def _by_instance(receiver: Receiver) -> Mapping[str, Sequence[Series]]:
    """What the series of each instance stand at. Those of two instances are never one, whatever their attributes."""
    exports: dict[str, list[ExportMetricsServiceRequest]] = defaultdict(list)
    for body in _bodies(receiver, "/v1/metrics"):
        for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
            exports[_instance(resource)].append(ExportMetricsServiceRequest(resource_metrics=[resource]))
    return {instance: series(of_one) for instance, of_one in exports.items()}


def _processes(receiver: Receiver) -> Iterator[tuple[int, str]]:
    for body in _bodies(receiver, "/v1/traces"):
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    for attribute in span.attributes:
                        if attribute.key == PID:
                            yield attribute.value.int_value, _instance(resource)


def _instance(exported: Any) -> str:
    return next((each.value.string_value for each in exported.resource.attributes if each.key == INSTANCE), "")


def _bodies(receiver: Receiver, path: str) -> list[bytes]:
    return [payload.body for payload in list(receiver.payloads) if payload.path == path]
