"""What is compared with backends finds what is wrong: each of these is shown something that is."""

from collections.abc import Sequence
from typing import Any

import pytest
from facts import CHATS, FAILED, ORPHANS, SPAN_USD, TOKENS, differences, expected, of_spans, text
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from otlp_points import CUMULATIVE, DELTA, of_metrics, series, wrong_temporality
from receiver import Span
from results import Shown, Unlike
from said import ROUND, said

from otel_claude.testing import Answer, RateLimited, Request, usage

ASKED = b'{"model": "claude-sonnet-4-5"}'
ANSWER = Answer(usage=usage(input_tokens=1_000_000, output_tokens=0, cache_read=1_000_000))


def request(retries: int = 0) -> Request:
    return Request("POST", "/v1/messages", {}, {"x-stainless-retry-count": str(retries)}, ASKED)


def point(value: int, start: int, end: int, temporality: int) -> ExportMetricsServiceRequest:
    export = ExportMetricsServiceRequest()
    metric = export.resource_metrics.add().scope_metrics.add().metrics.add(name="claude.token.usage")
    metric.sum.aggregation_temporality = temporality  # pyright: ignore[reportAttributeAccessIssue]  # it is a number
    metric.sum.is_monotonic = True
    added = metric.sum.data_points.add(start_time_unix_nano=start, time_unix_nano=end, as_int=value)
    added.attributes.add(key="claude.token.type").value.string_value = "input"
    return export


def test_prices_are_those_of_the_list():
    # 3 USD for a million of input, 0.30 USD for a million read from the cache.
    facts = expected(said([request()], [ANSWER]))
    assert facts[SPAN_USD] == 3.30


def test_a_request_that_was_sent_again_is_no_error():
    facts = expected(said([request(), request(1)], [RateLimited(), ANSWER]))
    assert (facts[CHATS], facts[FAILED], facts["`claude.retries`"]) == (1, 0, 1)


def test_a_request_that_was_not_sent_again_is_an_error():
    facts = expected(said([request(), request()], [RateLimited(), ANSWER]))
    assert (facts[CHATS], facts[FAILED], facts["`claude.retries`"]) == (2, 1, 0)


def test_each_request_has_to_have_its_outcome():
    with pytest.raises(ValueError, match="zip"):
        said([request()], ROUND)


def test_a_span_whose_parent_is_missing_is_told():
    span = Span("chat m", b"t", b"s", b"p", 0, 1, {"gen_ai.operation.name": "chat"}, None, "otel_claude")
    assert of_spans([span])[ORPHANS] == 1


@pytest.mark.parametrize("exports", [[(3, 0, 1), (4, 1, 2)], [(4, 1, 2), (3, 0, 1)]])
def test_deltas_add_up_in_whichever_order_they_come(exports: Sequence[tuple[int, int, int]]):
    found = series(point(*each, temporality=DELTA) for each in exports)
    assert of_metrics(found)[TOKENS.format("input")] == 7
    assert [*wrong_temporality(found, DELTA)] == []


@pytest.mark.parametrize("exports", [[(3, 0, 1), (7, 0, 2)], [(7, 0, 2), (3, 0, 1)]])
def test_of_cumulative_points_the_last_one_counts(exports: Sequence[tuple[int, int, int]]):
    found = series(point(*each, temporality=CUMULATIVE) for each in exports)
    assert of_metrics(found)[TOKENS.format("input")] == 7


@pytest.mark.parametrize(
    ("exports", "wanted"),
    [([(3, 0, 2), (4, 1, 3)], DELTA), ([(3, 0, 1)], CUMULATIVE)],
    ids=["counts twice", "other temporality"],
)
def test_points_that_do_not_fit_are_told(exports: Sequence[tuple[int, int, int]], wanted: int):
    assert [*wrong_temporality(series(point(*each, temporality=DELTA) for each in exports), wanted)]


@pytest.mark.parametrize("shown", [{}, {CHATS: 2}])
def test_a_number_that_is_missing_or_another_is_told(shown: Any):
    assert [*differences({CHATS: 1}, shown, [CHATS])] == [f"{CHATS}: {text(shown.get(CHATS))}, not 1"]


def test_what_a_backend_shows_in_its_own_way_has_to_stay_as_it_was():
    shown = Shown("calls", {CHATS: 1}, {CHATS: 2}, [CHATS], {CHATS: Unlike(2, "it counts two")})
    assert [*shown.failures] == []
    assert [*shown._replace(facts={CHATS: 1}).failures] == [f"{CHATS}: 1, not 2"]
