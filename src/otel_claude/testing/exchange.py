"""One HTTP exchange with the simulated API, as data: the `Request` that came in and the `Response` to send.

A response's body is a sequence of *steps*: bytes to send, a `Pause`, or `CUT`. So a slow, a hanging and a
broken response are values like any other, and only the server knows about sockets.
"""

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

Json = Mapping[str, Any]
Headers = Mapping[str, str | None]
"""Headers to add to a response, by name. `None` takes away one that the response would have had."""


class Pause(NamedTuple):
    """The server sends nothing for so many seconds."""

    seconds: float


class Cut(Enum):
    """The type of `CUT`."""

    CUT = "cut"


CUT: Final = Cut.CUT
"""The server closes the connection before the response is complete."""

Step = bytes | Pause | Cut


@dataclass(frozen=True)
class Request:
    """A request as it was received. Header names are in lower case; `path` leaves out the query."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)

    @cached_property
    def json(self) -> Any:
        """The body as JSON, or `None` where it is empty or no JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @classmethod
    def parse(cls, head: bytes) -> "Request":
        """The request, still without a body, whose request line and header lines are `head`."""
        line, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = line.split(" ", 2)
        path, _, query = target.partition("?")
        headers = (header.partition(":") for header in lines if header)
        return cls(
            method,
            path,
            dict(parse_qsl(query, keep_blank_values=True)),
            {name.strip().lower(): value.strip() for name, _, value in headers},
        )


@dataclass(frozen=True)
class Response:
    """A response to send.

    If `chunked`, each bytes step is a chunk of its own, else the length is said beforehand. Status and
    headers go out with the first bytes of the body, so what stands before those happens before everything.
    """

    status: int
    headers: Headers
    body: Sequence[Step]
    chunked: bool = False

    def with_headers(self, headers: Headers) -> "Response":
        """This response, `headers` over its own."""
        return replace(self, headers={**self.headers, **headers})

    def with_body(self, body: Iterable[Step]) -> "Response":
        """This response with another body."""
        return replace(self, body=list(body))

    def zipped(self) -> "Response":
        """This response compressed by gzip, in which each step can still be read as soon as it has come."""
        return self.with_headers({"content-encoding": "gzip"}).with_body(_zipped(self.body))


def json_response(document: object, status: int = 200) -> Response:
    """A JSON document as a response."""
    return Response(status, {"content-type": "application/json"}, [json.dumps(document).encode()])


def chunked_response(chunks: Iterable[bytes], media_type: str) -> Response:
    """A response of status 200 that is sent chunk by chunk."""
    return Response(200, {"content-type": media_type}, list(chunks), chunked=True)


def _zipped(steps: Iterable[Step]) -> Iterator[Step]:
    gzip = zlib.compressobj(wbits=31)
    for step in steps:
        yield gzip.compress(step) + gzip.flush(zlib.Z_SYNC_FLUSH) if isinstance(step, bytes) else step
    yield gzip.flush()
