"""What the receiver of the examples makes of the kinds of points that exporters send."""

import pytest
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import (
    Aggregation,
    ExplicitBucketHistogramAggregation,
    ExponentialBucketHistogramAggregation,
)
from receiver import Receiver


@pytest.mark.parametrize("aggregation", [ExplicitBucketHistogramAggregation(), ExponentialBucketHistogramAggregation()])
def test_a_histogram_of_either_kind_has_its_sum_and_its_count(aggregation: Aggregation):
    with Receiver() as receiver:
        exporter = OTLPMetricExporter(f"{receiver.endpoint}/v1/metrics", preferred_aggregation={Histogram: aggregation})
        provider = MeterProvider([PeriodicExportingMetricReader(exporter)])
        meter = provider.get_meter("tests")
        waited = meter.create_histogram("waited", "s")
        waited.record(0.5)
        waited.record(2)
        meter.create_counter("calls").add(3)
        provider.shutdown()

    assert [(point.metric, point.unit, point.value, point.count) for point in receiver.points] == [
        ("calls", "", 3, None),
        ("waited", "s", 2.5, 2),
    ]
