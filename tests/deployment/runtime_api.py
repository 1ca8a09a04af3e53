"""AWS Lambda's runtime API on the loopback interface, with the freezer behind it.

In: events. Out: what the function answers. The runtime asks for the *next* event and posts its *response*; once it asks
again there is nothing to do, and its process is stopped until there is, as Lambda freezes an environment.
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""

import json
import os
import queue
import signal
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

TIMEOUT_S = 60
FUNCTION_TIMEOUT_S = 30
INVOCATION = "/2018-06-01/runtime/invocation/"
FUNCTION = "claude"
ARN = f"arn:aws:lambda:eu-central-1:123456789012:function:{FUNCTION}"


class FunctionFailed(Exception):
    """The function, or its start, has failed. The message is what the runtime says of it."""


class RuntimeApi:
    """Listens for as long as it is entered. Serves one environment, as Lambda does."""

    def __init__(self) -> None:
        self._events: queue.Queue[bytes] = queue.Queue()
        self._said: queue.Queue[tuple[str, Any]] = queue.Queue()
        self._idle = threading.Event()
        self._invocations = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def environment(self) -> Mapping[str, str]:
        """Variables that Lambda sets.

        https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
        """
        return {
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.server_port}",
            "AWS_LAMBDA_FUNCTION_NAME": FUNCTION,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
            "AWS_REGION": "eu-central-1",
        }

    def invoke(self, pid: int, event: Any) -> Any:
        """Thaws the process, has it answer an event, and freezes it when it asks for the next one.

        Raises:
            FunctionFailed: it does not answer, or with an error.
        """
        self.freeze(pid)
        self._idle.clear()
        os.kill(pid, signal.SIGCONT)
        self._events.put(json.dumps(event).encode())
        try:
            kind, said = self._said.get(timeout=TIMEOUT_S)
        except queue.Empty:
            raise FunctionFailed("no answer") from None
        if kind != "response":
            raise FunctionFailed(f"{kind}: {said}")
        self.freeze(pid)
        return said

    def freeze(self, pid: int) -> None:
        """Stops the process once it waits for an event.

        Raises:
            FunctionFailed: it never does.
        """
        if not self._idle.wait(TIMEOUT_S):
            raise FunctionFailed("it does not ask for an event" if self._said.empty() else str(self._said.get()))
        os.kill(pid, signal.SIGSTOP)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                api.idle()
                event = api.next()
                self.send_response(200)
                for name, value in api.headers().items():
                    self.send_header(name, value)
                self._send(event)

            def do_POST(self) -> None:
                said = self.rfile.read(int(self.headers["content-length"] or 0))
                api.hear(self.path.rpartition("/")[2], json.loads(said or b"null"))
                self.send_response(202)
                self._send(b'{"status":"OK"}')

            def _send(self, body: bytes) -> None:
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class has named it
                pass

        return Handler

    def idle(self) -> None:
        """The runtime asks for an event."""
        self._idle.set()

    def next(self) -> bytes:
        """Waits for an event."""
        return self._events.get()

    def headers(self) -> Mapping[str, str]:
        """What Lambda says of an invocation."""
        self._invocations += 1
        return {
            "Lambda-Runtime-Aws-Request-Id": f"00000000-0000-0000-0000-{self._invocations:012}",
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + FUNCTION_TIMEOUT_S) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": ARN,
        }

    def hear(self, kind: str, said: Any) -> None:
        """The runtime posts a `response`, or an `error`."""
        self._said.put((kind, said))
