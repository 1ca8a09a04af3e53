"""The references in `docs/` are those of the code, and the code emits what they say."""

import re
import runpy
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import anthropic
import pytest
from opentelemetry import baggage, context

import otel_claude
from otel_claude import AnthropicInstrumentor, Settings, __version__, install_span_cap
from otel_claude.budgets.plan import read_plan
from otel_claude.diagnosis.codes import TYPES
from otel_claude.emitting import points
from otel_claude.emitting.instruments import INSTRUMENTS
from otel_claude.pricing.overrides import ACCEPTED
from otel_claude.testing import (
    Answer,
    Batch,
    Cut,
    ErrorEvent,
    RateLimited,
    SimulatedClaude,
    Telemetry,
    usage,
)

PROJECT = Path(__file__).parents[2]
DOCS = PROJECT / "docs"
GENERATOR = DOCS / "generate.py"
GENERATED: Mapping[str, Any] = runpy.run_path(str(GENERATOR))

# The attributes of the GenAI conventions and of the general ones that are emitted, with their types.
# https://github.com/open-telemetry/semantic-conventions-genai/tree/main/model
# https://github.com/open-telemetry/semantic-conventions/tree/main/model
# Where the conventions have an enumeration it is one of strings. Where they have `any`, a span carries a JSON string.
# `cache_creation.input_tokens` is the earlier name of `cache_write.input_tokens`.
CONVENTIONS: Mapping[str, str] = {
    "aws.request_id": "string",
    "enduser.pseudo.id": "string",
    "error.type": "string",
    "exception.message": "string",
    "exception.stacktrace": "string",
    "exception.type": "string",
    "gen_ai.agent.name": "string",
    "gen_ai.conversation.id": "string",
    "gen_ai.input.messages": "string",
    "gen_ai.operation.name": "string",
    "gen_ai.output.messages": "string",
    "gen_ai.output.type": "string",
    "gen_ai.provider.name": "string",
    "gen_ai.request.max_tokens": "int",
    "gen_ai.request.model": "string",
    "gen_ai.request.reasoning.level": "string",
    "gen_ai.request.stop_sequences": "string[]",
    "gen_ai.request.stream": "boolean",
    "gen_ai.request.temperature": "double",
    "gen_ai.request.top_k": "int",
    "gen_ai.request.top_p": "double",
    "gen_ai.response.finish_reasons": "string[]",
    "gen_ai.response.id": "string",
    "gen_ai.response.model": "string",
    "gen_ai.response.time_to_first_chunk": "double",
    "gen_ai.system_instructions": "string",
    "gen_ai.token.modality": "string",
    "gen_ai.token.type": "string",
    "gen_ai.tool.call.arguments": "string",
    "gen_ai.tool.call.id": "string",
    "gen_ai.tool.call.result": "string",
    "gen_ai.tool.definitions": "string",
    "gen_ai.tool.description": "string",
    "gen_ai.tool.name": "string",
    "gen_ai.tool.type": "string",
    "gen_ai.usage.cache_creation.input_tokens": "int",
    "gen_ai.usage.cache_read.input_tokens": "int",
    "gen_ai.usage.cache_write.input_tokens": "int",
    "gen_ai.usage.input_tokens": "int",
    "gen_ai.usage.output_tokens": "int",
    "gen_ai.usage.reasoning.output_tokens": "int",
    "http.request.method": "string",
    "http.response.status_code": "int",
    "server.address": "string",
    "server.port": "int",
}

PYTHON_TYPES: Mapping[str, type] = {"string": str, "int": int, "double": float, "boolean": bool, "string[]": tuple}
ROW = re.compile(r"^\| `(?P<name>[\w.]+)` \| (?P<type>string\[\]|string|int|double|boolean) \|", re.MULTILINE)

ASK: Mapping[str, Any] = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 64,
    "messages": [{"role": "user", "content": "Hello"}],
    "system": "Be brief.",
    "stop_sequences": ["END"],
    "service_tier": "auto",
    "thinking": {"type": "enabled", "budget_tokens": 32},
    "tools": [{"name": "look", "input_schema": {"type": "object"}}],
    "extra_headers": {"anthropic-beta": "one-2026-01-01,two-2026-01-01"},
    "extra_body": {
        "temperature": 1.0,
        "top_p": 0.5,
        "top_k": 3,
        "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {}}},
    },
}
REPEATED: Mapping[str, Any] = {**ASK, "system": "The same each time. " * 1_500}
USAGE = usage(
    input_tokens=12,
    output_tokens=41,
    cache_read=2_000,
    cache_write_5m=200,
    cache_write_1h=100,
    output_tokens_details={"thinking_tokens": 17},
)
SERVER_TOOLS = usage(
    input_tokens=12,
    output_tokens=41,
    server_tool_use={"web_search_requests": 1, "web_fetch_requests": 1, "code_execution_requests": 1},
)
WORKSPACE = {"anthropic-workspace-id": "wrkspc_1"}


def documented() -> dict[str, str]:
    """The attributes of the reference, with their types."""
    return {row["name"]: row["type"] for row in ROW.finditer((DOCS / "telemetry.md").read_text("utf-8"))}


def generate(*arguments: str, docs: Path | None = None) -> subprocess.CompletedProcess[str]:
    script = GENERATOR if docs is None else docs / GENERATOR.name
    return subprocess.run(  # a script of the project
        [sys.executable, str(script), *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def use_everything(claude: SimulatedClaude) -> None:
    """Calls that, taken together, record on every instrument."""
    claude.will(
        RateLimited(retry_after=0.001),
        Answer("Hello", usage=USAGE, headers=WORKSPACE),
        Answer("Hello", usage=SERVER_TOOLS),
        Answer("Hello", model="claude-of-tomorrow"),
        *[Answer("Hello", usage=usage(input_tokens=6_000, output_tokens=5))] * 2,
        Answer("Hello there"),
        Cut(after_events=4),
        ErrorEvent("overloaded_error", after_events=4),
    )
    with anthropic.Anthropic(base_url=claude.base_url, api_key="sk-ant-simulated", max_retries=1) as client:
        for _ in range(3):
            client.messages.create(**ASK)
        for _ in range(2):
            client.messages.create(**REPEATED)
        list(client.messages.create(**ASK, stream=True))
        for _ in range(2):
            with pytest.raises(Exception, match=r"peer closed|incomplete|Overloaded"):
                list(client.messages.create(**ASK, stream=True))
        with client.messages.create(**ASK, stream=True) as stream:
            next(stream)
        client.messages.count_tokens(model=ASK["model"], messages=ASK["messages"])
        claude.will(Batch())
        batch = client.messages.batches.create(requests=[{"custom_id": "1", "params": {**ASK, "extra_body": None}}])  # pyright: ignore[reportArgumentType]  # the parameters are another test's matter
        list(client.messages.batches.results(batch.id))
        client.beta.messages.tool_runner(
            model=ASK["model"], max_tokens=64, messages=ASK["messages"], tools=[]
        ).until_done()
    with suppress(LookupError), otel_claude.agent("agent"):
        look()


@otel_claude.tool
def look() -> None:
    """Looks for something."""
    raise LookupError


@pytest.fixture(scope="module")
def emitted() -> Iterator[Telemetry]:
    """The telemetry of `use_everything`, with all names of metrics and with content."""
    telemetry = Telemetry()
    AnthropicInstrumentor().instrument(
        tracer_provider=telemetry.tracer_provider,
        meter_provider=telemetry.meter_provider,
        logger_provider=telemetry.logger_provider,
        settings=Settings(
            metric_names="both",
            chunk_metrics=True,
            content="SPAN_AND_EVENT",
            budgets=read_plan({"interval_s": 0.05, "budgets": {"each": {"usd": 1, "period": "day", "per": "tenant"}}}),
        ),
    )
    install_span_cap(telemetry.tracer_provider, 2)
    token = context.attach(baggage.set_baggage("tenant", "acme"))
    with SimulatedClaude() as claude, telemetry.tracer_provider.get_tracer("docs").start_as_current_span("all"):
        use_everything(claude)
    context.detach(token)
    # Read while it is on: rate limits and budgets are not shown any longer afterwards.
    end = time.monotonic() + 10
    while "claude.budget.spent" not in telemetry.metrics and time.monotonic() < end:
        time.sleep(0.05)
    AnthropicInstrumentor().uninstrument()
    yield telemetry
    telemetry.shutdown()


def test_the_references_are_current():
    checked = generate("--check")
    assert (checked.stdout, checked.stderr, checked.returncode) == ("", "", 0)


def test_a_page_that_is_not_current_is_named_and_made_anew(tmp_path: Path):
    docs = Path(shutil.copytree(DOCS, tmp_path / "docs"))
    page = docs / "telemetry.md"
    current = page.read_text("utf-8")
    page.write_text(current.replace("| `claude.cost.usd` | double |", "| `claude.cost.eur` | double |"), "utf-8")

    checked = generate("--check", docs=docs)
    assert (checked.stdout, checked.returncode) == ("docs/telemetry.md: not current; run make docs\n", 1)
    assert "claude.cost.eur" in page.read_text("utf-8")

    assert generate(docs=docs).returncode == 0
    assert page.read_text("utf-8") == current


def test_every_table_stands_on_a_page():
    pages = "".join(page.read_text("utf-8") for page in DOCS.glob("*.md"))
    assert set(GENERATED["TABLES"]) == set(re.findall(r"<!-- generated: ([a-z-]+) -->", pages))


def test_every_attribute_outside_our_namespaces_is_one_of_the_conventions_with_its_type():
    foreign = {name: kind for name, kind in documented().items() if not name.startswith(("anthropic.", "claude."))}
    assert foreign == CONVENTIONS


def test_every_setting_has_a_section_of_its_own():
    sections = set(re.findall(r"^## (\w+)$", (DOCS / "settings.md").read_text("utf-8"), re.MULTILINE))
    assert set(Settings.__dataclass_fields__) <= sections


def test_every_attribute_that_is_emitted_is_documented_with_its_type(emitted: Telemetry):
    known = documented()
    wrong = {
        name: value
        for span in emitted.spans
        for name, value in (span.attributes or {}).items()
        if name not in known or type(value) is not PYTHON_TYPES[known[name]]
    }
    assert wrong == {}
    told = {name for event in emitted.events for name in event.attributes}
    assert told <= set(known)


def test_every_metric_has_the_attributes_that_the_reference_gives_it(emitted: Telemetry):
    def own(name: str) -> set[str]:
        labels = {label for point in emitted.metrics[name] for label in point["attributes"]}
        is_of_calls = not name.startswith(("claude.rate_limit.", "gen_ai.invoke_agent.", "gen_ai.execute_tool."))
        return labels - set(points.LABELS) if is_of_calls else labels

    assert set(emitted.metrics) == {each.name for each in INSTRUMENTS}
    assert {name: own(name) for name in emitted.metrics} == {
        name: set(labels) for name, labels in GENERATED["own_attributes"]().items()
    }


def test_every_type_of_error_has_a_row_in_operations():
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", (DOCS / "operations.md").read_text("utf-8"), re.MULTILINE)
    assert {kind.lower() for kind in TYPES} <= {kind.lower() for row in rows for kind in re.findall(r"\w+", row)}


def test_every_source_of_a_price_or_rule_is_named_in_pricing():
    package = PROJECT / "src" / "otel_claude" / "pricing"
    sources = {
        address.rstrip(".,")
        for path in package.glob("*.py")
        for address in re.findall(r"https://[^\s\"')]+", path.read_text("utf-8"))
    }
    named = set(re.findall(r"\((https://[^)]+)\)", (DOCS / "pricing.md").read_text("utf-8")))
    assert sources - named == set()


def test_every_price_that_an_override_can_have_is_named_in_pricing():
    page = (DOCS / "pricing.md").read_text("utf-8")
    assert [name for name in ACCEPTED if f"`{name}`" not in page] == []


def test_the_changelog_speaks_of_this_version():
    assert __version__ in (PROJECT / "CHANGELOG.md").read_text("utf-8")
