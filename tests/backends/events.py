"""Events one by one: of what each is, and whether it leads to its call.

In: log records as they came by OTLP, spans, and what the API has said. Out: a sentence for what is not so.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from receiver import Span
from said import Said
from trees import SUMMARY

EXCEPTION, RETRY, INTERRUPTED = "gen_ai.client.operation.exception", "claude.retry", "claude.stream.interrupted"


class Told(NamedTuple):
    """An event: its name, the ids of its trace and span, and the values of its attributes as text."""

    name: str
    trace: bytes
    span: bytes
    attributes: dict[str, str]


def told(exports: Iterable[ExportLogsServiceRequest]) -> Sequence[Told]:
    """The events of these exports. A line of an ordinary log, which has no name, is none."""
    return [
        Told(record.event_name, record.trace_id, record.span_id, _attributes(record))
        for export in exports
        for resource in export.resource_logs
        for scope in resource.scope_logs
        for record in scope.log_records
        if record.event_name
    ]


def _attributes(record: Any) -> dict[str, str]:
    values = ((each.key, MessageToDict(each.value)) for each in record.attributes)
    return {name: str(next(iter(value.values()), "")) for name, value in values}


def strays(events: Iterable[Told], spans: Iterable[Span]) -> Iterator[str]:
    """A sentence for each event that is at no span that there is, or at the call of another model than it names.

    In a trace with summaries, its span may be one of those that they stand for.
    """
    found = list(spans)
    models = {(span.trace, span.id): span.attributes.get("gen_ai.request.model") for span in found}
    capped = {span.trace for span in found if SUMMARY.fullmatch(span.name)}
    for event in events:
        if (event.trace, event.span) not in models:
            if event.trace not in capped or not event.span:
                yield f"the event {event.name} is at no span"
        elif (asked := event.attributes.get("gen_ai.request.model")) not in (None, models[event.trace, event.span]):
            yield f"the event {event.name} of {asked} is at a call of {models[event.trace, event.span]}"


def unlike(events: Iterable[Told], said: Said) -> Iterator[str]:
    """A sentence for each error of which not as many events tell as there were of it."""
    wanted = Counter(
        (name, failure.model, failure.type)
        for name, failures in ((EXCEPTION, said.errors), (RETRY, said.retries), (INTERRUPTED, said.broken))
        for failure in failures
    )
    found = Counter(
        (event.name, event.attributes.get("gen_ai.request.model"), event.attributes.get("error.type"))
        for event in events
        if event.name in {EXCEPTION, RETRY, INTERRUPTED}
    )
    for name, model, error in dict.fromkeys((*wanted, *found)):
        many, right = found[name, model, error], wanted[str(name), str(model), str(error)]
        if many != right:
            yield f"{many} events {name} of {model} with {error}, not {right}"
