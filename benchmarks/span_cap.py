"""What the span cap costs: one command prints the tables.

    python benchmarks/span_cap.py [--quick] [--markdown]

Needs valgrind, and runs in the interpreter that it is started with, which needs what `constraints.txt` names.
`README.md` says what the numbers hold.
"""

import argparse
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple, cast

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from report import (
    Table,
    _markdown,  # pyright: ignore[reportPrivateUsage]  # the tables of both commands have one form
    _plain,  # pyright: ignore[reportPrivateUsage]  # the same
)
from run import _total  # pyright: ignore[reportPrivateUsage]  # both read the files of callgrind
from span_cap_worker import KINDS, WORKLOADS

HERE = Path(__file__).resolve().parent

VARIANTS = ("exported", "capped", "created")
SIZES = {(10_000, 10): 3, (100, 100): 5, (10, 1_000): 5, (1, 10_000): 5, (1, 100_000): 3, (1, 1_000_000): 2}
"""How many traces of how many spans are timed, and in how many rounds."""

OPEN = (100, 1_000, 10_000, 100_000, 1_000_000)
"""Spans of the open traces whose memory is looked at."""

ENDED = ((10_000, 10), (100, 1_100))
"""How many traces of how many spans have ended when the memory of what is left of them is looked at."""

HUGE = 1_000_000
"""Spans of a trace that `--quick` leaves out."""

PARTS = {
    "sampler": {
        "exported": "opentelemetry.sdk.trace.sampling:ParentBased.should_sample",
        "capped": "otel_claude.span_cap.sampler:CapSampler.should_sample",
    },
    "the cap's on_start": {"capped": "otel_claude.span_cap.processor:CapProcessor.on_start"},
    "the cap's on_end": {"capped": "otel_claude.span_cap.processor:CapProcessor.on_end"},
    "the batch processor's on_end": dict.fromkeys(
        ("exported", "capped"), "opentelemetry.sdk.trace.export:BatchSpanProcessor.on_end"
    ),
}
"""Functions that are called once for each span, and counted by themselves; by the variants that call them."""

EMPTY = {"exported": "opentelemetry.sdk.trace.export:BatchSpanProcessor._on_ending"}
"""A function that does nothing: what it seems to cost is what counting by itself adds to a function."""

EXPORT = dict.fromkeys(
    ("exported", "capped"), "opentelemetry.exporter.otlp.proto.http.trace_exporter:OTLPSpanExporter.export"
)
"""What is called once for each batch."""

Case = tuple[str, str]
"""A variant, and a kind of spans."""
Costs = Mapping[str, float]
"""Instructions of one span, by workload."""


class Size(NamedTuple):
    """So many traces of so many spans."""

    traces: int
    spans: int


class Timed(NamedTuple):
    """CPU seconds, and how many spans of the last trace have left the process."""

    seconds: float
    left: int


class Run(NamedTuple):
    """What was found: times and bytes by variant and size, `parts` by part and variant. Without parts if quick."""

    costs: Mapping[Case, Costs]
    parts: Mapping[tuple[str, str], Costs]
    times: Mapping[tuple[str, Size], Timed]
    memory: Mapping[tuple[str, Size], int]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="no trace of a million spans, and no parts")
    parser.add_argument("--markdown", action="store_true", help="tables in Markdown")
    options = parser.parse_args(arguments)

    with _receiver() as receiver:
        costs = {(variant, kind): _instructions(receiver, variant, kind) for kind in KINDS for variant in VARIANTS}
        parts = {
            (part, variant): _instructions(receiver, variant, "request", function)
            for part, functions in {**PARTS, "": EMPTY, "encoding and sending": EXPORT}.items()
            for variant, function in functions.items()
            if not options.quick
        }
        times = _times(receiver, [size for size in map(Size._make, SIZES) if not options.quick or size.spans < HUGE])
        sizes = [*(Size(1, spans) for spans in OPEN if not options.quick or spans < HUGE), *map(Size._make, ENDED)]
        memory = {
            (variant, size): int(_work(receiver, "memory", variant, "request", *size))
            for variant in ("exported", "capped")
            for size in sizes
        }

    form = _markdown if options.markdown else _plain
    for title, table in _tables(Run(costs, parts, times, memory)).items():
        print(f"{title}\n\n{form(table)}\n")


class Receiver(ThreadingHTTPServer):
    """A collector that counts the spans it is sent, by trace. What is measured runs in other processes."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.spans: Counter[bytes] = Counter()

    @property
    def endpoint(self) -> str:
        """Where spans are sent to."""
        return f"http://127.0.0.1:{self.server_port}/v1/traces"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        request = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["content-length"])))
        spans = cast("Receiver", self.server).spans
        spans.update(
            span.trace_id
            for resource_spans in request.resource_spans
            for scope_spans in resource_spans.scope_spans
            for span in scope_spans.spans
        )
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name that the base class gives it
        pass


@contextmanager
def _receiver() -> Generator[Receiver]:
    with Receiver() as receiver:
        threading.Thread(target=receiver.serve_forever, daemon=True).start()
        yield receiver
        receiver.shutdown()


def _work(receiver: Receiver, *arguments: object, profiler: Sequence[str] = ()) -> Any:
    """What `span_cap_worker.py` prints. Raises RuntimeError with its last words where it says that something failed."""
    words = [str(argument) for argument in arguments]
    print(f"measuring {' '.join(words)}", file=sys.stderr, flush=True)
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": str(HERE.parent / "src"),
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": receiver.endpoint,
    }
    command = [*profiler, sys.executable, str(HERE / "span_cap_worker.py"), *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode or done.stderr:
        raise RuntimeError((done.stderr.strip().splitlines() or ["no word why"])[-1])
    return json.loads(done.stdout)


def _instructions(receiver: Receiver, variant: str, kind: str, *part: str) -> Costs:
    """Instructions of one span in each workload: all of the thread that makes it, or those of one function."""
    with tempfile.TemporaryDirectory() as folder:
        counted = "PyNumber_InPlaceMatrixMultiply" if part else "PyNumber_MatrixMultiply"
        profiler = [
            "valgrind",
            "--quiet",
            "--tool=callgrind",
            f"--toggle-collect={counted}",
            "--dump-after=PyNumber_MatrixMultiply",
            f"--callgrind-out-file={folder}/block",
        ]
        _work(receiver, "count", variant, kind, *part, profiler=profiler)
        dumps = sorted(Path(folder).glob("block.*"), key=lambda dump: int(dump.suffix[1:]))
        totals = [_total(dump) for dump in dumps]
    sizes = zip(WORKLOADS.items(), totals[1::3], totals[2::3], strict=True)
    return {name: (more - fewer) / workload.units for (name, workload), fewer, more in sizes}


def _times(receiver: Receiver, sizes: Sequence[Size]) -> Mapping[tuple[str, Size], Timed]:
    """The least CPU time of all rounds, in which the variants take turns."""
    times: dict[tuple[str, Size], Timed] = {}
    for size in sizes:
        for _ in range(SIZES[size]):
            for variant in random.sample(VARIANTS, len(VARIANTS)):
                receiver.spans.clear()
                seconds = _work(receiver, "time", variant, "request", *size)
                left = next(reversed(receiver.spans.values()), 0)
                times[variant, size] = min(Timed(seconds, left), times.get((variant, size), Timed(seconds, left)))
    return times


def _tables(run: Run) -> Mapping[str, Table]:
    tables = {
        "A span, instructions in thousands": _of_spans(run),
        "Targets": _targets(run),
        "Where the instructions of an HTTP request's span go, in thousands": _of_parts(run),
        "An HTTP request's span, CPU time in µs": _of_times(run),
        "Memory in kB": _of_memory(run),
    }
    return {title: table for title, table in tables.items() if len(table) > 1}


def _of_spans(run: Run) -> Table:
    rows = [["", "exported", "with the cap", "ratio", "only created", "ratio"]]
    for kind, name in itertools.product(KINDS, WORKLOADS):
        exported, capped, created = (run.costs[variant, kind][name] / 1000 for variant in VARIANTS)
        numbers = f"{exported:,.0f}", f"{capped:,.0f}", f"{capped / exported:.2f}", f"{created:,.0f}"
        rows.append([f"{KINDS[kind].title}, {WORKLOADS[name].title}", *numbers, f"{created / exported:.2f}"])
    return rows


TARGETS = {"small": 1.1, "under": 1.1, "full": 1.1, "over": 0.5}
"""What a span may cost with the cap, by workload, as a ratio to one that is exported without."""


def _targets(run: Run) -> Table:
    titles = ((kind.title, "") for kind in KINDS.values())
    rows = [["ratio to an exported span", "at most", *itertools.chain(*titles)]]
    for name, limit in TARGETS.items():
        row = [WORKLOADS[name].title, f"{limit:g}"]
        for kind in KINDS:
            ratio = run.costs["capped", kind][name] / run.costs["exported", kind][name]
            # Where things lie in memory changes the count by half a percent.
            row += [f"{ratio:.2f}", "met" if round(ratio, 2) <= limit else "NOT MET"]
        rows.append(row)
    return rows


def _of_parts(run: Run) -> Table:
    """What is left when the parts are taken away from the whole is OpenTelemetry's SDK, and the loop."""
    rows = [["", "exported", "with the cap, under it", "with the cap, beyond it"]]
    columns = [("exported", "under"), ("capped", "under"), ("capped", "over")]
    left = {column: run.costs[column[0], "request"][column[1]] for column in columns}
    for part in dict.fromkeys(part for part, _ in run.parts if part):
        row = [part]
        for variant, name in columns:
            cost = run.parts.get((part, variant), {}).get(name, 0.0)
            if cost and part in PARTS:
                cost -= run.parts["", "exported"][name]
            left[variant, name] -= cost
            row.append(f"{cost / 1000:,.1f}" if cost else "")
        rows.append(row)
    if run.parts:
        rows.append(["creation by the SDK", *(f"{left[column] / 1000:,.1f}" for column in columns)])
    return rows


def _of_times(run: Run) -> Table:
    rows = [["", "exported", "with the cap", "ratio", "only created", "spans of a trace sent", "with the cap"]]
    for size in dict.fromkeys(size for _, size in run.times):
        exported, capped, created = (run.times[variant, size].seconds for variant in VARIANTS)
        spans = size.traces * size.spans
        row = [_title(size), f"{exported / spans * 1e6:.1f}", f"{capped / spans * 1e6:.1f}", f"{capped / exported:.2f}"]
        sent = (f"{run.times[variant, size].left:,}" for variant in ("exported", "capped"))
        rows.append([*row, f"{created / spans * 1e6:.1f}", *sent])
    return rows


def _of_memory(run: Run) -> Table:
    rows = [["", "SDK alone", "with the cap"]]
    for size in dict.fromkeys(size for _, size in run.memory):
        title = f"{_title(size)}, {'open' if size.traces == 1 else 'ended; each'}"
        kilobytes = (run.memory[variant, size] / size.traces / 1000 for variant in ("exported", "capped"))
        rows.append([title, *(f"{number:,.1f}" for number in kilobytes)])
    return rows


def _title(size: Size) -> str:
    traces = "a trace" if size.traces == 1 else f"{size.traces:,} traces"
    return f"{traces} of {size.spans:,} spans"


if __name__ == "__main__":
    main()
