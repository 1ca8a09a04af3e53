"""Conversations that grow long: each further message is paid for again with every request after it.

In: the size of each request, before it is sent. Out: a finding at 50 messages and at each doubling; and whether it is
news that a conversation fills the window. Pure but for the clock.

A *level* is 50 messages, 100, 200, and so on. Ids of conversations are kept as hashes.
"""

import time
from collections.abc import Callable

from otel_claude import names
from otel_claude.diagnosis.finding import Finding, Value
from otel_claude.diagnosis.recent import Recent

LONG = 50
"""The first level, in messages."""

MOST_CONVERSATIONS = 10_000
"""How many long conversations are remembered. Of one that is forgotten, the level that it has is said once more."""

QUIET_S = 600.0
"""For how long a level is not said again of requests without a conversation's id."""

FULL = 0
"""What stands among the levels for a prompt that fills too much of the window."""


class Conversations:
    """How far the conversations of this process have grown.

    Of a conversation with an id each level is said once: the event means that this conversation has grown. One that
    was pruned to half of the level or less may say it again. Half, since one that is held at a level by dropping its
    oldest messages would else cross it again and again.

    Without ids nobody can tell a conversation that grows from the next one of the same length, and a service may well
    send 60 messages with every request. What the event can mean is that there are such requests. So each level is said
    when it is first seen, and while there are requests of it once in ten minutes: often enough to be found in the logs
    of any incident, and never more than a handful at a time, as a request cannot have more than 11 levels.
    https://platform.claude.com/docs/en/api/messages#body-messages (at most 100,000 messages)
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._levels: Recent[int, int] = Recent(MOST_CONVERSATIONS)
        self._full: Recent[int, bool] = Recent(MOST_CONVERSATIONS)
        self._said_at: dict[int, float] = {}

    def grown(
        self,
        conversation: str | None,
        messages: int,
        tools: int,
        estimate: Callable[[], int | None] = lambda: None,
    ) -> Finding | None:
        """The finding that a request with so many `messages` and `tools` is worth, if any.

        `estimate` gives its tokens, as far as they are known. It is only asked when there is a finding.
        """
        level = _level(messages)
        if conversation is None:
            is_news = level > 0 and self._is_news(level)
        else:
            is_news = self._has_grown(hash(conversation), level, messages)
        if not is_news:
            return None
        attributes: dict[str, Value] = {names.MESSAGES: messages, names.TOOLS: tools}
        if (tokens := estimate()) is not None:
            attributes[names.ESTIMATED_TOKENS] = tokens
        if conversation is not None:
            attributes[names.CONVERSATION] = conversation
        return Finding(names.CONVERSATION_EVENT, "INFO", attributes)

    def _has_grown(self, conversation: int, level: int, messages: int) -> bool:
        known = self._levels.get(conversation) or 0
        if level > known or (known and messages <= known // 2):
            self._levels.put(conversation, level)
        return level > known

    def fills(self, conversation: str | None) -> bool:
        """Whether it is news that the prompt of a call fills too much of the window.

        It is once for a conversation, and for calls without an id once in ten minutes.
        """
        if conversation is None:
            return self._is_news(FULL)
        key = hash(conversation)
        known = self._full.get(key) is not None
        self._full.put(key, True)
        return not known

    def _is_news(self, level: int) -> bool:
        now = self._clock()
        said_at = self._said_at.get(level)
        if said_at is not None and now - said_at < QUIET_S:
            return False
        self._said_at[level] = now
        return True


def _level(messages: int) -> int:
    """The greatest level that is reached. 0: none."""
    return LONG << ((messages // LONG).bit_length() - 1) if messages >= LONG else 0
