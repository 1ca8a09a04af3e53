"""The vendors' pages, each followed as it says, up to what arrives at a receiver of OTLP in the vendor's place."""

import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest
import yaml
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from vendor_pages import DOCS, Arrived, exports, fenced, followed, indented, sections, shell, text
from vendor_ways import CUMULATIVE, SIGNALS, WAYS, Way

from pricing.listed_prices import LISTED

PAGES = [f"vendors/{path.stem}" for path in sorted((DOCS / "vendors").glob("*.md")) if path.stem != "README"]
OF_THE_EXPORTER = {"user-agent", "accept", "content-type", "content-encoding"}
GENAI_CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
"""Of the GenAI conventions: OpenTelemetry's packages do not list it yet."""


class Followed(NamedTuple):
    way: Way
    arrived: Arrived


@pytest.fixture(scope="module", params=WAYS, ids=str)
def followed_way(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Followed:
    way: Way = request.param
    blocks = exports(way.page, way.section)[way.block]
    more = [block for block in indented(sections(way.page)["What you see"]) if way.doctor]
    return Followed(way, followed(way.page, blocks, way.keys, tmp_path_factory.mktemp("reader"), *more))


def test_each_signal_arrives_where_the_page_sends_it(followed_way: Followed):
    way, arrived = followed_way
    came = {signal: {payload.path for payload in arrived.of(signal)} for signal in SIGNALS}
    assert came == {signal: {way.paths[signal]} if signal in way.paths else set() for signal in SIGNALS}


def test_all_of_it_is_sent_to_the_host_that_the_vendor_names(followed_way: Followed):
    way, arrived = followed_way
    assert arrived.hosts == {way.host}


def test_requests_have_the_headers_that_the_vendor_asks_for(followed_way: Followed):
    way, arrived = followed_way
    for signal in way.paths:
        for payload in arrived.of(signal):
            headers = {name.lower(): value for name, value in payload.headers.items()}
            own = {name: value for name, value in headers.items() if name not in OF_THE_EXPORTER}
            assert own == way.headers.get(signal, way.headers)
            assert headers["content-type"] == "application/x-protobuf"
            assert headers.get("content-encoding") == ("gzip" if way.compressed else None)


def test_the_resource_is_the_one_that_is_named(followed_way: Followed):
    way, arrived = followed_way
    for payload in arrived.receiver.payloads:
        signal = payload.path.removeprefix("/v1/")
        exported: Any = SIGNALS[signal].FromString(payload.body)
        for _, (resource, *_) in exported.ListFields():
            told = {each.key: each.value.string_value for each in resource.resource.attributes}
            assert way.resource.items() <= told.items()
            assert told["service.instance.id"]


def test_spans_tell_what_the_api_has_said(followed_way: Followed):
    way, arrived = followed_way
    calls = [span for span in arrived.receiver.spans if span.name.startswith("chat ")]
    if "traces" in way.paths:
        assert [span.attributes["gen_ai.request.model"] for span in calls] == [
            each.json["model"] for each in arrived.asked
        ]
    for span in calls:
        price = LISTED[span.attributes["gen_ai.request.model"]]
        assert span.error is None
        assert way.attributes <= span.attributes.keys()
        # The conventions count the tokens that were read from the cache among the input.
        assert span.attributes["gen_ai.usage.input_tokens"] == 14 + 2_000
        assert span.attributes["gen_ai.usage.cache_read.input_tokens"] == 2_000
        assert span.attributes["gen_ai.usage.output_tokens"] == 23
        assert span.attributes["claude.cost.usd"] == pytest.approx(
            (14 * price.input + 2_000 * price.read + 23 * price.output) / 1_000_000
        )


def test_metrics_are_of_the_kind_that_the_vendor_takes(followed_way: Followed):
    """A sum that can fall is cumulative in any case.

    https://opentelemetry.io/docs/specs/otel/metrics/sdk_exporters/otlp/#additional-environment-variable-configuration
    """
    way, arrived = followed_way
    for metric in metrics(arrived):
        kind = metric.WhichOneof("data")
        data = getattr(metric, kind)
        if kind == "gauge":
            continue
        falls = kind == "sum" and not data.is_monotonic
        assert data.aggregation_temporality == (CUMULATIVE if falls else way.temporality), metric.name
        assert kind in {"sum", way.histogram}, metric.name


def test_metrics_tell_what_the_api_has_said(followed_way: Followed):
    """Sums are exported once, at the end."""
    way, arrived = followed_way
    counted: Counter[str] = Counter()
    for metric in metrics(arrived):
        if metric.name == "claude.token.usage":
            for point in metric.sum.data_points:
                (kind,) = (each.value.string_value for each in point.attributes if each.key == "claude.token.type")
                counted[kind] += point.as_int
    each = {"input": 14, "cache_read": 2_000, "output": 23} if "metrics" in way.paths else {}
    assert arrived.asked
    assert counted == {kind: len(arrived.asked) * count for kind, count in each.items()}


def test_events_tell_what_the_api_has_said(followed_way: Followed):
    """The first call was refused once, and tried again."""
    way, arrived = followed_way
    told = [event.name for event in arrived.receiver.events if event.name != "claude.doctor"]
    assert told == (["claude.retry"] if "logs" in way.paths else [])


def test_the_doctor_has_something_of_each_signal_arrive(followed_way: Followed):
    way, arrived = followed_way
    came = {
        "traces": [span.name for span in arrived.receiver.spans].count("otel-claude doctor"),
        "metrics": [metric.name for metric in metrics(arrived)].count("claude.doctor"),
        "logs": [event.name for event in arrived.receiver.events].count("claude.doctor"),
    }
    assert came == {signal: int(way.doctor and signal in way.paths) for signal in SIGNALS}
    assert ("no problems" in arrived.written) == way.doctor


def metrics(arrived: Arrived) -> Iterator[Any]:
    for payload in arrived.receiver.payloads:
        if payload.path == "/v1/metrics":
            for resource in ExportMetricsServiceRequest.FromString(payload.body).resource_metrics:
                for scope in resource.scope_metrics:
                    yield from scope.metrics


def test_every_block_of_variables_is_followed():
    """All but the two for the simulated API, and the one that `test_grafana_page.py` follows."""
    everywhere = {
        (page, section, number)
        for page in PAGES
        for section in sections(page)
        if section != "Install"
        for number, _ in enumerate(exports(page, section))
    }
    taken = {
        (way.page, way.section, number)
        for way in WAYS
        for number in range(len(exports(way.page, way.section)))[way.block]
    }
    assert everywhere - taken == {("vendors/grafana", "Prometheus alone", 0)}


@pytest.mark.parametrize("page", PAGES)
def test_the_variables_on_a_page_are_ones_that_somebody_reads(page: str):
    """Some of them only say the default, so that a wrong name of theirs would change nothing."""
    known: set[str] = set()
    for listed in entry_points(group="opentelemetry_environment_variables"):
        module: ModuleType = listed.load()
        known |= set(vars(module))
    named = set(re.findall(r"\bOTEL_[A-Z_]+\b", text(page)))
    assert named
    assert named - known - {GENAI_CONTENT} == set()


@pytest.mark.parametrize(
    ("page", "section", "listening"),
    [
        ("vendors/aws_x_ray", "Send", r"http:\n\s+endpoint: (\S+)"),
        ("vendors/datadog", "With the Agent", r"http:\n\s+endpoint: (\S+)"),
        ("vendors/grafana", "Alloy, Tempo, Mimir and Loki", r'http \{\n\s+endpoint = "(\S+)"'),
    ],
)
def test_what_stands_in_between_listens_where_the_program_sends(page: str, section: str, listening: str):
    (heard,) = re.findall(listening, text(page))
    (block,) = exports(page, section)
    (sent,) = re.findall(r"OTEL_EXPORTER_OTLP_ENDPOINT=http://(\S+)", block)
    assert heard.replace("127.0.0.1", "localhost") == sent


def test_datadogs_agent_has_a_tag_of_each_process():
    (configuration,) = map(yaml.safe_load, fenced("vendors/datadog", "yaml"))
    assert configuration["otlp_config"]["metrics"] == {"resource_attributes_as_tags": True}
    assert "DD_OTLP_CONFIG_METRICS_RESOURCE_ATTRIBUTES_AS_TAGS=true" in text("vendors/datadog")


@pytest.mark.parametrize(
    ("page", "section", "begins"),
    [
        ("vendors/datadog", "Datadog", "post()"),
        ("vendors/new_relic", "New Relic", "sed"),
        ("vendors/new_relic", "New Relic", "jq -c"),
    ],
)
def test_what_stands_on_two_pages_is_the_same(page: str, section: str, begins: str):
    """The page on dashboards has the same commands, and a test that runs them."""
    one, other = (
        [block for block in indented(markdown) if block.startswith(begins)]
        for markdown in (text(page), sections("dashboards")[section])
    )
    assert len(one) == 1
    assert one == other


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
def test_datadogs_monitors_notify_whom_the_page_says(tmp_path: Path):
    blocks = indented(sections("vendors/datadog")["The dashboard and the monitors"])
    wanted = [block for block in blocks if block.startswith(("otel-claude", "jq 'map"))]
    assert len(wanted) == 2
    before, after = (monitors(tmp_path, "\n".join(wanted[:count])) for count in (1, 2))
    assert not any("@" in message for message in before)
    assert after == [f"{message} @slack-oncall" for message in before]


def monitors(home: Path, commands: str) -> list[str]:
    """The messages of the monitors, after some commands."""
    shell(commands, home, {})
    return [each["message"] for each in json.loads((home / "claude-datadog-monitors.json").read_text("utf-8"))]
