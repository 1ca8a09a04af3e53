"""Spans with the attributes for the conventions of a backend, sent to it.

In: what a program has exported. Out: the same, posted to a backend, each span of ours with what
`compatibility` makes of its attributes.
"""

import urllib.request
from collections.abc import Iterable, Mapping
from typing import Any

from compatibility import compatibility_attributes
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from receiver import Payload
from servers import REQUEST_TIMEOUT_S

OURS = "otel_claude"


def send(payloads: Iterable[Payload], endpoint: str, convention: str, headers: Mapping[str, str]) -> None:
    """Posts the spans of `payloads` to the backend at `endpoint`, with the attributes of a convention.

    Raises:
        OSError: the backend does not take them.
    """
    for payload in payloads:
        if payload.path == "/v1/traces":
            exported = ExportTraceServiceRequest.FromString(payload.body)
            for resource in exported.resource_spans:
                for scope in resource.scope_spans:
                    for span in scope.spans if scope.scope.name == OURS else ():
                        _add(span, convention)
            request = urllib.request.Request(  # noqa: S310  # a server that was started here
                f"{endpoint}/v1/traces",
                exported.SerializeToString(),
                {"content-type": "application/x-protobuf", **headers},
                method="POST",
            )
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(request, timeout=REQUEST_TIMEOUT_S):
                pass


def _add(span: Span, convention: str) -> None:
    for name, value in compatibility_attributes(convention, _attributes(span)).items():
        added = span.attributes.add(key=name).value
        match value:
            case str():
                added.string_value = value
            case int():
                added.int_value = value
            case _:
                added.double_value = value


def _attributes(span: Span) -> Mapping[str, Any]:
    """The attributes that are texts and numbers, which are all that a convention looks at."""
    values = {each.key: MessageToDict(each.value) for each in span.attributes}
    read = {"stringValue": str, "intValue": int, "doubleValue": float}
    return {name: read[kind](value) for name, found in values.items() for kind, value in found.items() if kind in read}
