"""`otel-claude costs`: what was spent, out of exported telemetry or the ledger of the budgets.

In: files of OTLP/JSON, one export request a line, or the address of a ledger. Out: sums by the labels that are asked
for, as a table, CSV or JSON.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

from otel_claude.commands.arguments import day, labels, prices, time_zone
from otel_claude.commands.days import Days
from otel_claude.commands.exported import Exported, Signal
from otel_claude.commands.ledger_spend import LABELS, LedgerSpend, address_of, labels_of
from otel_claude.commands.lines import STANDARD_INPUT, Lines
from otel_claude.commands.progress import Progress
from otel_claude.commands.report import FORMATS, Report, report_of
from otel_claude.commands.spend import ATTRIBUTES, DAY, Groups, Source
from otel_claude.commands.tables import printable
from otel_claude.commands.what_ifs import WhatIfs

READ, FOUND_NOTHING, NOT_ALL_READ = 0, 1, 3
"""Exit statuses. Arguments that are wrong and files that cannot be opened are 2, as everywhere."""

DESCRIPTION = """\
Add up what calls of Claude cost, out of telemetry that otel-claude has emitted: lines of OTLP/JSON, as the
Collector's file exporter writes them, compressed by gzip or not. Metrics are read, which have all calls; spans
only where there are no metrics, or with --from spans. With --ledger, what the budgets' ledger has instead.
"""
EPILOG = """\
exit status: 0 all lines were read; 1 nothing of otel-claude was found; 2 a wrong argument, or a file that cannot
be opened; 3 some lines could not be read, and the sums are without them.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="*",
        help="a file of OTLP/JSON lines; the standard input where there is none, or for -",
    )
    parser.add_argument(
        "--by",
        metavar="LABEL",
        type=labels,
        action="extend",
        help=f"what to group by, with commas or any number of times: {DAY}, {', '.join(ATTRIBUTES)}, or any attribute "
        f"of metrics, spans or resources, such as tenant; by default model. Of a ledger: {', '.join((*LABELS, DAY))}",
    )
    parser.add_argument("--format", choices=tuple(FORMATS), default="table", help="by default table")
    parser.add_argument("--from", dest="signal", choices=("metrics", "spans"), help="read only these")
    parser.add_argument(
        "--ledger",
        metavar="ADDRESS",
        nargs="?",
        const="",
        help="read this ledger, such as redis://localhost:6379/0; without an address, that of OTEL_CLAUDE_BUDGETS",
    )
    parser.add_argument("--since", metavar="DAY", type=day, help="the first day that counts, as YYYY-MM-DD")
    parser.add_argument("--until", metavar="DAY", type=day, help="the last day that counts, as YYYY-MM-DD")
    parser.add_argument(
        "--timezone",
        metavar="ZONE",
        type=time_zone,
        default=ZoneInfo("UTC"),
        help="where days begin, such as Europe/Berlin; by default UTC",
    )


def run(arguments: argparse.Namespace) -> int:
    """Prints the sums. The exit status.

    Raises:
        OSError: a file cannot be opened or read.
        ValueError: the days that are asked for are none, the prices are not accepted, or a ledger cannot be read.
    """
    since, until = cast("date | None", arguments.since), cast("date | None", arguments.until)
    if since is not None and until is not None and since > until:
        raise ValueError(f"--since {since} is after --until {until}: there is no day from the one to the other")
    zone = cast("ZoneInfo", arguments.timezone)
    what_ifs = WhatIfs(prices())
    wanted = tuple(dict.fromkeys(cast("Sequence[str]", arguments.by or ())))
    source: Source
    if arguments.ledger is not None:
        if arguments.files or arguments.signal is not None:
            raise ValueError("--ledger is read in place of files, so neither files nor --from go with it")
        by = labels_of(wanted)
        source = LedgerSpend(address_of(arguments.ledger), zone)
        refused: list[str] = []
    else:
        by = wanted or ("model",)
        by_day = DAY in by or since is not None or until is not None
        source = Exported(by, Days(zone), cast("Signal | None", arguments.signal), by_day=by_day)
        refused = _refused(read(arguments.files or [STANDARD_INPUT], source))
    groups = Groups(by)
    groups.add(source.entries(), since, until)
    report = report_of(groups, what_ifs, source, zone.key)
    sys.stdout.write(FORMATS[arguments.format](report))
    if arguments.format == "csv":
        _say(report.notes)
    _say(refused)
    _say([f"otel-claude costs: --by {label}: nothing that was found has it" for label in _missing(report, wanted)])
    if not report.rows:
        _say(["otel-claude costs: nothing that otel-claude has emitted was found, of the days that were asked for"])
    return NOT_ALL_READ if refused else READ if report.rows else FOUND_NOTHING


def read(files: Sequence[str], source: Exported) -> Lines:
    """Reads all lines into a source. The lines, which tell what could not be read."""
    sizes = [None if path == STANDARD_INPUT else Path(path).stat().st_size for path in files]
    total = None if None in sizes else sum(size or 0 for size in sizes)
    progress = Progress(total, sys.stderr)
    lines = Lines(files, progress)
    try:
        for line in lines:
            try:
                source.add(line.text)
            except ValueError as error:
                lines.refuse(line.path, line.number, str(error))
    finally:
        progress.close()
    return lines


def _refused(lines: Lines) -> list[str]:
    named = [f"{path}:{number}: not read: {reason}" for path, number, reason in lines.named]
    if lines.unreadable:
        named.append(f"Lines that were not read: {lines.unreadable:,}. The sums are without them.")
    return named


def _missing(report: Report, wanted: Sequence[str]) -> list[str]:
    told = {label for values, _ in report.rows for label, value in zip(report.labels, values, strict=True) if value}
    return [label for label in wanted if report.rows and label not in told]


def _say(lines: Sequence[str]) -> None:
    sys.stderr.writelines(f"{printable(line)}\n" for line in lines)
