"""Asks Claude a long question many times. With content recorded, its spans are larger than many receivers expect."""

import anthropic

QUESTION = "Which berths have shore power? " * 2_000
"""62,000 bytes: below what a span carries by default, which is 65,536."""
TIMES = 100

client = anthropic.Anthropic()
for _ in range(TIMES):
    client.messages.create(model="claude-sonnet-5-5", max_tokens=16, messages=[{"role": "user", "content": QUESTION}])
