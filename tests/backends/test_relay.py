"""What stands before the Collector counts what the Collector answers for, and tells where that counts otherwise."""

import urllib.request
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from http import HTTPStatus
from urllib.error import HTTPError

import pytest
from collector import ITEMS, miscounted
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from receiver import Receiver
from relay import Relay, relay
from servers import HOST, free_ports

from otel_claude.testing import SimulatedClaude

COUNTED = {"receiver_accepted_spans": 3, "receiver_refused_spans": 2, "receiver_accepted_metric_points": 1}
PASSED = Counter(accepted_spans=3, refused_spans=2, accepted_metric_points=1)


@contextmanager
def before(address: str) -> Generator[Relay]:
    """A relay before what takes OTLP over HTTP at this address, and nothing over gRPC."""
    nobody, *ports = free_ports(3)
    with relay((int(address.rpartition(":")[2]), nobody), ports) as counting:
        yield counting


def sent(url: str, spans: int) -> int:
    """The status that answers an export of so many spans."""
    exported = ExportTraceServiceRequest()
    scope = exported.resource_spans.add().scope_spans.add()
    for _ in range(spans):
        scope.spans.add()
    kind = {"content-type": "application/x-protobuf"}
    request = urllib.request.Request(f"{url}/v1/traces", exported.SerializeToString(), kind)  # noqa: S310  # our own
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as response:
            return response.status
    except HTTPError as error:
        with error:
            return error.code


def test_spans_that_are_passed_on_are_counted_and_come():
    with Receiver() as receiver, before(receiver.endpoint) as counting:
        assert [sent(counting.http, 2), sent(counting.http, 3)] == [HTTPStatus.OK, HTTPStatus.OK]
        assert len(receiver.spans) == counting.counts["accepted_spans"] == 5


def test_spans_that_are_refused_are_counted_each_time():
    with SimulatedClaude() as nobody, before(nobody.base_url) as counting:
        assert [sent(counting.http, 2), sent(counting.http, 2)] == [HTTPStatus.UNAUTHORIZED, HTTPStatus.UNAUTHORIZED]
        assert counting.counts == {"refused_spans": 4}


def test_spans_that_are_held_or_that_nobody_takes_are_not_counted():
    (port,) = free_ports(1)
    with Receiver() as receiver, before(receiver.endpoint) as counting:
        counting.held.set()
        assert sent(counting.http, 2) == HTTPStatus.SERVICE_UNAVAILABLE
        assert (receiver.spans, counting.counts) == ([], {})
    with before(f"http://{HOST}:{port}") as alone:
        assert sent(alone.http, 2) == HTTPStatus.SERVICE_UNAVAILABLE
        assert alone.counts == {}


def test_nothing_is_told_of_a_collector_that_counts_what_it_answers():
    assert [*miscounted(Counter(COUNTED), PASSED)] == []


@pytest.mark.parametrize("item", ITEMS)
@pytest.mark.parametrize(("kind", "answer"), [("accepted", "accepted"), ("refused", "refused"), ("failed", "refused")])
def test_a_collector_that_counts_otherwise_than_it_answers(item: str, kind: str, answer: str):
    counted = Counter(COUNTED) + Counter({f"receiver_{kind}_{item}": 1})
    many = PASSED[f"{answer}_{item}"]

    assert [*miscounted(counted, PASSED)] == [
        f"{item}: {many + 1} {answer} as the Collector counts, {many} as it has answered"
    ]
