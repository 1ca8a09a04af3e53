"""The queries of the guides, as far as tests have to understand them, and Prometheus itself where it is installed.

`SECTIONS` are those of the guide to what breaks in production, `queries` the ones in a text. A `Selector` is what a
query asks of one metric; `series` are what telemetry in memory is in Prometheus. `check` asks `promtool`.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest

from otel_claude.emitting.instruments import INSTRUMENTS, Instrument
from otel_claude.testing import Telemetry

GUIDE = Path(__file__).parents[1] / "docs" / "production.md"
SECTIONS: Mapping[str, str] = dict(re.findall(r"^## (.+)\n((?:(?!## ).*\n)*)", GUIDE.read_text("utf-8"), re.MULTILINE))
UNITS = {"s": "_seconds", "USD": "_USD"}

Labels = Mapping[str, str]

_FENCE = re.compile(r"^```promql\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SELECTOR = re.compile(r"\b(?P<metric>(?:claude|gen_ai)_\w+)(?:\{(?P<matchers>[^}]*)\})?")
_MATCHER = re.compile(r'(?P<label>\w+)(?P<is>=~|!~|!=|=)"(?P<value>[^"]*)"')


def prometheus_names(instrument: Instrument) -> list[str]:
    """What a metric is called in Prometheus, by the compatibility rules of OpenTelemetry.

    https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#metric-metadata-1
    """
    name = instrument.name.replace(".", "_") + UNITS.get(instrument.unit, "")
    if instrument.kind == "counter":
        return [f"{name}_total"]
    return [f"{name}_{part}" for part in ("bucket", "count", "sum")] if instrument.kind == "histogram" else [name]


METRICS: Mapping[str, Instrument] = {name: each for each in INSTRUMENTS for name in prometheus_names(each)}


class Selector(NamedTuple):
    """A metric, and what is asked of labels: name, operator, value. One that a series has not is empty."""

    metric: str
    matchers: tuple[tuple[str, str, str], ...]

    def selects(self, labels: Labels) -> bool:
        return all(self._holds(operator, value, labels.get(label, "")) for label, operator, value in self.matchers)

    @staticmethod
    def _holds(operator: str, value: str, actual: str) -> bool:
        found = re.fullmatch(value, actual) is not None if "~" in operator else value == actual
        return found != operator.startswith("!")


def queries(text: str) -> list[str]:
    return _FENCE.findall(text)


def selectors(query: str) -> list[Selector]:
    found = (match for match in _SELECTOR.finditer(query) if match["metric"] in METRICS)
    return [Selector(match["metric"], tuple(_MATCHER.findall(match["matchers"] or ""))) for match in found]


def series(telemetry: Telemetry) -> dict[str, list[Labels]]:
    """The series of each metric. Those of buckets are without `le`."""
    metrics = telemetry.metrics
    return {
        name: [
            {label.replace(".", "_"): str(value) for label, value in point["attributes"].items()}
            for point in metrics.get(instrument.name, ())
        ]
        for name, instrument in METRICS.items()
    }


needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="Prometheus is not installed")


class Recorded(NamedTuple):
    """A series, and how it went: for so many samples it grew, or fell, by so much at each.

    It begins with its first value, as our counters do, or with `start`, so many samples `after` the beginning.
    """

    metric: str
    labels: Labels
    steps: Sequence[tuple[float, int]]
    start: float | None = None
    after: int = 0

    @property
    def samples(self) -> int:
        return self.after + sum(samples for _, samples in self.steps)

    def as_input(self) -> Mapping[str, str]:
        labels = ",".join(f"{name}={json.dumps(value)}" for name, value in self.labels.items())
        return {"series": f"{self.metric}{{{labels}}}", "values": " ".join(self._values())}

    def _values(self) -> Iterator[str]:
        if self.after:
            yield f"_x{self.after}"
        at = self.steps[0][0] if self.start is None else self.start
        yield f"{at:f}"
        for step, samples in self.steps:
            yield f"{at + step:f}{step:+f}x{samples - 1}"
            at += step * samples


class Case(NamedTuple):
    """What was recorded, a sample every so many minutes, and whether a query fires at the end of the first series."""

    recorded: Sequence[Recorded]
    fires: bool
    minutes: int = 5


def check(query: str, cases: Sequence[Case]) -> str:
    """What `promtool` says is not as the cases say, or nothing."""
    tests = [
        {
            "interval": f"{case.minutes}m",
            "input_series": [each.as_input() for each in case.recorded],
            "promql_expr_test": [
                {
                    "expr": f"count(({query})) > bool 0 or vector(0)",
                    "eval_time": f"{case.minutes * case.recorded[0].samples}m",
                    "exp_samples": [{"labels": "{}", "value": int(case.fires)}],
                }
            ],
        }
        for case in cases
    ]
    with TemporaryDirectory() as directory:
        path = Path(directory) / "test.yaml"
        # JSON is YAML.
        path.write_text(json.dumps({"rule_files": [], "tests": tests}), "utf-8")
        ran = subprocess.run(  # a program of the system, on a file made here
            ["promtool", "test", "rules", str(path)],  # noqa: S607  # where it is depends on the system
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    return "" if ran.returncode == 0 else ran.stdout + ran.stderr
