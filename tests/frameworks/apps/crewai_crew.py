"""CrewAI: a model, and a crew of one agent with a tool."""

from crewai import LLM, Agent, Crew, Task
from crewai.tools import tool


@tool
def weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}"


model = LLM("anthropic/claude-sonnet-4-5")
print(model.call("What is the capital of France?"))
print(LLM("anthropic/claude-sonnet-4-5", stream=True).call("What is the capital of France?"))

agent = Agent(role="assistant", goal="Answer questions", backstory="Knows the weather", llm=model, tools=[weather])
task = Task(description="What is the weather in Paris?", expected_output="One sentence", agent=agent)
print(Crew(agents=[agent], tasks=[task]).kickoff())
