"""The lines of files and of the standard input, compressed by gzip or not.

In: paths, `-` being the standard input. Out: lines with their places, one at a time, and what could not be read.
"""

import gzip
import io
import sys
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from otel_claude.commands.progress import Progress

STANDARD_INPUT = "-"
GZIP = b"\x1f\x8b"
LONGEST = 16 * 1024 * 1024
"""A line of more bytes is not read, since what it holds would not fit into the memory that there may be."""

MOST_NAMED = 10
"""How many unreadable lines are named, of all that are counted."""

OPENINGS = (b"{", b"[")
"""What a file begins with whose JSON is spread over lines, as programs print it for people."""


class Line(NamedTuple):
    """A line, and where it stands. Numbers begin at 1."""

    path: str
    number: int
    text: bytes


class Unreadable(NamedTuple):
    """A line that could not be read, and why."""

    path: str
    number: int
    reason: str


class Lines:
    """The lines of `paths`.

    Once all have been read, `unreadable` is how many could not be, and `named` has the first ones of them.
    """

    def __init__(self, paths: Sequence[str], progress: Progress) -> None:
        self._paths = paths
        self._progress = progress
        self.unreadable = 0
        self.named: list[Unreadable] = []

    def __iter__(self) -> Iterator[Line]:
        """Each line that is not empty.

        Raises:
            OSError: a file cannot be opened or read.
        """
        for path in self._paths:
            if path == STANDARD_INPUT:
                yield from self._read(path, sys.stdin.buffer)
            else:
                with Path(path).open("rb") as file:
                    yield from self._read(path, file)

    def refuse(self, path: str, number: int, reason: str) -> None:
        """Notes that a line could not be read."""
        self.unreadable += 1
        if len(self.named) < MOST_NAMED:
            self.named.append(Unreadable(path, number, reason))

    def _read(self, path: str, file: BinaryIO) -> Iterator[Line]:
        counted = cast("BinaryIO", io.BufferedReader(_Counted(file, self._progress)))
        is_compressed = cast("io.BufferedReader", counted).peek(len(GZIP)).startswith(GZIP)
        text = cast("BinaryIO", gzip.GzipFile(fileobj=counted)) if is_compressed else counted
        number = 0
        try:
            while line := text.readline(LONGEST):
                number += 1
                if number == 1 and line.strip() in OPENINGS:
                    self.refuse(
                        path, number, "not one request a line, so the file is left out; `jq -c .` would make it so"
                    )
                    return
                if len(line) == LONGEST and not line.endswith(b"\n"):
                    while line and not line.endswith(b"\n"):
                        line = text.readline(LONGEST)
                    self.refuse(path, number, f"longer than {LONGEST:,} bytes")
                elif not line.isspace():
                    yield Line(path, number, line)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            self.refuse(path, number + 1, f"the compressed file is damaged: {error}")


class _Counted(io.RawIOBase):
    """A file whose bytes are counted as they are read."""

    def __init__(self, file: BinaryIO, progress: Progress) -> None:
        self._file = file
        self._progress = progress

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview", /) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]  # any buffer that a `BufferedReader` has
        chunk = self._file.read(len(buffer))
        buffer[: len(chunk)] = chunk
        self._progress.advance(len(chunk))
        return len(chunk)
