"""The span cap at work: the runaway agent runs without it and with it, and both traces are drawn.

In: our environment. Out: a `Run` of each kind, and what to show of them. Some backends take no more than 1,000 spans of
a trace. Between the two stands what is left of the trace without the cap where those are the first: spans are exported
when they end, so an agent's own comes after all others.
"""

import math
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from launch import command, environment, shown
from levels import levels
from part import Part
from receiver import Receiver, Span
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text
from script import research
from tables import new_table, seconds, usd

from otel_claude.testing import SimulatedClaude

APPLICATION = "runaway_agent.py"
CAP = "OTEL_CLAUDE_MAX_SPANS_PER_TRACE"
NO_CAP = {
    CAP: "0",
    # The queue before the exporter has room for 2,048 spans, and which of more are lost is a matter of chance: one of
    # the reasons for the cap. Here, all are to be seen.
    "OTEL_BSP_MAX_QUEUE_SIZE": "65536",
}
FIRST = 1_000


class Run(NamedTuple):
    """A run of the agent: its exit status, what it printed, and what came in."""

    status: int
    output: str
    errors: str
    spans: list[Span]
    receiver: Receiver

    @property
    def size(self) -> int:
        """How many bytes of traces were exported."""
        return sum(len(payload.body) for payload in self.receiver.payloads if payload.path == "/v1/traces")

    def total(self, metric: str) -> float:
        """The sum of a metric."""
        return sum(point.value for point in self.receiver.points if point.metric == metric)

    def counts(self, metric: str, attribute: str) -> dict[str, float]:
        """The values of a metric, by an attribute."""
        points = (point for point in self.receiver.points if point.metric == metric)
        return {point.attributes[attribute]: point.value for point in points}


def run(outer: Mapping[str, str], more: Mapping[str, str]) -> Run:
    """A run, always against a simulated API."""
    with Receiver() as receiver, SimulatedClaude() as claude:
        claude.will(*research())
        done = subprocess.run(  # noqa: S603  # the agent
            command(APPLICATION),
            env=environment(outer, receiver.endpoint, claude.base_url, OTEL_SERVICE_NAME="research-agent", **more),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    return Run(done.returncode, done.stdout, done.stderr, receiver.spans, receiver)


def both(outer: Mapping[str, str]) -> tuple[Run, Run]:
    """A run without the cap and one with it, at the same time, whatever `outer` says of the cap and of sampling."""
    outer = {name: value for name, value in outer.items() if name not in {CAP, "OTEL_TRACES_SAMPLER"}}
    with ThreadPoolExecutor() as pool:
        before, after = pool.map(lambda more: run(outer, more), (NO_CAP, {}))
    return before, after


def shown_runs(console: Console, outer: Mapping[str, str]) -> tuple[Run, Run]:
    """The same, with what was started and what came of it in the terminal."""
    for setting in (f"{CAP}=0 ", ""):
        console.print(shown(APPLICATION, setting), highlight=False)
    before, after = both(outer)
    for said in dict.fromkeys(each.output + (each.errors if each.status else "") for each in (before, after)):
        console.print(said, markup=False, highlight=False, soft_wrap=True)
    return before, after


def sections(before: Run, after: Run, *, ascii_only: bool) -> dict[str, RenderableType]:
    """Both traces, drawn, and what is different, by titles."""
    if not before.spans or not after.spans:
        return {"No spans have come in": ""}
    return {
        "A runaway agent, without the span cap": levels(before.spans, ascii_only=ascii_only),
        "The same with the span cap": levels(after.spans, ascii_only=ascii_only),
        "Before and after": Group(_comparison(before, after), _balance(before, after)),
    }


def _comparison(before: Run, after: Run) -> RenderableType:
    first = sorted(before.spans, key=lambda span: span.end)[:FIRST]
    parts = (Part(before.spans), Part(first), Part(after.spans))
    table = new_table()
    table.add_column("", no_wrap=True)
    for heading in ("without the cap", f"its first {FIRST:,} spans", "with the cap"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_row("spans exported", *(f"{len(part.spans):,}" for part in parts))
    table.add_row("bytes of traces", f"{before.size:,}", "", f"{after.size:,}")
    table.add_row("the agent's own span", *(_good("there") if part.root else _bad("missing") for part in parts))
    table.add_row("spans without their parent", *((_bad if part.orphans else _good)(part.orphans) for part in parts))
    for error in parts[0].errors:
        if not error.isdigit():  # Statuses of HTTP are those of attempts, which the SDK has repeated.
            table.add_row(error, *(_errors(part, error) for part in parts))
    table.add_row("slowest page", *(seconds(part.named("fetch page").longest) for part in parts))
    table.add_row("dearest call", *(usd(part.dearest) for part in parts))
    table.add_row("tokens", *(f"{part.tokens:,}" for part in parts))
    table.add_row("cost", *(usd(part.cost) for part in parts))
    return table


def _errors(part: Part, error: str) -> Text:
    """How many errors of a type are seen, and how many are in summaries."""
    seen, summarized = part.errors[error], part.summarized_errors[error]
    return (_good if seen else _bad)(seen).append(f" + {summarized:,} summarized" if summarized else "")


def _good(value: object) -> Text:
    return Text(str(value))


def _bad(value: object) -> Text:
    return Text(str(value), "red")


def _balance(before: Run, after: Run) -> RenderableType:
    """What has to be equal, and whether it is."""
    whole, kept = Part(before.spans), Part(after.spans)
    root = kept.root.attributes if kept.root else {}
    said = {name: root.get(f"claude.trace.spans.{name}", 0) for name in ("created", "exported", "summarized")}
    counted = after.counts("claude.trace.spans", "claude.trace.disposition")
    totals = [(run.total("claude.token.usage"), run.total("claude.cost")) for run in (before, after)]
    claims = {
        f"{kept.exported:,} exported + {kept.summarized:,} in {len(kept.summaries)} summaries"
        f" = {kept.created:,} created, as without the cap": kept.created == whole.created,
        f"The root span says claude.trace.spans.{_listed(said)}": (
            list(said.values()) == [kept.created, kept.exported, kept.summarized]
        ),
        f"The metric claude.trace.spans says {_listed(counted)}": (
            counted == {"exported": kept.exported, "summarized": kept.summarized}
        ),
        f"{kept.tokens:,} tokens and {usd(kept.cost)} in spans and summaries, as in the metrics of both runs": all(
            tokens == kept.tokens and math.isclose(cost, kept.cost) for tokens, cost in totals
        ),
    }
    table = Table.grid(padding=(0, 1, 0, 0), expand=True)
    table.add_column(ratio=1)
    table.add_column(justify="right")
    for claim, holds in claims.items():
        table.add_row(claim, Text("equal", "green") if holds else Text("NOT EQUAL", "bold red"))
    return table


def _listed(counts: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())
