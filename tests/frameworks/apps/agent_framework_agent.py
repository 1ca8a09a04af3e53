"""Microsoft's Agent Framework: an agent with a tool, whole and streamed."""

import asyncio

from agent_framework import Agent
from agent_framework.anthropic import AnthropicClient


def weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}"


async def main() -> None:
    agent = Agent(AnthropicClient(model="claude-sonnet-4-5"), name="assistant", tools=[weather])
    print(await agent.run("What is the weather in Paris?"))
    print("".join([piece.text async for piece in agent.run("What is the weather in Paris?", stream=True)]))


asyncio.run(main())
