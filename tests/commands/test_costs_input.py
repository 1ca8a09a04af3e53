"""What `otel-claude costs` reads: files, compressed or not, the standard input, and lines that are broken."""

import gzip
import io
import json
import os
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest
from exporting import written
from metric_lines import DELTA, Made, line

from otel_claude.commands import lines as module_of_lines
from otel_claude.commands import main, progress
from otel_claude.commands.cells import Cells
from otel_claude.commands.lines import Lines

ATTRIBUTES = {"gen_ai.response.model": "claude-opus-5", "claude.cost.type": "input", "claude.processing": "standard"}
DAY = 86_400 * 10**9
NOON = 1_795_348_800 * 10**9
"""2026-11-22, 12:00 UTC."""


def usd(amount: float, *, at: int = NOON) -> str:
    return line([Made("a", at - 1, at, amount, DELTA, ATTRIBUTES)])


ONE, OTHER = usd(1.5), usd(2.25, at=NOON + 1_000)


def spent(shown: str) -> float:
    return json.loads(shown)["total"]["usd"]["total"]


def test_several_files_are_added_up_compressed_or_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    plain = written(tmp_path / "one.json", [ONE, "", "  "])
    (tmp_path / "other.json").write_bytes(gzip.compress(f"{OTHER}\n".encode()))
    assert main(["costs", plain, str(tmp_path / "other.json"), "--format", "json"]) == 0
    shown = capsys.readouterr()
    assert spent(shown.out) == 1.5 + 2.25
    assert shown.err == ""


@pytest.mark.parametrize("arguments", [[], ["-"]])
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_the_standard_input_is_read(
    arguments: list[str], compress: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    piped = compress(f"{ONE}\n{OTHER}".encode())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(piped)))
    assert main(["costs", *arguments, "--format", "json"]) == 0
    assert spent(capsys.readouterr().out) == 1.5 + 2.25


def changed(old: str, new: str) -> str:
    assert old in ONE
    return ONE.replace(old, new)


BROKEN = {
    "cut": ONE[:-20],
    "not JSON": "2026-11-22 INFO all is well",
    "not UTF-8": "\udcff",
    "no object": "[1, 2]",
    "no request": "{}",
    "too deep": "[" * 100_000,
    "not arrays": '{"resourceMetrics": {}}',
    "arrays of others": '{"resourceMetrics": [1]}',
    "no temporality": changed('"aggregationTemporality": 1, ', ""),
    "no time": changed('"timeUnixNano"', '"time"'),
    "a time before 1970": changed(f'"timeUnixNano": "{NOON}"', '"timeUnixNano": "-1"'),
    "a time of no 64 bits": changed(f'"timeUnixNano": "{NOON}"', f'"timeUnixNano": "{2**63}"'),
    "a value that is none": changed('"asDouble": 1.5', '"asDouble": "NaN"'),
    "a value that is too large": changed('"asDouble": 1.5', f'"asInt": "{2**63}"'),
    "an attribute without a name": changed('{"key": "service.instance.id", ', '{"id": "service.instance.id", '),
    "an attribute that is no number": changed('{"stringValue": "a"}', '{"intValue": "a"}'),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_a_broken_line_is_told_by_its_number_and_left_out(
    broken: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    path = tmp_path / "metrics.json"
    path.write_bytes(f"{ONE}\n{broken}\n{OTHER}".encode("utf-8", "surrogateescape"))
    assert main(["costs", str(path), "--format", "json"]) == 3
    shown = capsys.readouterr()
    assert spent(shown.out) == 1.5 + 2.25
    assert shown.err.startswith(f"{path}:2: not read: ")
    assert shown.err.endswith("Lines that were not read: 1. The sums are without them.\n")


def test_a_line_that_is_cut_is_told_as_cut(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """As the last one of a file to which somebody still writes."""
    path = written(tmp_path / "metrics.json", [ONE, OTHER[: OTHER.index("claude.cost") + 3]])
    assert main(["costs", path]) == 3
    assert f"{path}:2: not read: no whole JSON, perhaps cut: Unterminated string" in capsys.readouterr().err


@pytest.mark.parametrize("indented", [json.loads(ONE), [json.loads(ONE)]])
def test_a_file_that_is_printed_for_people_is_told_of_once(
    indented: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    plain = written(tmp_path / "one.json", [ONE])
    path = written(tmp_path / "other.json", [json.dumps(indented, indent=2)])
    assert main(["costs", path, plain, "--format", "json"]) == 3
    shown = capsys.readouterr()
    assert spent(shown.out) == 1.5
    assert shown.err == (
        f"{path}:1: not read: not one request a line, so the file is left out; `jq -c .` would make it so\n"
        "Lines that were not read: 1. The sums are without them.\n"
    )


def test_labels_may_be_separated_by_commas(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = written(tmp_path / "metrics.json", [ONE])
    assert main(["costs", path, "--by", "service.instance.id, model", "--by", "model,", "--format", "json"]) == 0
    shown = capsys.readouterr()
    assert [group["labels"] for group in json.loads(shown.out)["groups"]] == [
        {"service.instance.id": "a", "model": "claude-opus-5"}
    ]
    assert shown.err == ""


def test_a_label_that_nothing_has_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = written(tmp_path / "metrics.json", [ONE])
    assert main(["costs", path, "--by", "tennant", "--by", "model"]) == 0
    assert capsys.readouterr().err == "otel-claude costs: --by tennant: nothing that was found has it\n"
    assert main(["costs", path, "--by", "tennant", "--since", "2026-11-30"]) == 1
    assert "tennant" not in capsys.readouterr().err


def test_a_disk_that_is_full_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Cells, "put", full)
    assert main(["costs", written(tmp_path / "metrics.json", [ONE])]) == 2
    assert capsys.readouterr().err == "otel-claude: database or disk is full\n"


def test_a_line_that_is_too_long_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(module_of_lines, "LONGEST", 2_000)
    path = written(tmp_path / "metrics.json", [ONE, usd(4) + " " * 5_000, OTHER])
    assert main(["costs", path, "--format", "json"]) == 3
    shown = capsys.readouterr()
    assert spent(shown.out) == 1.5 + 2.25
    assert f"{path}:2: not read: longer than 2,000 bytes" in shown.err


def test_a_compressed_file_that_is_cut_counts_as_far_as_it_goes(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "metrics.json.gz"
    path.write_bytes(gzip.compress(f"{ONE}\n".encode()) + gzip.compress(f"{OTHER}\n".encode())[:-15])
    assert main(["costs", str(path), "--format", "json"]) == 3
    shown = capsys.readouterr()
    assert spent(shown.out) == 1.5
    assert f"{path}:2: not read: the compressed file is damaged: " in shown.err


def test_no_more_than_ten_broken_lines_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["costs", written(tmp_path / "metrics.json", [ONE, *["{"] * 30])]) == 3
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 11
    assert told[-1] == "Lines that were not read: 30. The sums are without them."


def test_no_more_than_ten_broken_lines_are_kept():
    """An input that is something else altogether has as many as there are lines in it."""
    lines = Lines([], progress.Progress(None, io.StringIO()))
    for number in range(1, 1_001):
        lines.refuse("metrics.json", number, "no JSON")
    assert lines.unreadable == 1_000
    assert [number for _, number, _ in lines.named] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]


def test_lines_of_other_signals_are_read_and_say_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    others = ['{"resourceLogs": []}', '{"resourceSpans": []}', '{"resourceProfiles": []}']
    assert main(["costs", written(tmp_path / "all.json", [*others, ONE]), "--format", "json"]) == 0
    assert spent(capsys.readouterr().out) == 1.5
    assert main(["costs", written(tmp_path / "others.json", others)]) == 1
    assert "nothing that otel-claude has emitted was found" in capsys.readouterr().err


def test_days_can_be_chosen(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    days = [usd(amount, at=NOON + at * DAY) for at, amount in enumerate((1, 2, 4, 8))]
    path = written(tmp_path / "metrics.json", days)
    for arguments, expected in (
        (["--since", "2026-11-23"], 2 + 4 + 8),
        (["--until", "2026-11-23"], 1 + 2),
        (["--since", "2026-11-23", "--until", "2026-11-24"], 2 + 4),
    ):
        assert main(["costs", path, "--format", "json", *arguments]) == 0
        assert spent(capsys.readouterr().out) == expected


def test_days_begin_in_the_time_zone_that_was_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """12:00 UTC is one in the morning of the next day in Auckland, in summer."""
    path = written(tmp_path / "metrics.json", [ONE])
    for zone, expected in (("UTC", "2026-11-22"), ("Pacific/Auckland", "2026-11-23")):
        assert main(["costs", path, "--by", "day", "--timezone", zone, "--format", "json"]) == 0
        assert [group["labels"] for group in json.loads(capsys.readouterr().out)["groups"]] == [{"day": expected}]


def test_a_first_day_that_is_after_the_last_one_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = written(tmp_path / "metrics.json", [ONE])
    assert main(["costs", path, "--since", "2026-11-23", "--until", "2026-11-22"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "--since 2026-11-23 is after --until 2026-11-22" in shown.err
    assert main(["costs", path, "--since", "2026-11-22", "--until", "2026-11-22"]) == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--format", "xml"], "argument --format: invalid choice: 'xml' (choose from "),
        (["--from", "logs"], "argument --from: invalid choice: 'logs' (choose from "),
        (["--since", "yesterday"], "argument --since: 'yesterday' is no day; expected YYYY-MM-DD, such as 2026-11-22"),
        (["--until", "2026-13-01"], "argument --until: '2026-13-01' is no day; expected YYYY-MM-DD"),
        (["--timezone", "Mars/Base"], "argument --timezone: 'Mars/Base' is no time zone; expected a name of the IANA"),
        (["--timezone", "../etc"], "argument --timezone: '../etc' is no time zone"),
    ],
)
def test_a_wrong_argument_is_named_with_what_is_accepted(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit) as stopped:
        main(["costs", *arguments])
    assert stopped.value.code == 2
    assert told in capsys.readouterr().err


def test_a_file_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["costs", str(tmp_path / "none.json")]) == 2
    assert "none.json" in capsys.readouterr().err


def test_prices_that_are_not_accepted_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("OTEL_CLAUDE_PRICES", '{"claude-opus-5": {"input": 1}}')
    assert main(["costs", written(tmp_path / "metrics.json", [ONE])]) == 2
    assert "'output' is missing" in capsys.readouterr().err


def test_an_interrupt_ends_the_command(monkeypatch: pytest.MonkeyPatch):
    """130 is what shells say of it."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module_of_lines.Lines, "__iter__", interrupted)
    assert main(["costs"]) == 130


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_shown_on_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    terminal = Terminal()
    monkeypatch.setattr(progress, "FIRST_S", 0)
    monkeypatch.setattr(progress, "MEGABYTE", 1)
    monkeypatch.setattr(sys, "stderr", terminal)
    path = written(tmp_path / "metrics.json", [ONE])
    size = Path(path).stat().st_size
    assert main(["costs", path]) == 0
    assert f"\rread {size:,} of {size:,} MB (100%)" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(ONE.encode())))
    assert main(["costs"]) == 0
    assert f"\rread {len(ONE):,} MB" in terminal.getvalue()


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """As `otel-claude costs … | head -1`."""
    path = written(tmp_path / "metrics.json", [ONE])
    reading, writing = os.pipe()
    os.close(reading)
    with capfd.disabled(), os.fdopen(writing, "w", encoding="utf-8") as closed, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", closed)
        assert main(["costs", path]) == 0
