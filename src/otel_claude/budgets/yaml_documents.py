"""YAML in which nothing is something else than it looks like.

In: the text of a file. Out: its document. PyYAML reads YAML 1.1, where `0500` is 320, `1:30` is 90 and `on` is true,
and takes the last of two equal keys. Here what has no quotes is read by the core schema of YAML 1.2, and numbers that
are not plainly decimal are text: https://yaml.org/spec/1.2.2/#103-core-schema. Keys are text, and each stands once.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml
from yaml.reader import ReaderError

from otel_claude.budgets.documents import Document, Way, without_quoted
from otel_claude.values import is_object

TAG = "tag:yaml.org,2002:"
TEXT, MERGE = f"{TAG}str", f"{TAG}merge"


class Loader(yaml.SafeLoader):
    """Raises `yaml.MarkedYAMLError` for what is not accepted, and `yaml.reader.ReaderError`."""

    yaml_implicit_resolvers = {}  # noqa: RUF012  # as the parent has it
    yaml_constructors = {}  # noqa: RUF012  # the same

    def compose_mapping_node(self, anchor: Any) -> Any:
        """The node of a mapping."""
        node: Any = super().compose_mapping_node(anchor)
        known: set[str] = set()
        for key, _ in node.value:
            if key.tag not in (TEXT, MERGE):
                raise yaml.MarkedYAMLError(problem="a key is text; others need quotes", problem_mark=key.start_mark)
            if key.value in known:
                raise yaml.MarkedYAMLError(problem="the same key stands above", problem_mark=key.start_mark)
            known.add(key.value)
        return node


def _scalar(read: Callable[[str], object]) -> Callable[[Loader, Any], object]:
    def construct(loader: Loader, node: Any) -> object:
        try:
            return read(loader.construct_scalar(node))
        except (KeyError, ValueError):
            raise yaml.MarkedYAMLError(problem="no such value", problem_mark=node.start_mark) from None

    return construct


SCALARS: Sequence[tuple[str, str, str, Callable[[str], object]]] = (
    ("null", r"~|null|Null|NULL|", "~nN", lambda _: None),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF", lambda text: {"true": True, "false": False}[text.lower()]),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789", int),
    ("float", r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", "-+.0123456789", float),
)
"""Kinds of values without quotes: what they look like, how they begin, and how they are read."""

_loader: Any = Loader  # its types say little
for _kind, _looks, _begins, _read in SCALARS:
    _loader.add_implicit_resolver(f"{TAG}{_kind}", re.compile(rf"(?:{_looks})\Z"), ["", *_begins])
    _loader.add_constructor(f"{TAG}{_kind}", _scalar(_read))
_loader.add_implicit_resolver(MERGE, re.compile(r"<<\Z"), ["<"])
_loader.add_constructor(TEXT, _scalar(str))
_loader.add_constructor(f"{TAG}seq", _loader.construct_yaml_seq)
_loader.add_constructor(f"{TAG}map", _loader.construct_yaml_map)
_loader.add_constructor(None, _loader.construct_undefined)


def yaml_document(written: str, path: Path) -> Document:
    """The document in a text. `path` is what errors call it.

    Raises:
        ValueError: it is none.
    """
    try:
        loader: Any = Loader(written)
        root: Any = loader.get_single_node() or yaml.MappingNode(f"{TAG}map", [])
        value: object = loader.construct_document(root)
    except ReaderError as error:
        number = written.count("\n", 0, error.position) + 1
        raise ValueError(f"{path}, line {number}: YAML; a character that it does not have") from None
    except yaml.MarkedYAMLError as error:
        mark: Any = error.problem_mark
        raise ValueError(f"{path}, line {mark.line + 1}: YAML; {without_quoted(str(error.problem))}") from None
    if not is_object(value):
        raise ValueError(f"{path}, line {root.start_mark.line + 1}: YAML with keys and values")

    def line(way: Way) -> int:
        node, found = root, 1
        for name in way:
            # What is merged in stands before what a mapping has itself.
            key, node = {key.value: (key, value) for key, value in node.value}[name]
            found = int(key.start_mark.line) + 1
        return found

    return Document(value, line)
