"""What becomes of the arguments of tools and agents: looked at once, where they are small, and never kept."""

import asyncio
import gc
import json
import weakref
from collections.abc import AsyncIterator, Callable, Generator
from typing import Any

import pytest
from rig import ASK, named, told, wants

import otel_claude
from fixture_types import Instrument
from otel_claude.agents import arguments
from otel_claude.agents.arguments import MOST_TEXT, MOST_VALUES, digest
from otel_claude.testing import SimulatedClaude, Telemetry, ToolUse


@otel_claude.tool
def save(rows: Any) -> int:
    return len(rows)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """All that is written as JSON to be compared."""
    found: list[str] = []

    def write(value: Any, **options: Any) -> str:
        found.append(json.dumps(value, **options))
        return found[-1]

    monkeypatch.setattr(arguments, "json", Writer(write))
    return found


class Writer:
    """The module `json`, as far as it is used."""

    def __init__(self, dumps: Callable[..., str]) -> None:
        self.dumps = dumps


def test_arguments_are_looked_at_once(telemetry: Telemetry, written: list[str]):
    save([1, 2, 3])
    save(rows=["a"])

    assert written == ['{"rows":[1,2,3]}', '{"rows":["a"]}']


LARGE: dict[str, Any] = {
    "rows": [{"id": number, "name": f"name {number}"} for number in range(20_000)],
    "numbers": list(range(MOST_VALUES)),
    "a text": "a" * MOST_TEXT,
    "texts": ["a" * 1_000] * (MOST_TEXT // 1_000),
    "names": {f"{number:01000}": number for number in range(MOST_TEXT // 1_000 + 1)},
    "lists of lists": [[[0] * 50] * 10] * 10,
}


@pytest.mark.parametrize("kind", LARGE)
def test_large_arguments_are_not_compared(kind: str, telemetry: Telemetry, written: list[str]):
    """The tool would wait for that. Nothing else is different."""
    with otel_claude.agent("agent"):
        for _ in range(2):
            save(LARGE[kind])

    assert written == []
    assert [told(span).get("claude.tool.repeats") for span in named(telemetry, "execute_tool save")] == [None, None]
    assert told(telemetry.span("invoke_agent agent"))["claude.agent.tool_calls"] == 2


@pytest.mark.parametrize(
    "value",
    [list(range(MOST_VALUES)), tuple(range(MOST_VALUES)), "a" * MOST_TEXT, ["a" * 1_000] * (MOST_TEXT // 1_000)],
    ids=["list", "tuple", "text", "texts"],
)
def test_arguments_up_to_a_size_are_compared(value: Any):
    assert digest(value) == digest(json.loads(json.dumps(value)))
    assert digest(value) is not None
    assert digest([value, "more"]) is None


@pytest.mark.parametrize("runner", ["sync"], indirect=True)
def test_an_execution_with_large_arguments_says_which_request_it_answers_only_where_it_is_told(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    """As one whose arguments are no JSON."""
    rows = LARGE["numbers"]
    claude.will(wants(ToolUse("save", {"rows": [rows]}, id="toolu_1"), ToolUse("save", {"rows": rows}, id="toolu_2")))

    with otel_claude.agent("agent"):
        message = client.messages.create(**ASK)
        save([rows])
        with otel_claude.tool_call(message.content[-1]):
            save(rows)

    first, second = named(telemetry, "execute_tool save")
    assert "gen_ai.tool.call.id" not in told(first)
    assert told(second)["gen_ai.tool.call.id"] == "toolu_2"


class Kept:
    """Something of the application's."""


def is_gone(kept: "weakref.ref[Kept]") -> bool:
    gc.collect()
    return kept() is None


async def coroutine(given: Kept) -> list[bool]:
    kept = weakref.ref(given)
    del given
    return [is_gone(kept)]


def generator(given: Kept) -> Generator[bool]:
    kept = weakref.ref(given)
    del given
    yield is_gone(kept)


async def async_generator(given: Kept) -> AsyncIterator[bool]:
    kept = weakref.ref(given)
    del given
    yield is_gone(kept)


async def all_of(items: AsyncIterator[bool]) -> list[bool]:
    return [item async for item in items]


USES: dict[str, Callable[[Callable[[Any], Any]], list[bool]]] = {
    "coroutine": lambda decorate: asyncio.run(decorate(coroutine)(Kept())),
    "generator": lambda decorate: list(decorate(generator)(Kept())),
    "async generator": lambda decorate: asyncio.run(all_of(decorate(async_generator)(Kept()))),
}


@pytest.mark.parametrize("content", ["NO_CONTENT", "SPAN_ONLY"])
@pytest.mark.parametrize("kind", USES)
@pytest.mark.parametrize("decorate", [otel_claude.tool, otel_claude.agent("agent")])
def test_what_a_function_has_let_go_is_gone(
    instrument: Instrument, decorate: Callable[[Any], Any], kind: str, content: str
):
    telemetry = instrument(content=content)

    assert USES[kind](decorate) == [True]
    assert len(telemetry.spans) == 1
