"""The demo: runs the support assistant under `opentelemetry-instrument`, and draws its telemetry in the terminal.

    python examples/demo.py            against the simulated API of `otel_claude.testing`, with no key and no network
    python examples/demo.py --real     against the Claude API, with `ANTHROPIC_API_KEY`; calls are billed

The assistant is a program like any other and knows nothing of this. All that it is given is in `environment`. With
`OTEL_EXPORTER_OTLP_ENDPOINT` set, what it exports goes to the receiver there as well (OTLP over HTTP).
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit

import tables
import tree
from receiver import Receiver, relay
from rich.console import Console, RenderableType
from rich.text import Text
from script import TYPO, outcomes

from otel_claude.testing import SimulatedClaude

APPLICATION = Path(__file__).with_name("support_assistant.py")
AGENT = Path(sys.executable).with_name("opentelemetry-instrument")
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
KEY = "ANTHROPIC_API_KEY"
COMMAND = f"[bold]$ opentelemetry-instrument python examples/{APPLICATION.name}"
METRICS = "Metrics"
WIDTH = 100


def environment(outer: Mapping[str, str], endpoint: str, api: str | None) -> dict[str, str]:
    """The environment of the assistant, made from ours.

    It exports to the receiver at `endpoint`; headers for the one of the user go along with it. `api` is the base URL of
    the simulated API, `None` means the real one. The model for complaints is misspelled, which makes a call fail.
    """
    names = (
        name for name in outer if name == "OTEL_EXPORTER_OTLP_HEADERS" or not name.startswith("OTEL_EXPORTER_OTLP_")
    )
    unproxied = outer.get("no_proxy") or outer.get("NO_PROXY")
    ours = {
        "OTEL_SERVICE_NAME": "support-assistant",
        ENDPOINT: endpoint,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_SEMCONV_STABILITY_OPT_IN": "http",
        "SUPPORT_COMPLAINTS_MODEL": TYPO,
        "PYTHONIOENCODING": "utf-8",
        **dict.fromkeys(("NO_PROXY", "no_proxy"), f"{unproxied},127.0.0.1" if unproxied else "127.0.0.1"),
    }
    inherited = {name: outer[name] for name in names}
    if api is None:
        return inherited | ours
    simulated = {name: value for name, value in inherited.items() if not name.startswith("ANTHROPIC_")}
    return simulated | ours | {"ANTHROPIC_BASE_URL": api, KEY: "sk-ant-simulated"}


def run(console: Console, env: Mapping[str, str]) -> int:
    """Runs the assistant, its output shown as it comes, and returns its exit status."""
    console.print(COMMAND, highlight=False)
    console.print()
    command = [AGENT, sys.executable, APPLICATION]
    with subprocess.Popen(  # noqa: S603  # the assistant
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace"
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


def save_picture(path: Path, receiver: Receiver) -> None:
    """Writes what fits a picture to an SVG file: all but the metrics."""
    console = Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True)
    console.print(COMMAND, highlight=False)
    console.print()
    drawn = sections(receiver, ascii_only=False)
    draw(console, {title: section for title, section in drawn.items() if title != METRICS})
    console.save_svg(str(path), title="otel-claude", unique_id="demo")


def report_relay(console: Console, receiver: Receiver, endpoint: str) -> None:
    """Relays everything to `endpoint`, and says so. Credentials belong in the headers: those in the URL are dropped."""
    url = urlsplit(endpoint)
    bare = url._replace(netloc=url.netloc.rpartition("@")[2]).geturl()
    failures = relay(receiver.payloads, bare)
    console.print(f"{len(receiver.payloads) - len(failures)} of {len(receiver.payloads)} payloads relayed to {bare}")
    for failure in dict.fromkeys(failures):
        console.print(Text.assemble(("not relayed: ", "yellow"), failure))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--real", action="store_true", help=f"call the Claude API, with {KEY}; calls are billed")
    parser.add_argument("--width", type=int, help="columns; by default those of the terminal, else 100")
    parser.add_argument("--svg", type=Path, help="write traces, costs and events to an SVG file as well")
    options = parser.parse_args()
    if options.real and not os.environ.get(KEY):
        parser.error(f"--real calls the Claude API, and {KEY} is not set")
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
            claude.will(*outcomes())
        status = run(console, environment(os.environ, receiver.endpoint, claude and claude.base_url))
    draw(console, sections(receiver, ascii_only=console.options.ascii_only))
    if os.environ.get(ENDPOINT):
        report_relay(console, receiver, os.environ[ENDPOINT])
    if options.svg is not None:
        save_picture(options.svg, receiver)
    return status


if __name__ == "__main__":
    sys.exit(main())
