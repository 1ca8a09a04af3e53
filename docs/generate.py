"""The tables in `docs/` that are made from the code.

In: the pages of `docs/`, with places between `<!-- generated: NAME -->` and `<!-- end -->`, and the code. Out: the same
pages, each place filled with the table of its name.

    python docs/generate.py            # fills the places
    python docs/generate.py --check    # exits 1 and names the pages that are not current
"""

import argparse
import ast
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import otel_claude
from otel_claude import install_span_cap, names, settings, testing
from otel_claude.agents.execution import Execution
from otel_claude.agents.run import Run
from otel_claude.anthropic.endpoints import KINDS
from otel_claude.budgets.plan import read_plan
from otel_claude.call import Call, Endpoint, Request, Response, Retry, Server, StreamFacts
from otel_claude.dashboards.alert import link
from otel_claude.dashboards.alerts import ALERTS
from otel_claude.dashboards.panels import ROWS
from otel_claude.diagnosis import codes
from otel_claude.emitting import points
from otel_claude.emitting.instruments import INSTRUMENTS
from otel_claude.emitting.spans import name_of
from otel_claude.outcome import StreamInterrupted
from otel_claude.pricing import Cost
from otel_claude.pricing.overrides import ACCEPTED
from otel_claude.telemetry import Telemetry
from otel_claude.usage import Step, Usage

DOCS = Path(__file__).parent
PACKAGE = Path(inspect.getfile(otel_claude)).parent
PLACE = re.compile(r"(<!-- generated: (?P<name>[a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)

TYPES = {"Text": "string", "Texts": "string[]", "Int": "int", "Float": "double", "Bool": "boolean"}
"""The conventions' words for the types in `names`."""


class Constant(NamedTuple):
    """A constant, or a field: its annotation, the text under it, and the comment above its group."""

    name: str
    annotation: str | None
    text: str
    group: str


def constants(module: ModuleType | type) -> Iterator[Constant]:
    """The constants of a module, or the fields of a class, that have a text under them, in their order."""
    source = inspect.getsource(module)
    comments = {at: line[2:] for at, line in enumerate(source.splitlines(), 1) if line.startswith("# ")}
    body = ast.parse(source).body
    if inspect.isclass(module):
        body = next(node for node in body if isinstance(node, ast.ClassDef)).body
    for node, below in pairwise(body):
        text = below.value if isinstance(below, ast.Expr) else None
        if not (isinstance(text, ast.Constant) and isinstance(text.value, str)):
            continue
        group = next((comments[at] for at in sorted(comments, reverse=True) if at < node.lineno), "")
        match node:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
                yield Constant(name, ast.unparse(annotation), inspect.cleandoc(text.value), group)
            case ast.Assign(targets=[ast.Name(id=name)]):
                yield Constant(name, None, inspect.cleandoc(text.value), group)
            case _:
                pass


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def code(value: object) -> str:
    """A value as code, or nothing for none."""
    return "" if value is None or value == "" else f"`{value}`"


def settings_table() -> str:
    """All settings in a table, then each with its text."""
    known = {setting.name: setting for setting in fields(settings.Settings)}
    overview = table(
        ("setting", "environment variable", "default"),
        (
            (f"[`{name}`](#{name})", code(known[name].metadata["env"]) or "in code only", _default(known[name].default))
            for name in known
        ),
    )
    sections = (
        f"\n## {constant.name}\n\nAccepts {known[constant.name].metadata['accepts']}. "
        f"Default: {_default(known[constant.name].default)}.\n\n{constant.text}\n"
        for constant in constants(settings.Settings)
    )
    return overview + "".join(sections)


def _default(value: object) -> str:
    return "none" if value is None else code(json.dumps(value).strip('"'))


def spans_table() -> str:
    """What spans are called, by the method of the SDK."""

    def called(method: str) -> str:
        request = Request("POST", {}, "{model}", stream=False)
        return name_of(Call(Endpoint(method, KINDS[method]), Server("", "", None, None), request, 0, 0))

    special = {method: called(method) for method in KINDS if called(method) != method}
    rows = [*special.items(), ("any other", "the SDK's own name of the method, `anthropic.{resource}.{method}`")]
    return table(
        ("method", "span name"), ((code(left) if left in KINDS else left, _name(right)) for left, right in rows)
    )


def _name(text: str) -> str:
    return text if "`" in text else code(text)


def attributes_table() -> str:
    """Every attribute, by the groups of `names`."""
    groups: dict[str, list[tuple[str, str, str]]] = {}
    for constant in constants(names):
        if constant.annotation in TYPES:
            row = code(getattr(names, constant.name)), TYPES[constant.annotation], _line(constant.text)
            groups.setdefault(constant.group, []).append(row)
    return "\n".join(
        f"### {group}\n\n{table(('attribute', 'type', 'what it says'), rows)}" for group, rows in groups.items()
    )


def _line(text: str) -> str:
    return " ".join(text.split())


def events_table() -> str:
    """Every event, with its severity."""
    told = (constant for constant in constants(names) if constant.name.endswith("_EVENT"))
    rows = ((getattr(names, each.name), *_line(each.text).split(". ", 1)) for each in told)
    return table(("event", "severity", "what it says"), ((code(name), word, text) for name, word, text in rows))


def metrics_table() -> str:
    """Every metric, with the attributes that only it has."""
    own = own_attributes()
    rows = (
        (
            code(each.name),
            f"{each.kind.replace('_down_', '-down ')}, {code(each.unit)}",
            each.names or "all",
            ", ".join(code(name) for name in own[each.name]),
            each.description,
        )
        for each in INSTRUMENTS
    )
    return table(("metric", "instrument, unit", "`metric_names`", "attributes of its own", "what it says"), rows)


def labels_list() -> str:
    """The attributes that the points of all calls have."""
    return ", ".join(code(name) for name in points.LABELS) + "\n"


def own_attributes() -> dict[str, list[str]]:
    """The attributes of each metric beside those of all calls, from calls in which everything happens."""
    memory = testing.Telemetry()
    prices = {"priced": {str(name): number for number, name in enumerate(ACCEPTED, 1)}}
    telemetry = Telemetry(
        settings.Settings(
            metric_names="both",
            chunk_metrics=True,
            prices=prices,
            budgets=read_plan({"budgets": {"each": {"usd": 1, "period": "day", "per": "tenant"}}}),
        ),
        memory.tracer_provider,
        memory.meter_provider,
        memory.logger_provider,
    )
    install_span_cap(
        memory.tracer_provider, 2, meter_provider=memory.meter_provider, logger_provider=memory.logger_provider
    )
    limits = {b"anthropic-ratelimit-requests-" + name.encode(): b"1" for name in ("limit", "remaining")}
    reset = {b"anthropic-ratelimit-requests-reset": b"2999-01-01T00:00:00Z"}
    owner = {b"anthropic-organization-id": b"organization", b"anthropic-workspace-id": b"workspace"}
    telemetry.limits.observe({**owner, **limits, **reset}, "priced")
    for model in ("priced", "unpriced"):
        call = _eventful_call(model)
        telemetry.start(call)
        call.scopes = {"tenant": "acme"}
        if telemetry.budgets is not None:
            telemetry.budgets.admit(call)
            telemetry.budgets.flush()
        telemetry.chunk(call, 1.0)
        call.retries.append(Retry("rate_limit_error", 429))
        telemetry.retried(call)
        telemetry.finish(call)
    for _ in range(2):
        call = _eventful_call("priced")
        call.response.usage, call.sent_body = Usage(10_000, 1), {"system": "the same each time" * 2_000}
        telemetry.finish(call)
    run, failure = telemetry.agents.run(Run("agent", model="priced")), LookupError()
    with run.step():
        telemetry.agents.execution(Execution("tool")).end(failure)
    run.end(failure)
    tracer = memory.tracer_provider.get_tracer("docs")
    with tracer.start_as_current_span("more than the cap"):
        for _ in range(3):
            tracer.start_span("child").end()
    read = {name: {label for point in found for label in point["attributes"]} for name, found in memory.metrics.items()}
    telemetry.close()
    memory.shutdown()
    return {
        name: sorted(labels - set(points.LABELS) if names.OPERATION in labels else labels)
        for name, labels in read.items()
    }


def _eventful_call(model: str) -> Call:
    """A stream that fails after its answer, which has used everything that can be counted."""
    usage = Usage(1, 1, 1, 2, 1, 1, 1, 1, 1, steps=(Step("message", None, Usage(1, 1)),))
    return Call(
        Endpoint("anthropic.messages.create", "chat"),
        Server("anthropic", "anthropic", "host", 443),
        Request("POST", {}, model, stream=True),
        0,
        0,
        response=Response(200, model=model, stop_reason="end_turn", usage=usage),
        stream=StreamFacts(chunks=1, first_content_at=1, outcome="interrupted"),
        error=StreamInterrupted(),
    )


def buckets_table() -> str:
    """The bucket boundaries of the histograms."""
    found: dict[tuple[float, ...], list[str]] = {}
    for each in INSTRUMENTS:
        if each.buckets is not None:
            found.setdefault(each.buckets, []).append(code(each.name))
    rows = ((", ".join(named), ", ".join(f"{bound:,}" for bound in bounds)) for bounds, named in found.items())
    return table(("histograms", "boundaries"), rows)


def errors_table() -> str:
    """Every `error.type` that has a category of its own."""
    return table(("`error.type`", "`claude.error.category`"), ((code(a), code(b)) for a, b in codes.TYPES.items()))


def estimated_list() -> str:
    """The reasons why a cost is an estimate."""
    found = re.findall(r"^- `(\w+)`: (.+?)(?=\n- |\n\n|\Z)", inspect.getdoc(Cost) or "", re.DOTALL | re.MULTILINE)
    return table(("reason", "why the bill may differ"), ((code(reason), _line(why)) for reason, why in found))


def modules_table() -> str:
    """Every module with the first sentence of its docstring. The test helpers are one row."""
    paths = sorted(PACKAGE.rglob("*.py"), key=lambda path: (len(path.relative_to(PACKAGE).parts), path))
    own = (path for path in paths if path.relative_to(PACKAGE).parts[0] != "testing")
    rows = [*own, PACKAGE / "testing" / "__init__.py"]
    return table(("module", "what it is"), ((_link(path), _first_sentence(path.read_text("utf-8"))) for path in rows))


def _link(path: Path) -> str:
    inside = path.relative_to(PACKAGE).as_posix()
    shown = inside.removesuffix("__init__.py") or inside
    return f"[`{shown}`](../src/otel_claude/{inside})"


def _first_sentence(source: str) -> str:
    text = ast.get_docstring(ast.parse(source)) or ""
    return _line(text.partition("\n\n")[0])


def helpers_table() -> str:
    """Everything that `otel_claude.testing` gives."""
    given = ((name, inspect.getdoc(getattr(testing, name)) or "") for name in testing.__all__)
    return table(("name", "what it is"), ((code(name), _line(text.partition("\n\n")[0])) for name, text in given))


def panels_table() -> str:
    """Every panel of the dashboards, by row."""
    return table(
        ("row", "panel", "what it shows"),
        ((row.title, panel.heading, panel.text) for row in ROWS for panel in row.panels),
    )


def alerts_table() -> str:
    """Every alert, with its section of the guide."""
    rows = (
        (
            code(alert.name),
            f"[{alert.section}]({link(alert, 'production.md')})",
            alert.severity,
            "" if alert.wait == "0m" else alert.wait,
            alert.hint,
            "" if alert.formula is not None else "Prometheus only",
        )
        for alert in ALERTS
    )
    return table(("alert", "section of the guide", "severity", "`for`", "what it says", "where"), rows)


TABLES: Mapping[str, Callable[[], str]] = {
    "alerts": alerts_table,
    "attributes": attributes_table,
    "buckets": buckets_table,
    "errors": errors_table,
    "estimated": estimated_list,
    "events": events_table,
    "helpers": helpers_table,
    "labels": labels_list,
    "metrics": metrics_table,
    "modules": modules_table,
    "panels": panels_table,
    "settings": settings_table,
    "spans": spans_table,
}
"""What can stand in a place, by its name."""


def filled(page: str) -> str:
    """A page with all of its places filled.

    Raises:
        KeyError: a place has a name that no table has.
    """

    def fill(place: re.Match[str]) -> str:
        return f"{place[1]}\n{TABLES[place['name']]()}\n{place[3]}"

    return PLACE.sub(fill, page)


def main(arguments: Sequence[str], docs: Path = DOCS) -> int:
    """Fills or checks the pages in `docs`. The exit status: 1 where a checked page is not current."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if a page is not current")
    check: Any = parser.parse_args(arguments).check
    stale: list[str] = []
    for path in sorted(docs.glob("*.md")):
        page = path.read_text("utf-8")
        current = filled(page)
        if current != page:
            stale.append(path.name)
            if not check:
                path.write_text(current, "utf-8")
    for name in stale:
        sys.stdout.write(f"docs/{name}: {'not current; run make docs' if check else 'made anew'}\n")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
