"""The totals in the terminal: costs, metrics and events, of the records that `receiver` has.

Nothing is estimated here. What no point or event says stays empty.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from receiver import Attributes, Event, Point, Span
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

COST_TYPES: Mapping[str, tuple[str, ...]] = {
    "input": ("input",),
    "cache_write": ("cache_write_5m", "cache_write_1h"),
    "cache_read": ("cache_read",),
    "output": ("output",),
    "server_tools": (),
}
"""The types of `claude.cost`, and the types of `claude.token.usage` that each is the price of."""

MODELS = ("gen_ai.response.model", "gen_ai.request.model")
SAID_BY_THE_SPAN = ("gen_ai.", "server.", "claude.platform", "claude.request.", "exception.stacktrace")
RATIO = "1"
"""The unit of what has none."""
SHORT = 0.1
"""Shorter times are given in milliseconds."""
SEVERITIES = {"WARN": "yellow", "ERROR": "bold red"}


def costs(points: Sequence[Point], spans: Sequence[Span]) -> RenderableType:
    """What was spent by model and by what it was spent on, with the tokens, and what the cache saved."""
    spent = _by_model(points, "claude.cost", "claude.cost.type")
    tokens = _by_model(points, "claude.token.usage", "claude.token.type")
    saved = _by_model(points, "claude.cost.savings", "claude.savings.type")
    kinds = [kind for kind in COST_TYPES if any(kind in by_kind for by_kind in spent.values())]
    table = new_table(footer=len(spent) > 1)
    table.add_column("model", "total", no_wrap=True)
    for kind in kinds:
        of_kind = sum(by_kind.get(kind, 0) for by_kind in spent.values())
        table.add_column(kind.replace("_", " "), usd(of_kind), justify="right", no_wrap=True)
    total = sum(sum(by_kind.values()) for by_kind in spent.values())
    total_saved = sum(by_kind["cache"] for by_kind in saved.values() if "cache" in by_kind)
    sum_saved = usd(total_saved) if saved else ""
    table.add_column("total", usd(total), justify="right", style="bold green", footer_style="bold green")
    table.add_column("cache saved", sum_saved, justify="right", style="cyan", footer_style="cyan")
    for model, by_kind in sorted(spent.items()):
        cells = [_cost_cell(by_kind.get(kind), _tokens_of(kind, tokens[model])) for kind in kinds]
        cache = saved[model].get("cache")
        table.add_row(model, *cells, usd(sum(by_kind.values())), "" if cache is None else usd(cache))
    return Group(table, *_remarks(points, spans, total, total_saved))


def metrics(points: Sequence[Point]) -> RenderableType:
    """Every point of every metric: a line for each model, without the attributes that tell nothing apart."""
    parts: list[RenderableType] = []
    for metric, of_metric in _grouped(points, lambda point: point.metric).items():
        first = of_metric[0]
        unit = "" if first.unit == RATIO else first.unit
        parts.append(Text.assemble(metric, (f"  {unit}{'' if first.count is None else '  sum / count'}", "dim")))
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True, style="cyan")
        table.add_column()
        for model, of_model in _grouped(of_metric, lambda point: _model(point.attributes)).items():
            values = Text("  ").join(
                Text.assemble((f"{label} " if label else "", "dim"), _value(point))
                for label, point in _labelled(of_model, of_metric)
            )
            table.add_row(f"  {model}", values)
        parts.append(table)
    return Group(*parts)


def events(records: Iterable[Event], numbers: Mapping[bytes, int]) -> RenderableType:
    """Events with the number of their trace and the attributes that their span does not have."""
    table = Table.grid(padding=(0, 1, 0, 0), expand=True)
    table.add_column(justify="right", style="dim")
    table.add_column()
    table.add_column(ratio=1, overflow="fold")
    for event in records:
        severity = Text(event.severity, SEVERITIES.get(event.severity, ""))
        said = Text.assemble((event.name or str(event.body), "bold"))
        for name, value in event.attributes.items():
            if not name.startswith(SAID_BY_THE_SPAN):
                said.append(f"\n{name} ", "dim").append(str(value))
        table.add_row(str(numbers.get(event.trace, "")), severity, said)
    return table


def new_table(*, footer: bool = False) -> Table:
    """A table without lines, as wide as the terminal."""
    return Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, expand=True, header_style="dim", show_footer=footer)


def _by_model(points: Iterable[Point], metric: str, kind: str) -> dict[str, dict[str, float]]:
    """The values of a metric's points, added up by model and by one attribute."""
    sums: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for point in points:
        if point.metric == metric:
            sums[_model(point.attributes)][point.attributes[kind]] += point.value
    return sums


def _tokens_of(kind: str, tokens: Mapping[str, float]) -> int | None:
    counts = [int(tokens[each]) for each in COST_TYPES[kind] if each in tokens]
    return sum(counts) if counts else None


def _cost_cell(cost: float | None, tokens: int | None) -> Text:
    cell = Text("" if cost is None else usd(cost))
    return cell if tokens is None else cell.append(f"\n{tokens:,} tok", "dim")


def _remarks(points: Sequence[Point], spans: Sequence[Span], total: float, saved: float) -> Iterator[Text]:
    sources = sorted(
        {span.attributes["claude.cost.source"] for span in spans if "claude.cost.source" in span.attributes}
    )
    if sources:
        yield Text(f"Prices: {', '.join(sources)}.", "dim")
    if saved > 0:
        yield Text(
            f"Without the cache: {usd(total + saved)}. The cache saved {saved / (total + saved):.0%} of it.", "cyan"
        )
    unpriced = sum(point.value for point in points if point.metric == "claude.cost.unpriced")
    if unpriced:
        yield Text(f"{unpriced:,.0f} calls have no price, so they are in none of these sums.", "yellow")


def _grouped(points: Iterable[Point], key: Callable[[Point], str]) -> dict[str, list[Point]]:
    groups: dict[str, list[Point]] = defaultdict(list)
    for point in points:
        groups[key(point)].append(point)
    return groups


def _labelled(points: Iterable[Point], of_metric: Sequence[Point]) -> Iterator[tuple[str, Point]]:
    """The points with the values of those attributes by which the points of their metric differ."""
    names = dict.fromkeys(name for point in of_metric for name in point.attributes if name not in MODELS)
    telling = [name for name in names if len({str(point.attributes.get(name)) for point in of_metric}) > 1]
    for point in points:
        yield (
            " ".join(dict.fromkeys(str(point.attributes[name]) for name in telling if name in point.attributes)),
            point,
        )


def _model(attributes: Attributes) -> str:
    return next((attributes[name] for name in MODELS if name in attributes), "")


def _value(point: Point) -> str:
    value = UNITS.get(point.unit, _number)(point.value)
    return value if point.count is None else f"{value} / {point.count:,}"


def _number(value: float) -> str:
    return f"{value:,.4g}" if value % 1 else f"{value:,.0f}"


def usd(value: float) -> str:
    return f"{'-' if value < 0 else ''}${abs(value):.6f}"


def seconds(value: float) -> str:
    return f"{value * 1000:.0f} ms" if 0 < value < SHORT else f"{value:.2f} s"


UNITS: Mapping[str, Callable[[float], str]] = {"USD": usd, "s": seconds}
