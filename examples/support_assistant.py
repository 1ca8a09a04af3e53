"""The support assistant of a small shop: it answers the questions that customers have written.

In: questions, as arguments or the three below. Out: answers, printed while Claude writes them. A small model decides
which model a question goes to; that one answers by the shop's handbook, which is cached between calls, and looks
orders up with tools. It needs `ANTHROPIC_API_KEY`:

    python examples/support_assistant.py "Where is my order 4711?"

`SUPPORT_COMPLAINTS_MODEL` names the model that answers complaints.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import anthropic

TRIAGE_MODEL = "claude-haiku-5-5"
ANSWER_MODEL = "claude-sonnet-5-5"
COMPLAINTS_MODEL = os.environ.get("SUPPORT_COMPLAINTS_MODEL", "claude-opus-5-5")

QUESTIONS = (
    "Where is my order 4711? It should have been here on Tuesday.",
    "The grinder from order 4689 does not start, the hopper is in place. I want to send it back.",
    "You booked order 4650 twice, and nobody answers. This is the third time that I write to you!",
)

TRIAGE = "Sort the customer's message. Answer with one word: question, return or complaint."

HANDBOOK: list[anthropic.types.TextBlockParam] = [
    {
        "type": "text",
        "text": Path(__file__).with_name("handbook.md").read_text(encoding="utf-8"),
        "cache_control": {"type": "ephemeral"},
    }
]

TOOLS: list[anthropic.types.ToolParam] = [
    {
        "name": "find_order",
        "description": "Finds an order by its number: its item, its state and its dates.",
        "input_schema": {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]},
    },
    {
        "name": "start_return",
        "description": "Starts the return of an order, and sends the label to the customer.",
        "input_schema": {
            "type": "object",
            "properties": {"order": {"type": "string"}, "broken": {"type": "boolean"}},
            "required": ["order", "broken"],
        },
    },
]

ORDERS = {
    "4711": {"item": "F2 coffee machine", "state": "with the carrier, late", "expected": "Friday"},
    "4689": {"item": "G1 grinder", "state": "delivered", "delivered": "nine days ago"},
    "4650": {"item": "beans, 1 kg", "state": "delivered", "paid": "once, one reservation open"},
}


def find_order(order: str) -> dict[str, Any]:
    return ORDERS.get(order, {"error": "there is no such order"})


def start_return(order: str, *, broken: bool) -> dict[str, Any]:
    return {"order": order, "label": "sent by e-mail", "shipping": "free" if broken else "paid by the customer"}


RUN = {"find_order": find_order, "start_return": start_return}

Conversation = list[anthropic.types.MessageParam]


def triage(client: anthropic.Anthropic, question: str) -> str:
    """`question`, `return` or `complaint`."""
    sorted_as = client.messages.create(
        model=TRIAGE_MODEL, max_tokens=16, system=TRIAGE, messages=[{"role": "user", "content": question}]
    )
    return "".join(block.text for block in sorted_as.content if block.type == "text").strip().lower()


def say(client: anthropic.Anthropic, model: str, conversation: Conversation) -> anthropic.types.Message:
    """One turn of Claude, its text printed as it comes."""
    with client.messages.stream(
        model=model, max_tokens=1024, system=HANDBOOK, tools=TOOLS, messages=conversation
    ) as stream:
        for text in stream.text_stream:
            print(text, end="", flush=True)
        message = stream.get_final_message()
    if any(block.type == "text" for block in message.content):
        print(flush=True)
    return message


def use_tools(message: anthropic.types.Message) -> list[anthropic.types.ToolResultBlockParam]:
    """What the tools say that Claude has called."""
    results: list[anthropic.types.ToolResultBlockParam] = []
    for block in message.content:
        if block.type == "tool_use":
            print(f"  [{block.name} {json.dumps(block.input)}]", flush=True)
            result = json.dumps(RUN[block.name](**block.input))
            results.append({"type": "tool_result", "tool_use_id": block.id, "content": result})
    return results


def answer(client: anthropic.Anthropic, model: str, question: str) -> None:
    """Answers a question, in as many turns as Claude needs for its tools."""
    conversation: Conversation = [{"role": "user", "content": question}]
    while True:
        message = say(client, model, conversation)
        if message.stop_reason != "tool_use":
            print(flush=True)
            return
        conversation.append({"role": "assistant", "content": message.content})
        conversation.append({"role": "user", "content": use_tools(message)})


def main() -> None:
    client = anthropic.Anthropic()
    prompt = client.messages.count_tokens(
        model=ANSWER_MODEL, system=HANDBOOK, tools=TOOLS, messages=[{"role": "user", "content": "?"}]
    )
    print(f"Handbook and tools: {prompt.input_tokens:,} tokens\n")
    for question in sys.argv[1:] or QUESTIONS:
        print(f"> {question}", flush=True)
        model = COMPLAINTS_MODEL if triage(client, question) == "complaint" else ANSWER_MODEL
        try:
            answer(client, model, question)
        except anthropic.NotFoundError:
            if model == ANSWER_MODEL:
                raise
            print(f"  [{model} is not available, {ANSWER_MODEL} answers]", flush=True)
            answer(client, ANSWER_MODEL, question)


if __name__ == "__main__":
    main()
