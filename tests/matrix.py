"""The tests, on every generation of the SDK: each version in an environment of its own.

    python tests/matrix.py                       # calls, agents and lifecycle on all versions, and on the newest one
    python tests/matrix.py --fast                # a part of the tests, on two old versions
    python tests/matrix.py --slice               # most of the tests on the first version, and that part on some others
    python tests/matrix.py --agent-sdk           # the tests of the Claude Agent SDK, on its versions
    python tests/matrix.py --conformance FOLDER  # recorded traffic, replayed on all versions; with --slice on some

Environments are made in `.venvs` and kept. Two of them work at a time. Exit status 1 if one fails.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from venvs import PROJECT, commands_of

VERSIONS = (
    "0.50.0",
    "0.68.0",
    "0.73.0",
    "0.93.0",
    "0.125.0",
    "1.0.0",
    "1.13.0",
    "1.14.0",
    "1.17.0",
    "2.0.0",
    "newest",
)
"""The ends of each generation: before and after the tool runner, httpx2, the SDK's own spans, and what others pin. The
version of `constraints.txt` is not among them: it is the one that `make test` is for.
"""

WHOLE = ("0.50.0",)
"""The version of which a slice has all tests but the slow ones: the one least like that of `constraints.txt`."""
FAST = ("0.68.0", "0.125.0")
"""The first with a tool runner, and the one that most frameworks pin. A slice leaves them to `make test`."""
SLICE = (*WHOLE, "0.93.0", "1.14.0", "1.17.0", "2.0.0", "newest")
"""The longest is the first to be run."""
FAST_TESTS = ("tests/calls/test_messages.py", "tests/calls/test_streams.py", "tests/agents")
TESTS = ("tests/calls", "tests/agents", "tests/lifecycle")
SLOW_TESTS = (
    "tests/agents/test_faults_of_agents.py",
    "tests/lifecycle/test_faults_of_ours.py",
    "tests/lifecycle/test_processes.py",
)
SLOW_VERSIONS = ("0.50.0",)
"""Tests that take minutes, and the version from which what they test differs most. `make test` has the newest."""
IN_PROCESSES = (
    "tests/lifecycle/test_auto_instrumentation.py",
    "tests/lifecycle/test_imports.py",
    "tests/lifecycle/test_last_things.py",
)
"""Tests that start a process each. A slice leaves them to `make test`."""
AGENT_SDKS = ("0.2.187",)
AGENT_SDK_TESTS = ("tests/agent_sdk", "tests/docs/test_examples.py", "-k", "agent_sdk")
REPLAYED = ("0.50.0", "0.73.0", "0.125.0", "1.0.0", "1.13.0", "1.17.0", "2.12.0", "newest")
REPLAYED_IN_A_SLICE = ("0.50.0", "1.17.0", "2.0.0", "newest")
"""The ends of the ranges with one HTTP library."""
NEEDED = (
    "boto3",
    "google-auth",
    "hypothesis",
    "inline-snapshot",
    "opentelemetry-distro",
    "opentelemetry-exporter-otlp-proto-http",
    "opentelemetry-instrumentation-httpx",
    "pytest",
    "PyYAML",
)


class Result(NamedTuple):
    """How one version did."""

    version: str
    passed: bool
    seconds: float
    output: str


def main() -> int:
    """Runs what the command line asks for, and prints a line for each version."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slice", action="store_true", help="most tests on the first version, a part on some others")
    parser.add_argument("--fast", action="store_true", help="a part of the tests, on two old versions")
    parser.add_argument("--agent-sdk", action="store_true", help="the tests of the Claude Agent SDK, on its versions")
    parser.add_argument("--conformance", type=Path, metavar="FOLDER", help="replay recordings with its replay.py")
    parser.add_argument("--only", nargs="+", metavar="VERSION", help="these versions")
    options = parser.parse_args()

    if options.conformance is not None and not (options.conformance / "replay.py").exists():
        print(f"matrix: no recordings in {options.conformance}, so there is nothing to replay")
        return 0
    if options.conformance is not None:
        usual = REPLAYED_IN_A_SLICE if options.slice else REPLAYED
    elif options.agent_sdk:
        usual = AGENT_SDKS
    else:
        usual = FAST if options.fast else SLICE if options.slice else VERSIONS
    versions = options.only or usual

    def run(version: str) -> Result:
        if options.agent_sdk:
            return _run(version, _agent_sdk, [_pytest(*AGENT_SDK_TESTS)])
        is_fast = options.fast or (options.slice and version not in WHOLE)
        is_slow = version in SLOW_VERSIONS and not is_fast and not options.slice
        left_out = () if is_slow else (*SLOW_TESTS, *IN_PROCESSES) if options.slice else SLOW_TESTS
        return _run(version, _environment, _commands(options.conformance, FAST_TESTS if is_fast else TESTS, left_out))

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(run, versions))
    for result in results:
        if not result.passed:
            print(result.output)
    for result in results:
        last = result.output.strip().splitlines()[-1:] or ["no output"]
        print(f"{result.version:8} {'passed' if result.passed else 'FAILED'} {result.seconds:5.0f} s  {last[0]}")
    return 0 if all(result.passed for result in results) else 1


def _commands(conformance: Path | None, tests: Sequence[str], left_out: Sequence[str]) -> Sequence[Sequence[str]]:
    if conformance is not None:
        replay = [str(conformance / "replay.py"), str(conformance / "recordings.jsonl")]
        return [replay, [*replay, "--async"]]
    return [_pytest(*tests, *(f"--ignore={path}" for path in left_out))]


def _pytest(*arguments: str) -> Sequence[str]:
    return ["-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]


def _run(version: str, environment: Callable[[str], Path], commands: Sequence[Sequence[str]]) -> Result:
    started = time.monotonic()
    output = ""
    try:
        python = environment(version)
        for command in commands:
            done = subprocess.run(  # the project's own tests
                [str(python), *command], cwd=PROJECT, capture_output=True, text=True, check=False
            )
            output += done.stdout + done.stderr
            if done.returncode:
                return Result(version, passed=False, seconds=time.monotonic() - started, output=output)
    except subprocess.CalledProcessError as error:
        output += f"{error}\n{error.stdout or ''}{error.stderr or ''}"
        return Result(version, passed=False, seconds=time.monotonic() - started, output=output)
    return Result(version, passed=True, seconds=time.monotonic() - started, output=output)


def _environment(version: str) -> Path:
    """The interpreter of the environment with this version. `newest` is whatever is published now."""
    wanted = "anthropic[bedrock,vertex]<3" if version == "newest" else f"anthropic[bedrock,vertex]=={version}"
    return commands_of(f"anthropic-{version}", (wanted, *NEEDED), "\n".join(_pins(version))) / "python"


def _agent_sdk(version: str) -> Path:
    """The interpreter of an environment with this version of the Claude Agent SDK, and the newest SDK beside it."""
    wanted = "claude-agent-sdk<0.3" if version == "newest" else f"claude-agent-sdk=={version}"
    return commands_of(f"agent-sdk-{version}", (wanted, "anthropic<3", *NEEDED), "\n".join(_pins("newest"))) / "python"


def _pins(version: str) -> list[str]:
    """The constraints, without those that are for the SDK of one version only."""
    return [
        line
        for line in (PROJECT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if not line.startswith(("anthropic==", "httpx2==", "httpcore2==")) or version == "2.12.0"
    ]


if __name__ == "__main__":
    sys.exit(main())
