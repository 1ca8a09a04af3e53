"""MLflow: traces over OTLP, read back over its REST interface.

An *experiment* is where it files traces, by a header. MLflow takes neither metrics nor log records.

https://mlflow.org/docs/latest/genai/tracing/
"""

import json
import math
import tempfile
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from facts import (
    CHATS,
    FAILED,
    OF_TRACES,
    OF_TREES,
    SPAN_INPUT,
    SPAN_OUTPUT,
    SPAN_READ,
    SPAN_USD,
    SPAN_WRITTEN,
    Facts,
    expected,
    of_nodes,
)
from program import OFF, RUNAWAY, SUPPORT, ran, rounds
from results import Shown, Unlike
from said import RUNAWAY_SAYS, Said
from script import TYPO, support
from servers import HOST, Server, free_ports, server, settled
from trees import Node, misplaced

from pricing.listed_prices import LISTED, Listed

MOST = 100
MODEL_CALL = '"CHAT_MODEL"'
TOKENS: Mapping[str, str] = {
    SPAN_INPUT: "input_tokens",
    SPAN_OUTPUT: "output_tokens",
    SPAN_READ: "cache_read_input_tokens",
    SPAN_WRITTEN: "cache_creation_input_tokens",
}
"""Facts, with the keys of a trace's usage."""
INPUT_USD = "USD of the input, of spans that tell it"
OUTPUT_USD = "USD of the output, of spans that tell it"
PARTS: Mapping[str, str] = {INPUT_USD: "input_cost", OUTPUT_USD: "output_cost"}
"""Facts, with the keys of a span's cost."""
COMPATIBLE = {"OTEL_CLAUDE_COMPATIBILITY": "mlflow"}
NANOSECONDS = 1e9

OWN_PRICES = "prices of its own: for cache writes of an hour those of five minutes, and the prompt of a broken answer"
OLD_PRICES = "prices of its own: none of Claude Haiku 5.5, and an older one of what Sonnet 5.5 reads from the cache"
ALL_COSTS = "with the results of batches, and with the prompt of a broken answer, which MLflow prices itself"
CATALOG: Mapping[str, Listed | None] = {
    "claude-haiku-5-5": None,
    "claude-sonnet-5-5": LISTED["claude-sonnet-5-5"]._replace(read=0.20),
}
"""The prices of `mlflow/utils/model_catalog/anthropic.json` that are not those of the price pages."""


@contextmanager
def mlflow(commands: Path, home: Path) -> Generator[Server]:
    """Runs MLflow with one worker, which keeps everything in `home`."""
    (port,) = free_ports(1)
    command = (
        *(commands / "mlflow", "server", "--host", HOST, "--port", str(port), "--workers", "1"),
        *("--backend-store-uri", f"sqlite:///{home / 'mlflow.db'}"),
        *("--artifacts-destination", str(home / "artifacts")),
    )
    environment = {
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PATH": f"{commands}:/usr/bin:/bin",
    }
    with server(command, home, port, "/health", environment) as started:
        yield started


class Experiment:
    """An experiment of MLflow, made anew."""

    def __init__(self, running: Server, name: str) -> None:
        self.name = name
        self.endpoint = running.url
        self._running = running
        self._id = running.post("/api/2.0/mlflow/experiments/create", {"name": name})["experiment_id"]
        self.headers = {"x-mlflow-experiment-id": self._id}

    @property
    def variables(self) -> Mapping[str, str]:
        """What makes a program send its traces here."""
        headers = ",".join(f"{name}={value}" for name, value in self.headers.items())
        return {**OFF, "OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_HEADERS": headers}

    @property
    def traces(self) -> Sequence[Any]:
        """The traces that are filed in it."""
        location = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": self._id}}
        found = self._running.post("/api/3.0/mlflow/traces/search", {"locations": [location], "max_results": MOST})
        return found.get("traces", [])

    @property
    def facts(self) -> Facts:
        """What MLflow shows of it."""
        traces = self.traces
        spans = [span for trace in traces for span in self._spans(trace["trace_id"])]
        calls = [span for span in spans if span["attributes"].get("mlflow.spanType") == MODEL_CALL]
        costs = [json.loads(span["attributes"].get("mlflow.llm.cost", "{}")) for span in spans]
        usage = [_told(trace, "mlflow.trace.tokenUsage") for trace in traces]
        return {
            CHATS: len(calls),
            FAILED: sum(span["status"]["code"] == "STATUS_CODE_ERROR" for span in calls),
            **of_nodes(nodes_of(spans)),
            **{fact: sum(each.get(key, 0) for each in usage) for fact, key in TOKENS.items()},
            SPAN_USD: sum(_told(trace, "mlflow.trace.cost").get("total_cost", 0) for trace in traces),
            **{fact: sum(each.get(key, 0) for each in costs) for fact, key in PARTS.items()},
        }

    def _spans(self, trace: str) -> Sequence[Any]:
        return self._running.get("/ajax-api/3.0/mlflow/get-trace-artifact", request_id=trace)["spans"]

    def shown(self, said: Said, wanted: Sequence[str] = OF_TRACES, unlike: Mapping[str, Unlike] | None = None) -> Shown:
        """What it shows of a run, when that is all there."""
        told = {**expected(said), **_parts(said)}
        shown = settled(
            lambda: Shown(self.name, told, self.facts, wanted, unlike or {}), lambda shown: not [*shown.failures]
        )
        nodes = nodes_of(span for trace in self.traces for span in self._spans(trace["trace_id"]))
        return shown.but(*misplaced(nodes, said.done.tree, said.began, said.ended, said.paused))


def nodes_of(spans: Iterable[Any]) -> Sequence[Node]:
    """Spans of MLflow, as nodes."""
    return [
        Node(
            span["name"],
            span["trace_id"],
            span["span_id"],
            span["parent_span_id"] or "",
            *(span[f"{time}_time_unix_nano"] / NANOSECONDS for time in ("start", "end")),
        )
        for span in spans
    ]


def _parts(said: Said) -> Facts:
    """What input and output have cost: of the calls that came whole, and of the prompts that MLflow prices itself.

    The span of a batch's results tells only what all of it has cost.
    """
    output = math.fsum(call.parts["output"] for call in said.alone)
    return {INPUT_USD: math.fsum(call.cost for call in said.alone) - output, OUTPUT_USD: output}


def _told(trace: Any, name: str) -> Any:
    return json.loads(trace.get("trace_metadata", {}).get(name, "{}"))


def check(commands: Path) -> Iterator[Shown]:
    """Runs programs, and tells what MLflow shows of each."""
    with tempfile.TemporaryDirectory() as home, mlflow(commands, Path(home)) as running:
        yield from _of_calls(running)
        yield from _of_the_demo(running)
        yield from _of_an_agent(running)


def _of_calls(running: Server) -> Iterator[Shown]:
    plain = Experiment(running, "calls")
    with rounds(plain.endpoint, **plain.variables) as program:
        program.next()
        said = program.next()
    yield plain.shown(said, unlike={SPAN_USD: Unlike(sum(_own_prices(said)), OWN_PRICES)})
    told = Experiment(running, "calls-mlflow")
    with rounds(told.endpoint, **told.variables, **COMPATIBLE) as program:
        program.next()
        said = program.next()
    # All that the API said: with batches, and with the prompts of broken answers.
    unlike = {SPAN_USD: Unlike(sum(call.cost for call in said.calls), ALL_COSTS)}
    yield told.shown(said, (*OF_TRACES, *PARTS), unlike)


def _own_prices(said: Said) -> Iterator[float]:
    for call in said.alone:
        listed = LISTED[call.model]
        yield call.at(listed._replace(write_1h=listed.write_5m))


def _of_the_demo(running: Server) -> Iterator[Shown]:
    plain = Experiment(running, "demo")
    said = ran(SUPPORT, support(), plain.endpoint, **plain.variables, SUPPORT_COMPLAINTS_MODEL=TYPO)
    prices = ((call, CATALOG[call.model]) for call in said.alone)
    catalog = sum(call.at(listed) for call, listed in prices if listed is not None)
    yield plain.shown(said, unlike={SPAN_USD: Unlike(catalog, OLD_PRICES)})
    told = Experiment(running, "demo-mlflow")
    said = ran(SUPPORT, support(), told.endpoint, **told.variables, **COMPATIBLE, SUPPORT_COMPLAINTS_MODEL=TYPO)
    yield told.shown(said, (*OF_TRACES, *PARTS))


def _of_an_agent(running: Server) -> Iterator[Shown]:
    """An agent that has run away, with the span cap and the sums that its summaries have."""
    told = Experiment(running, "capped-mlflow")
    said = ran(RUNAWAY, RUNAWAY_SAYS, told.endpoint, **told.variables, **COMPATIBLE)
    yield told.shown(said, (*OF_TREES, *TOKENS, SPAN_USD))
