"""Every example of the documentation runs, and what it names is there."""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from otel_claude import names
from otel_claude.budgets.plan import read_plan
from otel_claude.pricing import read_overrides
from otel_claude.testing import SimulatedClaude
from promql import METRICS

PROJECT = Path(__file__).parents[2]
PAGES = (*sorted(PROJECT.glob("*.md")), *sorted((PROJECT / "docs").rglob("*.md")))
FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")

LANGUAGES = {
    "python": "run",
    "toml": "read as prices, or on their page as budgets",
    "json": "read as prices",
    "sh": "looked up: `make` in the Makefile, `pip` in pyproject.toml",
    "promql": "its metrics and labels looked up",
    "yaml": "read by OpenTelemetry's declarative configuration, or by the Collector in tests/backends",
    "mermaid": "a picture",
}
"""The languages of examples, and what is done with them here."""

WORDS_OF_PROMQL = re.compile(r"\b(?:claude|gen_ai|error|server)_\w+")


class Example(NamedTuple):
    """A fenced block: where it begins, and what it says."""

    place: str
    language: str
    text: str


def examples(*languages: str) -> Iterator[Example]:
    for page in PAGES:
        text = page.read_text("utf-8")
        for block in FENCE.finditer(text):
            line = text.count("\n", 0, block.start()) + 1
            if not languages or block["language"] in languages:
                yield Example(f"{page.relative_to(PROJECT)}:{line}", block["language"], block["text"])


def all_of(*languages: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("example", [pytest.param(each, id=each.place) for each in examples(*languages)])


@pytest.fixture(scope="module")
def claude() -> Iterator[SimulatedClaude]:
    with SimulatedClaude() as claude:
        yield claude


def run(command: list[str], claude: SimulatedClaude) -> subprocess.CompletedProcess[str]:
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OTEL_", "ANTHROPIC_", "PYTEST_", "COV_"))
    }
    simulated = {
        "ANTHROPIC_API_KEY": "sk-ant-simulated",
        "ANTHROPIC_BASE_URL": claude.base_url,
        "PYTHONPATH": str(PROJECT / "src"),
        # Between the calls of a program that goes on for some minutes.
        "PAUSE": "0",
    }
    return subprocess.run(  # the commands are those below and in the documentation
        command, env={**inherited, **simulated}, capture_output=True, text=True, timeout=60, check=False
    )


def test_every_block_has_a_language_that_something_is_done_with():
    assert {example.place: example.language for example in examples() if example.language not in LANGUAGES} == {}


@all_of("python")
def test_an_example_in_python_runs(example: Example, claude: SimulatedClaude, tmp_path: Path):
    """A program runs as it is, in an interpreter of its own; one with tests in it runs with pytest."""
    if example.place.startswith("docs/agent_sdk.md"):
        pytest.importorskip("claude_agent_sdk")
    path = tmp_path / "test_example.py"
    path.write_text(example.text, "utf-8")
    tests = (
        ["-m", "pytest", "-q", "-p", "no:cacheprovider", f"--rootdir={tmp_path}"] if "def test_" in example.text else []
    )
    ran = run([sys.executable, "-W", "error", *tests, str(path)], claude)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stderr == ""


@all_of("toml", "json")
def test_an_example_of_prices_or_budgets_is_accepted(example: Example, tmp_path: Path):
    path = tmp_path / f"example.{example.language}"
    path.write_text(example.text, "utf-8")
    if example.place.startswith("docs/budgets.md"):
        assert len(read_plan(path).budgets) == 3
    else:
        assert len(read_overrides(path)) == 2


@all_of("sh")
def test_a_command_is_one_that_there_is(example: Example):
    makefile = (PROJECT / "Makefile").read_text("utf-8")
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    known = {
        "make": re.findall(r"^([a-z]+):", makefile, re.MULTILINE),
        "pip": ["install otel-claude"],
        "opentelemetry-instrument": ["python app.py"],
        "python": ["-m otel_claude.testing --port 8765"],
    }
    assert project["name"] == "otel-claude"
    for line in example.text.splitlines():
        command, _, arguments = line.partition(" ")
        assert arguments in known[command]


def test_the_command_serves_the_simulated_api():
    """`python -m otel_claude.testing`, on a port that is free."""
    environment = {**os.environ, "PYTHONPATH": str(PROJECT / "src")}
    with subprocess.Popen(
        [sys.executable, "-m", "otel_claude.testing"], env=environment, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+\n", server.stdout.readline())
        server.terminate()


@all_of("promql")
def test_a_query_asks_for_metrics_and_labels_that_there_are(example: Example):
    labels = {str(name).replace(".", "_") for name in vars(names).values() if isinstance(name, str)}
    asked = set(WORDS_OF_PROMQL.findall(example.text))
    assert asked & METRICS.keys()
    assert asked - METRICS.keys() - labels == set()


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as they are made on code hosts."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_every_relative_link_leads_somewhere(page: Path):
    text = FENCE.sub("", page.read_text("utf-8"))
    for target in LINK.findall(text):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        linked = page if not path else page.parent / path
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target
