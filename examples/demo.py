"""The demo: runs the support assistant under `opentelemetry-instrument`, and draws its telemetry in the terminal.

    python examples/demo.py            against the simulated API of `otel_claude.testing`, with no key and no network
    python examples/demo.py --real     against the Claude API, with `ANTHROPIC_API_KEY`; calls are billed

After it comes an agent that has run away, to show what becomes of its trace; never against the Claude API.

Both are programs like any other and know nothing of this. All that they are given is in `launch.environment`. With
`OTEL_EXPORTER_OTLP_ENDPOINT` set, what they export goes to the receiver there as well (OTLP over HTTP), but for the
trace without the cap.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit

import before_after
import tables
import tree
from launch import AGENT, ENDPOINT, KEY, command, environment, shown
from receiver import Payload, Receiver, relay
from rich.console import Console, RenderableType
from rich.text import Text
from script import TYPO, support

from otel_claude.testing import SimulatedClaude

APPLICATION = "support_assistant.py"
METRICS = "Metrics"
WIDTH = 100


def run(console: Console, env: Mapping[str, str]) -> int:
    """Runs the assistant, its output shown as it comes, and returns its exit status."""
    console.print(shown(APPLICATION), highlight=False)
    console.print()
    with subprocess.Popen(  # noqa: S603  # the assistant
        command(APPLICATION),
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        while process.stdout and (character := process.stdout.read(1)):
            console.print(character, end="", markup=False, highlight=False, soft_wrap=True)
    return process.returncode


def sections(receiver: Receiver, *, ascii_only: bool) -> dict[str, RenderableType]:
    """What has come in, drawn, by its title."""
    spans, points, events = receiver.spans, receiver.points, receiver.events
    if not spans:
        return {"No spans have come in": ""}
    numbers = tree.numbered(spans)
    return {
        f"{len(numbers)} traces in {tree.duration(spans):.1f} s": tree.traces(spans, numbers, ascii_only=ascii_only),
        "Costs": tables.costs(points, spans),
        METRICS: tables.metrics(points),
        f"{len(events)} {'event' if len(events) == 1 else 'events'}": tables.events(events, numbers),
    }


def draw(console: Console, drawn: Mapping[str, RenderableType]) -> None:
    for title, section in drawn.items():
        console.rule(Text(title, "bold"), align="left", style="dim")
        console.print(section)
        console.print()


def save_picture(path: Path, name: str, drawn: Mapping[str, RenderableType], *, command: str | None = None) -> None:
    """Writes sections to an SVG file, below a command if that is given."""
    console = Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True)
    if command is not None:
        console.print(command, highlight=False)
        console.print()
    draw(console, drawn)
    console.save_svg(str(path), title="otel-claude", unique_id=name)


def report_relay(console: Console, payloads: Sequence[Payload], endpoint: str) -> None:
    """Relays them to `endpoint`, and says so. Credentials belong in the headers: those in the URL are dropped."""
    url = urlsplit(endpoint)
    bare = url._replace(netloc=url.netloc.rpartition("@")[2]).geturl()
    failures = relay(payloads, bare)
    console.print(f"{len(payloads) - len(failures)} of {len(payloads)} payloads relayed to {bare}")
    for failure in dict.fromkeys(failures):
        console.print(Text.assemble(("not relayed: ", "yellow"), failure))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--real", action="store_true", help=f"call the Claude API, with {KEY}; calls are billed")
    parser.add_argument("--width", type=int, help="columns; by default those of the terminal, else 100")
    parser.add_argument("--svg", type=Path, help="write traces, costs and events to an SVG file as well")
    parser.add_argument("--cap-svg", type=Path, help="write the trace before and after the span cap to an SVG file")
    options = parser.parse_args()
    if options.real and not os.environ.get(KEY):
        parser.error(f"--real calls the Claude API, and {KEY} is not set")
    if options.real and options.cap_svg is not None:
        parser.error("--cap-svg is of the agent that has run away, which never calls the Claude API")
    if not AGENT.exists():
        parser.error(f"there is no {AGENT.name} beside {Path(sys.executable).name}: install opentelemetry-distro")

    sys.stdout.reconfigure(errors="replace")
    console = Console(width=options.width)
    if not console.is_terminal and options.width is None and "COLUMNS" not in os.environ:
        console.width = WIDTH
    with ExitStack() as stack:
        receiver = stack.enter_context(Receiver())
        claude = None if options.real else stack.enter_context(SimulatedClaude())
        if claude is not None:
            claude.will(*support())
        settings = {"OTEL_SERVICE_NAME": "support-assistant", "SUPPORT_COMPLAINTS_MODEL": TYPO}
        status = run(console, environment(os.environ, receiver.endpoint, claude and claude.base_url, **settings))
    draw(console, sections(receiver, ascii_only=console.options.ascii_only))
    payloads = receiver.payloads
    if options.svg is not None:
        # All but the metrics, for which there is no room.
        drawn = sections(receiver, ascii_only=False)
        drawn = {title: section for title, section in drawn.items() if title != METRICS}
        save_picture(options.svg, "demo", drawn, command=shown(APPLICATION))
    if not options.real:
        # Nobody wants to pay for an agent that has run away.
        before, after = before_after.shown_runs(console, os.environ)
        draw(console, before_after.sections(before, after, ascii_only=console.options.ascii_only))
        status = status or before.status or after.status
        payloads = [*payloads, *after.receiver.payloads]
        if options.cap_svg is not None:
            save_picture(options.cap_svg, "span-cap", before_after.sections(before, after, ascii_only=False))
    if os.environ.get(ENDPOINT):
        report_relay(console, payloads, os.environ[ENDPOINT])
    return status


if __name__ == "__main__":
    sys.exit(main())
