"""What tracing a Claude call costs: one command prints the tables.

    python benchmarks/run.py [--quick] [--markdown] [--cpu ROUNDS]

Counts instructions with valgrind's callgrind: they are the same on a busy machine as on an idle one. Where
valgrind is missing, or with `--cpu`, it measures CPU time: every variant once a round, in random order and
each in a new process, and takes medians over the rounds. `README.md` says what the numbers hold.
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import report
from report import Case, Costs, Figures, Unit
from variants import VARIANTS
from workloads import WORKLOADS

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent

CASES: Sequence[Case] = [(variant, kind) for kind in ("sdk", "noprov") for variant in VARIANTS]
QUICK: Sequence[Case] = [
    *((variant, "sdk") for variant in ("bare", "native", "ours", "floor")),
    *((variant, "noprov") for variant in ("bare", "ours")),
]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="leave out the peers, and most without providers")
    parser.add_argument("--markdown", action="store_true", help="tables in Markdown")
    parser.add_argument("--cpu", type=int, metavar="ROUNDS", help="CPU time over so many rounds, not instructions")
    options = parser.parse_args(arguments)

    python = _environment()
    cases = QUICK if options.quick else CASES
    observed: dict[str, Any] = {}
    for variant in dict(cases):
        try:
            observed[variant] = _work(python, (variant, "memory"))
        except RuntimeError as error:
            print(f"{VARIANTS[variant].title}: unavailable, {error}", file=sys.stderr)
    cases = [case for case in cases if case[0] in observed]

    rounds = options.cpu or (None if shutil.which("valgrind") else 15)
    if rounds:
        figures, unit = (
            _times(python, cases, rounds),
            Unit(f"CPU time in µs, medians of {rounds} rounds", 1e6, 1.0),
        )
    else:
        figures = {case: _costs(_instructions(python, case)) for case in _announced(cases)}
        unit = Unit("instructions in thousands", 1e-3, _seconds(python, figures))

    print(report.write(report.Run(figures, observed, unit), markdown=options.markdown))


def _environment() -> Path:
    """The interpreter of an environment with `requirements.txt`: made at the first run, kept in `.venvs`."""
    pins = HERE / "requirements.txt"
    home = PROJECT / ".venvs" / f"bench-{hashlib.sha256(pins.read_bytes()).hexdigest()[:8]}"
    python = home / "bin" / "python"
    done = home / "complete"
    if not done.exists():
        venv.create(home, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", "-r", pins], check=True)
        done.touch()
    return python


def _work(python: Path, case: Case, profiler: Sequence[str] = ()) -> Any:
    """What `worker.py` prints for `case`. Raises RuntimeError with its last words where it fails."""
    variant, _ = case
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": str(PROJECT / "src"),
        **VARIANTS[variant].environment,
    }
    command = [*profiler, str(python), str(HERE / "worker.py"), *case]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["no word why"])[-1])
    return json.loads(done.stdout)


def _instructions(python: Path, case: Case) -> list[float]:
    """Instructions of the blocks that `worker.py` runs, in their order. Other threads are not counted."""
    with tempfile.TemporaryDirectory() as folder:
        block = "PyNumber_MatrixMultiply"  # `worker.Block` says why
        profiler = [
            "valgrind",
            "--quiet",
            "--tool=callgrind",
            f"--toggle-collect={block}",
            f"--dump-after={block}",
        ]
        readings = _work(python, case, [*profiler, f"--callgrind-out-file={folder}/block"])
        dumps = sorted(Path(folder).glob("block.*"), key=lambda dump: int(dump.suffix[1:]))
        if len(dumps) != len(readings):
            raise RuntimeError(f"{len(readings)} blocks ran and callgrind saw {len(dumps)}")
        return [_total(dump) for dump in dumps]


def _total(dump: Path) -> float:
    lines = dump.read_text().splitlines()
    return next(float(line.removeprefix("totals:")) for line in lines if line.startswith("totals:"))


def _times(python: Path, cases: Sequence[Case], rounds: int) -> Figures:
    samples: dict[Case, list[Costs]] = {case: [] for case in cases}
    for _ in range(rounds):
        for case in _announced(random.sample(cases, len(cases))):
            samples[case].append(_costs(_work(python, case)))
    return {
        case: {name: statistics.median(costs[name] for costs in taken) for name in taken[0]}
        for case, taken in samples.items()
    }


def _costs(readings: Sequence[float]) -> Costs:
    """What is paid once, and what one unit of each workload costs: the difference of its two sizes."""
    at_import, at_instrument, *sizes = readings
    pairs = zip(WORKLOADS.items(), sizes[::2], sizes[1::2], strict=True)
    units = {name: (more - fewer) / workload.units for (name, workload), fewer, more in pairs}
    return {"import": at_import, "instrument": at_instrument, **units}


def _seconds(python: Path, figures: Figures) -> float:
    """CPU seconds of one instruction of a plain call of the bare SDK on this machine."""
    case = ("bare", "noprov")
    return _times(python, [case], 5)[case]["small"] / figures[case]["small"]


def _announced(cases: Sequence[Case]) -> Iterable[Case]:
    for case in cases:
        print(f"measuring {' '.join(case)}", file=sys.stderr, flush=True)
        yield case


if __name__ == "__main__":
    main()
