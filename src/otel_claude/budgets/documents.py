"""Files that people write, and where in them something stands.

In: the path of a TOML or YAML file. Out: what it holds, and the line of anything in it. Pure, but that it reads.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from otel_claude.values import Fields, is_object

Way = tuple[str, ...]
"""The way to a value: keys, from the outside in."""


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
        written = path.read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        raise ValueError(f"the path of a TOML or YAML file; it cannot be read: {error}") from error
    return form(written, path)


def _toml(written: str, path: Path) -> Document:
    try:
        value = tomllib.loads(written)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path}: TOML; {error}") from error

    def line(way: Way) -> int:
        """Looks at the text, since Python's parser keeps no lines. A text within quotes may deceive it."""
        found, table = 1, ()
        for number, text in enumerate(written.splitlines(), 1):
            if (header := _HEADER.match(text)) is not None:
                table = _keys(header[1])
                stands_here = table
            elif (key := _KEY.match(text)) is not None:
                stands_here = (*table, *_keys(key[1]))
            else:
                continue
            if stands_here == way[: len(stands_here)]:
                found = number
        return found

    return Document(value, line)


_HEADER = re.compile(r"\s*\[\s*(.+?)\s*\]\s*(?:#.*)?$")
_KEY = re.compile(r"\s*((?:[\w-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[\w-]+|\"[^\"]*\"|'[^']*'))*)\s*=")
_PART = re.compile(r"[\w-]+|\"[^\"]*\"|'[^']*'")


def _keys(dotted: str) -> Way:
    return tuple(key.strip("\"'") for key in _PART.findall(dotted))


def _yaml(written: str, path: Path) -> Document:
    try:
        import yaml as package
    except ImportError:
        raise ValueError(f"{path}: YAML needs the package PyYAML; TOML needs none") from None
    yaml: Any = package  # its types say little
    try:
        value: object = yaml.safe_load(written)
        root: Any = yaml.compose(written, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        # Its own text quotes the line, which may have a password in it.
        mark = getattr(error, "problem_mark", None)
        place = path if mark is None else f"{path}, line {mark.line + 1}"
        raise ValueError(f"{place}: YAML; {getattr(error, 'problem', None) or 'it cannot be read'}") from None
    except ValueError as error:
        raise ValueError(f"{path}: YAML; {error}") from error
    if not is_object(value):
        raise ValueError(f"{path}: YAML with keys and values")

    def line(way: Way) -> int:
        node, found = root, 1
        for name in way:
            pairs: list[tuple[Any, Any]] = node.value if node.id == "mapping" else []
            inner = [(key, value) for key, value in pairs if key.value == name]
            if not inner:
                break
            key, node = inner[0]
            found = int(key.start_mark.line) + 1
        return found

    return Document(value, line)


FORMS: Mapping[str, Callable[[str, Path], Document]] = {".toml": _toml, ".yaml": _yaml, ".yml": _yaml}
"""How a file is read, by the end of its name."""
