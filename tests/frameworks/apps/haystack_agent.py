"""Haystack: a pipeline, whole and streamed, and an agent with a tool; its own spans are switched on."""

from haystack import Pipeline, tracing
from haystack.components.agents import Agent
from haystack.dataclasses import ChatMessage, StreamingChunk
from haystack.tools import tool
from haystack_integrations.components.generators.anthropic import AnthropicChatGenerator
from haystack_integrations.tracing.opentelemetry import OpenTelemetryTracer
from opentelemetry import trace

tracing.enable_tracing(OpenTelemetryTracer(trace.get_tracer("haystack")))


@tool
def weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}"


def show(chunk: StreamingChunk) -> None:
    print(chunk.content, end="")


model = AnthropicChatGenerator(model="claude-sonnet-4-5")
pipeline = Pipeline()
pipeline.add_component("llm", model)
question = {"messages": [ChatMessage.from_user("What is the capital of France?")]}
print(pipeline.run({"llm": question})["llm"]["replies"][0].text)
pipeline.run({"llm": {**question, "streaming_callback": show}})
print()

agent = Agent(chat_generator=AnthropicChatGenerator(model="claude-sonnet-4-5"), tools=[weather])
print(agent.run([ChatMessage.from_user("What is the weather in Paris?")])["last_message"].text)
