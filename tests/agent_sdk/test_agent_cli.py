"""What only a process can show: the environment that the CLI is started with, its own traces, and resumed sessions."""

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import bundled_cli
import pytest
from agent_scenarios import ALLOWED, TWO_TOOLS, sdk, used

from otel_claude.testing import Answer, SimulatedClaude, Telemetry

pytestmark = pytest.mark.skipif(not bundled_cli.is_bundled(), reason="there is no CLI in this package")


async def asked(options: Any) -> list[Any]:
    return [message async for message in sdk.query(prompt="Add 1 and 2.", options=options)]


@pytest.fixture
def collector() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A receiver of OTLP/JSON: its address, and the spans that have come."""
    spans: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            for resource in body.get("resourceSpans", ()):
                for scope in resource["scopeSpans"]:
                    spans.extend(scope["spans"])
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # its name there
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", spans
        server.shutdown()
        thread.join()


def test_the_clis_own_spans_are_inside_of_ours_and_are_not_made_twice(
    agents: Telemetry, tmp_path: Path, collector: tuple[str, list[dict[str, Any]]]
):
    address, spans = collector
    tracing = {
        "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
        "CLAUDE_CODE_ENHANCED_TELEMETRY_BETA": "1",
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json",
        "OTEL_EXPORTER_OTLP_ENDPOINT": address,
    }
    with SimulatedClaude(default=TWO_TOOLS()) as claude:
        options = bundled_cli.options(claude, tmp_path, env=tracing, allowed_tools=ALLOWED)
        asyncio.run(asked(options))
    (turn,) = agents.spans
    assert turn.name == "invoke_agent"
    assert turn.context is not None
    interaction = next(span for span in spans if span["name"] == "claude_code.interaction")
    assert interaction["traceId"] == f"{turn.context.trace_id:032x}"
    assert interaction["parentSpanId"] == f"{turn.context.span_id:016x}"
    # Metrics come from the record, whoever makes the spans.
    assert agents.count("gen_ai.execute_tool.duration") == 2
    assert agents.total("claude.cost") > 0


def test_a_resumed_session_costs_what_it_has_cost_since(agents: Telemetry, tmp_path: Path):
    """Its sums go on, so the second run's are those of both."""
    with SimulatedClaude(default=lambda _: Answer("Yes.", usage=used(100, 20))) as claude:
        options = bundled_cli.options(claude, tmp_path)
        *_, first = asyncio.run(asked(options))
        options.resume = first.session_id
        *_, second = asyncio.run(asked(options))
    # 100 tokens in, 20 out, 30 read from the cache and 20 written, at 3, 15, 0.30 and 3.75 USD a million.
    cost = (100 * 3 + 20 * 15 + 30 * 0.30 + 20 * 3.75) / 1e6
    assert (first.total_cost_usd, second.total_cost_usd) == (pytest.approx(cost), pytest.approx(2 * cost))
    costs = [(span.attributes or {})["claude.agent.cost_usd"] for span in agents.spans if span.name == "invoke_agent"]
    assert costs == [pytest.approx(cost), pytest.approx(cost)]
    assert agents.total("claude.cost") == pytest.approx(2 * cost)


def test_a_conversation_that_is_cleared_begins_to_count_anew(agents: Telemetry, tmp_path: Path):
    async def application(claude: SimulatedClaude) -> None:
        async with sdk.ClaudeSDKClient(options=bundled_cli.options(claude, tmp_path)) as client:
            for prompt in ("One", "/clear", "Two"):
                await client.query(prompt)
                async for _ in client.receive_response():
                    pass

    with SimulatedClaude(default=lambda _: Answer("Yes.", usage=used(100, 20))) as claude:
        asyncio.run(application(claude))
    turns = [span.attributes or {} for span in agents.spans if span.name == "invoke_agent"]
    assert [turn["claude.agent.input_tokens"] for turn in turns] == [150, 0, 150]
    assert len({str(turn["gen_ai.conversation.id"]) for turn in turns}) == 2
