"""AutoGen: an assistant with a tool, whole and streamed."""

import asyncio

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.base import TaskResult
from autogen_core.models import ModelInfo
from autogen_ext.models.anthropic import AnthropicChatCompletionClient

CAN = ModelInfo(vision=True, function_calling=True, json_output=True, family="claude-4-sonnet", structured_output=False)


async def weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}"


async def main() -> None:
    client = AnthropicChatCompletionClient(model="claude-sonnet-4-5", model_info=CAN, max_tokens=1024)
    for streamed in (False, True):
        agent = AssistantAgent(
            "assistant",
            client,
            tools=[weather],
            model_client_stream=streamed,
            reflect_on_tool_use=True,
        )
        async for message in agent.run_stream(task="What is the weather in Paris?"):
            if isinstance(message, TaskResult):
                print(message.messages[-1].content)
    await client.close()


asyncio.run(main())
