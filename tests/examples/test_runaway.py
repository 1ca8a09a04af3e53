"""The runaway agent, run under `opentelemetry-instrument` as a user would, without the span cap and with it.

The numbers of what it does are those of `script.research` and of the agent's own constants.
"""

import ast
import importlib
import math
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import distributions
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from otel_claude.testing import SimulatedClaude

EXAMPLES = Path(__file__).parents[2] / "examples"
NEEDED = {"opentelemetry-distro", "opentelemetry-exporter-otlp-proto-http", "rich"}

ROUNDS = 260
SEARCHES = 257  # in all rounds but one that the API refuses, one that asks the expert, and the last
FETCHES = SEARCHES * 25
TIMEOUTS = FETCHES // 500
EMPTY = FETCHES // 2_900
ANSWERS = ROUNDS - 1
SPANS = {
    "invoke_agent research": 1,
    "round": ROUNDS,
    "chat claude-sonnet-5-5": ROUNDS,
    "chat claude-opus-5-5": 1,
    "execute_tool search": SEARCHES,
    "execute_tool ask_expert": 1,
    "fetch page": FETCHES,
    "SELECT notes": FETCHES - TIMEOUTS + 1,  # The expert is sent all notes.
    "INSERT notes": FETCHES - TIMEOUTS,
}
ERRORS = {"TimeoutError": TIMEOUTS, "IntegrityError": EMPTY, "overloaded_error": 1}
TOKENS = ANSWERS * (300 + 12_000 + 60) + 180_000 + 4_000
# USD per million tokens: https://platform.claude.com/docs/en/about-claude/pricing
DEAREST = (180_000 * 4 + 4_000 * 20) / 1_000_000
COST = ANSWERS * (300 * 2 + 12_000 * 0.10 + 60 * 10) / 1_000_000 + DEAREST
CAP = 1_000
SLOWEST = 10
"""How many of the slowest spans are kept, of a cap of 1,000."""
TITLE = re.compile(r"(.+) ×(\d+) \(summarized\)")  # noqa: RUF001  # a multiplication sign is what is meant


class Runs(NamedTuple):
    """A run without the cap and one with it. The spans of each are a `Part`; `drawn` is what is shown of both."""

    before: Any
    after: Any
    whole: Any
    kept: Any
    drawn: str


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "ANTHROPIC_"))}
    return {**kept, "PYTHONIOENCODING": "utf-8", "COLUMNS": "100", **more}


@pytest.fixture(scope="module")
def runs() -> Iterator[Runs]:
    if missing := NEEDED - {distribution.name for distribution in distributions()}:
        pytest.skip(f"the examples need {', '.join(sorted(missing))}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(EXAMPLES), *sys.path])
        before_after: Any = importlib.import_module("before_after")
        part: Any = importlib.import_module("part")
        console: Any = importlib.import_module("rich.console").Console(width=100, file=StringIO())
        # What a user's own environment says of these two would make another comparison.
        before, after = before_after.both(
            environment(OTEL_CLAUDE_MAX_SPANS_PER_TRACE="50", OTEL_TRACES_SAMPLER="always_off")
        )
        console.print(*before_after.sections(before, after, ascii_only=True).values())
        yield Runs(before, after, part.Part(before.spans), part.Part(after.spans), console.file.getvalue())


def counts(part: Any) -> Counter[str]:
    """How many spans of each name were created, the summarized ones as the titles of their summaries have them."""
    created: Counter[str] = Counter()
    for span in part.spans:
        title = TITLE.fullmatch(span.name)
        created[title[1] if title else span.name] += int(title[2]) if title else 1
    return created


def durations(part: Any) -> list[float]:
    """The durations of spans that are exported as they are, in seconds, the longest first."""
    return sorted((span.end - span.start for span in part.spans if not TITLE.fullmatch(span.name)), reverse=True)


def test_the_agent_knows_nothing_of_its_instrumentation():
    imported: set[str] = set()
    for node in ast.walk(ast.parse((EXAMPLES / "runaway_agent.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported.update(alias.name.split(".")[0] for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").split(".")[0])
    assert imported - set(sys.stdlib_module_names) == {"anthropic", "opentelemetry"}


@pytest.mark.parametrize("settings", [{}, {"ANTHROPIC_BASE_URL": "https://api.anthropic.com"}])
def test_the_agent_does_not_call_the_real_api(settings: dict[str, str]):
    done = subprocess.run(
        [sys.executable, EXAMPLES / "runaway_agent.py"],
        env=environment(ANTHROPIC_API_KEY="sk-ant-simulated", **settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "every round would be billed" in done.stderr


def test_the_agent_is_not_run_beside_the_real_api():
    """`--real` takes the base URL from the environment, so a simulated API can stand in for the real one."""
    with SimulatedClaude() as claude:
        done = subprocess.run(
            [sys.executable, EXAMPLES / "demo.py", "--real"],
            env=environment(ANTHROPIC_API_KEY="sk-ant-simulated", ANTHROPIC_BASE_URL=claude.base_url),
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        # Its tokens are counted once; then each of the three questions is sorted and answered.
        assert [request.path for request in claude.requests] == ["/v1/messages/count_tokens", *["/v1/messages"] * 6]
    assert done.returncode == 0, done.stdout + done.stderr
    assert "runaway" not in done.stdout


def test_the_picture_is_of_the_simulated_api_only():
    done = subprocess.run(
        [sys.executable, EXAMPLES / "demo.py", "--real", "--cap-svg", "cap.svg"],
        env=environment(ANTHROPIC_API_KEY="sk-ant-simulated"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "never calls the Claude API" in done.stderr


def test_the_cap_changes_nothing_for_the_agent(runs: Runs):
    assert (runs.before.status, runs.after.status) == (0, 0), runs.before.errors + runs.after.errors
    assert f"{ROUNDS} rounds, {FETCHES:,} pages fetched" in runs.before.output
    assert runs.after.output == runs.before.output


def test_without_the_cap_all_spans_come_in(runs: Runs):
    """Other instrumentations, where they are installed, add spans of their own."""
    created = counts(runs.whole)
    assert {name: created[name] for name in SPANS} == SPANS
    assert sum(SPANS.values()) > 20_000
    assert runs.whole.summaries == []


def test_with_the_cap_1000_come_in(runs: Runs):
    assert len(runs.after.spans) == CAP
    assert len({span.id for span in runs.after.spans}) == CAP
    assert len({span.trace for span in runs.after.spans}) == 1


def test_the_root_is_kept_and_nothing_is_orphaned(runs: Runs):
    known = {span.id for span in runs.after.spans}
    assert [span.name for span in runs.after.spans if span.parent not in known] == ["invoke_agent research"]
    assert runs.kept.root.name == "invoke_agent research"
    assert runs.kept.root.parent == b""


def test_the_first_and_the_last_round_are_kept(runs: Runs):
    rounds = {span.attributes["research.round"] for span in runs.after.spans if span.name == "round"}
    assert {1, ROUNDS} <= rounds


def test_all_that_was_created_is_exported_or_summarized(runs: Runs):
    assert counts(runs.kept) == counts(runs.whole)
    assert {int(title[2]) for span in runs.after.spans if (title := TITLE.fullmatch(span.name))} == {
        span.attributes["claude.summary.count"] for span in runs.kept.summaries
    }


def test_the_root_the_event_and_the_metric_say_how_many(runs: Runs):
    exported = sum(not TITLE.fullmatch(span.name) for span in runs.after.spans)
    summarized = len(runs.before.spans) - exported
    said = {
        "claude.trace.spans.created": len(runs.before.spans),
        "claude.trace.spans.exported": exported,
        "claude.trace.spans.summarized": summarized,
        "claude.trace.cap": CAP,
    }
    root, events = runs.kept.root, runs.after.receiver.events
    assert {name: value for name, value in root.attributes.items() if name.startswith("claude.trace.")} == said
    assert [event.attributes for event in events if event.name == "claude.trace.capped"] == [said]
    counted = {
        point.attributes["claude.trace.disposition"]: point.value
        for point in runs.after.receiver.points
        if point.metric == "claude.trace.spans"
    }
    assert counted == {"exported": exported, "summarized": summarized}


def test_all_types_of_errors_are_seen_and_all_errors_counted(runs: Runs):
    assert {error: runs.whole.errors[error] for error in ERRORS} == ERRORS
    assert set(runs.kept.errors) == set(runs.whole.errors)
    assert runs.kept.errors + runs.kept.summarized_errors == runs.whole.errors


def test_the_first_and_the_last_error_of_a_type_are_seen(runs: Runs):
    first, last = sorted(
        (span for span in runs.after.spans if span.error and span.attributes.get("error.type") == "TimeoutError"),
        key=lambda span: span.start,
    )
    (others,) = (span for span in runs.kept.summaries if "claude.summary.errors" in span.attributes)
    assert others.attributes["claude.summary.errors"] == [f"TimeoutError ×{TIMEOUTS - 2}"]  # noqa: RUF001  # as above
    assert first.end <= others.start < others.end <= last.start


def test_the_dearest_call_is_seen(runs: Runs):
    (dearest,) = (span for span in runs.after.spans if span.name == "chat claude-opus-5-5")
    assert math.isclose(dearest.attributes["claude.cost.usd"], DEAREST)
    assert runs.kept.dearest == dearest.attributes["claude.cost.usd"]


def test_the_slowest_spans_are_seen(runs: Runs):
    least = durations(runs.kept)[SLOWEST - 1]
    for summary in runs.kept.summaries:
        # Times of the receiver are floats of the clock, exact to a microsecond.
        assert summary.attributes["claude.summary.duration.max_s"] <= least + 1e-6


def test_tokens_and_costs_are_the_same_in_spans_summaries_and_metrics(runs: Runs):
    for run, part in ((runs.before, runs.whole), (runs.after, runs.kept)):
        assert part.tokens == TOKENS
        assert run.total("claude.token.usage") == TOKENS
        assert math.isclose(part.cost, COST)
        assert math.isclose(run.total("claude.cost"), COST)


def test_the_first_1000_of_the_trace_without_the_cap_have_no_root(runs: Runs):
    """What the middle column shows: spans are exported when they end, and the agent's own ends last."""
    assert max(runs.before.spans, key=lambda span: span.end).name == "invoke_agent research"
    assert re.search(r"^the agent's own span +there +missing +there", runs.drawn, re.MULTILINE)


def test_the_drawing_says_that_all_is_equal(runs: Runs):
    created = len(runs.before.spans)
    assert re.search(rf"^spans exported +{created:,} +1,000 +1,000 *$", runs.drawn, re.MULTILINE)
    assert re.search(rf"^TimeoutError +{TIMEOUTS} +0 +2 \+ {TIMEOUTS - 2} summarized *$", runs.drawn, re.MULTILINE)
    assert re.search(rf"^tokens +{TOKENS:,} .* {TOKENS:,} *$", runs.drawn, re.MULTILINE)
    assert re.search(rf"^cost +\${COST:.6f} .* \${COST:.6f} *$", runs.drawn, re.MULTILINE)
    assert f"summaries = {created:,} created, as without the cap" in runs.drawn
    assert len(re.findall(r" equal *$", runs.drawn, re.MULTILINE)) == 4
    assert "NOT EQUAL" not in runs.drawn


def test_the_trees_have_a_line_for_each_name_and_summary(runs: Runs):
    assert re.search(rf"^  \| \|-fetch page  TimeoutError x{TIMEOUTS} +{FETCHES:,} ", runs.drawn, re.MULTILINE)
    for summary in runs.kept.summaries:
        assert summary.name.replace("×", "x") in runs.drawn  # noqa: RUF001  # as above
    assert runs.drawn.isascii()
    assert max(len(line) for line in runs.drawn.splitlines()) <= 100
