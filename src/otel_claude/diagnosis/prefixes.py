"""Prompts that begin alike and are sent again and again without caching, at the full price each time.

In: the body of each inference that has ended, when it was sent, and what its usage says. Out: whether this one repeats
a prefix, and at the second time, the fourth, the eighth a finding. Pure.

A *prefix* is what a cache could hold: the tools, these and the system prompt, or both and the first message, in the
order in which the API caches them. Of a prefix nothing is kept but a keyed hash, and that is never emitted.
https://platform.claude.com/docs/en/build-with-claude/prompt-caching
"""

import math
import os
from array import array
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

from otel_claude import names
from otel_claude.diagnosis.estimates import CHARACTERS_PER_TOKEN, estimated_tokens
from otel_claude.diagnosis.finding import Finding
from otel_claude.diagnosis.recent import Recent
from otel_claude.pricing.catalog import family
from otel_claude.values import is_array, is_object

MINIMUM: Mapping[str, int] = {
    **dict.fromkeys(
        (
            "claude-fable-5",
            "claude-fable-5-1",
            "claude-haiku-5-5",
            "claude-mythos-5",
            "claude-mythos-5-1",
            "claude-opus-5",
            "claude-opus-5-5",
            "claude-sonnet-5-5",
        ),
        512,
    ),
    **dict.fromkeys(
        (
            "claude-opus-4",
            "claude-opus-4-1",
            "claude-opus-4-8",
            "claude-sonnet-4",
            "claude-sonnet-4-5",
            "claude-sonnet-4-6",
            "claude-sonnet-5",
        ),
        1_024,
    ),
    **dict.fromkeys(("claude-3-5-haiku", "claude-mythos-preview", "claude-opus-4-7"), 2_048),
    **dict.fromkeys(("claude-haiku-4-5", "claude-opus-4-5", "claude-opus-4-6"), 4_096),
}
"""The shortest prefix that is cached, in tokens, by model. Shorter ones are processed without caching, and no error is
returned. https://platform.claude.com/docs/en/build-with-claude/prompt-caching#cache-limitations
Amazon Bedrock has a list of its own: https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html
"""
LEAST_MINIMUM, GREATEST_MINIMUM = min(MINIMUM.values()), max(MINIMUM.values())
"""The greatest is taken for a model that the table does not have."""

LIFETIME_S = 300.0
"""How long a prefix stays in the cache after its last use. One that comes again later would have been written again,
which costs more than no caching. The lifetime of an hour that can be asked for is left aside: whether it pays depends
on how often the prefix comes in that hour.
"""

MOST_PREFIXES = 1_000
"""How many prefixes are remembered."""

MOST_CHARACTERS = 4_000_000
"""How much of a prompt is looked at: as much as a window of 1M tokens holds. Images and PDFs can be longer."""
VALUE = 400
"""As how many characters a value in an object or an array counts there: it takes as long."""

# What stands with an item that is no text.
_OBJECT, _ARRAY, _OTHER = range(3)


class Sighting(NamedTuple):
    """A prefix that was sent again, now for the `repeats`-th time, when a cache could have had it."""

    repeats: int
    finding: Finding | None


class Cache(NamedTuple):
    """Which cache it is: each model has its own, and so has each workspace, as far as a response names it.

    https://platform.claude.com/docs/en/build-with-claude/prompt-caching#cache-storage-and-sharing
    """

    model: str | None
    server: str | None = None
    organization: str | None = None
    workspace: str | None = None


class Prefixes:
    """The prefixes that this process has sent without caching."""

    def __init__(self) -> None:
        self._key = os.urandom(32)
        self._seen: Recent[bytes, _Ends] = Recent(MOST_PREFIXES)

    def seen(
        self,
        body: Mapping[str, Any],
        prompt_tokens: int,
        cached_tokens: int,
        cache: Cache,
        *,
        sent_s: float,
        ended_s: float,
    ) -> Sighting | None:
        """Notes what an inference was asked that has just ended. Times are seconds of one clock.

        `prompt_tokens` are all its input tokens, and `cached_tokens` those that were read from or written to a cache.
        `None`: it repeats nothing, or could not have been cached, or was. What runs at the same time repeats nothing:
        there is something to read in the cache only when the first response has begun.
        """
        if cached_tokens or body.get("cache_control") is not None:
            return None
        minimum = MINIMUM.get(family(cache.model or ""), GREATEST_MINIMUM)
        if prompt_tokens < minimum:
            return None
        sighting = None
        for prefix in self._prefixes(body, cache, minimum):
            ends = self._seen.get(prefix.digest)
            again = ends is not None and ends.allow(sent_s)
            ends = _Ends(1, ended_s, ended_s) if ends is None else ends.with_one(ended_s, again=again)
            self._seen.put(prefix.digest, ends)
            if again:
                # A longer one comes later. It says more, unless it has nothing to say now.
                finding = _finding(prefix, ends.times, prompt_tokens) or (sighting and sighting.finding)
                sighting = Sighting(ends.times, finding)
        return sighting

    def _prefixes(self, body: Mapping[str, Any], cache: Cache, minimum: int) -> "Iterator[_Prefix]":
        """Those that are long enough, the shortest first.

        The first message of most conversations is short, and so no reason to tell two conversations with the same
        system prompt apart: what a part adds has to be long enough by itself.
        """
        messages = body.get("messages")
        message = messages[0] if is_array(messages) and messages else None
        walk = _Walk(self._key, cache)
        parts: list[str] = []
        yielded = 0
        for name, part in (("tools", body.get("tools")), ("system", body.get("system")), ("message", message)):
            walk.add(part)
            if part:
                parts.append(name)
            if walk.marked:
                return
            tokens = estimated_tokens(walk.text)
            if tokens - yielded >= minimum:
                yielded = tokens
                yield _Prefix("+".join(parts), tokens, walk.digest())


class _Ends(NamedTuple):
    """When calls with a prefix have ended: of a row without a gap longer than the lifetime, the `first` and the `last`.

    `before` is the last end of the row before. Earlier ones would matter only to a call that takes longer than the
    lifetime; it is taken to repeat nothing. The prefix was sent for the `times`-th time.
    """

    times: int
    first: float
    last: float
    before: float = -math.inf

    def allow(self, sent_s: float) -> bool:
        """Whether one of the calls had ended when another was sent, and within the lifetime."""
        return self.first <= sent_s <= self.last + LIFETIME_S or self.before <= sent_s <= self.before + LIFETIME_S

    def with_one(self, ended_s: float, *, again: bool) -> "_Ends":
        """These and one more, which has sent the prefix `again` or for the first time, or at the same time."""
        times = self.times + again
        if ended_s - self.last > LIFETIME_S:
            return _Ends(times if again else 1, ended_s, ended_s, self.last)
        # Two threads may come in another order than their calls have ended in.
        return _Ends(times, min(self.first, ended_s), max(self.last, ended_s), self.before)


class _Prefix(NamedTuple):
    parts: str
    tokens: int
    digest: bytes


def _finding(prefix: _Prefix, times: int, prompt_tokens: int) -> Finding | None:
    if times & (times - 1):
        return None
    attributes = {
        names.REPEATS: times,
        names.PREFIX_TOKENS: min(prefix.tokens, prompt_tokens),
        names.PREFIX_PARTS: prefix.parts,
    }
    return Finding(names.CACHE_EVENT, "INFO", attributes)


class _Walk:
    """Goes through values in order, and takes their hash and the length of their text.

    They are `marked` if one of them asks for the cache, which knows better then why it was not used.

    A text goes in as Python's own hash of it, which a string remembers: a system prompt that is a constant of the
    program is read once. It is 64 bits wide, so that two texts are taken for the same once in 2^64.

    Before what is too much the walk ends. All that it says is of what it has seen until then: that is a prefix too.
    """

    def __init__(self, key: bytes, cache: Cache) -> None:
        self.text = 0
        self.marked = False
        self._hash = blake2b(hash(cache).to_bytes(8, "little", signed=True), key=key, digest_size=16)
        self._room = MOST_CHARACTERS

    def digest(self) -> bytes:
        """The hash of all that was added."""
        return self._hash.digest()

    def add(self, value: Any) -> None:
        """Goes on with `value`, which is of JSON."""
        seen: list[int] = []
        todo = [value]
        text, room = self.text, self._room
        while todo and room >= 0:
            item = todo.pop()
            if isinstance(item, str):
                room -= len(item)
                if room >= 0:
                    text += len(item)
                    seen.append(hash(item))
            elif is_object(item):
                room -= len(item) * VALUE
                self.marked = self.marked or item.get("cache_control") is not None
                if room >= 0:
                    seen.append(hash((_OBJECT, *item)))
                    # The name of a field is a token at least.
                    text += len(item) * CHARACTERS_PER_TOKEN
                    todo += [*item.values()][::-1]
                    if item.get("type") == "base64" and isinstance(data := item.get("data"), str):
                        # An image or a PDF. It belongs to the prefix, but its characters say nothing of its tokens.
                        text -= len(data)
            elif is_array(item):
                room -= len(item) * VALUE
                if room >= 0:
                    seen.append(hash((_ARRAY, len(item))))
                    todo += item[::-1]
            else:
                # Not the hash of a number: those of 1 and true are the same.
                seen.append(hash((_OTHER, repr(item))))
        self.text, self._room = text, room
        self._hash.update(array("q", seen))
