"""LlamaIndex: a model, whole and streamed, and an agent with a tool; its own spans are switched on."""

import asyncio

from llama_index.core.agent.workflow import FunctionAgent
from llama_index.llms.anthropic import Anthropic
from llama_index.observability.otel import LlamaIndexOpenTelemetry


def weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}"


LlamaIndexOpenTelemetry().start_registering()
model = Anthropic(model="claude-sonnet-4-5")


async def main() -> None:
    print(await FunctionAgent(tools=[weather], llm=model).run("What is the weather in Paris?"))


print(model.complete("What is the capital of France?"))
print("".join(piece.delta or "" for piece in model.stream_complete("What is the capital of France?")))
asyncio.run(main())
