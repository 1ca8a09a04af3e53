"""What the programs do that run against backends, by hand: it follows from their code alone.

Out: the spans of each, and its operations that are no call of a model.
"""

from collections.abc import Mapping
from typing import NamedTuple

from trees import Tree


class Done(NamedTuple):
    """The spans of a program, by their parents, and how often it did something else, by operation and model."""

    tree: Tree
    others: Mapping[tuple[str, str], int]

    def times(self, number: int) -> "Done":
        """As often as that."""
        return Done(
            {where: count * number for where, count in self.tree.items()},
            {what: count * number for what, count in self.others.items()},
        )

    @property
    def roots(self) -> int:
        """How many spans have no parent."""
        return sum(count for (_, parent), count in self.tree.items() if not parent)


_CREATE, _RETRIEVE, _RESULTS = (f"messages.batches.{what}" for what in ("create", "retrieve", "results"))

ROUND = Done(
    {
        ("round", ""): 1,
        # Whole twice, streamed, refused, and interrupted.
        ("chat claude-sonnet-4-5", "round"): 5,
        ("invoke_agent", "round"): 1,
        ("chat claude-sonnet-4-5", "invoke_agent"): 2,
        ("execute_tool weather", "invoke_agent"): 1,
        (f"anthropic.{_CREATE}", "round"): 1,
        # The SDK retrieves a batch itself before it reads its results.
        (f"anthropic.{_RETRIEVE}", "round"): 2,
        (f"anthropic.{_RESULTS}", "round"): 1,
    },
    {(_CREATE, ""): 1, (_RETRIEVE, ""): 2, (_RESULTS, ""): 1},
)
"""A round of `apps/calls.py`."""

SUPPORT = Done(
    {
        ("anthropic.messages.count_tokens", ""): 1,
        # Three questions are sorted. The third one goes to a model that there is not.
        ("chat claude-haiku-5-5", ""): 3,
        ("chat claude-opus-5.5", ""): 1,
        # Two turns, three turns, and two.
        ("chat claude-sonnet-5-5", ""): 7,
    },
    {("messages.count_tokens", "claude-sonnet-5-5"): 1},
)
"""The demo."""

RUNAWAY = Done(
    {
        ("invoke_agent research", ""): 1,
        # 257 searches, one question to the expert, one round that ends in an error, and the last one.
        ("round", "invoke_agent research"): 260,
        ("chat claude-sonnet-5-5", "round"): 260,
        ("execute_tool search", "round"): 257,
        ("execute_tool ask_expert", "round"): 1,
        ("chat claude-opus-5-5", "execute_tool ask_expert"): 1,
        # 25 pages a search, of which every 500th visit fails: 6,425 / 500 = 12.
        ("fetch page", "execute_tool search"): 6_425,
        ("SELECT notes", "execute_tool search"): 6_413,
        ("INSERT notes", "execute_tool search"): 6_413,
        ("SELECT notes", "execute_tool ask_expert"): 1,
    },
    {},
)
"""The agent that has run away: 20,032 spans."""

CONTENT = Done({("chat claude-sonnet-5-5", ""): 100}, {})
"""`apps/content.py`."""
