"""The queries of the page on Phoenix, asked of Phoenix word by word, but for its address and the name of the project.

In: a project that the demo has filled, and what the API said to it. Out: a sentence for each answer that is another one
than follows from that by hand. Conditions of which nothing of the demo is true are asked once more with another value.
"""

import json
import math
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from said import Call, Said
from servers import Server

from docs.vendor_pages import indented, sections, shell

PAGE = "vendors/phoenix"
ADDRESS = "http://127.0.0.1:6006"
PROJECT = "projects/support/"
MATCHING = """query($project: ID!, $condition: String!) { node(id: $project) { ... on Project {
    spans(first: 1000, filterCondition: $condition) { edges { node { name } } } } } }"""
OTHER_VALUES = {"0.01": "0.004", "'rate_limited'": "'model_not_found'", "10000": "0"}
"""Values in the conditions of the page, with those that are true of something."""
MILLISECONDS = 1_000


def wrong(running: Server, name: str, project: str, said: Said) -> Iterator[str]:
    """What is wrong with the answers. `name` is that of the project, `project` is its id."""
    conditions, *commands = (
        block.replace(ADDRESS, running.url).replace(PROJECT, f"projects/{name}/")
        for block in indented(sections(PAGE)["Queries"])
    )
    yield from _of_conditions(running, project, conditions.splitlines(), said)
    spans, spend, errors, slowest = commands
    yield from _of_sums(_written(spans, spend), _spend(said))
    failed = {"model_not_found": len(said.errors) / (len(said.alone) + len(said.errors))}
    yield from _of_sums(_written(spans, errors), failed)
    answer = json.loads(_written(slowest, PROJECT=project))
    milliseconds: float | None = answer["data"] and answer["data"]["node"]["spanLatencyMsQuantile"]
    # Each answer of that model comes after a quarter of a second.
    if milliseconds is None or not 250 <= milliseconds <= (said.ended - said.began) * MILLISECONDS:
        yield f"nine of ten answers came within {milliseconds} ms, as Phoenix says: {answer}"


def _of_conditions(running: Server, project: str, conditions: list[str], said: Said) -> Iterator[str]:
    dear, failing, slow = conditions
    wanted = {
        dear: sum(call.cost > 0.01 for call in said.alone),
        _other(dear): sum(call.cost > 0.004 for call in said.alone),
        failing: 0,
        _other(failing): len(said.errors),
        slow: 0,
        _other(slow): len(said.alone) + len(said.errors),
    }
    for condition, count in wanted.items():
        asked = {"query": MATCHING, "variables": {"project": project, "condition": condition}}
        answer = running.post("/graphql", asked)
        found = len(answer["data"]["node"]["spans"]["edges"]) if answer.get("data") else answer
        if found != count:
            yield f"{condition} is true of {found} spans, not of {count}"


def _other(condition: str) -> str:
    (value,) = (value for value in OTHER_VALUES if condition.endswith(f" {value}"))
    return condition.removesuffix(value) + OTHER_VALUES[value]


def _spend(said: Said) -> Mapping[str, float]:
    by_model: dict[str, list[Call]] = {}
    for call in said.alone:
        by_model.setdefault(call.model, []).append(call)
    return {model: math.fsum(call.cost for call in calls) for model, calls in by_model.items()}


def _of_sums(written: str, wanted: Mapping[str, float]) -> Iterator[str]:
    found = {name: float(value) for name, value in (line.split() for line in written.splitlines())}
    if found.keys() != wanted.keys() or not all(math.isclose(found[name], wanted[name]) for name in wanted):
        yield f"the page's query answers {found}, not {wanted}"


def _written(*commands: str, **variables: str) -> str:
    with tempfile.TemporaryDirectory() as home:
        return shell("\n".join(commands), Path(home), variables)
