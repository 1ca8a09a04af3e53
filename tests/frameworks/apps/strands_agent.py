"""Strands Agents: an agent with a tool, whole and streamed."""

import asyncio

from strands import Agent, tool
from strands.models.anthropic import AnthropicModel


@tool
def weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}"


def agent() -> Agent:
    model = AnthropicModel(model_id="claude-sonnet-4-5", max_tokens=1024)
    return Agent(name="assistant", model=model, tools=[weather], callback_handler=None)


async def streamed() -> str:
    events = agent().stream_async("What is the weather in Paris?")
    return "".join([event["data"] async for event in events if "data" in event])


print(agent()("What is the weather in Paris?"))
print(asyncio.run(streamed()))
