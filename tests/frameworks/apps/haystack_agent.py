"""Haystack: a generator, whole and streamed, and an agent with a tool."""

from haystack.components.agents import Agent
from haystack.dataclasses import ChatMessage
from haystack.tools import tool
from haystack_integrations.components.generators.anthropic import AnthropicChatGenerator

MODEL = "claude-sonnet-4-5"


@tool
def weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}"


def asked(question: str) -> list[ChatMessage]:
    return [ChatMessage.from_user(question)]


print(AnthropicChatGenerator(model=MODEL).run(asked("What is the capital of France?"))["replies"][0].text)
pieces = []
AnthropicChatGenerator(model=MODEL, streaming_callback=lambda chunk: pieces.append(chunk.content)).run(
    asked("What is the capital of France?")
)
print("".join(pieces))
agent = Agent(chat_generator=AnthropicChatGenerator(model=MODEL), tools=[weather])
print(agent.run(asked("What is the weather in Paris?"))["last_message"].text)
