"""Instructor: an object out of an answer, and the same while it is streamed."""

import instructor
from anthropic import Anthropic
from pydantic import BaseModel


class Place(BaseModel):
    """Where somebody is."""

    city: str


client = instructor.from_anthropic(Anthropic())
question = {
    "model": "claude-sonnet-4-5",
    "max_tokens": 1024,
    "messages": [{"role": "user", "content": "I live in Paris."}],
}
print(client.create(response_model=Place, **question))
print(*client.create_partial(response_model=Place, **question), sep="\n")
