"""Labels come from elsewhere: whatever is in them, the report is printed, and a table commands no terminal."""

import contextlib
import csv
import io
import json
import sys
from pathlib import Path

import pytest
from exporting import written
from hypothesis import given
from hypothesis import strategies as st
from metric_lines import DELTA, Made, line

from otel_claude.commands import main
from otel_claude.commands.tables import printable

NOON = 1_795_348_800 * 10**9
"""2026-11-22, 12:00 UTC."""

LABELS = {
    "a lone surrogate": "acme\ud800",
    "an escape sequence": "acme\x1b[2J\x1b]0;owned\x07",
    "an end of a line": "acme\ntotal 0.00",
    "a return": "acme\rtotal 0.00",
    "a delimiter": 'acme, "the" one',
    "a change of direction": "acme\u202e",
    "no ASCII": "Kraków",
}


@pytest.fixture(params=LABELS.values(), ids=list(LABELS))
def tenant(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def path(tenant: str, tmp_path: Path) -> str:
    """Metrics of a tenant, whose model has no price and the same name."""
    attributes = {"tenant": tenant, "gen_ai.response.model": tenant, "claude.cost.type": "input"}
    points = [
        Made("a", NOON - 1, NOON, 1.5, DELTA, attributes),
        Made("a", NOON - 1, NOON, 1, DELTA, {**attributes, "tenant": "globex"}),
    ]
    return written(tmp_path / "metrics.json", [line(points)])


def printed(monkeypatch: pytest.MonkeyPatch, encoding: str, *arguments: str) -> str:
    """What is printed where the output has this encoding, as the standard output of a process has one."""
    output = io.BytesIO()
    with io.TextIOWrapper(output, encoding, newline="\n") as wrapped, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", wrapped)
        assert main(["costs", *arguments]) == 0
        return output.getvalue().decode(encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_a_table_has_each_group_on_a_line_of_what_can_be_printed(
    tenant: str, path: str, encoding: str, monkeypatch: pytest.MonkeyPatch
):
    shown = printed(monkeypatch, encoding, path, "--by", "tenant", "--by", "model")
    assert all(line.isprintable() for line in shown.splitlines())
    head, *groups = shown.splitlines()[1:5]
    assert head.split() == ["tenant", "model", "total", "input"]
    escaped = printable(tenant).encode(encoding, "backslashreplace").decode(encoding)
    assert groups[0].startswith(f"{escaped}  {escaped}  ")
    assert groups[1].startswith("globex ")
    assert groups[2].split() == ["total", "2.500000", "2.500000"]


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_json_has_labels_as_they_are(tenant: str, path: str, encoding: str, monkeypatch: pytest.MonkeyPatch):
    shown = json.loads(printed(monkeypatch, encoding, path, "--by", "tenant", "--format", "json"))
    assert [group["labels"] for group in shown["groups"]] == [{"tenant": tenant}, {"tenant": "globex"}]


def test_csv_has_labels_as_they_are_but_for_what_cannot_be_encoded(
    tenant: str, path: str, monkeypatch: pytest.MonkeyPatch
):
    shown = printed(monkeypatch, "utf-8", path, "--by", "tenant", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(shown, newline="")))
    assert [row["tenant"] for row in rows] == [tenant.encode("utf-8", "backslashreplace").decode(), "globex"]
    assert [row["usd.total"] for row in rows] == ["1.5", "1"]


def test_a_file_that_cannot_be_read_is_named_by_what_can_be_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = written(tmp_path / "metrics\x1b[2J.json", ["{"])
    assert main(["costs", path]) == 3
    assert capsys.readouterr().err.startswith(f"{tmp_path}/metrics\\x1b[2J.json:1: not read: ")


def test_the_output_may_be_no_stream_of_bytes(path: str):
    with contextlib.redirect_stdout(io.StringIO()) as shown:
        assert main(["costs", path]) == 0
    assert shown.getvalue().startswith("USD\n")


@given(st.text(st.characters()))
def test_what_is_shown_of_any_text_can_always_be_printed(text: str):
    assert printable(text).isprintable()
    assert printable(text) == text or not text.isprintable()
