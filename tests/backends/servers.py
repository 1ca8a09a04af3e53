"""Servers of backends: each is started from its package, on free ports of the loopback interface, and asked over HTTP.

In: a command, and where it answers when it is ready. Out: JSON documents.
"""

import json
import os
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

HOST = "127.0.0.1"
START_TIMEOUT_S = 180
STOP_TIMEOUT_S = 20
REQUEST_TIMEOUT_S = 60
SETTLED_TIMEOUT_S = 30
POLL_S = 0.2

Seen = TypeVar("Seen")


class ServerFailed(Exception):
    """A server has ended, or does not answer. The message has its last lines."""


class Server(NamedTuple):
    """A server that answers at `url`. `ready_s` is how many seconds it took to."""

    url: str
    ready_s: float

    def get(self, path: str, **query: Any) -> Any:
        """The JSON document at a path.

        Raises:
            OSError: there is none.
        """
        return fetched(self.url + path, **query)

    def post(self, path: str, document: Any) -> Any:
        """The JSON document that answers another one.

        Raises:
            OSError: there is none.
        """
        return fetched(self.url + path, document)


def fetched(url: str, document: Any = None, **query: Any) -> Any:
    """The JSON document at a URL, to which another one is posted if there is one."""
    return json.loads(read(url, document, **query) or b"null")


def read(url: str, document: Any = None, **query: Any) -> bytes:
    """What is at a URL, to which a JSON document is posted if there is one.

    Raises:
        urllib.error.HTTPError: the server refuses it.
        OSError: there is no server.
    """
    asked = f"{url}?{urllib.parse.urlencode(query)}" if query else url
    request = urllib.request.Request(asked)  # noqa: S310  # servers that were started here
    if document is not None:
        request.data = json.dumps(document).encode()
        request.add_header("content-type", "application/json")
    # No proxy stands between this and the loopback interface.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=REQUEST_TIMEOUT_S) as response:
        return response.read()


@contextmanager
def server(
    command: Sequence[str | Path], home: Path, port: int, ready: str, environment: Mapping[str, str]
) -> Generator[Server]:
    """Runs a server in the folder `home` until the end of the block. Its output is in `output` there.

    Args:
        command: What starts it.
        home: A folder for what it writes.
        port: Where it answers.
        ready: The path that answers when it is ready.
        environment: Variables beside ours, of which those of Python and OpenTelemetry are left out.

    Raises:
        ServerFailed: it has ended, or is not ready in time.
    """
    started, url = time.monotonic(), f"http://{HOST}:{port}"
    outer = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "PYTHON"))}
    output = home / "output"
    with (
        output.open("wb") as written,
        subprocess.Popen(
            command,
            env={**outer, "HOME": str(home), **environment},
            cwd=home,
            stdout=written,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            while not _answers(url + ready):
                if process.poll() is not None or time.monotonic() > started + START_TIMEOUT_S:
                    lines = output.read_text("utf-8", "replace").splitlines()[-20:]
                    raise ServerFailed("\n".join([f"{command[0]} does not answer", *lines]))
                time.sleep(POLL_S)
            yield Server(url, time.monotonic() - started)
        finally:
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _answers(url: str) -> bool:
    try:
        read(url)
        return True
    except (OSError, HTTPException):
        return False


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens to, all different."""
    held = [socket.create_server((HOST, 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


def settled(see: Callable[[], Seen], enough: Callable[[Seen], bool], timeout_s: float = SETTLED_TIMEOUT_S) -> Seen:
    """What a backend shows when that is `enough`, or at the end of the time that it has for it."""
    end = time.monotonic() + timeout_s
    while not enough(seen := see()) and time.monotonic() < end:
        time.sleep(POLL_S)
    return seen
