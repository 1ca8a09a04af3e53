"""The command where OpenTelemetry, and with it the package, cannot be imported."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
PROGRAM = "import sys; from otel_claude_command import main; sys.exit(main())"


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        env={**inherited, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_command_begins_outside_of_the_package():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))
    assert project["project"]["scripts"] == {"otel-claude": "otel_claude_command:main"}
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["force-include"] == {"src/otel_claude_command.py": "otel_claude_command.py"}


def test_a_propagator_that_is_not_installed_is_told_with_what_brings_it():
    ran = run("doctor", OTEL_PROPAGATORS="tracecontext,xray")
    assert (ran.returncode, ran.stderr) == (1, "")
    assert "PROBLEM" in ran.stdout
    assert "Propagator xray not found" in ran.stdout
    # https://pypi.org/project/opentelemetry-propagator-aws-xray
    assert "pip install opentelemetry-propagator-aws-xray, or correct OTEL_PROPAGATORS" in ran.stdout


@pytest.mark.parametrize("arguments", [("--format", "json"), ("--format=json",)])
def test_the_same_is_told_as_json(arguments: tuple[str, ...]):
    ran = run("doctor", *arguments, OTEL_PROPAGATORS="nope")
    assert (ran.returncode, ran.stderr) == (1, "")
    told = json.loads(ran.stdout)
    assert (told["problems"], told["notes"], len(told["checks"])) == (1, 0, 1)
    assert told["checks"][0]["status"] == "problem"
    assert told["checks"][0]["mend"].startswith("correct OTEL_PROPAGATORS")


def test_what_else_cannot_be_imported_is_told_too(tmp_path: Path):
    (tmp_path / "wrapt.py").write_text("raise ImportError('no wrapt here')")
    ran = run("doctor", PYTHONPATH=str(tmp_path))
    assert (ran.returncode, ran.stderr) == (1, "")
    assert "no wrapt here" in ran.stdout
    assert "python -c 'import otel_claude'" in ran.stdout


def test_where_everything_can_be_imported_the_command_is_that_of_the_package():
    ran = run("--version", OTEL_PROPAGATORS="tracecontext")
    assert (ran.returncode, ran.stdout.split()[0]) == (0, "otel-claude")
