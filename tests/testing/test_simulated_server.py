"""`SimulatedClaude` as a server: its life, its requests, and what it leaves behind."""

import errno
import http.client
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from anthropic import Anthropic

from otel_claude.testing import Answer, Hang, Overloaded, Request, SimulatedClaude

CALL: dict[str, Any] = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 64,
    "messages": [{"role": "user", "content": "Hello"}],
}


@pytest.fixture
def connection(claude: SimulatedClaude) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", claude.port)
    yield connection
    connection.close()


def test_requests_are_kept_as_they_came(claude: SimulatedClaude, client: Any):
    client.messages.create(**CALL, extra_headers={"X-Test": "1"}, extra_query={"beta": "true"})
    request = claude.requests[0]
    assert (request.method, request.path, request.query) == ("POST", "/v1/messages", {"beta": "true"})
    assert request.headers["x-test"] == "1"
    assert request.json["messages"] == CALL["messages"]
    assert json.loads(request.body) == request.json


def test_a_body_that_comes_in_chunks_is_read_whole(claude: SimulatedClaude, connection: http.client.HTTPConnection):
    pieces = [json.dumps(CALL).encode()[:20], json.dumps(CALL).encode()[20:]]
    connection.request("POST", "/v1/messages", iter(pieces), {"x-api-key": "x"}, encode_chunked=True)
    assert connection.getresponse().status == 200
    assert claude.requests[0].json == CALL


def test_a_connection_serves_many_requests(connection: http.client.HTTPConnection):
    sockets: set[object] = set()
    for _ in range(3):
        connection.request("GET", "/v1/models", headers={"x-api-key": "x"})
        connection.getresponse().read()
        sockets.add(connection.sock)
    assert len(sockets) == 1
    assert None not in sockets


def test_a_client_can_ask_for_the_end_of_the_connection(connection: http.client.HTTPConnection):
    connection.request("GET", "/v1/models", headers={"x-api-key": "x", "connection": "close"})
    connection.getresponse().read()
    assert connection.sock.recv(1) == b""


def test_a_request_without_a_key_is_refused(connection: http.client.HTTPConnection):
    connection.request("GET", "/v1/models")
    assert connection.getresponse().status == 401


def test_responses_of_model_calls_tell_the_limits(client: Any):
    headers = client.messages.with_raw_response.create(**CALL).headers
    assert headers["request-id"] == "req_sim_0001"
    assert headers["anthropic-organization-id"] == "org-simulated"
    for name in ("requests", "tokens", "input-tokens", "output-tokens"):
        limit, remaining = (int(headers[f"anthropic-ratelimit-{name}-{what}"]) for what in ("limit", "remaining"))
        assert limit >= remaining > 0
        reset = datetime.fromisoformat(headers[f"anthropic-ratelimit-{name}-reset"])
        assert abs(reset - datetime.now(UTC)).total_seconds() < 60
    assert "anthropic-ratelimit-requests-limit" not in client.models.with_raw_response.list().headers


def test_an_answer_can_set_and_take_away_headers(claude: SimulatedClaude, client: Any):
    claude.reply(headers={"anthropic-ratelimit-requests-remaining": "3", "request-id": None})
    headers = client.messages.with_raw_response.create(**CALL).headers
    assert headers["anthropic-ratelimit-requests-remaining"] == "3"
    assert "request-id" not in headers


def test_the_default_can_depend_on_the_request(client: Any):
    def echo(request: Request) -> Answer:
        return Answer(request.json["messages"][0]["content"])

    with SimulatedClaude(default=echo) as claude:
        message = client.with_options(base_url=claude.base_url).messages.create(**CALL)
        assert message.content[0].to_dict()["text"] == "Hello"


def test_the_default_can_be_any_outcome(client: Any):
    with SimulatedClaude(default=Overloaded()) as claude:
        overloaded = client.with_options(base_url=claude.base_url)
        for _ in range(2):
            with pytest.raises(Exception, match="Overloaded"):
                overloaded.messages.create(**CALL)


def test_an_error_in_a_test_is_told_to_it(client: Any):
    def broken(request: Request) -> Answer:
        raise KeyError("no such fixture")

    with (
        SimulatedClaude(default=broken) as claude,
        pytest.raises(Exception, match=r"The simulated API failed: KeyError.*no such fixture"),
    ):
        client.with_options(base_url=claude.base_url).messages.create(**CALL)


def test_clear_begins_anew(claude: SimulatedClaude, client: Any):
    client.messages.create(**CALL)
    claude.will(Overloaded())
    claude.clear()
    assert client.messages.create(**CALL).id == "msg_sim_0001"
    assert len(claude.requests) == 1


def test_nothing_is_left_after_stop():
    before = set(threading.enumerate())
    claude = SimulatedClaude().start()
    assert set(threading.enumerate()) > before
    claude.stop()
    claude.stop()
    assert set(threading.enumerate()) == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", claude.port))


def test_a_stopped_server_can_be_started_again():
    claude = SimulatedClaude()
    for _ in range(2):
        with claude:
            socket.create_connection(("127.0.0.1", claude.port)).close()


def test_stop_ends_what_hangs(claude: SimulatedClaude, client: Any):
    claude.will(Hang(600, after_events=1))
    stream = iter(client.messages.create(**CALL, stream=True))
    next(stream)
    began = time.perf_counter()
    claude.stop()
    assert time.perf_counter() - began < 5
    with pytest.raises(Exception, match=r"peer closed connection|reset"):
        next(stream)


def test_a_port_that_is_taken_is_an_error(claude: SimulatedClaude):
    second = SimulatedClaude(port=claude.port)
    with pytest.raises(OSError, match=str(claude.port)) as raised:
        second.start()
    assert raised.value.errno == errno.EADDRINUSE
    second.stop()


def test_concurrent_requests_each_get_an_answer(claude: SimulatedClaude, client: Any):
    ids: list[str] = []
    threads = [threading.Thread(target=lambda: ids.append(client.messages.create(**CALL).id)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ids) == [f"msg_sim_{number:04}" for number in range(1, 9)]


def test_the_module_serves_until_it_is_interrupted():
    command = [sys.executable, "-m", "otel_claude.testing"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        served: Any = Anthropic(base_url=url, api_key="sk-ant-simulated")
        with served as client:
            message = client.messages.create(**CALL)
            assert message.id == "msg_sim_0001"
        server.send_signal(2)
        assert server.wait(timeout=30) == 0
