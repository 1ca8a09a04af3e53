"""Prometheus, as Debian has it: it asks a program for its metrics, over `opentelemetry-exporter-prometheus`.

https://prometheus.io/docs/prometheus/latest/querying/api/
"""

import json
import tempfile
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import labels
from facts import (
    COST,
    FAILURES,
    INTERRUPTIONS,
    KINDS,
    OF_METRICS,
    RETRIES,
    SIZES,
    TOKENS,
    Facts,
    differences,
    expected,
    text,
)
from program import OFF, SUPPORT, rounds, stays
from results import Shown
from said import Said
from script import TYPO, support
from servers import HOST, Server, free_ports, server, settled

OURS = 'otel_scope_name="otel_claude"'
QUERIES: Mapping[str, str] = {
    **{TOKENS.format(kind): f'sum(claude_token_usage_total{{claude_token_type="{kind}",{OURS}}})' for kind in KINDS},
    **{
        COST.format(kind): f'sum(claude_cost_USD_total{{claude_processing="{kind}",{OURS}}})'
        for kind in ("standard", "batch")
    },
    **{
        SIZES.format(kind): f'sum(gen_ai_client_token_usage_sum{{gen_ai_token_type="{kind}",{OURS}}})'
        for kind in ("input", "output")
    },
    FAILURES: f'sum(gen_ai_client_operation_duration_seconds_count{{error_type!="",{OURS}}})',
    RETRIES: f"sum(claude_retries_total{{{OURS}}})",
    INTERRUPTIONS: f"sum(claude_stream_interruptions_total{{{OURS}}})",
}
SLOWEST = f"histogram_quantile(0.95, sum by (le) (gen_ai_client_operation_duration_seconds_bucket{{{OURS}}}))"
LASTED = f"sum(gen_ai_client_operation_duration_seconds_sum{{{OURS}}})"
GREW = f"sum(increase(claude_cost_USD_total{{{OURS}}}[1m]))"
NOWHERE = f"http://{HOST}:9"
"""Nothing is sent: Prometheus fetches it."""


@contextmanager
def prometheus(commands: Path, home: Path, target: int) -> Generator[Server]:
    """Runs Prometheus, which asks for the metrics at a port."""
    (port,) = free_ports(1)
    configuration = {
        "global": {"scrape_interval": "250ms", "scrape_timeout": "250ms"},
        "scrape_configs": [{"job_name": "claude", "static_configs": [{"targets": [f"{HOST}:{target}"]}]}],
    }
    file = home / "prometheus.yml"
    # JSON is YAML.
    file.write_text(json.dumps(configuration), "utf-8")
    command = (
        commands / "prometheus",
        f"--config.file={file}",
        f"--storage.tsdb.path={home / 'data'}",
        f"--web.listen-address={HOST}:{port}",
    )
    with server(command, home, port, "/-/ready", {}) as started:
        yield started


def asked(running: Server, query: str) -> float | None:
    """The one number that a query gives, or `None` where there is none."""
    result = running.get("/api/v1/query", query=query)["data"]["result"]
    return float(result[0]["value"][1]) if len(result) == 1 else None


def by_labels(running: Server) -> Facts:
    """What it shows of the metrics by their labels."""
    return {
        fact: float(each["value"][1])
        for metric in labels.METRICS
        for each in _grouped(running, metric)
        if float(each["value"][1])
        for fact in (metric.fact({label: each["metric"].get(_underscored(label), "") for label in metric.labels}),)
    }


def _grouped(running: Server, metric: labels.Metric) -> Any:
    by = ", ".join(map(_underscored, metric.labels))
    query = f"sum by ({by}) ({metric.prometheus}{{{OURS}}})"
    return running.get("/api/v1/query", query=query)["data"]["result"]


def _underscored(label: str) -> str:
    return label.replace(".", "_")


def check(commands: Path) -> Iterator[Shown]:
    """Runs programs, and tells what Prometheus shows of each: of the first one after each of two rounds."""
    with _asking(commands) as (running, variables), rounds(NOWHERE, **variables) as program:
        first = program.next()
        early = [*differences(expected(first), _settled(running, first), OF_METRICS)]
        second = program.next()
        shown = _shown(running, "two rounds", second)
        yield shown.but(*early, *_of_time(running, expected(second)))
    with (
        _asking(commands) as (running, variables),
        stays(SUPPORT, support(), NOWHERE, **variables, SUPPORT_COMPLAINTS_MODEL=TYPO) as said,
    ):
        yield _shown(running, "the demo", said)


@contextmanager
def _asking(commands: Path) -> Generator[tuple[Server, Mapping[str, str]]]:
    """Runs Prometheus, and tells what makes a program answer it."""
    (target,) = free_ports(1)
    variables = {
        **OFF,
        "OTEL_METRICS_EXPORTER": "prometheus",
        "OTEL_EXPORTER_PROMETHEUS_HOST": HOST,
        "OTEL_EXPORTER_PROMETHEUS_PORT": str(target),
    }
    with tempfile.TemporaryDirectory() as home, prometheus(commands, Path(home), target) as running:
        yield running, variables


def _settled(running: Server, said: Said) -> Facts:
    """What it shows, when that is all there."""

    def seen() -> Facts:
        answers = {fact: asked(running, query) for fact, query in QUERIES.items()}
        # A sum of nothing is no number there.
        return {fact: answer or 0 for fact, answer in answers.items()}

    return settled(seen, lambda facts: not [*differences(expected(said), facts, OF_METRICS)])


def _shown(running: Server, run: str, said: Said) -> Shown:
    facts = _settled(running, said)
    complaints = [
        *labels.unlike(labels.by_hand(said), by_labels(running)),
        *labels.too_long(said, asked(running, LASTED) or 0),
    ]
    return Shown(run, expected(said), facts, OF_METRICS, complaints=complaints)


def _of_time(running: Server, said: Facts) -> Iterator[str]:
    """What is wrong with the answers to queries that look at a range of time, or at buckets."""
    slowest = asked(running, SLOWEST)
    if slowest is None or not 0 < slowest < 10:
        yield f"{SLOWEST} is {slowest}"
    # The first value of a counter is no increase, so what is left is about the second round.
    grew, spent = asked(running, GREW), said[COST.format("standard")] + said[COST.format("batch")]
    if grew is None or not 0 < grew < 2 * spent:
        yield f"{GREW} is {text(grew)}, where {text(spent)} were spent in two rounds"
