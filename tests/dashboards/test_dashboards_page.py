"""The page on dashboards: its commands are run, with a `curl` that keeps what it is to send."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from otel_claude.dashboards.datadog import dashboard as datadog_dashboard
from otel_claude.dashboards.datadog import monitors
from otel_claude.dashboards.newrelic import conditions
from otel_claude.emitting.instruments import INSTRUMENTS

PAGE = Path(__file__).parents[2] / "docs" / "dashboards.md"
SECTIONS = dict(re.findall(r"^## (.+)\n((?:(?!## ).*\n)*)", PAGE.read_text("utf-8"), re.MULTILINE))
GUIDE = "docs/production.md"
ENVIRONMENT = {
    "DD_SITE": "example",
    "DD_API_KEY": "k",
    "DD_APP_KEY": "k",
    "NEW_RELIC_USER_KEY": "k",
    "ACCOUNT": "42",
    "POLICY": "7",
}

CURL = """\
#!/bin/sh
body=$(cat)
for each in "$@"; do
  case "$each" in https://*) printf '%s %s\\n' "${each##*/}" "$body" >> sent ;; esac
done
case "$body" in *"${REFUSED:-nothing at all}"*) printf %s "${ANSWER:-}"; exit "${STATUS:-0}" ;; esac
printf %s '{"data": {"id": "1"}}'
"""

needs_jq = pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")


def commands(section: str) -> str:
    return "".join(line[4:] for line in SECTIONS[section].splitlines(keepends=True) if line.startswith("    "))


def run(section: str, folder: Path, **more: str) -> tuple[list[tuple[str, Any]], str]:
    """What the commands of a section would send, each with the last part of its address; and what they complain of."""
    curl = folder / "curl"
    curl.write_text(CURL, "utf-8")
    curl.chmod(0o755)
    path = os.pathsep.join([str(folder), str(Path(sys.executable).parent), os.environ["PATH"]])
    ran = subprocess.run(  # the commands of our own page
        ["sh", "-eu", "-c", commands(section)],  # noqa: S607  # where it is depends on the system
        cwd=folder,
        env={**ENVIRONMENT, "PATH": path, **more},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    sent = folder / "sent"
    if not sent.exists():
        return [], ran.stderr
    found = re.split(r"^(?=(?:dashboard|monitor|graphql) )", sent.read_text("utf-8"), flags=re.MULTILINE)
    return [(each.partition(" ")[0], json.loads(each.partition(" ")[2])) for each in found if each], ran.stderr


def test_files_for_grafana_are_written(tmp_path: Path):
    assert run("Grafana and Prometheus", tmp_path) == ([], "")
    written = {path.name for path in tmp_path.iterdir()} - {"curl"}
    assert written == {"claude-grafana-dashboard.json", "claude-prometheus-rules.yaml"}
    assert all(name in SECTIONS["Grafana and Prometheus"] for name in written)


@needs_jq
def test_datadog_is_sent_the_dashboard_and_each_monitor(tmp_path: Path):
    sent, complaints = run("Datadog", tmp_path)
    assert complaints == ""
    assert sent == [("dashboard", datadog_dashboard()), *(("monitor", each) for each in monitors(GUIDE))]


@needs_jq
def test_new_relic_is_sent_each_condition_by_its_mutation(tmp_path: Path):
    requests, complaints = run("New Relic", tmp_path)
    assert complaints == ""
    sent = [body for _, body in requests]
    made = conditions(GUIDE)
    assert [body["variables"] for body in sent] == [
        {"account": 42, "policy": "7", "condition": each["condition"]} for each in made
    ]
    for body, each in zip(sent, made, strict=True):
        assert f"{each['mutation']}(accountId" in body["query"]
        assert (
            f"$condition: {each['mutation'].replace('alerts', 'Alerts').replace('Create', 'Input')}!" in body["query"]
        )
    accounts = re.findall(r'"accountId": (\d+)', (tmp_path / "claude-newrelic-dashboard.json").read_text("utf-8"))
    assert set(accounts) == {"42"}


@needs_jq
@pytest.mark.parametrize(
    ("section", "answer", "status"),
    [
        ("Datadog", '{"errors": ["The value of the query is invalid"]}', "22"),
        # GraphQL answers 200 to what it refuses.
        ("New Relic", '{"data": {"it": null}, "errors": [{"message": "Validation Error"}]}', "0"),
    ],
)
def test_what_is_refused_is_named_and_the_others_are_sent(tmp_path: Path, section: str, answer: str, status: str):
    sent, complaints = run(section, tmp_path, REFUSED='"ClaudeBilling"', ANSWER=answer, STATUS=status)
    assert complaints == f"refused: ClaudeBilling\n{answer}\n"
    assert len(sent) == {"Datadog": 1 + len(monitors(GUIDE)), "New Relic": len(conditions(GUIDE))}[section]


def test_the_page_names_each_histogram_whose_percentiles_are_asked_for():
    asked = json.dumps([datadog_dashboard(), monitors(GUIDE)])
    wanted = {each.name for each in INSTRUMENTS if re.search(rf"\bp[\d.]+:{re.escape(each.name)}\{{", asked)}
    assert wanted == {each.name for each in INSTRUMENTS if f"`{each.name}`" in SECTIONS["Datadog"]}
