"""Agno: an agent with a tool, run whole, streamed and async."""

import asyncio

from agno.agent import Agent
from agno.models.anthropic import Claude


def weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}"


agent = Agent(name="assistant", model=Claude(id="claude-sonnet-4-5"), tools=[weather], telemetry=False)
print(agent.run("What is the weather in Paris?").content)
print("".join(event.content for event in agent.run("And now?", stream=True) if event.event == "RunContent"))
print(asyncio.run(agent.arun("And now?")).content)
