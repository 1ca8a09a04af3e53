"""`opentelemetry-instrument`, with the package installed: a program of which no line was changed."""

import json
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import pytest
from apps import NATIVE_SPAN, SDK_MAKES_SPANS, SPAN

from child_python import run_python

COMMAND = Path(sys.executable).with_name("opentelemetry-instrument")


def points() -> set[str]:
    try:
        return {point.name for point in distribution("otel-claude").entry_points}
    except PackageNotFoundError:
        return set()


pytestmark = pytest.mark.skipif(
    not COMMAND.exists() or "claude_anthropic" not in points(),
    reason="the package or `opentelemetry-distro` is not installed here",
)

CONSOLE = {
    "OTEL_TRACES_EXPORTER": "console",
    "OTEL_METRICS_EXPORTER": "console",
    "OTEL_LOGS_EXPORTER": "none",
    "OTEL_METRIC_EXPORT_INTERVAL": "60000",
    "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "httpx,httpx2",
}

PROGRAM = """
from anthropic import Anthropic
from otel_claude.testing import SimulatedClaude

with SimulatedClaude() as claude, Anthropic(base_url=claude.base_url, api_key="sk-ant-simulated") as client:
    hello = dict(model="claude-sonnet-5-5", max_tokens=5, messages=[{"role": "user", "content": "Hi"}])
    client.messages.create(**hello)
    for _ in client.messages.create(**hello, stream=True):
        pass
"""


def printed(stdout: str) -> list[Any]:
    """The JSON documents that the console exporters print one after the other."""
    decoder, documents, at = json.JSONDecoder(), list[Any](), 0
    while (at := stdout.find("{", at)) >= 0:
        document, at = decoder.raw_decode(stdout, at)
        documents.append(document)
    return documents


def run(program: str = PROGRAM, **env: str) -> tuple[list[str], set[str], str]:
    """The names of the spans and of the metrics that a program prints, and what it says on stderr."""
    done = run_python(program, env=CONSOLE | env, launcher=(str(COMMAND),))
    assert done.returncode == 0, done.stderr
    documents = printed(done.stdout)
    spans = [document["name"] for document in documents if "context" in document]
    metrics = {
        metric["name"]
        for document in documents
        for resource in document.get("resource_metrics", ())
        for scope in resource["scope_metrics"]
        if scope["scope"]["name"] == "otel_claude"
        for metric in scope["metrics"]
    }
    return spans, metrics, done.stderr


def test_a_program_gets_spans_and_metrics():
    spans, metrics, stderr = run()

    assert spans == [SPAN, SPAN]
    assert {"gen_ai.client.operation.duration", "gen_ai.client.token.usage", "claude.cost"} <= metrics
    assert stderr == ""


def test_settings_of_the_environment_are_followed():
    spans, metrics, _ = run(OTEL_CLAUDE_METRIC_NAMES="latest", OTEL_CLAUDE_NATIVE_SPANS="keep")

    assert spans == [NATIVE_SPAN if SDK_MAKES_SPANS else SPAN] * 2
    assert "gen_ai.client.inference.duration" in metrics
    assert "gen_ai.client.operation.duration" not in metrics


def test_bad_settings_do_not_stop_the_program():
    spans, metrics, stderr = run(
        OTEL_CLAUDE_NATIVE_SPANS="remove",
        OTEL_CLAUDE_CONTENT_MAX_BYTES="many",
        OTEL_CLAUDE_PRICES="/no/such/file.toml",
        OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="perhaps",
    )

    assert spans == [SPAN, SPAN]
    assert "claude.cost" in metrics
    for variable in (
        "OTEL_CLAUDE_NATIVE_SPANS",
        "OTEL_CLAUDE_CONTENT_MAX_BYTES",
        "OTEL_CLAUDE_PRICES",
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",
    ):
        assert variable in stderr


def test_it_can_be_switched_off_by_its_name():
    spans, metrics, _ = run(OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="claude_anthropic,httpx,httpx2")

    assert spans == ([NATIVE_SPAN] * 2 if SDK_MAKES_SPANS else [])
    assert metrics == set()


def test_switching_on_once_more_in_the_program_changes_nothing():
    spans, _, stderr = run(
        "from otel_claude import AnthropicInstrumentor\nAnthropicInstrumentor().instrument()\n" + PROGRAM
    )

    assert spans == [SPAN, SPAN]
    assert "already instrumented" in stderr


def test_options_of_the_command_line_are_settings():
    done = run_python(
        PROGRAM,
        env=CONSOLE,
        launcher=(str(COMMAND), "--claude_native_spans", "keep"),
    )

    assert done.returncode == 0, done.stderr
    assert [document["name"] for document in printed(done.stdout) if "context" in document] == (
        [NATIVE_SPAN if SDK_MAKES_SPANS else SPAN] * 2
    )


def test_help_lists_the_settings():
    done = run_python("", launcher=(str(COMMAND), "--help"))

    assert done.returncode == 0, done.stderr
    for setting in ("native_spans", "metric_names", "chunk_metrics", "content_max_bytes", "prices"):
        assert f"--claude_{setting}" in done.stdout


def test_a_program_without_the_sdk_runs_on_and_loads_nothing_of_us():
    """The dependency check looks at what is installed, before anything is imported."""
    done = run_python(
        """
import sys
import importlib.metadata as metadata
from opentelemetry.instrumentation import auto_instrumentation, dependencies

find = metadata.distribution
installed = dependencies.distribution if hasattr(dependencies, "distribution") else None

def without(name):
    if name == "anthropic":
        raise metadata.PackageNotFoundError(name)
    return find(name)

without_versions = lambda name: without(name).version
for name, value in (("version", without_versions), ("distribution", without)):
    if hasattr(dependencies, name):
        setattr(dependencies, name, value)
sys.modules["anthropic"] = None
auto_instrumentation.initialize()
from otel_claude import AnthropicInstrumentor
print(AnthropicInstrumentor().is_instrumented_by_opentelemetry)
""",
        env={**CONSOLE, "OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none"},
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout == "False\n"
    assert "Traceback" not in done.stderr


def test_instrument_without_the_sdk_says_which_versions_are_accepted():
    done = run_python(
        """
import logging
logging.basicConfig(format="%(levelname)s %(message)s")
from opentelemetry.instrumentation import dependencies
import importlib.metadata as metadata

def without(name):
    raise metadata.PackageNotFoundError(name)

dependencies.version = without
from otel_claude import AnthropicInstrumentor
AnthropicInstrumentor().instrument()
print(AnthropicInstrumentor().is_instrumented_by_opentelemetry)
"""
    )

    assert (done.returncode, done.stdout) == (0, "False\n")
    assert "anthropic >= 0.50, < 3" in done.stderr


def test_the_extra_names_the_versions_that_are_instrumented():
    """`opentelemetry-instrument` reads the extra, `instrument` the property."""
    from packaging.requirements import Requirement

    from otel_claude import AnthropicInstrumentor

    (extra,) = [
        Requirement(text)
        for text in distribution("otel-claude").requires or ()
        if "instruments-any" in text and text.startswith("anthropic")
    ]
    (own,) = map(Requirement, AnthropicInstrumentor().instrumentation_dependencies())
    assert extra.specifier == own.specifier


def test_the_names_of_the_entry_points_are_our_own():
    """`anthropic` is the name of three other packages, which are all loaded at once."""
    declared = distribution("otel-claude").entry_points

    names = {point.name for point in declared.select(group="opentelemetry_instrumentor")}
    assert names == {"claude_anthropic", "claude_agent_sdk"}
    assert not declared.select(group="opentelemetry_distro")
    assert not declared.select(group="opentelemetry_configurator")
    for point in declared:
        if point.group.startswith("opentelemetry"):
            point.load()
