"""What the bytes of a body say, as they pass on their way to the application.

In: chunks of a body, in order, as the HTTP library yields them before it undoes the content encoding. Out: items, to a
listener: the events of a stream, the lines of a JSON Lines file, or the one value of a JSON body. Pure.

Nothing is kept but the item that is not whole yet, and nothing is read ahead.
"""

import json
import zlib
from collections.abc import Callable
from typing import Any, Protocol

Listener = Callable[[str, Any], None]
"""Takes the kind of an item, such as `message_start`, and the item, decoded."""

MOST_JSON = 16 * 2**20
"""A JSON body longer than this, in bytes, is not kept, and so says nothing. No answer of a model comes near."""


class Tap(Protocol):
    """Decodes one kind of body."""

    def feed(self, data: bytes) -> None:
        """Takes the next bytes."""
        ...

    def end(self) -> None:
        """There are no more."""
        ...


class Events:
    """Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream."""

    def __init__(self, listen: Listener) -> None:
        self._listen = listen
        self._rest = b""
        self._name = ""
        self._data: list[bytes] = []

    def feed(self, data: bytes) -> None:  # noqa: D102  # as Tap says
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._line(line.rstrip(b"\r"))

    def end(self) -> None:
        """An event that no blank line has ended is none."""

    def _line(self, line: bytes) -> None:
        if not line:
            name, data = self._name, b"\n".join(self._data)
            self._name, self._data = "", []
            if data and name != "ping":
                self._listen(name, json.loads(data))
            return
        field, _, value = line.partition(b":")
        if field == b"event":
            self._name = value.strip().decode()
        elif field == b"data":
            self._data.append(value.removeprefix(b" "))


class Lines:
    """JSON Lines: one value a line."""

    def __init__(self, listen: Listener) -> None:
        self._listen = listen
        self._rest = b""

    def feed(self, data: bytes) -> None:  # noqa: D102  # as Tap says
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line.strip():
                self._listen("", json.loads(line))

    def end(self) -> None:  # noqa: D102  # as Tap says
        if self._rest.strip():
            self._listen("", json.loads(self._rest))


class Value:
    """One JSON value."""

    def __init__(self, listen: Listener) -> None:
        self._listen = listen
        self._chunks: list[bytes] | None = []
        self._size = 0

    def feed(self, data: bytes) -> None:  # noqa: D102  # as Tap says
        self._size += len(data)
        if self._size > MOST_JSON:
            self._chunks = None
        if self._chunks is not None:
            self._chunks.append(data)

    def end(self) -> None:  # noqa: D102  # as Tap says
        if body := b"".join(self._chunks or ()):
            self._listen("", json.loads(body))


class Inflated:
    """A body that is compressed with gzip or deflate, in front of the tap for what is in it."""

    def __init__(self, inner: Tap, window: int) -> None:
        self._inner = inner
        self._inflate = zlib.decompressobj(window)

    def feed(self, data: bytes) -> None:  # noqa: D102  # as Tap says
        if inflated := self._inflate.decompress(data):
            self._inner.feed(inflated)

    def end(self) -> None:  # noqa: D102  # as Tap says
        self._inner.feed(self._inflate.flush())
        self._inner.end()


KINDS: dict[str, Callable[[Listener], Tap]] = {
    "text/event-stream": Events,
    "application/json": Value,
    "application/x-jsonl": Lines,
    "application/x-ndjson": Lines,
    "application/binary": Lines,
}
"""By media type. The API gives the results of a batch as `application/x-jsonl` or `application/binary`."""

ENCODINGS = {"gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}
"""Content encodings, with the window that `zlib` knows them by. Bodies in others pass unread."""


def tap_for(media_type: str, encoding: str, listen: Listener) -> Tap | None:
    """The tap for a body, or `None` where its bytes say nothing that we could read."""
    kind = KINDS.get(media_type.partition(";")[0].strip().lower())
    if kind is None:
        return None
    if encoding in ("", "identity"):
        return kind(listen)
    window = ENCODINGS.get(encoding)
    return None if window is None else Inflated(kind(listen), window)
