"""The command where OpenTelemetry, and with it the package, cannot be imported."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
PROJECT_NEEDS: list[str] = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
PROGRAM = ("-c", "import sys; from otel_claude_command import main; sys.exit(main())")


def run(
    *arguments: str, program: tuple[str, str] = PROGRAM, path: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    """Runs the command of the source: what is installed is a copy."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    paths = [each for each in (path, str(PROJECT / "src")) if each]
    return subprocess.run(
        [sys.executable, *program, *arguments],
        env={**inherited, **variables, "PYTHONPATH": os.pathsep.join(paths)},
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


@pytest.mark.parametrize("arguments", [(), ("--format", "json")])
def test_a_value_with_which_the_sdk_cannot_be_imported_is_told_with_its_variable(arguments: tuple[str, ...]):
    ran = run("doctor", *arguments, OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT="sk-ant-api03-0123456789")
    assert (ran.returncode, ran.stderr) == (1, "")
    assert "correct OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT, or unset it" in ran.stdout
    assert "0123456789" not in ran.stdout
    if arguments:
        told = json.loads(ran.stdout)
        assert (told["problems"], [check["name"] for check in told["checks"]]) == (1, ["OpenTelemetry"])


def test_the_module_is_a_program_as_well():
    ran = run("--version", program=("-m", "otel_claude_command"))
    assert (ran.returncode, ran.stdout.split()[:1]) == (0, ["otel-claude"])


def test_what_else_cannot_be_imported_is_told_too(tmp_path: Path):
    (tmp_path / "wrapt.py").write_text("raise ImportError('no wrapt here')")
    ran = run("doctor", path=str(tmp_path))
    assert (ran.returncode, ran.stderr) == (1, "")
    assert "no wrapt here" in ran.stdout
    assert "python -c 'import otel_claude'" in ran.stdout


def test_an_opentelemetry_that_is_too_old_is_told_with_what_fits(tmp_path: Path):
    """As 1.20, of which the import fails as here: nothing of it is asked for what it is."""
    old = tmp_path / "opentelemetry_instrumentation-0.41b0.dist-info"
    old.mkdir()
    (old / "METADATA").write_text("Metadata-Version: 2.1\nName: opentelemetry-instrumentation\nVersion: 0.41b0\n")
    (tmp_path / "opentelemetry").mkdir()
    (tmp_path / "opentelemetry" / "__init__.py").write_text("raise ImportError('cannot import name')")
    ran = run("doctor", path=str(tmp_path), OTEL_PROPAGATORS="tracecontext")
    assert (ran.returncode, ran.stderr) == (1, "")
    needed = next(each for each in PROJECT_NEEDS if each.startswith("opentelemetry-instrumentation"))
    assert (
        f"instrumentation is 0.41b0, and {needed.removeprefix('opentelemetry-instrumentation')} is needed" in ran.stdout
    )
    assert f"Do: pip install --upgrade '{needed}' " in ran.stdout
    assert "OTEL_PROPAGATORS" not in ran.stdout
    told = json.loads(run("doctor", "--format=json", path=str(tmp_path)).stdout)
    assert f"'{needed}'" in told["checks"][0]["mend"]


def test_where_everything_can_be_imported_the_command_is_that_of_the_package():
    ran = run("--version", OTEL_PROPAGATORS="tracecontext")
    assert (ran.returncode, ran.stdout.split()[0]) == (0, "otel-claude")
