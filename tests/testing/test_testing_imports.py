"""The test helpers depend on nothing but the standard library and OpenTelemetry."""

import ast
import sys
from pathlib import Path

import otel_claude.testing

MODULES = sorted(Path(otel_claude.testing.__file__).parent.glob("*.py"))


def test_the_test_helpers_import_neither_the_sdk_nor_the_rest_of_the_package():
    imported: set[str] = set()
    for module in MODULES:
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                imported.add(node.module or "")
    ours = {name for name in imported if name.split(".")[0] not in sys.stdlib_module_names}
    assert ours
    assert all(name.startswith(("opentelemetry.", "otel_claude.testing")) for name in ours)


def test_all_names_what_the_package_exports():
    assert otel_claude.testing.__all__ == sorted(otel_claude.testing.__all__)
    assert all(hasattr(otel_claude.testing, name) for name in otel_claude.testing.__all__)
