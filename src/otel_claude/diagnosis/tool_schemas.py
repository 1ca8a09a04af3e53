"""Tool definitions that the API refuses: which tool, where in it, and why.

In: the `tools` of a request, or the message of the API's answer. Out: a `Flaw` for each place that the API refuses. No
flaw quotes what the application wrote: not a description, not a value, and no name that could hold anything. Pure.

The API's own message may say no more than an index: https://github.com/anthropics/claude-code/issues/86664
"""

import json
import marshal
import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from otel_claude.diagnosis.json_schema import Node, Path, Role, nodes, offences, points_nowhere
from otel_claude.values import Fields, fields, is_array, is_object

MOST_FLAWS = 10
MOST_NODES = 10_000
"""The most values inside schemas that one call of `flaws` looks at: up to a second's work for `jsonschema`."""

# https://platform.claude.com/docs/en/agents-and-tools/tool-use/define-tools
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
# https://github.com/aws-solutions-library-samples/accelerated-intelligent-document-processing-on-aws/issues/709
_PROPERTY = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
# Four digits in a row may be the end of somebody's number.
_TELLABLE = re.compile(r"(?!.*[0-9]{4})[a-zA-Z0-9_.$-]{1,64}")
_TOLD = re.compile(r"(?<![\w.])tools\.([0-9]{1,6})((?:\.[^\s.:]{1,128}+){0,64}+):")
_POINTED = re.compile(r"(?<!\S)#/(?:toolConfig/)?tools/([0-9]{1,6})((?:/[^\s/:]{1,128}+){0,64}+):")
"""The same as Bedrock writes it, and its Converse API with names of its own."""
_KIND = re.compile(r"custom|[A-Z]\w*|\w+_[0-9]{8}|mcp_toolset|tool_search_tool_\w+")


@dataclass(frozen=True, slots=True)
class Flaw:
    """A place in a tool definition that the API refuses.

    `tool` is the tool's name, or `None` where that is no name that the API accepts. `index` counts in the request's
    `tools`. `path` is within the tool, as the API writes it (`input_schema.properties.user_id.type`), with `*` for a
    property name that is long or odd, or has four digits in a row; it is empty for the tool itself.
    """

    tool: str | None
    index: int
    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Rule:
    """What the API asks of a tool or of a schema. `is_broken` gets that, and the whole that it is a part of."""

    path: str
    is_broken: Callable[[Fields, Fields], bool]
    reason: str


def _has(key: str) -> Callable[[Fields, Fields], bool]:
    return lambda holder, _: key in holder


def _is_name(value: object) -> bool:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def _is_object_type(schema: Fields) -> bool:
    kind = schema.get("type")
    return kind == "object" or (is_array(kind) and "object" in kind)


_NAME_REASON = "The name must be 1 to 128 of the characters a-z A-Z 0-9 _ and -."
_OPENAI_REASON = "This is a tool of OpenAI's API: `name`, `description` and `input_schema` belong in the tool itself."

_OF_ANOTHER_API: tuple[_Rule, ...] = (
    _Rule("type", lambda tool, _: tool.get("type") == "function", _OPENAI_REASON),
    _Rule("function", _has("function"), _OPENAI_REASON),
    _Rule("parameters", _has("parameters"), "`parameters` is OpenAI's word: the schema belongs in `input_schema`."),
    _Rule("inputSchema", _has("inputSchema"), "`inputSchema` is MCP's word: the schema belongs in `input_schema`."),
)
"""Tools written for another API. What else is wrong with such a tool follows from that."""

_OF_A_CLIENT_TOOL: tuple[_Rule, ...] = (
    _Rule("name", lambda tool, _: not _is_name(tool.get("name")), _NAME_REASON),
    _Rule(
        "description",
        lambda tool, _: not isinstance(tool.get("description"), str | None),
        "The description must be a string.",
    ),
    _Rule("input_schema", lambda tool, _: "input_schema" not in tool, "The tool has no `input_schema`, and needs one."),
    _Rule(
        "input_schema",
        lambda tool, _: isinstance(tool.get("input_schema"), str),
        "`input_schema` must be an object, and is a string.",
    ),
    _Rule("input_schema", lambda tool, _: not is_object(tool.get("input_schema")), "`input_schema` must be an object."),
)
_OF_A_SERVER_TOOL: tuple[_Rule, ...] = (
    _Rule("name", lambda tool, _: "name" in tool and not _is_name(tool["name"]), _NAME_REASON),
)
"""A tool with a `type` of its own, such as `web_search_20250305`. The API has its schema, and a toolset has no name."""

_AT_THE_TOP: tuple[_Rule, ...] = (
    # https://github.com/Kilo-Org/kilocode/issues/12238
    _Rule("type", lambda schema, _: schema.get("type") != "object", 'The schema needs `"type": "object"` at its top.'),
    # https://github.com/anthropics/claude-code/issues/40075
    *(
        _Rule(keyword, _has(keyword), f"`{keyword}` is not accepted at the top of the schema, only inside a property.")
        for keyword in ("oneOf", "allOf", "anyOf")
    ),
    # The names of properties further down are free, says the issue at `_PROPERTY`.
    _Rule(
        "properties",
        lambda schema, _: not all(map(_PROPERTY.fullmatch, fields(schema.get("properties")))),
        "The name of a property must be 1 to 64 of the characters a-z A-Z 0-9 _ . and -.",
    ),
)
_EVERYWHERE: tuple[_Rule, ...] = (
    # https://github.com/BerriAI/litellm/issues/26692
    _Rule("$ref", lambda schema, root: points_nowhere(schema.get("$ref"), root), "`$ref` points to nothing there is."),
)
_OF_A_STRICT_TOOL: tuple[_Rule, ...] = (
    _Rule(
        "additionalProperties",
        lambda schema, _: _is_object_type(schema) and schema.get("additionalProperties") is not False,
        'An object of a strict tool needs `"additionalProperties": false`.',
    ),
    _Rule(
        "minItems",
        lambda schema, _: schema.get("minItems", 0) not in (0, 1),
        "A strict tool supports a `minItems` of 0 or 1 only.",
    ),
    *(
        _Rule(keyword, _has(keyword), f"A strict tool does not support `{keyword}`.")
        for keyword in (
            "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength",
            "maxItems", "uniqueItems", "oneOf",
        )
    ),
)  # fmt: skip
"""What https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations rules out, and
`oneOf`: https://github.com/vercel/ai/issues/12876
"""


def flaws(tools: object, *, only: int | None = None) -> list[Flaw]:
    """What the API refuses in the `tools` of a request, the first ten places, in order. Never raises.

    `only`: the index of the one tool to look at, for when the API has named it. That is far less work. What is no JSON,
    such as an instance of a model, is not judged, nor are the schemas that come after the first `MOST_NODES` values.
    """
    return list(islice(_all_flaws(tools, only), MOST_FLAWS))


def _all_flaws(tools: object, only: int | None) -> Iterator[Flaw]:
    names: set[str] = set()
    room = MOST_NODES
    for index, given in enumerate(tools if is_array(tools) else ()):
        said = fields(given).get("name")
        tool = _as_json(given) if only is None or only == index else None
        if tool is None:
            names.update((said,) if isinstance(said, str) else ())
            continue
        name = tool["name"] if _is_name(tool.get("name")) else None
        if name in names:
            yield Flaw(name, index, "name", "An earlier tool of the request has the same name.")
        elif name:
            names.add(name)
        inside = nodes(fields(tool.get("input_schema")), room) or []
        room -= len(inside)
        told: set[str] = set()
        for place, reason in _broken_in(tool, inside):
            path = ".".join(map(_tellable, place))
            if path not in told:
                told.add(path)
                yield Flaw(name, index, path, reason)


def _as_json(tool: object) -> Fields | None:
    """The tool as the API reads it, or `None` for what is no object of JSON."""
    try:
        return json.loads(json.dumps(tool, default=_as_object)) if is_object(tool) else None
    except Exception:
        return None


def _as_object(value: object) -> Fields:
    if not is_object(value):
        raise TypeError
    return dict(value)


_Found = Iterator[tuple[Path, str]]
_TOP: Path = ("input_schema",)
_NULLABLE = ("properties", "required")


def _broken(rules: Iterable[_Rule], holder: Fields, root: Fields, at: Path = ()) -> _Found:
    return (((*at, rule.path), rule.reason) for rule in rules if rule.is_broken(holder, root))


def _broken_in(tool: Fields, inside: list[Node]) -> _Found:
    if tool.get("type") not in (None, "custom", "function"):
        yield from _broken(_OF_A_SERVER_TOOL, tool, tool)
        return
    if of_another_api := next(_broken(_OF_ANOTHER_API, tool, tool), None):
        yield of_another_api
        return
    yield from _broken(_OF_A_CLIENT_TOOL, tool, tool)
    if is_object(schema := tool.get("input_schema")):
        yield from _broken(_AT_THE_TOP, schema, schema, _TOP)
        rules = (*_EVERYWHERE, *_OF_A_STRICT_TOOL) if tool.get("strict") is True else _EVERYWHERE
        for node in inside:
            if node.role is Role.SCHEMA and is_object(node.value):
                yield from _broken(rules, node.value, schema, (*_TOP, *node.path))
            elif isinstance(node.value, float) and not math.isfinite(node.value):
                yield (*_TOP, *node.path), "JSON has no NaN and no Infinity."
        if inside:
            # The SDK, whose types are made from the API's, has null for these two at the top.
            judged = {key: value for key, value in schema.items() if value is not None or key not in _NULLABLE}
            yield from (((*_TOP, *path), reason) for path, reason in offences(judged))


def _tellable(step: str | int) -> str:
    return step if isinstance(step, str) and _TELLABLE.fullmatch(step) else str(step) if isinstance(step, int) else "*"


def told_by(message: str) -> tuple[int, str] | None:
    """The index and the path that a message of the API names, or `None` where it names none.

    The path is without the kind of tool that the API puts after the index: `tools.3.custom.input_schema.type: Field
    required` tells of 3 and `input_schema.type`.
    """
    if (pointed := _POINTED.search(message)) is not None:
        index, path = pointed.groups()
        as_sent = path.replace("/toolSpec", "", 1).replace("/inputSchema/json", "/input_schema", 1)
        return int(index), ".".join(map(_tellable, as_sent.split("/")[1:]))
    told = _TOLD.search(message)
    if told is None:
        return None
    _, *steps = told[2].split(".")
    if steps and _KIND.fullmatch(steps[0]):
        del steps[0]
    return int(told[1]), ".".join(map(_tellable, steps))


def fingerprint(tools: Any) -> int | None:
    """A key by which `tools` are known again in this process, or `None` where they are not all plain values of JSON.

    It costs 5 us for 2 kB of tools, 60 us for 38 kB and 2 ms for 1 MB: half of what hashing their `repr` does.
    """
    try:
        # Version 2 is the last without references, which depend on how often an object is in use.
        return hash(marshal.dumps(tools, 2))
    except ValueError:
        return None
