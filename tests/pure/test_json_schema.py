"""Where a schema breaks the rules of draft 2020-12."""

import inspect
import sys
from typing import Any

import pytest

from otel_claude.diagnosis.json_schema import nodes, offences, points_nowhere

SCHEMA = "a schema: an object, true or false"
COUNT = "a whole number from 0 on"
MEMBERS = "an object whose values are schemas: objects, true or false"


@pytest.mark.parametrize(
    ("keyword", "value", "accepted"),
    [
        ("not", 1, SCHEMA),
        ("additionalProperties", "no", SCHEMA),
        ("allOf", [], "a list of at least one schema"),
        ("properties", [], MEMBERS),
        ("properties", {"properties": 1}, MEMBERS),
        ("minLength", -1, COUNT),
        ("maxItems", "3", COUNT),
        ("uniqueItems", "yes", "true or false"),
        ("description", ["x"], "a string"),
        ("minimum", "1", "a number"),
        ("exclusiveMaximum", False, "a number (true and false are those of draft 04)"),
        ("dependentRequired", {"a": "b"}, "an object whose values are lists of property names"),
        ("enum", "x", "a list"),
        ("items", ["a"], "one schema (those of a tuple belong in `prefixItems`)"),
        ("multipleOf", 0, "a number above 0"),
        ("required", ["a", "a"], "a list of property names, each once, beside `properties`"),
        ("$id", 1, "what JSON Schema draft 2020-12 defines"),
    ],
)
@pytest.mark.parametrize("path", [(), ("items",), ("properties", "type")])
def test_each_keyword_says_what_it_accepts(keyword: str, value: object, accepted: str, path: tuple[str, ...]):
    schema: dict[str, Any] = {keyword: value}
    for step in reversed(path):
        schema = {step: schema}
    found = set(offences(schema))
    assert {reason for _, reason in found} == {f"`{keyword}` must be {accepted}."}
    assert {place[: len(path) + 1] for place, _ in found} == {(*path, keyword)}


@pytest.mark.parametrize(
    ("ref", "nowhere"),
    [
        ("#/$defs/a", False),
        ("#/$defs/b~1c%20d", False),
        ("#/anyOf/1", False),
        ("#/anyOf/2", True),
        ("#/anyOf/x", True),
        ("#/anyOf/" + "9" * 5_000, True),
        ("#/$defs/e", True),
        ("#/title/a", True),
        ("#", False),
        ("#anchor", False),
        ("https://example.com/a#/b", False),
        (None, False),
    ],
)
def test_references_into_the_schema_are_followed(ref: object, nowhere: bool):
    root: dict[str, Any] = {"title": "x", "$defs": {"a": {}, "b/c d": {}}, "anyOf": [{}, {}]}
    assert points_nowhere(ref, root) is nowhere


def test_the_values_of_a_schema_come_from_the_top_down():
    schema = {"properties": {"a": {"enum": [1]}}, "items": True}
    found = nodes(schema, 6)
    assert found is not None
    assert [node.path for node in found] == [
        (),
        ("properties",),
        ("properties", "a"),
        ("properties", "a", "enum"),
        ("properties", "a", "enum", 0),
        ("items",),
    ]
    assert nodes(schema, 5) is None


def test_an_application_deep_in_calls_is_left_alone():
    schema: dict[str, Any] = {"type": "int"}
    for _ in range(60):
        schema = {"not": schema}
    assert len(set(offences(schema))) == 1

    def dive(frames: int) -> list[Any]:
        return dive(frames - 1) if frames else list(offences(schema))

    assert dive(sys.getrecursionlimit() - len(inspect.stack(0)) - 100) == []
