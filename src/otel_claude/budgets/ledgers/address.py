"""The address of a ledger, as people write it.

In: a text. Out: whether it is an address, and of an SQLite file its path. Pure.
"""

import re
from typing import TypeGuard

ACCEPTED = "memory, sqlite:///absolute/path, redis://host:port/number, rediss://…, unix://…"
"""The addresses that there are, for people."""

_SQLITE = re.compile(r"sqlite:///(/?(?!\.\.?/|~)[^/?#][^?#]*)")
_OTHER = re.compile(r"memory|(?:rediss?|unix)://.+")


def is_address(value: object) -> TypeGuard[str]:
    """Whether a value looks like the address of a ledger."""
    return isinstance(value, str) and (_SQLITE.fullmatch(value) or _OTHER.fullmatch(value)) is not None


def file_of(address: str) -> str | None:
    """The path of an SQLite file, which is always absolute; `None` where the address is none of a file.

    It is written as in the URI of a file, with `%20` for a space: https://www.rfc-editor.org/rfc/rfc8089. The slash by
    which a path begins may be written once more.
    """
    found = _SQLITE.fullmatch(address)
    if found is None:
        return None
    from urllib.request import url2pathname

    return url2pathname(f"/{found[1].removeprefix('/')}")
