"""`otel-claude doctor`: whether calls are recorded here, and arrive where they should.

In: the environment of the process. Out: what was looked at, and how to mend what is wrong, as a table or JSON.
"""

import argparse
import json
import os
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from otel_claude.commands.tables import printable, table
from otel_claude.doctor.attributes import unprinted
from otel_claude.doctor.check import Check, Section, Status
from otel_claude.doctor.confidential import Confidential
from otel_claude.doctor.report import Report
from otel_claude.doctor.signals import LOGS, METRICS, NAME, POINT, TRACES, Signal, listed
from otel_claude_command import told

WELL, WRONG = 0, 1
SECONDS = 10.0
MOST_SECONDS = 600.0

WIDTH = 110
MARKS: Mapping[Status, str] = {"ok": "ok", "note": "note", "problem": "PROBLEM"}
MARK_WIDTH = max(map(len, MARKS.values()))
FOUND: Mapping[Signal, str] = {
    TRACES: f"the span `{NAME}` in the trace {{}}",
    METRICS: f"the metric `{POINT}`",
    LOGS: f"the event `{POINT}` in the trace {{}}",
}
"""What can be looked for in a backend, with its trace."""

DESCRIPTION = """\
Look at what is installed and configured, and send one span, one metric and one event through the exporters that
opentelemetry-instrument would use in this environment. What is wrong is shown with how to mend it. Keys, values of
headers and passwords are never shown.
"""
EPILOG = "exit status: 0 nothing is wrong; 1 something is; 2 a wrong argument."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("--offline", action="store_true", help="send nothing, and connect to nothing")
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=seconds,
        default=SECONDS,
        help=f"how long each connection and each export may take; by default {SECONDS:g}",
    )
    parser.add_argument("--format", choices=tuple(FORMATS), default="table", help="by default table")


def seconds(text: str) -> float:
    """A number of seconds.

    Raises:
        ArgumentTypeError: it is none, or too large.
    """
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if 0 < number <= MOST_SECONDS:
        return number
    raise argparse.ArgumentTypeError(f"{text!r} is no time; expected seconds, above 0 and up to {MOST_SECONDS:g}")


def run(arguments: argparse.Namespace) -> int:
    """Prints what was found. The exit status."""
    # The SDK reads the attributes of the resource as soon as it is imported.
    with unprinted():
        # Other commands do without OpenTelemetry's SDK, which cannot be imported with some values of its own variables.
        try:
            from otel_claude.doctor.examination import examine
        except Exception as error:
            text = Confidential(os.environ).without(f"{type(error).__name__}: {error}")
            sys.stdout.write(told(text, os.environ, is_json=arguments.format == "json"))
            return WRONG
        report = examine(arguments.timeout, offline=arguments.offline)
    sys.stdout.write(FORMATS[arguments.format](report))
    return WRONG if report.count("problem") else WELL


def as_table(report: Report) -> str:
    """For people: each check on a line, with what to do under it."""
    names = max((len(check.name) for section in report.sections for check in section.checks), default=0)
    parts = [
        f"{section.title}\n{''.join(_lines(check, names) for check in section.checks)}"
        for section in report.sections
        if section.checks
    ]
    parts.append(table(("setting", "value", "from"), report.settings, left=3))
    once = ", once the problems above are mended" if report.count("problem") else ""
    parts.append(_wrapped(f"In short{once}: {report.recorded}", "", ""))
    if report.trace_id is not None:
        found = listed([FOUND[signal].format(report.trace_id) for signal in dict.fromkeys(report.accepted)])
        parts.append(_wrapped(f"To look for in the backend, of service.name {report.service}: {found}.", "", ""))
    parts.append(f"{_counted(report.count('problem'), 'problem')}, {_counted(report.count('note'), 'note')}.\n")
    return "\n".join(parts)


def _counted(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"


def _lines(check: Check, names: int) -> str:
    head = f"  {MARKS[check.status].ljust(MARK_WIDTH)}  {check.name.ljust(names)}  "
    indent = " " * len(head)
    return "".join(
        (_wrapped(check.says, head, indent), *([_wrapped(f"Do: {check.mend}.", indent, indent)] if check.mend else ()))
    )


def _wrapped(text: str, first: str, others: str) -> str:
    lines = textwrap.wrap(
        printable(text),
        WIDTH,
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "".join(f"{line}\n" for line in lines)


def as_json(report: Report) -> str:
    """For programs: one object."""
    told: dict[str, Any] = {
        "problems": report.count("problem"),
        "notes": report.count("note"),
        "checks": list(_objects(report.sections)),
        "settings": [own._asdict() for own in report.settings],
        "recorded": report.recorded,
        "trace_id": report.trace_id,
        "service_name": report.service,
    }
    return f"{json.dumps({name: value for name, value in told.items() if value is not None}, indent=2)}\n"


def _objects(sections: Sequence[Section]) -> Iterator[dict[str, str]]:
    for section in sections:
        for check in section.checks:
            yield {"section": section.title, **{name: value for name, value in check._asdict().items() if value}}


FORMATS: Mapping[str, Callable[[Report], str]] = {"table": as_table, "json": as_json}
"""What `--format` accepts."""
