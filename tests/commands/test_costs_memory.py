"""Large inputs need no more memory than small ones, but for what is kept of each series."""

import json
from pathlib import Path

import big_file
import pytest

MOST = 150
"""Megabytes; about 60 are the interpreter, OpenTelemetry and the price list."""


def test_a_large_file_is_read_in_bounded_memory(tmp_path: Path):
    """More points than are kept in memory. `python tests/commands/big_file.py 1000` does the same with a gigabyte."""
    path = tmp_path / "metrics.json"
    spent = big_file.write(path, 60 * big_file.MEGABYTE)
    output, _, memory = big_file.run(path, "--by", "day", "--format", "json")
    assert json.loads(output)["total"]["usd"]["total"] == pytest.approx(spent)
    assert memory < MOST
