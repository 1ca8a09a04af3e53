"""Files that people write, and where in them something stands.

In: the path of a TOML or YAML file. Out: what it holds, and the line of anything in it. Pure, but that it reads.
Errors have no text of the file in them, as that may have a password.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from otel_claude.values import Fields

Way = tuple[str, ...]
"""The way to a value: keys, from the outside in."""


class PackageMissing(ValueError):
    """A file cannot be read without a package, which the extra `extra` of otel-claude brings."""

    def __init__(self, says: str, extra: str) -> None:
        super().__init__(f"{says} (pip install 'otel-claude[{extra}]')")
        self.extra = extra


class Document(NamedTuple):
    """What a file holds. `line` tells the line, from 1, of a value or of the nearest thing around it that has one."""

    value: Fields
    line: Callable[[Way], int]


def read_document(path: Path) -> Document:
    """The document in a file.

    Raises:
        ValueError: it cannot be read, or is not what its name says. The message tells what is accepted.
    """
    form = FORMS.get(path.suffix.lower())
    if form is None:
        raise ValueError(f"the path of a file whose name ends in {', '.join(FORMS)}")
    try:
        written = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = error.object.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{path}, line {number}: text in UTF-8") from None
    except (OSError, ValueError) as error:
        raise ValueError(f"the path of a TOML or YAML file; it cannot be read: {error}") from error
    try:
        return form(written, path)
    except RecursionError:
        raise ValueError(f"{path}: tables that are not nested so deeply") from None


def _toml(written: str, path: Path) -> Document:
    lines = written.splitlines()
    try:
        value = tomllib.loads(written)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path}: TOML; {without_quoted(str(error))}") from None
    except ValueError:
        # Python reads no numbers of thousands of digits, and does not say where.
        number = next((number for number, text in enumerate(lines, 1) if _LONG.search(text)), 1)
        raise ValueError(f"{path}, line {number}: TOML; a number of fewer digits") from None

    def line(way: Way) -> int:
        """Looks at the text, since Python's parser keeps no lines. A text within quotes may deceive it."""
        found, nearest, table = 1, 0, ()
        for number, text in enumerate(lines, 1):
            if (header := _HEADER.match(text)) is not None:
                table = _keys(header[1])
                stands_here = table
            elif (key := _KEY.match(text)) is not None:
                stands_here = (*table, *_keys(key[1]))
            else:
                continue
            near = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(way, stands_here, strict=False)))
            if near > nearest:
                found, nearest = number, near
        return found

    return Document(value, line)


_HEADER = re.compile(r"\s*\[\s*(.+?)\s*\]\s*(?:#.*)?$")
_KEY = re.compile(r"\s*((?:[\w-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[\w-]+|\"[^\"]*\"|'[^']*'))*)\s*=")
_PART = re.compile(r"[\w-]+|\"[^\"]*\"|'[^']*'")
_LONG = re.compile(r"[\d_]{640}")
"""As many digits as Python always reads. https://docs.python.org/3/library/stdtypes.html#int-max-str-digits"""

_QUOTED = re.compile(r"['\"].*['\"]", re.DOTALL)


def _keys(dotted: str) -> Way:
    return tuple(key.strip("\"'") for key in _PART.findall(dotted))


def without_quoted(problem: str) -> str:
    """A parser's message without what it quotes of the file."""
    return _QUOTED.sub("…", problem)


def _yaml(written: str, path: Path) -> Document:
    try:
        from otel_claude.budgets.yaml_documents import yaml_document
    except ImportError:
        raise PackageMissing(f"{path}: YAML needs the package PyYAML; TOML needs none", "yaml") from None
    return yaml_document(written, path)


FORMS: Mapping[str, Callable[[str, Path], Document]] = {".toml": _toml, ".yaml": _yaml, ".yml": _yaml}
"""How a file is read, by the end of its name."""
