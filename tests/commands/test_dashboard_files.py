"""`otel-claude dashboards` and `otel-claude alerts` write files, the same each time."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from otel_claude.commands import main
from otel_claude.dashboards.files import ALERT_RULES, DASHBOARDS

FILES = [("dashboards", backend) for backend in DASHBOARDS] + [("alerts", backend) for backend in ALERT_RULES]


@pytest.mark.parametrize(("command", "backend"), FILES)
def test_a_file_is_written_or_printed_and_has_the_same_text(
    command: str, backend: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert main([command, backend]) == 0
    printed = capsys.readouterr().out
    folder = tmp_path / "new" / "folder"
    assert main([command, backend, "--output", str(folder)]) == 0
    (written,) = folder.iterdir()
    assert capsys.readouterr().out == f"{written}\n"
    assert written.read_text("utf-8") == printed
    read: Any = yaml.safe_load(printed) if written.suffix == ".yaml" else json.loads(printed)
    assert read


def test_files_have_names_of_their_own():
    names = [each.name for each in (*DASHBOARDS.values(), *ALERT_RULES.values())]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("backend", ALERT_RULES)
def test_alerts_link_to_the_guide_where_it_can_be_read(backend: str, capsys: pytest.CaptureFixture[str]):
    assert main(["alerts", backend, "--guide", "https://example.com/guide"]) == 0
    printed = capsys.readouterr().out
    assert "https://example.com/guide#rate-limits" in printed
    assert "docs/production.md" not in printed


def test_a_folder_that_cannot_be_written_to_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    taken = tmp_path / "file"
    taken.write_text("")
    assert main(["dashboards", "grafana", "--output", str(taken)]) == 2
    assert capsys.readouterr().err.startswith("otel-claude: ")


def test_another_backend_is_a_wrong_argument(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main(["dashboards", "honeycomb"])
    assert ended.value.code == 2
    assert "grafana" in capsys.readouterr().err
