"""What is measured: three ways to call the API, one of them with a long conversation."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import anthropic

SMALL: Mapping[str, Any] = {
    "model": "claude-sonnet-5",
    "max_tokens": 1024,
    "messages": [{"role": "user", "content": "What is the capital of France?"}],
}

PARAGRAPH = "The committee met again on Tuesday and put off its decision until the survey of the harbour is done. "

LARGE: Mapping[str, Any] = {
    **SMALL,
    "system": PARAGRAPH * 50,
    "messages": [
        {"role": ("user", "assistant")[turn % 2], "content": f"Turn {turn}. " + PARAGRAPH * 17} for turn in range(51)
    ],
    "tools": [
        {
            "name": f"search_archive_{number}",
            "description": PARAGRAPH * 8,
            "input_schema": {
                "type": "object",
                "properties": {"query": {"type": "string"}, "limit": {"type": "integer"}},
                "required": ["query"],
            },
        }
        for number in range(10)
    ],
}
"""A long conversation: 51 messages, a system prompt and 10 tools, 105 kB of JSON."""


def _small(client: "anthropic.Anthropic") -> None:
    client.messages.create(**SMALL)


def _large(client: "anthropic.Anthropic") -> None:
    client.messages.create(**LARGE)


def _raw(client: "anthropic.Anthropic") -> None:
    for _ in client.messages.create(**SMALL, stream=True):
        pass


def _helper(client: "anthropic.Anthropic") -> None:
    with client.messages.stream(**SMALL) as stream:
        for _ in stream:
            pass


class Size(NamedTuple):
    """So many calls, each answered with a stream of so many deltas, or whole where there are none."""

    calls: int
    deltas: int = 0


class Workload(NamedTuple):
    """One kind of work. `call` makes one API call and reads its answer to the end.

    It is done in two sizes, and the difference of the two is what is reported, for one call or one delta of a
    stream. So what is paid once falls out of it.
    """

    title: str
    call: Callable[["anthropic.Anthropic"], None]
    fewer: Size
    more: Size

    @property
    def units(self) -> int:
        """Calls, or deltas of a stream, that the larger size has more."""
        return (self.more.calls - self.fewer.calls) or (self.more.deltas - self.fewer.deltas)


WORKLOADS: Mapping[str, Workload] = {
    "small": Workload("plain call", _small, Size(10), Size(50)),
    "large": Workload("call, 105 kB prompt", _large, Size(5), Size(25)),
    "raw": Workload("event, create(stream=True)", _raw, Size(1, 100), Size(1, 1100)),
    "helper": Workload("event, messages.stream()", _helper, Size(1, 50), Size(1, 250)),
}
