"""`otel-claude dashboards`: the dashboard of Grafana, Datadog or New Relic.

In: a backend. Out: its dashboard as JSON, in a file or on the standard output.
"""

import argparse
import sys
from pathlib import Path

from otel_claude.dashboards.files import DASHBOARDS, File

DESCRIPTION = """\
Write the dashboard of a backend: spend, tokens, latency, errors, rate limits, agents and tools. How it is imported
stands in docs/dashboards.md.
"""
EPILOG = "exit status: 0 it was written; 2 a wrong argument, or a directory that cannot be written to."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("backend", choices=tuple(DASHBOARDS), help="what shows it")
    add_output(parser)


def run(arguments: argparse.Namespace) -> int:
    """Writes the dashboard. The exit status."""
    write(DASHBOARDS[arguments.backend], "", arguments.output)
    return 0


def add_output(parser: argparse.ArgumentParser) -> None:
    """The argument for where to write to."""
    parser.add_argument(
        "--output",
        metavar="DIR",
        type=Path,
        help="a directory to write the file into; without it, the text goes to the standard output",
    )


def write(file: File, guide: str, directory: Path | None) -> None:
    """Writes the file into the directory, which is made where it is not there, or its text to the standard output.

    Raises:
        OSError: it cannot be written.
    """
    text = file.text(guide)
    if directory is None:
        sys.stdout.write(text)
        return
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / file.name
    path.write_text(text, "utf-8")
    sys.stdout.write(f"{path}\n")
