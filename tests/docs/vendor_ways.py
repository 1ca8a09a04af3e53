"""The ways to the vendors that the pages in docs/vendors show, and what each page promises of what arrives."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any, NamedTuple

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality

SIGNALS = {
    "traces": ExportTraceServiceRequest,
    "metrics": ExportMetricsServiceRequest,
    "logs": ExportLogsServiceRequest,
}
"""The signals, as paths of OTLP name them, and what is posted there."""
DELTA = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
CUMULATIVE = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
LOCAL = "http://localhost:4318"
"""Where a Collector listens: https://opentelemetry.io/docs/specs/otel/protocol/exporter/#configuration-options."""
PRODUCTION = {"service.name": "support", "deployment.environment.name": "production"}


def basic(user: str, password: str) -> dict[str, str]:
    """The header of a user and a password: https://datatracker.ietf.org/doc/html/rfc7617#section-2."""
    return {"authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


class Way(NamedTuple):
    """A way to a vendor, and what its page promises of it.

    `block` is which of the section's blocks of variables are exported. `keys` are the variables that are the reader's
    own. `paths` are where each signal arrives; what is not there is not sent. `headers` are those of all signals, or of
    each signal its own, by its name. `attributes` are of each call's span. `doctor` is whether that is run as well.
    `host` is where the page sends all of it, as the vendor says.
    """

    page: str
    section: str
    paths: Mapping[str, str]
    keys: Mapping[str, str] = {}
    headers: Mapping[str, Any] = {}
    resource: Mapping[str, str] = PRODUCTION
    attributes: frozenset[str] = frozenset()
    temporality: int = CUMULATIVE
    histogram: str = "histogram"
    compressed: bool = False
    block: slice = slice(None)
    doctor: bool = False
    host: str = LOCAL

    def __str__(self) -> str:
        return f"{self.page.removeprefix('vendors/')}, {self.section}, {self.block.start or 0}"


def below(path: str, *signals: str) -> dict[str, str]:
    return {signal: f"{path}/v1/{signal}" for signal in signals or SIGNALS}


WAYS = (
    Way("vendors/aws_x_ray", "Send", below("")),
    Way("vendors/datadog", "With the Agent", below(""), temporality=DELTA),
    Way(
        "vendors/datadog",
        "Without the Agent",
        below(""),
        keys={"DD_SITE": "datadoghq.eu", "DD_API_KEY": "key"},
        headers={
            "traces": {"dd-api-key": "key", "dd-otlp-source": "llmobs"},
            "metrics": {"dd-api-key": "key", "dd-otel-metric-config": '{"resource_attributes_as_tags":true}'},
            "logs": {"dd-api-key": "key"},
        },
        doctor=True,
        temporality=DELTA,
        compressed=True,
        host="https://otlp.datadoghq.eu",
    ),
    Way(
        "vendors/grafana",
        "Grafana Cloud",
        below("/otlp"),
        keys={"GRAFANA_ZONE": "prod-eu-west-2", "GRAFANA_INSTANCE": "123456", "GRAFANA_TOKEN": "token"},
        headers=basic("123456", "token"),
        host="https://otlp-gateway-prod-eu-west-2.grafana.net",
    ),
    Way("vendors/grafana", "Alloy, Tempo, Mimir and Loki", below("")),
    Way(
        "vendors/grafana",
        "Prometheus alone",
        below("/api/v1/otlp", "metrics"),
        resource={"service.name": "support"},
        block=slice(1, 2),
        host="http://localhost:9090",
    ),
    Way(
        "vendors/honeycomb",
        "Send",
        below(""),
        keys={"HONEYCOMB_API_KEY": "key"},
        headers={
            "traces": {"x-honeycomb-team": "key"},
            "metrics": {"x-honeycomb-team": "key", "x-honeycomb-dataset": "support_metrics"},
            "logs": {"x-honeycomb-team": "key"},
        },
        attributes=frozenset({"gen_ai.conversation.id"}),
        compressed=True,
        host="https://api.honeycomb.io",
    ),
    Way(
        "vendors/langfuse",
        "Send",
        below("/api/public/otel", "traces"),
        doctor=True,
        # So long that base64 would break the line.
        keys={"LANGFUSE_PUBLIC_KEY": "pk-lf-" + "1" * 36, "LANGFUSE_SECRET_KEY": "sk-lf-" + "2" * 36},
        headers={
            **basic("pk-lf-" + "1" * 36, "sk-lf-" + "2" * 36),
            "x-langfuse-ingestion-version": "4",
        },
        attributes=frozenset(
            {
                "gen_ai.conversation.id",
                "langfuse.user.id",
                "langfuse.observation.usage_details",
                "langfuse.observation.cost_details",
            }
        ),
        compressed=True,
        host="https://cloud.langfuse.com",
    ),
    Way(
        "vendors/new_relic",
        "Send",
        below(""),
        keys={"NEW_RELIC_LICENSE_KEY": "key"},
        headers={"api-key": "key"},
        resource={**PRODUCTION, "aiEnabledApp": "true"},
        temporality=DELTA,
        histogram="exponential_histogram",
        compressed=True,
        host="https://otlp.nr-data.net",
    ),
    Way(
        "vendors/phoenix",
        "Send",
        below("", "traces"),
        keys={"PHOENIX_API_KEY": "key"},
        headers={"authorization": "Bearer key"},
        resource={"service.name": "support", "openinference.project.name": "support"},
        attributes=frozenset({"openinference.span.kind", "llm.model_name"}),
        host="http://127.0.0.1:6006",
    ),
)
