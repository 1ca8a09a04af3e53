"""The demo as a user runs it: one process, whose output is read, and a receiver that it relays everything to."""

import ast
import importlib.util
import os
import re
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, NamedTuple

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
DEMO = EXAMPLES / "demo.py"
NEEDED = {"opentelemetry-distro", "opentelemetry-exporter-otlp-proto-http", "rich"}


class Chat(NamedTuple):
    """A call, as the script of the demo has it: tokens, and how it has ended."""

    model: str
    new: int
    written: int
    read: int
    output: int
    ended: str

    @property
    def cost(self) -> float:
        """In USD, at the prices of https://platform.claude.com/docs/en/about-claude/pricing."""
        input_, write, read, output = PRICES[self.model]
        return (self.new * input_ + self.written * write + self.read * read + self.output * output) / 1_000_000


PRICES = {
    # USD per million tokens: input, cache write for five minutes, cache read, output
    "claude-haiku-5-5": (0.10, 0.125, 0.01, 0.50),
    "claude-sonnet-5-5": (2.00, 2.50, 0.10, 10.00),
}
CHATS = (
    Chat("claude-haiku-5-5", 43, 0, 0, 4, "end_turn"),
    Chat("claude-sonnet-5-5", 24, 1684, 0, 38, "tool_use"),
    Chat("claude-sonnet-5-5", 121, 0, 1684, 47, "end_turn"),
    Chat("claude-haiku-5-5", 50, 0, 0, 4, "end_turn"),
    Chat("claude-sonnet-5-5", 31, 0, 1684, 38, "tool_use"),
    Chat("claude-sonnet-5-5", 117, 0, 1684, 61, "tool_use"),
    Chat("claude-sonnet-5-5", 215, 0, 1684, 52, "end_turn"),
    Chat("claude-haiku-5-5", 49, 0, 0, 4, "end_turn"),
    Chat("claude-sonnet-5-5", 30, 0, 1684, 38, "tool_use"),
    Chat("claude-sonnet-5-5", 129, 0, 1684, 64, "end_turn"),
)
"""The calls that go well. One more fails."""


class Ran(NamedTuple):
    """A run of the demo: its output, its pictures, and what was relayed, as (path, headers, body)."""

    output: str
    picture: str
    cap_picture: str
    endpoint: str
    relayed: list[tuple[str, dict[str, str], bytes]]

    def section(self, title: str) -> str:
        """What stands under a title."""
        found = re.search(rf"^{title} -+\n(.*?)\n\n", self.output, re.MULTILINE | re.DOTALL)
        assert found is not None
        return found.group(1)

    def exported(self, service: str) -> bytes:
        """What was relayed of the traces of a service."""
        return b"".join(body for path, _, body in self.relayed if path == "/v1/traces" and service.encode() in body)


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "ANTHROPIC_"))}
    return {**kept, "PYTHONIOENCODING": "ascii", "COLUMNS": "100", **more}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    if missing := NEEDED - {distribution.name for distribution in distributions()}:
        pytest.skip(f"the demo needs {', '.join(sorted(missing))}")
    relayed: list[tuple[str, dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            relayed.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class has named it
            pass

    folder = tmp_path_factory.mktemp("demo")
    picture, cap_picture = folder / "demo.svg", folder / "span_cap.svg"
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        endpoint = f"http://127.0.0.1:{server.server_port}"
        done = subprocess.run(  # the demo
            [sys.executable, DEMO, "--svg", picture, "--cap-svg", cap_picture],
            env=environment(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, OTEL_EXPORTER_OTLP_HEADERS="x-tenant=shop"),
            capture_output=True,
            encoding="ascii",
            timeout=120,
            check=False,
        )
        server.shutdown()
        thread.join()
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    pictures = {"picture": picture.read_text("utf-8"), "cap_picture": cap_picture.read_text("utf-8")}
    return Ran(done.stdout, **pictures, endpoint=endpoint, relayed=relayed)


def test_the_application_knows_nothing_of_telemetry():
    source = (EXAMPLES / "support_assistant.py").read_text(encoding="utf-8")
    imported: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            imported.update(alias.name.split(".")[0] for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").split(".")[0])
    assert imported - set(sys.stdlib_module_names) == {"anthropic"}
    assert not re.search("otel|telemetry|trac(e|ing)|span|metric", source, re.IGNORECASE)


def test_the_application_answers_all_questions(ran: Ran):
    assert [line[:9] for line in ran.output.splitlines() if line.startswith("> ")] == [
        "> Where i",
        "> The gri",
        "> You boo",
    ]
    for words in ("with you on Friday", "label for the return", "THANKS15"):
        assert words in ran.output


def test_each_call_is_drawn_with_its_tokens_and_its_cost(ran: Ran):
    drawn = [line.split() for line in ran.section(r"12 traces in [\d.]+ s").splitlines() if " chat " in line]
    good = [words for words in drawn if words[-1] != "404"]
    assert len(drawn) == len(CHATS) + 1
    for words, chat in zip(good, CHATS, strict=True):
        prompt = f"{chat.new + chat.written + chat.read:,}"
        cached = [*(["w", "1,684"] if chat.written else []), *(["r", "1,684"] if chat.read else [])]
        assert words[2] == chat.model
        assert words[-4 - len(cached) :] == [prompt, *cached, str(chat.output), f"${chat.cost:.6f}", chat.ended]


def test_the_tokens_that_were_counted_are_drawn(ran: Ran):
    """The script says 1,692: the handbook's 1,684 and the eight of a question mark."""
    counted = [line.split() for line in ran.output.splitlines() if "anthropic.messages.count_tokens" in line]
    assert [words[-2:] for words in counted] == [["1,692", "200"]]


def test_the_retry_is_drawn_and_is_no_error(ran: Ran):
    traces = ran.section(r"12 traces in [\d.]+ s").splitlines()
    retried = next(number for number, line in enumerate(traces) if "1 retry, waited 0.40 s" in line)
    assert traces[retried - 1].split()[:3] == ["6", "chat", "claude-sonnet-5-5"]
    assert traces[retried - 1].endswith("tool_use")


def test_the_error_is_drawn_with_its_event(ran: Ran):
    failed = next(line for line in ran.output.splitlines() if " chat claude-opus-5.5" in line)
    assert failed.split()[0] == "10"
    assert "$" not in failed
    events = ran.section(r"\d+ events?")
    assert re.search(r"^10 WARN gen_ai\.client\.operation\.exception", events, re.MULTILINE)
    assert "error.type not_found_error" in events
    assert "claude.error.category model_not_found" in events


def test_costs_add_up_by_model(ran: Ran):
    lines = {line.split()[0]: line.split()[1:] for line in ran.section("Costs").splitlines()}
    for model in PRICES:
        assert lines[model][2 if "haiku" in model else 4] == f"${sum(c.cost for c in CHATS if c.model == model):.6f}"
    assert lines["total"][4] == f"${sum(chat.cost for chat in CHATS):.6f}"


def test_cache_savings_are_what_reads_saved_less_what_writes_cost_more(ran: Ran):
    """Six reads of 1,684 tokens at 0.10 for 2.00, one write of them at 2.50 for 2.00, in USD per million."""
    saved = (6 * 1684 * (2.00 - 0.10) - 1684 * (2.50 - 2.00)) / 1_000_000
    spent = sum(chat.cost for chat in CHATS)
    costs = ran.section("Costs")
    assert re.search(rf"^claude-sonnet-5-5 .* \${saved:.6f}", costs, re.MULTILINE)
    assert f"Without the cache: ${spent + saved:.6f}. The cache saved {saved / (spent + saved):.0%} of it." in costs


def test_metrics_have_the_same_tokens(ran: Ran):
    sonnet = [chat for chat in CHATS if chat.model == "claude-sonnet-5-5"]
    new, written, read, output = (
        sum(getattr(c, name) for c in sonnet) for name in ("new", "written", "read", "output")
    )
    metrics = ran.section("Metrics")
    usage = metrics[metrics.index("\nclaude.token.usage") :].splitlines()[3]
    assert set(re.findall(r"(\w+) ([\d,]+)", usage)) == {
        ("input", f"{new:,}"),
        ("cache_write_5m", f"{written:,}"),
        ("cache_read", f"{read:,}"),
        ("output", f"{output:,}"),
    }


def test_nothing_is_wider_than_the_terminal(ran: Ran):
    assert max(len(line) for line in ran.output.splitlines()) <= 100


def test_everything_is_relayed_with_the_headers_of_the_user(ran: Ran):
    assert {path for path, _, _ in ran.relayed} == {"/v1/traces", "/v1/metrics", "/v1/logs"}
    assert {headers["x-tenant"] for _, headers, _ in ran.relayed} == {"shop"}
    assert ran.exported("support-assistant").count(b"chat claude-") == len(CHATS) + 1
    count = len(ran.relayed)
    assert f"{count} of {count} payloads relayed to {ran.endpoint}" in ran.output


def test_of_the_runaway_agent_only_the_capped_trace_is_relayed(ran: Ran):
    exported = ran.exported("research-agent")
    assert exported.count(b"invoke_agent research") == 1
    assert 100 < exported.count(b"fetch page") < 1_000


def test_the_runaway_agent_is_drawn_before_and_after_the_cap(ran: Ran):
    assert "fetch page" in ran.section("A runaway agent, without the span cap")
    assert "(summarized)" in ran.section("The same with the span cap")
    assert re.search(r"^spans exported +2\d,\d{3} +1,000 +1,000", ran.section("Before and after"), re.MULTILINE)


def test_the_pictures_tell_nothing_of_the_machine(ran: Ran):
    assert "chat&#160;claude-sonnet-5-5" in ran.picture
    assert "(summarized)" in ran.cap_picture
    for picture in (ran.picture, ran.cap_picture):
        assert "127.0.0.1" not in picture
        assert str(EXAMPLES.parent) not in picture


def test_a_receiver_that_does_not_answer_is_reported():
    receiver = _module("receiver")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{unused.getsockname()[1]}"
        failures = receiver.relay(
            [receiver.Payload("/v1/traces", {}, b""), receiver.Payload("/v1/logs", {}, b"")], endpoint
        )
    assert len(failures) == 2
    assert all("refused" in failure for failure in failures)


def test_a_receiver_that_speaks_another_protocol_is_reported():
    """What port 4317, that of OTLP over gRPC, answers to HTTP/1.1: a SETTINGS frame of HTTP/2."""
    receiver = _module("receiver")

    def answer() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"\x00\x00\x00\x04\x00\x00\x00\x00\x00")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer)
        thread.start()
        endpoint = f"http://127.0.0.1:{server.getsockname()[1]}"
        failures = receiver.relay([receiver.Payload("/v1/traces", {}, b"")], endpoint)
        thread.join()
    assert len(failures) == 1


def test_an_endpoint_that_is_no_url_is_reported():
    receiver = _module("receiver")
    assert len(receiver.relay([receiver.Payload("/v1/traces", {}, b"")], "collector:4317")) == 1


def test_the_real_api_needs_a_key():
    done = subprocess.run(  # the demo
        [sys.executable, DEMO, "--real"], env=environment(), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "ANTHROPIC_API_KEY is not set" in done.stderr


def _module(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"examples_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
