"""Pydantic AI: an agent with its own OpenTelemetry spans switched on, run whole and streamed."""

import asyncio

from pydantic_ai import Agent

Agent.instrument_all()
agent = Agent("anthropic:claude-sonnet-4-5")
assistant = Agent("anthropic:claude-sonnet-4-5", name="assistant")


@assistant.tool_plain
def weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}"


async def main() -> None:
    print((await agent.run("What is the capital of France?")).output)
    async with assistant.run_stream("What is the weather in Paris?") as streamed:
        print("".join([text async for text in streamed.stream_text(delta=True)]))


print(assistant.run_sync("What is the weather in Paris?").output)
asyncio.run(main())
