"""Frames between the Claude Agent SDK and the CLI, as they were recorded.

Each line of `frames/*.jsonl` is one frame: `ms`, when it passed since the first one, `way`, `out` to the CLI or `in`
from it, and the frame itself. `record_frames.py` has recorded them.
"""

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from otel_claude.agent_sdk.conversation import Conversation
from otel_claude.agent_sdk.runs import Step

FOLDER = Path(__file__).parent / "frames"
MS = 1_000_000


class Passed(NamedTuple):
    """One frame. `way` is `exit` where the CLI has failed after the last one."""

    ms: int
    way: str
    frame: dict[str, Any]


@cache
def recorded(name: str) -> tuple[Passed, ...]:
    """The frames of a recording."""
    lines = (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(Passed(**json.loads(line)) for line in lines)


def names() -> list[str]:
    """All recordings."""
    return sorted(path.stem for path in FOLDER.glob("*.jsonl"))


def played(script: Iterable[Passed], *, new: bool = True) -> tuple[Conversation, list[Step]]:
    """A conversation that has had the frames of a script, and the steps they have made."""
    conversation = Conversation(new=new)
    steps: list[Step] = []
    for passed in script:
        if passed.way == "out":
            steps += conversation.sent(passed.frame, passed.ms * MS, "the application")
        elif passed.way == "in":
            steps += conversation.received(passed.frame, passed.ms * MS)
    return conversation, steps
