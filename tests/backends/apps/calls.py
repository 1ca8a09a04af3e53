"""Calls Claude in all the ways that there are: a round of them for each line of the standard input.

It knows nothing of otel-claude. Each round has a span of the application's own. The simulated API says to each call
what `said.py` has for it.
"""

import sys
from typing import Any

import anthropic
from opentelemetry import trace

MODEL = "claude-sonnet-4-5"
ASK: dict[str, Any] = {
    "model": MODEL,
    "max_tokens": 256,
    "messages": [{"role": "user", "content": "What is the weather in Paris?"}],
}

# Any: the SDK leaves types of its tool runner open.
client: Any = anthropic.Anthropic(max_retries=1)
tracer = trace.get_tracer("calls")


@anthropic.beta_tool
def weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}"


def whole() -> None:
    client.messages.create(**ASK)


def streamed() -> None:
    with client.messages.stream(**ASK) as stream:
        for _ in stream:
            pass


def agent() -> None:
    client.beta.messages.tool_runner(**ASK, tools=[weather]).until_done()


def refused() -> None:
    try:
        client.messages.create(**ASK)
    except anthropic.BadRequestError as error:
        print(type(error).__name__, flush=True)


def interrupted() -> None:
    try:
        streamed()
    except anthropic.APIError as error:
        print(type(error).__name__, flush=True)


def batch() -> None:
    requests: Any = [{"custom_id": str(number), "params": ASK} for number in range(2)]
    created = client.messages.batches.create(requests=requests)
    client.messages.batches.retrieve(created.id)
    for result in client.messages.batches.results(created.id):
        print(result.result.type, flush=True)


for _ in sys.stdin:
    with tracer.start_as_current_span("round"):
        whole()  # and writes to the cache
        streamed()  # and reads from it
        agent()
        refused()
        whole()  # at the second attempt
        interrupted()
        batch()
    print("done", flush=True)
