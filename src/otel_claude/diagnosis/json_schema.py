"""JSON Schema, draft 2020-12: where a schema breaks its rules, and what they accept in that place.

In: a schema, as JSON parsed from text. Out: paths into it, and reasons in words of our own. No reason quotes the
schema: keywords are the draft's, and of values only the name of an unknown type is told. Pure.

`jsonschema` judges against the meta-schema. It is imported where it is needed, as that takes 30 to 80 ms, and where
it is not installed nothing is judged.
"""

from collections.abc import Iterator
from enum import Enum, auto
from itertools import pairwise
from typing import Any, NamedTuple
from urllib.parse import unquote

from otel_claude.values import Fields, is_array, is_object

Path = tuple[str | int, ...]

DEEPEST = 100
"""The most levels of a schema that are looked at. `jsonschema` recurses, and Python allows some 1,000 frames."""


class Role(Enum):
    """What a value inside a schema is: a schema (or a list of them), schemas by name, or anything else."""

    SCHEMA = auto()
    SCHEMAS_BY_NAME = auto()
    DATA = auto()


class Node(NamedTuple):
    """A value inside a schema."""

    path: Path
    value: Any
    role: Role


_ONE_SCHEMA = (
    "additionalProperties", "contains", "contentSchema", "else", "if", "not", "propertyNames", "then",
    "unevaluatedItems", "unevaluatedProperties",
)  # fmt: skip
_SCHEMAS = ("allOf", "anyOf", "oneOf", "prefixItems")
_SCHEMAS_BY_NAME = ("$defs", "definitions", "dependentSchemas", "patternProperties", "properties")
_COUNTS = (
    "maxContains", "maxItems", "maxLength", "maxProperties", "minContains", "minItems", "minLength", "minProperties",
)  # fmt: skip
_FLAGS = ("deprecated", "readOnly", "uniqueItems", "writeOnly")
_TEXTS = ("$comment", "$ref", "contentEncoding", "contentMediaType", "description", "format", "pattern", "title")
_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")

_ROLES: dict[str, Role] = {
    **dict.fromkeys((*_ONE_SCHEMA, *_SCHEMAS, "items"), Role.SCHEMA),
    **dict.fromkeys(_SCHEMAS_BY_NAME, Role.SCHEMAS_BY_NAME),
}

_ACCEPTED: dict[str, str] = {
    **dict.fromkeys(_ONE_SCHEMA, "a schema: an object, true or false"),
    **dict.fromkeys(_SCHEMAS, "a list of at least one schema"),
    **dict.fromkeys(_SCHEMAS_BY_NAME, "an object whose values are schemas: objects, true or false"),
    **dict.fromkeys(_COUNTS, "a whole number from 0 on"),
    **dict.fromkeys(_FLAGS, "true or false"),
    **dict.fromkeys(_TEXTS, "a string"),
    **dict.fromkeys(("exclusiveMaximum", "exclusiveMinimum"), "a number (true and false are those of draft 04)"),
    **dict.fromkeys(("maximum", "minimum"), "a number"),
    "dependentRequired": "an object whose values are lists of property names",
    "enum": "a list",
    "items": "one schema (those of a tuple belong in `prefixItems`)",
    "multipleOf": "a number above 0",
    "required": "a list of property names, each once, beside `properties`",
    "type": f"one of {', '.join(_TYPES)}, or a list of some of them, each once",
}
"""What the draft accepts for a keyword: https://json-schema.org/draft/2020-12/meta/validation and its neighbours."""

_MISTAKEN = frozenset(
    (
        *("any", "bool", "bytes", "date", "datetime", "decimal", "dict", "double", "enum", "file", "float", "int"),
        *("json", "list", "long", "map", "none", "set", "str", "text", "time", "tuple", "undefined", "url", "uuid"),
    )
)
"""Types of programming languages that stand where those of JSON Schema belong. Other words could be anything."""


def nodes(schema: Fields, most: int) -> list[Node] | None:
    """All values of a schema from the top down, or `None` for one of more than `most`, or deeper than `DEEPEST`."""
    found: list[Node] = []
    waiting = [Node((), schema, Role.SCHEMA)]
    while waiting:
        node = waiting.pop()
        found.append(node)
        if len(found) > most or len(node.path) > DEEPEST:
            return None
        waiting.extend(reversed(list(_children(node))))
    return found


def _children(node: Node) -> Iterator[Node]:
    if is_object(node.value):
        for key, value in node.value.items():
            if node.role is Role.SCHEMA:
                role = _ROLES.get(key, Role.DATA)
            else:
                role = Role.SCHEMA if node.role is Role.SCHEMAS_BY_NAME else Role.DATA
            yield Node((*node.path, key), value, role)
    elif is_array(node.value):
        for position, value in enumerate(node.value):
            yield Node((*node.path, position), value, node.role)


def points_nowhere(ref: object, root: Fields) -> bool:
    """Whether `ref` is a JSON pointer into `root` to something that is not there. Other references are not judged."""
    if not isinstance(ref, str) or not ref.startswith("#/"):
        return False
    target: Any = root
    for part in ref.removeprefix("#/").split("/"):
        key = unquote(part).replace("~1", "/").replace("~0", "~")
        if is_object(target) and key in target:
            target = target[key]
        elif is_array(target) and key in map(str, range(len(target))):
            target = target[int(key)]
        else:
            return True
    return False


def offences(schema: Fields) -> Iterator[tuple[Path, str]]:
    """Where `schema` breaks the meta-schema, and why. A place may come several times.

    Regular expressions and formats are not judged: the API takes patterns that Python's `re` refuses.
    https://github.com/zai-org/feedback/issues/593
    """
    try:
        from jsonschema import Draft202012Validator as Validator
    except ImportError:
        return
    validator: Any = Validator(Validator.META_SCHEMA)
    try:
        for error in validator.iter_errors(schema):
            yield tuple(error.absolute_path), _reason(tuple(error.absolute_schema_path), error.instance)
    except RecursionError:  # the application itself is deep in calls
        return


def _reason(rule: Path, value: object) -> str:
    keyword = ""
    inside = False
    # `properties` of the meta-schema is followed by the keyword whose rule this is, and that may be `properties`.
    for step, following in pairwise(rule):
        inside = step == "properties" and not inside
        if inside:
            keyword = str(following)
    accepted = _ACCEPTED.get(keyword, "what JSON Schema draft 2020-12 defines")
    unknown = _unknown_type(value) if keyword == "type" else None
    return (
        f"There is no type `{unknown}`: `type` must be {accepted}." if unknown else f"`{keyword}` must be {accepted}."
    )


def _unknown_type(value: Any) -> str | None:
    names: list[Any] = list(value) if is_array(value) else [value]
    return next((name for name in names if isinstance(name, str) and name in _MISTAKEN), None)
