"""What a model has asked for in one run: which request an execution answers, and how often it was made before. Pure.

In: the requests of answers, and executions of tools. Out: for each execution the id of its request, and how often the
tool has been called with these arguments. A *key* is a tool with its arguments, as a hash of them.
"""

from collections import deque
from collections.abc import Iterable
from typing import Any, NamedTuple

MOST_REMEMBERED = 2_000
"""How many executions, and how many requests for one, are remembered of a run. The oldest are forgotten."""

MOST_ANSWERS = 100
"""How many answers that have asked for the same are: those of conversations that go on at once in one run."""

Key = tuple[str, bytes | None]


class Request(NamedTuple):
    """What an execution answers. `call` is the id of the request of the model, where there is one.

    `times` is how often a tool has been called with these arguments, this time included: 1 where nobody can tell.
    `again`: it is a further try, of a request that was executed before.
    """

    call: str | None
    times: int
    again: bool


class _Asked(NamedTuple):
    """The ids of those requests of an answer for the same that have not been executed."""

    answer: object
    waiting: deque[str]


class Requests:
    """Of one run. Whoever has it sees to it that one thread at a time asks it."""

    __slots__ = ("_answered", "_asked", "_keys", "_repeats")

    def __init__(self) -> None:
        self._asked: dict[Key, list[_Asked]] = {}
        self._keys: dict[str, Key] = {}
        self._answered: dict[str, None] = {}
        self._repeats: dict[Key, tuple[int, str | None]] = {}

    def ask(self, requests: Iterable[tuple[str, Key]], answer: object) -> None:
        """Takes the ids and keys of what an answer asks for.

        `answer` is any object that stands for the answer, which may come bit by bit. The same request in an earlier
        answer waits on: that may be one of another conversation.
        """
        for identity, key in requests:
            if key[1] is not None:
                asked = self._asked.pop(key, [])
                if not asked or asked[-1].answer is not answer:
                    asked = [*asked[1 - MOST_ANSWERS :], _Asked(answer, deque())]
                asked[-1].waiting.append(identity)
                self._asked[key] = asked
            self._keys[identity] = key
            self._answered.pop(identity, None)
        _forget(self._asked)
        _forget(self._keys)

    def execute(self, key: Key, identity: str | None) -> Request:
        """Tells which request an execution answers: `identity` where that is known.

        Else it is the one that has waited longest of the last answer that has one waiting: those of earlier answers may
        never be executed. Where none waits, what was asked for last is tried again.
        """
        comparable = key[1] is not None
        times, last = self._repeats.pop(key, (0, None)) if comparable else (0, None)
        identity = self._take(key, identity) or last
        again = identity in self._answered
        times += not again
        if comparable:
            # What is put last is forgotten last.
            self._repeats[key] = times, identity
            _forget(self._repeats)
        return Request(identity, times or 1, again)

    def is_first(self, identity: str | None) -> bool:
        """Whether this is the first execution that answers a request. One that answers none is always the first."""
        if identity is None:
            return True
        is_first = identity not in self._answered
        self._answered[identity] = None
        _forget(self._answered)
        return is_first

    def repeat(self, key: Key) -> int:
        """How often a tool has been called with these arguments, this time included."""
        if key[1] is None:
            return 1
        times, _ = self._repeats.pop(key, (0, None))
        self._repeats[key] = times + 1, None
        _forget(self._repeats)
        return times + 1

    def unanswered(self, identity: str) -> str | None:
        """The tool that a request is for, where it has not been executed. It is not waited for any more."""
        name, _ = self._keys.pop(identity, (None, None))
        return name

    def _take(self, key: Key, identity: str | None) -> str | None:
        if identity is None:
            if key not in self._asked:
                return None
            identity = self._asked[key][-1].waiting.popleft()
        else:
            # It may be executed with other arguments than those that it was asked with.
            key = self._keys.get(identity, key)
        self._keys.pop(identity, None)
        still = [each._replace(waiting=_without(identity, each.waiting)) for each in self._asked.pop(key, ())]
        if still := [each for each in still if each.waiting]:
            self._asked[key] = still
        return identity


def _without(identity: str, waiting: deque[str]) -> deque[str]:
    return deque(each for each in waiting if each != identity)


def _forget(remembered: dict[Any, Any]) -> None:
    while len(remembered) > MOST_REMEMBERED:
        del remembered[next(iter(remembered))]


def is_told(times: int) -> bool:
    """Whether the repetition of an execution is worth an event: the third, and each doubling of that."""
    thirds, rest = divmod(times, 3)
    return rest == 0 and thirds > 0 and thirds & (thirds - 1) == 0
