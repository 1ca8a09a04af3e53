"""Tools that the API refuses, with its own words as people met them, and tools that it takes."""

import copy
import sys
from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_claude.diagnosis.tool_schemas import MOST_FLAWS, MOST_NODES, Flaw, fingerprint, flaws, told_by

Json = dict[str, Any]


def tool(schema: object, /, **more: object) -> Json:
    return {"name": "look_up", "input_schema": schema, **more}


def with_property(schema: object, /, **more: object) -> Json:
    return tool({"type": "object", "properties": {"limit": schema}}, **more)


def at(index: int, broken: Json) -> list[Json]:
    """A request with the broken tool at `index`, after good ones."""
    return [tool({"type": "object"}, name=f"good_{position}") for position in range(index)] + [broken]


INVALID = "JSON schema is invalid. It must match JSON Schema draft 2020-12 (https://json-schema.org/draft/2020-12)."
TOP = "input_schema does not support oneOf, allOf, or anyOf at the top level"
KEYS = "Property keys should match pattern"
LIMIT = "input_schema.properties.limit"
TUPLE: Json = {"items": [{}, {}]}
CLOSED: Json = {"type": "object", "additionalProperties": False}
STRICT_INTEGER = tool(CLOSED | {"properties": {"limit": {"type": "integer", "minimum": 1}}}, strict=True)
STRICT_LIST = tool(CLOSED | {"properties": {"limit": {"type": "array", "maxItems": 3}}}, strict=True)


@pytest.mark.parametrize(
    ("message", "source", "broken", "told", "path"),
    [
        ("tools.0.custom.input_schema.type: Field required", "Kilo-Org/kilocode/issues/12238",
         tool({"properties": {}}), (0, "input_schema.type"), "input_schema.type"),
        ("tools.0.custom.input_schema.type: Input should be 'object'", "BerriAI/litellm/issues/24121",
         tool({"type": "array"}), (0, "input_schema.type"), "input_schema.type"),
        (f"tools.9.custom.input_schema: {TOP}", "anthropics/claude-code/issues/40075",
         tool({"type": "object", "anyOf": [{"required": ["a"]}]}), (9, "input_schema"), "input_schema.anyOf"),
        (f"tools.17.custom.input_schema: {INVALID}", "githubnext/agentics/issues/82",
         with_property({"type": "choice"}), (17, "input_schema"), f"{LIMIT}.type"),
        (f"tools.30.custom.input_schema: {INVALID}", "homeassistant-ai/ha-mcp/issues/2361",
         with_property({"minimum": 0, "exclusiveMinimum": True}), (30, "input_schema"), f"{LIMIT}.exclusiveMinimum"),
        (f"tools.14.custom.input_schema: {INVALID}", "hyperdxio/hyperdx/pull/2925",
         with_property(TUPLE), (14, "input_schema"), f"{LIMIT}.items"),
        (f"The model returned the following errors: tools.18.custom.input_schema: {INVALID}",
         "acomagu/vscode-as-mcp-server/issues/6", with_property({"required": True}),
         (18, "input_schema"), f"{LIMIT}.required"),
        (f"tools.0.custom.input_schema.properties: {KEYS} '^[a-zA-Z0-9_.-]{{1,64}}$'",
         "aws-solutions-library-samples/accelerated-intelligent-document-processing-on-aws/issues/709",
         tool({"type": "object", "properties": {"Account Number": {}}}),
         (0, "input_schema.properties"), "input_schema.properties"),
        ("tools.16.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'",
         "modelcontextprotocol/modelcontextprotocol/issues/1345",
         tool({"type": "object"}, name="Dockerfile problems scanner"), (16, "name"), "name"),
        ("tools.18.custom.name: String should have at most 128 characters", "anthropics/claude-code/issues/96152",
         tool({"type": "object"}, name="n" * 129), (18, "name"), "name"),
        ("tools.0.FrontendRemoteMcpToolDefinition.name: String should match pattern", "malloydata/publisher/pull/543",
         tool({"type": "object"}, name="malloy/executeQuery"), (0, "name"), "name"),
        ("tools.0: Input tag 'function' found using 'type' does not match any of the expected tags: 'custom'",
         "dirac-run/dirac/issues/57", {"type": "function", "function": None}, (0, ""), "type"),
        ("tools.25.custom: For 'integer' type, properties maximum, minimum are not supported",
         "earendil-works/pi/issues/9953", STRICT_INTEGER, (25, ""), f"{LIMIT}.minimum"),
        ("tools.0.custom: For 'array' type, property 'maxItems' is not supported",
         "experientiallabs/experiential/pull/804", STRICT_LIST, (0, ""), f"{LIMIT}.maxItems"),
        ("tools.0.custom: For 'object' type, 'additionalProperties' must be explicitly set to false",
         "vercel/ai/issues/20681", tool({"type": "object"}, strict=True), (0, ""), "input_schema.additionalProperties"),
        ("tools: Tool names must be unique.", "microsoft/vscode/issues/278073",
         tool({"type": "object"}, name="good_0"), None, "name"),
        ("Error resolving schema reference '#/definitions/_gen:tags': PointerToNowhere(...)",
         "BerriAI/litellm/issues/26692", with_property({"$ref": "#/definitions/_gen:tags"}), None, f"{LIMIT}.$ref"),
    ],
)  # fmt: skip
def test_what_the_api_refused_is_found(
    message: str, source: str, broken: Json, told: tuple[int, str] | None, path: str
):
    """Each `source` is below https://github.com."""
    assert told_by(message) == told, source
    index = told[0] if told else 1
    assert [(flaw.index, flaw.path) for flaw in flaws(at(index, broken))] == [(index, path)]
    if told:
        assert flaws(at(index, broken), only=index) == flaws(at(index, broken))


@pytest.mark.parametrize(
    "message",
    [
        # https://github.com/anthropics/claude-code/issues/21492
        "messages.3.content.0.tool_result.content.1.tool_reference.tool_name: String should have at most 64 characters",
        "max_tokens: Field required",
        "my_tools.3.custom.name: no",
        "tools.3.custom.name",
        "",
    ],
)
def test_messages_on_other_matters_name_no_tool(message: str):
    assert told_by(message) is None


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("Malformed input request: #/tools/1/input_schema: extraneous key [x] is not permitted", (1, "input_schema")),
        ("Malformed input request: #/tools/0: required key [name] not found", (0, "")),
        # https://github.com/lastmile-ai/mcp-agent/pull/126
        (
            "Malformed input request: #/toolConfig/tools/1/toolSpec/inputSchema/json: extraneous key [$defs]",
            (1, "input_schema"),
        ),
        ("Malformed input request: #/toolConfig/tools/1/toolSpec/inputSchema/json/type: no", (1, "input_schema.type")),
        ("Malformed input request: #/toolConfig/tools/3/toolSpec/name: string [a b]", (3, "name")),
        ("Malformed input request: #/tools/2/input_schema/properties/my key/type: no", None),
        ("Malformed input request: #/messages/0/content/0: no", None),
    ],
)
def test_a_pointer_of_bedrock_names_a_tool(message: str, told: tuple[int, str] | None):
    assert told_by(message) == told


def test_what_a_message_quotes_is_not_told():
    assert told_by(f"tools.2.custom.input_schema.properties.{'x' * 65}.$ref.naïve: no") == (
        2,
        "input_schema.properties.*.$ref.*",
    )


@pytest.mark.parametrize("name", ["SSN-123-45-6789", "card_4111111111111111", "tel.5550123", "1234"])
def test_a_property_whose_name_may_be_somebodys_number_is_not_told(name: str):
    broken = tool(
        {"type": "object", "properties": {name: {"type": "int"}, "v1.2-2026": {}, "line_123": {"type": "int"}}}
    )
    assert {flaw.path for flaw in flaws([broken])} == {
        "input_schema.properties.*.type",
        "input_schema.properties.line_123.type",
    }
    path = name.replace(".", "_")
    assert told_by(f"tools.1234.custom.input_schema.properties.{path}.type: no") == (
        1234,
        "input_schema.properties.*.type",
    )
    assert told_by(f"Malformed input request: #/tools/0/input_schema/properties/{name}: no") == (
        0,
        "input_schema.properties.*",
    )


OPENAI = "OpenAI's"


@pytest.mark.parametrize(
    ("broken", "path", "words"),
    [
        ({"name": "a", "function": None}, "function", OPENAI),
        ({"name": "a", "parameters": {"type": "object"}}, "parameters", OPENAI),
        ({"name": "a", "inputSchema": {"type": "object"}}, "inputSchema", "MCP's"),
        ({"name": "a"}, "input_schema", "no `input_schema`"),
        (tool('{"type": "object"}'), "input_schema", "is a string"),
        (tool(None), "input_schema", "must be an object."),
        (tool(["object"]), "input_schema", "must be an object."),
        ({"input_schema": {"type": "object"}}, "name", "1 to 128"),
        (tool({"type": "object"}, description=["a", "b"]), "description", "string"),
        ({"type": "web_search_20250305", "name": "web search"}, "name", "1 to 128"),
        (tool({"type": "dict"}), "input_schema.type", '"type": "object"'),
        (with_property({"type": "int"}), f"{LIMIT}.type", "There is no type `int`: `type` must be one of array"),
        (with_property({"type": ["string", "any"]}), f"{LIMIT}.type", "no type `any`"),
        (with_property({"type": "string[]"}), f"{LIMIT}.type", "`type` must be one of"),
        (with_property({"default": float("nan")}), f"{LIMIT}.default", "NaN"),
        (with_property({"enum": [1.5, float("-inf")]}), f"{LIMIT}.enum.1", "Infinity"),
        (with_property("string"), LIMIT, "values are schemas"),
        (tool(CLOSED | {"properties": {"a": {"type": ["object", "null"]}}}, strict=True),
         "input_schema.properties.a.additionalProperties", "false"),
        (tool(CLOSED | {"properties": {"a": {"oneOf": [{"type": "null"}]}}}, strict=True),
         "input_schema.properties.a.oneOf", "does not support `oneOf`"),
        (tool(CLOSED | {"properties": {"a": {"type": "array", "minItems": 2}}}, strict=True),
         "input_schema.properties.a.minItems", "0 or 1"),
        (tool({"type": "object", "properties": {"a": {"properties": {"two words": {"type": "int"}}}}}),
         "input_schema.properties.a.properties.*.type", "`int`"),
    ],
)  # fmt: skip
def test_each_kind_of_flaw_has_its_reason(broken: Json, path: str, words: str):
    (flaw,) = flaws([broken])
    assert (flaw.index, flaw.path) == (0, path)
    assert words in flaw.reason


def test_a_recursive_model_has_no_type_at_its_top():
    """Of a recursive model, pydantic makes a definition, and only a reference at the top."""

    class Folder(pydantic.BaseModel):
        folders: "list[Folder]"

    assert [flaw.path for flaw in flaws([tool(Folder.model_json_schema())])] == ["input_schema.type"]


class Place(pydantic.BaseModel):
    city: str = pydantic.Field(pattern=r"^\w+$", description="Where")
    position: tuple[float, float] | None = None


class Search(pydantic.BaseModel):
    url: pydantic.AnyUrl
    places: list[Place]
    limit: int = pydantic.Field(default=5, gt=0, lt=1_000_000)
    tags: dict[str, str | int] = {}


# https://platform.claude.com/docs/en/agents-and-tools/tool-use/define-tools
WEATHER = {
    "name": "get_weather",
    "description": "Get the current weather in a given location",
    "input_schema": {
        "type": "object",
        "properties": {
            "location": {"type": "string", "description": "The city and state, e.g. San Francisco, CA"},
            "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
        },
        "required": ["location"],
    },
}
DRAFT_07: Json = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "properties": {
        "path": {"type": "string", "format": "path", "nullable": True, "pattern": r"^[^\p{Cc}]+$"},
        "edits": {"type": "array", "items": {"$ref": "#/definitions/a~1b%20c"}, "anyOf": [{"minItems": 2}]},
        "same": {"$ref": "#/properties/edits/anyOf/0"},
        "other": {"$ref": "https://example.com/schema.json"},
    },
    "definitions": {"a/b c": {"type": "object", "properties": {"old text": {"oneOf": [{"type": "string"}, True]}}}},
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    "tools",
    [
        [WEATHER],
        [tool(Search.model_json_schema(), type="custom", description=None)],
        [tool(DRAFT_07)],
        [tool({"type": "object", "properties": None, "required": None})],
        [tool(CLOSED | {"properties": {"a": {"type": "array", "minItems": 1}}}, strict=True)],
        [tool(MappingProxyType({"type": "object", "required": ("a",)}))],
        [
            {"type": "web_search_20250305", "name": "web_search", "max_uses": 5},
            {"type": "bash_20250124", "name": "bash"},
            {"type": "memory_20250818", "name": "memory", "input_schema": None},
            {"type": "computer_toolset_20260801"},
            {"type": "mcp_toolset", "mcp_server_name": "example"},
            {"type": "mcp_toolset", "mcp_server_name": "another"},
        ],
        [Place(city="x"), "look_up", None, tool(Place), tool(object())],
        None,
        "tools",
        {"name": "a"},
    ],
)
def test_good_tools_and_what_is_no_json_have_no_flaw(tools: object):
    assert flaws(tools) == []


def test_tools_that_can_be_read_only_once_are_left_alone():
    def each() -> Iterator[Json]:
        yield {}

    tools, inside = each(), each()
    assert flaws(tools) == []
    assert flaws([tool({"type": "object", "default": inside})]) == []
    assert fingerprint(tools) is None
    assert list(tools) == list(inside) == [{}]


def test_a_flaw_names_its_tool_where_the_name_is_one():
    assert [flaw.tool for flaw in flaws([tool({}), tool({}, name="two words"), tool({}, name="b")])] == [
        "look_up",
        None,
        None,
        "b",
    ]


def test_there_are_at_most_ten_flaws():
    nothing: list[Json] = [{}] * 20
    assert len(flaws(nothing)) == MOST_FLAWS == 10


def test_without_the_library_the_rules_of_the_api_are_still_checked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    broken = with_property({"type": "int"}, name="two words")
    assert [flaw.path for flaw in flaws([broken])] == ["name"]


@pytest.mark.parametrize("depth", [120, 100_000])
def test_a_deep_schema_is_judged_at_its_top_only(depth: int):
    deep: Json = {"type": "int"}
    for _ in range(depth):
        deep = {"not": deep}
    assert flaws([tool(deep | {"type": "object"})]) == []
    loop = tool({"type": "object"})
    loop["input_schema"]["properties"] = {"a": loop["input_schema"]}
    assert flaws([loop]) == []


def test_a_huge_list_of_tools_is_judged_in_part_and_each_tool_alone():
    large = tool({"type": "object", "required": [str(number) for number in range(MOST_NODES - 4)]}, name="large")
    tools = [large, with_property({"type": "int"})]
    assert flaws(tools) == []
    assert [flaw.index for flaw in flaws(tools, only=1)] == [1]


MARK = "sésame ☃ secret"
KEYS_OF_TOOLS = ["name", "description", "type", "input_schema", "strict", "function", "parameters", "custom", "object"]
KEYWORDS = ["properties", "items", "anyOf", "$ref", "required", "minItems", "enum", "$defs", "additionalProperties"]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from([MARK, "#/$defs/a", "object", "custom"]),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(st.sampled_from([MARK, *KEYS_OF_TOOLS, *KEYWORDS]), children, max_size=5)
    ),
    max_leaves=12,
)
TOOLS = st.lists(VALUES | VALUES.map(tool) | VALUES.map(with_property) | VALUES.map(lambda v: tool(v, strict=True)))


@given(VALUES | TOOLS)
def test_nothing_raises_and_nothing_is_quoted(tools: Any):
    found = flaws(tools)
    assert len(found) <= MOST_FLAWS
    assert len({(flaw.index, flaw.path) for flaw in found}) == len(found)
    assert all("secret" not in str(flaw) and "☃" not in str(flaw) for flaw in found)
    assert all(told_by(f"tools.{flaw.index}.custom.{flaw.path}: no") == (flaw.index, flaw.path) for flaw in found)


@given(st.text() | st.text(alphabet="tools.0:*a "))
def test_any_message_can_be_read(message: str):
    told = told_by(message)
    assert told is None or "tools." in message


@given(VALUES)
def test_equal_tools_have_one_fingerprint(tools: Any):
    assert fingerprint(tools) == fingerprint(copy.deepcopy(tools)) is not None


def test_a_change_of_tools_changes_the_fingerprint():
    tools = at(2, with_property({"type": "string"}))
    before = fingerprint(tools)
    tools[1]["input_schema"]["title"] = "x"
    assert fingerprint(tools) != before
    assert fingerprint([Place(city="x")]) is None


def test_a_flaw_is_one_line():
    assert flaws([with_property({"exclusiveMinimum": True})]) == [
        Flaw(
            "look_up",
            0,
            "input_schema.properties.limit.exclusiveMinimum",
            "`exclusiveMinimum` must be a number (true and false are those of draft 04).",
        )
    ]
