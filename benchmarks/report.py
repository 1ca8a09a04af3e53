"""The tables of one run: what each variant costs, what it records for it, and whether our targets are met."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from variants import VARIANTS
from workloads import WORKLOADS

Case = tuple[str, str]
"""A variant and its kind of providers: `sdk`, or `noprov` for none."""
Costs = Mapping[str, float]
"""Instructions or CPU seconds of `import`, of `instrument` and of one unit of each workload."""
Figures = Mapping[Case, Costs]
Observed = Mapping[str, Any]
"""What `worker.py` prints for `memory`."""
Table = Sequence[Sequence[str]]


class Unit(NamedTuple):
    """What was counted: `scale` makes the numbers of the tables of it, `seconds` is the CPU time of one."""

    title: str
    scale: float
    seconds: float


class Run(NamedTuple):
    """What `run.py` found; `observed` is by variant."""

    figures: Figures
    observed: Mapping[str, Observed]
    unit: Unit


def write(run: Run, *, markdown: bool) -> str:
    """All tables of `run`, as text for a terminal or in Markdown."""
    counted = run.unit.title
    tables = {
        f"Spans and metrics on, content off ({counted}; added to the bare SDK; ratio to it)": _work(run, "sdk"),
        f"No providers configured ({counted}; added to the bare SDK; ratio to it)": _work(run, "noprov"),
        f"Once in a process ({counted})": _once(run),
        "What a plain call records": _recorded(run),
        "Targets": _targets(run),
    }
    form = _markdown if markdown else _plain
    return "\n\n".join(f"{title}\n\n{form(table)}" for title, table in tables.items())


def _work(run: Run, kind: str) -> Table:
    rows = [["", *(workload.title for workload in WORKLOADS.values())]]
    bare = run.figures["bare", kind]
    scale = run.unit.scale
    for (variant, providers), costs in run.figures.items():
        if providers == kind:
            cells = (
                f"{costs[name] * scale:,.0f} {(costs[name] - bare[name]) * scale:+,.0f} x{costs[name] / bare[name]:.2f}"
                for name in WORKLOADS
            )
            rows.append([VARIANTS[variant].title, *cells])
    return rows


def _once(run: Run) -> Table:
    """The row of the bare SDK says what importing the SDK itself costs."""
    rows = [["", "import", "which loads", "instrument()"]]
    for variant, (title, _, instrumentor, _) in VARIANTS.items():
        if variant in run.observed and (instrumentor or variant == "bare"):
            costs = run.figures[variant, "sdk"]
            imported, instrumented = (f"{costs[name] * run.unit.scale:,.0f}" for name in ("import", "instrument"))
            loads = " ".join(run.observed[variant]["loaded"])
            rows.append([title, imported, loads, instrumented if instrumentor else ""])
    return rows


def _recorded(run: Run) -> Table:
    rows = [["", "spans", "attributes", "metric points", "unlike the floor, in any of the workloads"]]
    for variant, seen in run.observed.items():
        counts = (str(len(seen["small"][part])) for part in ("spans", "attributes", "points"))
        unlike = ", ".join(_unlike(seen, run.observed["floor"])) or "nothing" if variant == "ours" else ""
        rows.append([VARIANTS[variant].title, *counts, unlike])
    return rows


def _unlike(seen: Observed, floor: Observed) -> Sequence[str]:
    """What is recorded more (`+`) or less (`-`) often than by the floor, which is to be the same by hand."""
    return sorted(
        {
            f"{sign}{name}"
            for workload in WORKLOADS
            for part in ("spans", "attributes", "points")
            for sign, more, less in (("+", seen, floor), ("-", floor, seen))
            for name in Counter[str](more[workload][part]) - Counter[str](less[workload][part])
        }
    )


Value = Callable[[Run, str], float]
"""A number of one variant. Raises KeyError where the run did not measure it."""


def _ratio(workload: str, kind: str) -> Value:
    return lambda run, variant: run.figures[variant, kind][workload] / run.figures["bare", kind][workload]


def _over_floor(workload: str) -> Value:
    def value(run: Run, variant: str) -> float:
        cost, floor, bare = (run.figures[name, "sdk"][workload] for name in (variant, "floor", "bare"))
        return (cost - bare) / (floor - bare)

    return value


def _idle_milliseconds(run: Run, variant: str) -> float:
    cost, bare = (run.figures[name, "noprov"]["small"] for name in (variant, "bare"))
    return (cost - bare) * run.unit.seconds * 1000


def _loaded(run: Run, variant: str) -> float:
    return len(run.observed[variant]["loaded"])


TARGETS: Mapping[str, tuple[float, Value]] = {
    "plain call, ratio to the bare SDK": (1.33, _ratio("small", "sdk")),
    "call with a 105 kB prompt, ratio": (1.11, _ratio("large", "sdk")),
    "streamed event, ratio": (1.05, _ratio("raw", "sdk")),
    "plain call, added work over the floor's": (1.5, _over_floor("small")),
    "call with a 105 kB prompt, added work over the floor's": (1.5, _over_floor("large")),
    "no providers: added ms of CPU a call": (0.05, _idle_milliseconds),
    "no providers: streamed event, ratio": (1.0, _ratio("raw", "noprov")),
    "import: how many of anthropic, genai_prices, exporters it loads": (0, _loaded),
}
"""What is to hold of otel_claude, each with the most that it may be."""


def _targets(run: Run) -> Table:
    rows = [["", "at most", "otel_claude", "", "SDK's own tracing", "genai-anthropic"]]
    for title, (limit, value) in TARGETS.items():
        values: dict[str, float] = {}
        for variant in ("ours", "native", "otel-genai"):
            try:
                values[variant] = round(value(run, variant), 2)
            except KeyError:
                continue
        verdict = ("met" if values["ours"] <= limit else "NOT MET") if "ours" in values else ""
        ours, *others = (f"{values[name]:g}" if name in values else "?" for name in ("ours", "native", "otel-genai"))
        rows.append([title, f"{limit:g}", ours, verdict, *others])
    return rows


def _plain(table: Table) -> str:
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if position else cell.ljust(width)
            for position, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    )


def _markdown(table: Table) -> str:
    head, *rows = table
    rule = ["---", *("---:" for _ in head[1:])]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))
