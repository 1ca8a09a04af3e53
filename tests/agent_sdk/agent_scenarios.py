"""Applications of the Claude Agent SDK, and what the simulated API answers to the CLI in each.

An application takes the keywords of a connection, `options` and perhaps `transport`, so that it runs with the CLI and
with a script of the frames that the CLI has sent.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, NamedTuple

import pytest
from opentelemetry import trace

from otel_claude.testing import Answer, BadRequest, Outcome, Request, Slow, ToolUse

sdk: Any = pytest.importorskip("claude_agent_sdk")

MODEL = "claude-sonnet-4-5-20250929"
TASK = "Count the files."
"""The prompt by which requests of the subagent are told from those of the main agent."""

Connection = dict[str, Any]
Tool = tuple[str, str, dict[str, type], Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]]


class Scenario(NamedTuple):
    """An application, what comes of the API's requests, and options of its own."""

    run: Callable[[Callable[[], Connection]], Awaitable[None]]
    answers: Callable[[], Callable[[Request], Outcome]]
    options: Connection


def used(tokens_in: int, tokens_out: int) -> dict[str, int]:
    """A usage with 20 tokens written to the cache, and 30 read from it."""
    return {
        "input_tokens": tokens_in,
        "output_tokens": tokens_out,
        "cache_read_input_tokens": 30,
        "cache_creation_input_tokens": 20,
    }


def tool_use(name: str, identity: str, **arguments: Any) -> ToolUse:
    return ToolUse(name, arguments, identity)


def in_turn(*main: Outcome, subagent: tuple[Outcome, ...] = ()) -> Callable[[], Callable[[Request], Outcome]]:
    """Answers the main agent and the subagent each in turn."""

    def start() -> Callable[[Request], Outcome]:
        waiting: dict[bool, Iterator[Outcome]] = {True: iter(subagent), False: iter(main)}

        def answer(request: Request) -> Outcome:
            if not request.path.startswith("/v1/messages"):
                return Answer("probed")
            return next(waiting[TASK in json.dumps(request.json["messages"][0])])

        return answer

    return start


def tools() -> Any:
    """An MCP server in this process, with a tool that adds and one that fails. Both make a span."""
    tracer = trace.get_tracer("application")

    @sdk.tool("add", "Adds two numbers.", {"a": int, "b": int})
    async def add(arguments: dict[str, Any]) -> dict[str, Any]:
        HANDLED.append(trace.get_current_span())
        with tracer.start_as_current_span("added"):
            return {"content": [{"type": "text", "text": str(arguments["a"] + arguments["b"])}]}

    @sdk.tool("fail", "Fails.", {"a": int})
    async def fail(_arguments: dict[str, Any]) -> dict[str, Any]:
        raise ValueError("secret of the application")

    @sdk.tool("wait", "Waits.", {})
    async def wait(_arguments: dict[str, Any]) -> dict[str, Any]:
        STARTED[0].set()
        await asyncio.sleep(60)
        return {"content": []}

    return sdk.create_sdk_mcp_server("calc", "1.0", [add, fail, wait])


STARTED: list[asyncio.Event] = []
"""What the tool `wait` sets when it has begun."""

HANDLED: list[trace.Span] = []
"""The spans that were current when the tool `add` ran."""


async def ask_once(connect: Callable[[], Connection]) -> None:
    async for _ in sdk.query(prompt="Add 1 and 2.", **connect()):
        pass


async def ask_and_fail(connect: Callable[[], Connection]) -> None:
    with pytest.raises(sdk.ResultError):
        await ask_once(connect)


async def leave(connect: Callable[[], Connection]) -> None:
    """Leaves its loop while a tool is running."""
    STARTED[:] = [asyncio.Event()]
    async for _ in sdk.query(prompt="Wait.", **connect()):
        await asyncio.wait_for(STARTED[0].wait(), 20)
        break
    # The loop of events, which closes what has been left, goes on.
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(others, timeout=20)


async def be_cancelled(connect: Callable[[], Connection]) -> None:
    """Is cancelled while a tool is running."""
    STARTED[:] = [asyncio.Event()]
    asking = asyncio.create_task(ask_once(connect))
    await asyncio.wait_for(STARTED[0].wait(), 20)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def two_turns(connect: Callable[[], Connection]) -> None:
    """Asks, waits until the subagent has made the CLI ask on its own, and asks again."""
    async with sdk.ClaudeSDKClient(**connect()) as client:
        await client.query("Have the files counted.")
        results = 0
        async for message in client.receive_messages():
            if isinstance(message, sdk.ResultMessage):
                results += 1
                if results == 2:
                    await client.query("And now?")
                if results == 3:
                    break


async def converse(connect: Callable[[], Connection]) -> None:
    async with sdk.ClaudeSDKClient(**connect()) as client:
        await client.query("Add 1 and 2.")
        async for _ in client.receive_response():
            pass


async def deny(_name: str, _arguments: dict[str, Any], _context: Any) -> Any:
    return sdk.PermissionResultDeny(message="No.")


def refuse() -> Callable[[Request], Outcome]:
    return lambda _: BadRequest("This is bad.")


TWO_TOOLS = in_turn(
    Answer(
        "I add.",
        tool_uses=[tool_use("mcp__calc__add", "toolu_1", a=1, b=2), tool_use("mcp__calc__fail", "toolu_2", a=1)],
        usage=used(100, 20),
    ),
    Answer("3", usage=used(200, 10)),
)
WAITING = in_turn(Answer("I wait.", tool_uses=[tool_use("mcp__calc__wait", "toolu_1")], usage=used(100, 20)))
ALLOWED = ["mcp__calc__add", "mcp__calc__fail", "mcp__calc__wait", "Agent"]

SCENARIOS: dict[str, Scenario] = {
    "two_tools": Scenario(ask_once, TWO_TOOLS, {"allowed_tools": ALLOWED}),
    "left": Scenario(leave, WAITING, {"allowed_tools": ALLOWED}),
    "cancelled": Scenario(be_cancelled, WAITING, {"allowed_tools": ALLOWED}),
    "background": Scenario(
        two_turns,
        in_turn(
            Answer(
                "I have them counted.",
                tool_uses=[
                    tool_use(
                        "Agent",
                        "toolu_agent",
                        description="Counting",
                        prompt=TASK,
                        subagent_type="general-purpose",
                        run_in_background=True,
                    )
                ],
                usage=used(100, 20),
            ),
            Answer("It has begun.", usage=used(110, 5)),
            Answer("There are seven.", usage=used(120, 6)),
            Answer("Still seven.", usage=used(130, 7)),
            subagent=(
                Slow(
                    0.1,
                    then=Answer(
                        "I add.", tool_uses=[tool_use("mcp__calc__add", "toolu_sub", a=3, b=4)], usage=used(50, 10)
                    ),
                ),
                Answer("Seven.", usage=used(60, 12)),
            ),
        ),
        {"allowed_tools": ALLOWED},
    ),
    "foreground": Scenario(
        converse,
        in_turn(
            Answer(
                "I have them counted.",
                tool_uses=[
                    tool_use(
                        "Agent",
                        "toolu_agent",
                        description="Counting",
                        prompt=TASK,
                        subagent_type="general-purpose",
                        run_in_background=False,
                    )
                ],
                usage=used(100, 20),
            ),
            Answer("There are seven.", usage=used(120, 6)),
            subagent=(
                Answer("I add.", tool_uses=[tool_use("mcp__calc__add", "toolu_sub", a=3, b=4)], usage=used(50, 10)),
                Answer("Seven.", usage=used(60, 12)),
            ),
        ),
        {"allowed_tools": ALLOWED},
    ),
    "denied": Scenario(
        converse,
        in_turn(
            Answer(
                "I look.",
                tool_uses=[tool_use("Bash", "toolu_1", command="rm -f there.txt", description="Removing")],
                usage=used(10, 5),
            ),
            Answer("I may not.", usage=used(20, 6)),
        ),
        {"can_use_tool": deny},
    ),
    "failing": Scenario(ask_and_fail, refuse, {}),
    "partial": Scenario(ask_once, TWO_TOOLS, {"allowed_tools": ALLOWED, "include_partial_messages": True}),
}
