"""A large file of metrics, as a fleet exports them, and what `otel-claude costs` needs to read it.

In: a size in megabytes. Out: seconds, and the peak of the command's memory.

    python tests/commands/big_file.py 1000
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import NamedTuple

from metric_lines import CUMULATIVE, DELTA, attributes

MEGABYTE = 1_000_000
SECOND = 10**9
START = 1_795_000_000 * SECOND
MODELS = ("claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5", "claude-opus-5", "claude-sonnet-5")
TENANTS = ("acme", "globex", "initech", "umbrella")
PARTS = ("input", "output", "cache_read", "cache_write")
PROCESSES = 40
LIFE = 500
"""A process exports so many times before it starts anew."""
EACH = 1 / 1_024
"""USD that a process spends between two exports, for each series; a number that is exact in binary."""

PROGRAM = """
import re, sys
from pathlib import Path
from otel_claude.commands import main
status = main(sys.argv[1:])
# Not `getrusage`, which counts what the process was forked from.
sys.stderr.write(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1] + "\\n")
sys.exit(status)
"""


class Run(NamedTuple):
    """What the command has printed, its seconds, and the peak of its memory in megabytes."""

    output: str
    seconds: float
    memory: float


def lines() -> Iterator[tuple[str, float]]:
    """Exports of a fleet, one after the other, with what was spent until then. Half of it exports deltas."""
    series = [
        (
            index,
            attributes(
                {
                    "gen_ai.response.model": model,
                    "tenant": tenant,
                    "claude.cost.type": part,
                    "claude.processing": "standard",
                    "gen_ai.operation.name": "chat",
                    "gen_ai.provider.name": "anthropic",
                    "server.address": "api.anthropic.com",
                    "server.port": 443,
                }
            ),
        )
        for index, (model, tenant, part) in enumerate(
            (model, tenant, part) for model in MODELS for tenant in TENANTS for part in PARTS
        )
    ]
    shown = [json.dumps(each) for _, each in series]
    for export in count():
        process, turn = export % PROCESSES, export // PROCESSES
        life, age = divmod(turn, LIFE)
        resource = json.dumps(
            {"attributes": attributes({"service.name": "agents", "service.instance.id": f"{process}-{life}"})}
        )
        delta = process % 2 == 0
        end = START + turn * 60 * SECOND + process
        start = end - 60 * SECOND if delta else START + life * LIFE * 60 * SECOND + process - 60 * SECOND
        value = EACH if delta else EACH * (age + 1)
        points = ", ".join(
            f'{{"attributes": {each}, "startTimeUnixNano": "{start}", "timeUnixNano": "{end}", "asDouble": {value}}}'
            for each in shown
        )
        line = (
            f'{{"resourceMetrics": [{{"resource": {resource}, "scopeMetrics": [{{"scope": {{"name": "otel_claude"}}, '
            f'"metrics": [{{"name": "claude.cost", "unit": "USD", "sum": {{"dataPoints": [{points}], '
            f'"aggregationTemporality": {DELTA if delta else CUMULATIVE}, "isMonotonic": true}}}}]}}]}}]}}\n'
        )
        yield line, EACH * len(series)


def write(path: Path, size: int) -> float:
    """Writes a file of so many bytes, or a little more. What was spent in it, in USD."""
    spent = written = 0.0
    with path.open("w", encoding="utf-8") as file:
        for line, usd in lines():
            written += file.write(line)
            spent += usd
            if written >= size:
                return spent
    raise AssertionError


def run(path: Path, *arguments: str) -> Run:
    """Runs `otel-claude costs` in an interpreter of its own."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "costs", str(path), *arguments], capture_output=True, text=True, check=True
    )
    return Run(done.stdout, time.monotonic() - began, int(done.stderr.split()[-1]) * 1_024 / MEGABYTE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("megabytes", type=int)
    megabytes: int = parser.parse_args().megabytes
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "metrics.json"
        spent = write(path, megabytes * MEGABYTE)
        output, seconds, memory = run(path, "--by", "model", "--by", "day", "--format", "json")
    found = json.loads(output)["total"]["usd"]["total"]
    assert found == spent
    print(f"{megabytes:,} MB in {seconds:.0f} s with {memory:.0f} MB of memory; {found:,.2f} USD, as was written")


if __name__ == "__main__":
    main()
