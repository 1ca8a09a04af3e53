"""What imports what: nothing heavy at the start, and one direction through the package."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import otel_claude
from child_python import run_python

PACKAGE = Path(otel_claude.__file__).parent
MODULES = {
    ".".join(file.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").strip("."): file
    for file in sorted(PACKAGE.rglob("*.py"))
    if "testing" not in file.parts
}

PURE_PACKAGES = frozenset(
    {
        "batches",
        "budgets",
        "call",
        "content",
        "diagnosis",
        "outcome",
        "pricing",
        "rate_limits",
        "usage",
        "values",
        "who",
    }
)
PURE = [
    name
    for name in MODULES
    if name.partition(".")[0] in PURE_PACKAGES
    or name
    in (
        "anthropic.taps",
        "anthropic.endpoints",
        "agents.arguments",
        "agents.execution",
        "agents.run",
        "emitting.compatibility",
        "emitting.spans",
        "names",
        "readers",
        "settings",
        "failsafe",
        "span_cap.shares",
        "span_cap.structure",
    )
]

LAYERS: tuple[tuple[str, ...], ...] = (
    ("version", "names", "failsafe", "values", "environment_variables", "at_exit", "forks", "weak_sets"),
    ("leftovers", "dropped", "loading"),
    (
        "usage",
        "rate_limits",
        "diagnosis.codes",
        "diagnosis.recent",
        "span_cap.shares",
        "span_cap.structure",
        "budgets.exceeded",
    ),
    ("budgets.money", "budgets.periods", "budgets.documents", "budgets.yaml_documents", "budgets.ledgers.address"),
    ("budgets.budget",),
    ("budgets.plan",),
    ("outcome",),
    ("pricing",),
    ("batches", "content"),
    ("agents.arguments",),
    ("agents.requests",),
    ("agents.run",),
    ("agents.execution",),
    ("emitting.compatibility",),
    ("readers",),
    ("call", "settings", "emitting.instruments", "emitting.spans"),
    ("diagnosis", "who"),
    ("budgets",),
    ("knowledge",),
    ("emitting",),
    ("agents",),
    ("dashboards",),
    ("span_cap",),
    ("telemetry", "switch"),
    ("anthropic", "agent_sdk"),
    ("instrumentor",),
    ("",),
    ("doctor",),
    ("commands",),
)
"""From the bottom up. A module imports from its own layer or from those below."""


def imported(file: Path, *, at_the_start: bool = False) -> Iterator[str]:
    """The full names of what a module imports, at any time or when it is loaded."""
    tree = ast.parse(file.read_text())
    nodes = list(_loaded(tree)) if at_the_start else list(ast.walk(tree))
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            for alias in node.names:
                yield f"{node.module}.{alias.name}"


def _loaded(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        yield node
        yield from _loaded(node)


def layer_of(name: str) -> int:
    for number, layer in enumerate(LAYERS):
        if any(name == part or (part and name.startswith(f"{part}.")) for part in layer):
            return number
    raise LookupError(f"{name or 'otel_claude'} is in no layer")


def own(names: Iterator[str]) -> Iterator[str]:
    """Of imported names those of the package: the modules that they are in."""
    for name in names:
        inner = name.removeprefix("otel_claude").lstrip(".") if name.partition(".")[0] == "otel_claude" else None
        if inner is not None:
            parts = inner.split(".")
            while parts and ".".join(parts) not in MODULES:
                parts.pop()
            yield ".".join(parts)


@pytest.mark.parametrize("name", PURE)
def test_pure_modules_know_neither_opentelemetry_nor_the_sdk(name: str):
    roots = {each.partition(".")[0] for each in imported(MODULES[name])}

    assert roots & {"opentelemetry", "anthropic", "httpx", "httpx2", "wrapt"} == set()


def test_the_pure_modules_are_there():
    assert {"call", "usage", "outcome", "rate_limits", "batches", "anthropic.taps", "anthropic.endpoints"} <= set(PURE)
    assert [name for name in PURE if name.startswith("pricing.")] != []
    assert [name for name in PURE if name.startswith("content")] != []


@pytest.mark.parametrize("name", MODULES)
def test_imports_go_one_way(name: str):
    upwards = {each for each in own(imported(MODULES[name])) if layer_of(each) > layer_of(name)}

    assert upwards - ({"anthropic", ""} if name == "instrumentor" else set()) == set()


def test_no_module_imports_itself_in_a_circle():
    graph = {
        name: {each for each in own(imported(file, at_the_start=True)) if each != name}
        for name, file in MODULES.items()
    }
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, f"a circle: {' -> '.join((*path, name))}"
        if name not in done:
            for each in graph[name]:
                visit(each, (*path, name))
            done.add(name)

    for name in graph:
        visit(name, ())


def test_nothing_of_the_package_imports_its_testing_part():
    assert [
        name for name, file in MODULES.items() if any(each.startswith("otel_claude.testing") for each in imported(file))
    ] == []


LOADED = "import sys; import {}; print(*sorted({{name.partition('.')[0] for name in sys.modules}} & {{*sys.argv[1:]}}))"
HEAVY = ("anthropic", "genai_prices", "httpx", "httpx2", "pydantic", "grpc", "requests", "claude_agent_sdk", "rich")


@pytest.mark.parametrize("module", ["otel_claude", "otel_claude.instrumentor", "otel_claude.environment_variables"])
def test_importing_the_package_imports_nothing_heavy(module: str):
    done = run_python(LOADED.format(module), *HEAVY)

    assert (done.returncode, done.stderr, done.stdout) == (0, "", "\n")


def test_importing_the_package_imports_no_exporter_and_no_sdk_of_opentelemetry():
    done = run_python(
        """
import sys
import otel_claude
print(*[name for name in sys.modules if name.startswith(("opentelemetry.exporter", "opentelemetry.sdk"))])
"""
    )

    assert (done.returncode, done.stderr, done.stdout) == (0, "", "\n")


def test_switching_on_imports_no_prices():
    done = run_python(
        """
import sys
from otel_claude import AnthropicInstrumentor
AnthropicInstrumentor().instrument()
print("genai_prices" in sys.modules, "otel_claude.testing" in sys.modules)
"""
    )

    assert (done.returncode, done.stderr, done.stdout) == (0, "", "False False\n")


def test_switching_on_does_not_import_resources_of_the_sdk():
    """They are many, and most programs use few of them."""
    count = (
        "import sys; import anthropic; {}; print(len([name for name in sys.modules if name.startswith('anthropic')]))"
    )
    without = run_python(count.format("from otel_claude import AnthropicInstrumentor"))
    done = run_python(
        count.format("from otel_claude import AnthropicInstrumentor; AnthropicInstrumentor().instrument()")
    )

    assert int(done.stdout) <= int(without.stdout) + 1
