"""How large a file is that the application uploads.

In: the `files` of a request, as the SDK gives them to its HTTP library. Out: their size. Nothing is read, and no
position in a file is changed.
"""

import os
from collections.abc import Iterable
from typing import Any

from otel_claude.failsafe import guarded
from otel_claude.values import is_array, is_object


@guarded(None)
def size_of(files: Any) -> int | None:
    """How many bytes the files of a request have. `None`: nobody can tell before they are read."""
    parts: Iterable[Any] = files.values() if is_object(files) else (part for _, part in files)
    sizes = [_size(part[1] if is_array(part) else part) for part in parts]
    return None if None in sizes else sum(size for size in sizes if size is not None)


def _size(content: Any) -> int | None:
    if isinstance(content, (bytes, str)):
        return len(content.encode() if isinstance(content, str) else content)
    if hasattr(content, "getbuffer"):
        return content.getbuffer().nbytes
    try:
        return os.fstat(content.fileno()).st_size
    except (AttributeError, OSError):
        return None
