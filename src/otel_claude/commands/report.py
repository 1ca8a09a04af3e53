"""Sums of spend as a table, CSV or JSON.

In: groups and their what-ifs. Out: text. Dollars are rounded to a millionth in tables, to 12 places in CSV and JSON.
What is not known is a `-` in a table, nothing in CSV, and no key in JSON. CSV and JSON have labels as they are, and
tables without what a terminal would take for a command. Pure.
"""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from otel_claude.commands.decimals import plain
from otel_claude.commands.spend import Group, Groups, Source
from otel_claude.commands.tables import ABSENT, printable, table
from otel_claude.commands.what_ifs import WhatIfs


class Column(NamedTuple):
    """A column: its key in CSV, and in JSON as a path; what it is called in a table; whether it is in USD."""

    key: str
    title: str
    is_usd: bool = False


SECTIONS: Mapping[str, Sequence[Column]] = {
    "Calls and tokens": (
        Column("calls", "calls"),
        Column("unpriced_calls", "without a price"),
        Column("tokens.input", "input"),
        Column("tokens.cache_read", "cache read"),
        Column("tokens.cache_write_5m", "write 5 min"),
        Column("tokens.cache_write_1h", "write 1 h"),
        Column("tokens.unsplit", "input, not split"),
        Column("tokens.output", "output"),
        Column("tokens.reasoning", "of it thinking"),
    ),
    "USD": (
        Column("usd.total", "total", is_usd=True),
        Column("usd.input", "input", is_usd=True),
        Column("usd.output", "output", is_usd=True),
        Column("usd.cache_read", "cache read", is_usd=True),
        Column("usd.cache_write", "cache write", is_usd=True),
        Column("usd.server_tools", "server tools", is_usd=True),
        Column("usd.unsplit", "not split", is_usd=True),
        Column("saved_usd.cache", "saved by cache", is_usd=True),
        Column("saved_usd.batch", "saved by batch", is_usd=True),
    ),
    "USD, had the same tokens been": (
        Column("what_if_usd.smaller_model", "on the next smaller model", is_usd=True),
        Column("what_if_usd.batch", "in batches", is_usd=True),
        Column("what_if_usd.tenth_cached", "10 % of input cached", is_usd=True),
    ),
}
"""The columns, by the tables that they stand in."""

COLUMNS = [column for columns in SECTIONS.values() for column in columns]
Row = Mapping[str, Decimal]


class Report(NamedTuple):
    """All that is told. `total` is empty where the rows do not add up."""

    source: str | None
    zone: str
    labels: Sequence[str]
    rows: Sequence[tuple[tuple[str | None, ...], Row]]
    total: Row
    smaller_models: Mapping[str, str]
    notes: Sequence[str]


def report_of(groups: Groups, what_ifs: WhatIfs, source: Source, zone: str) -> Report:
    """The report of groups, whose entries have been read from a source."""
    rows = [(group.values, _row(group, what_ifs)) for group in groups.sorted()]
    total: Row = _row(groups.total, what_ifs) if source.adds_up else {}
    found = [*source.notes, *what_ifs.assumed]
    if unpriced := total.get("unpriced_calls"):
        found.insert(0, f"Calls without a price: {unpriced:,}. The sums are without them.")
    return Report(source.signal, zone, groups.labels, rows, total, dict(sorted(what_ifs.smaller_models.items())), found)


def _row(group: Group, what_ifs: WhatIfs) -> Row:
    sums = group.by_part()
    row = {f"{kind}.{part}" if part else kind: amount for (kind, part), amount in sums.items()}
    spent = [usd for (kind, _), usd in sums.items() if kind == "usd"]
    if spent:
        row["usd.total"] = sum(spent, Decimal(0))
    instead = {
        "smaller_model": what_ifs.on_smaller_models(group),
        "batch": what_ifs.in_batches(group),
        "tenth_cached": what_ifs.tenth_cached(group),
    }
    row |= {f"what_if_usd.{name}": usd for name, usd in instead.items() if usd is not None}
    return row


def as_table(report: Report) -> str:
    """Tables for readers, one for each section, and the notes."""
    sections = [_section(report, title, columns) for title, columns in SECTIONS.items() if _told(report, columns)]
    smaller = [f"The next smaller model of {model} is {name}." for model, name in report.smaller_models.items()]
    notes = "".join(f"{printable(line)}\n" for line in [*smaller, *report.notes])
    return "\n".join([*sections, notes] if notes else sections)


def _told(report: Report, columns: Sequence[Column]) -> list[Column]:
    return [column for column in columns if any(column.key in row for _, row in report.rows)]


def _section(report: Report, title: str, columns: Sequence[Column]) -> str:
    told = _told(report, columns)
    lines = [([_name(value) for value in values], row) for values, row in report.rows]
    if len(lines) > 1 and report.total:
        lines.append((["total", *[""] * (len(report.labels) - 1)], report.total))
    body = [[*labels, *(_shown(row.get(column.key), column) for column in told)] for labels, row in lines]
    head = [*report.labels, *(column.title for column in told)]
    return f"{title}\n{table(head, body, left=len(report.labels))}"


def _name(value: str | None) -> str:
    return ABSENT if value is None else value


def _shown(amount: Decimal | None, column: Column) -> str:
    if amount is None:
        return ABSENT
    return f"{amount:,.6f}" if column.is_usd else f"{amount:,f}"


def as_csv(report: Report) -> str:
    """A line for each group, without their total, under a line of keys. The columns are always the same ones."""
    lines = [_csv_line([*report.labels, *(column.key for column in COLUMNS)])]
    for values, row in report.rows:
        amounts = (row.get(column.key) for column in COLUMNS)
        lines.append(
            _csv_line([*(value or "" for value in values), *("" if each is None else plain(each) for each in amounts)])
        )
    return "".join(lines)


ENDS = "\r\n"


def _csv_line(cells: Sequence[str]) -> str:
    text = io.StringIO()
    # Before 3.13 Python quotes only the ends of lines that it writes itself, and a label may have either character.
    csv.writer(text, lineterminator=ENDS).writerow(cells)
    return text.getvalue().removesuffix(ENDS) + "\n"


def as_json(report: Report) -> str:
    """One object, with the groups and their total."""
    shown = {
        "source": report.source,
        "timezone": report.zone,
        "groups": [
            {
                "labels": {name: value for name, value in zip(report.labels, values, strict=True) if value is not None},
                **_nested(row),
            }
            for values, row in report.rows
        ],
        "total": _nested(report.total) or None,
        "smaller_models": report.smaller_models,
        "notes": report.notes,
    }
    return f"{json.dumps({key: value for key, value in shown.items() if value is not None}, indent=2)}\n"


def _nested(row: Row) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for column in COLUMNS:
        if column.key in row:
            outer, _, inner = column.key.partition(".")
            amount = row[column.key]
            value = float(plain(amount)) if column.is_usd else int(amount)
            if inner:
                nested.setdefault(outer, {})[inner] = value
            else:
                nested[outer] = value
    return nested


FORMATS: Mapping[str, Callable[[Report], str]] = {"table": as_table, "csv": as_csv, "json": as_json}
"""What `--format` accepts."""
