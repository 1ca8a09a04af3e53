"""How far a long input has been read, on a terminal.

In: numbers of bytes, as they are read. Out: one line that is written over and over, and nothing where nobody looks.
"""

import time
from typing import TextIO

FIRST_S = 1.0
"""An input that is read faster than this shows nothing."""
EVERY_S = 0.25
MEGABYTE = 1_000_000


class Progress:
    """Shows bytes of `total`, which is `None` where it is not known, on a `stream` that is a terminal."""

    def __init__(self, total: int | None, stream: TextIO) -> None:
        self._total = total
        self._stream = stream
        self._read = 0
        self._next = time.monotonic() + FIRST_S if stream.isatty() else None
        self._shown = False

    def advance(self, count: int) -> None:
        """So many bytes more have been read."""
        self._read += count
        if self._next is None or (now := time.monotonic()) < self._next:
            return
        self._next, self._shown = now + EVERY_S, True
        of_total = f" of {self._total // MEGABYTE:,} MB ({self._read / self._total:.0%})" if self._total else " MB"
        self._stream.write(f"\rread {self._read // MEGABYTE:,}{of_total}")
        self._stream.flush()

    def close(self) -> None:
        """Takes the line away."""
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
