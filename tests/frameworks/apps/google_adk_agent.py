"""Google's Agent Development Kit: an agent with a tool, whole and streamed."""

import asyncio

from google.adk.agents import LlmAgent
from google.adk.agents.run_config import RunConfig, StreamingMode
from google.adk.models.anthropic_llm import AnthropicLlm
from google.adk.runners import InMemoryRunner
from google.genai import types


def weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}"


async def main() -> None:
    agent = LlmAgent(name="assistant", model=AnthropicLlm(model="claude-sonnet-4-5"), tools=[weather])
    runner = InMemoryRunner(agent=agent, app_name="app")
    question = types.Content(role="user", parts=[types.Part(text="What is the weather in Paris?")])
    for mode in (StreamingMode.NONE, StreamingMode.SSE):
        session = await runner.session_service.create_session(app_name="app", user_id="user")
        async for event in runner.run_async(
            user_id="user", session_id=session.id, new_message=question, run_config=RunConfig(streaming_mode=mode)
        ):
            if event.is_final_response():
                print(event.content.parts[0].text)


asyncio.run(main())
