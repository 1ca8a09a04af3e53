"""LangChain: a chat model, and an agent, which is a graph of LangGraph."""

from langchain.agents import create_agent
from langchain_anthropic import ChatAnthropic

MODEL = "claude-sonnet-4-5"


def weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}"


model = ChatAnthropic(model_name=MODEL)
print(model.invoke("What is the capital of France?").text)
print("".join(chunk.text for chunk in model.stream("What is the capital of France?")))

agent = create_agent(model, tools=[weather])
question = {"messages": [{"role": "user", "content": "What is the weather in Paris?"}]}
print(agent.invoke(question)["messages"][-1].text)
print("".join(part[0].text for part in agent.stream(question, stream_mode="messages") if part[0].type.startswith("AI")))
