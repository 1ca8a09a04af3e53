"""Grafana's page, followed with a real Prometheus: what of the dashboard somebody new sees."""

import math
import re
import shutil
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from vendor_pages import command, exports, fenced, indented, program, sections, shell, started, variables

from dashboards.prometheus_server import JOB, PrometheusServer
from otel_claude.dashboards.grafana import dashboard
from otel_claude.testing import SimulatedClaude

PAGE = "vendors/grafana"
SECTION = "Prometheus alone"
PORT = "OTEL_EXPORTER_PROMETHEUS_PORT"

EMPTY = {
    "Budgets": "no budget is set",
    "Spent of each budget": "no budget is set",
    "Calls without a price (calls a minute)": "both models have one",
    "Opus, slowest tenth": "the program calls Haiku and Sonnet",
    "Errors by category (errors a minute)": "no call fails",
    "Streams that did not reach their end (streams a minute)": "all do",
    "What broke streams": "nothing",
    "Retries (retries a minute)": "no call is tried again",
    "Runs of agents (runs a minute)": "the program has no agent",
    "Model calls of a run": "the program has no agent",
    "Runs that failed": "the program has no agent",
    "Tools, slowest tenth": "the program has no tool",
    "Tools executed (tools a minute)": "the program has no tool",
    "Tools that failed": "the program has no tool",
}
"""The panels that have nothing to show where the page is followed, and why."""

WINDOWS = {"$__rate_interval": "4s", "$__range": "1h", "$service": JOB}
"""For Grafana's words. Its rates are of four minutes, in which the program makes 24 rounds of calls; here of four."""


class Reader(NamedTuple):
    """Somebody who has started the program under these variables, in a folder, and Prometheus."""

    prometheus: PrometheusServer
    environment: Mapping[str, str]
    home: Path

    def has(self, expr: str) -> bool:
        """Whether a query has numbers."""
        for name, window in WINDOWS.items():
            expr = expr.replace(name, window)
        found = self.prometheus.query(expr)
        return any(not math.isnan(value) for _, value in found)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    home = tmp_path_factory.mktemp("reader")
    (home / "app.py").write_text(program(PAGE), "utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with SimulatedClaude() as claude:
        ours = {"ANTHROPIC_BASE_URL": claude.base_url, PORT: str(port), "PAUSE": "1"}
        environment = {**variables(PAGE, exports(PAGE, SECTION)[:1], {}, home), **ours}
        with started(command(PAGE), home, environment):
            prometheus = PrometheusServer(home, port)
            try:
                prometheus.until("sum(claude_responses_total) >= 16")
                yield Reader(prometheus, environment, home)
            finally:
                prometheus.stop()


def test_panels_have_data_as_far_as_there_is_any(reader: Reader):
    panels = {
        panel["title"]: all(reader.has(target["expr"]) for target in panel["targets"])
        for panel in dashboard()["panels"]
        if "targets" in panel
    }
    assert {title for title, has_data in panels.items() if not has_data} == EMPTY.keys()
    assert f"{len(panels) - len(EMPTY)} of its {len(panels)} panels" in sections(PAGE)["What you see"]


def test_queries_of_the_page_have_data_as_far_as_there_is_any(reader: Reader):
    spend, errors, slowest = fenced(PAGE, "promql")
    assert reader.has(spend)
    assert reader.has(slowest)
    assert not reader.has(errors)


def test_a_second_process_on_the_same_port_has_no_telemetry_and_works(reader: Reader):
    written = shell(command(PAGE), reader.home, {**reader.environment, "PAUSE": "0"})
    assert "Address already in use" in written
    assert written.count("Hello! How can I help you today?") == 60
    assert "Address already in use" in re.sub(r"\s+", " ", sections(PAGE)[SECTION])


def test_prometheus_asks_at_the_port_that_is_exported():
    configuration, *_ = map(yaml.safe_load, fenced(PAGE, "yaml"))
    (job,) = configuration["scrape_configs"]
    (exported,) = re.findall(rf"{PORT}=(\d+)", "\n".join(exports(PAGE, SECTION)))
    assert job["static_configs"] == [{"targets": [f"localhost:{exported}"]}]
    # The "Scrape interval" that a data source of Grafana has by default.
    assert configuration["global"]["scrape_interval"] == "15s"


@pytest.mark.skipif(shutil.which("promtool") is None, reason="Prometheus is not installed")
def test_prometheus_reads_its_configuration_with_the_rules(tmp_path: Path):
    (tmp_path / "prometheus.yml").write_text(fenced(PAGE, "yaml")[0], "utf-8")
    written, *_ = indented(sections(PAGE)["The dashboard and the rules"])
    said = shell(f"{written}\npromtool check config prometheus.yml", tmp_path, {})
    assert "SUCCESS: prometheus.yml is valid prometheus config file syntax" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "claude-grafana-dashboard.json",
        "claude-prometheus-rules.yaml",
        "prometheus.yml",
    ]
