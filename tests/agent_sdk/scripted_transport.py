"""A transport of the Claude Agent SDK's that plays recorded frames.

A frame that the SDK has sent is a place to wait: what came after it comes when the SDK has sent as many frames as then.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

from agent_frames import Passed
from agent_scenarios import sdk


class ScriptedTransport(sdk.Transport):
    """`connected` and `closed` count calls."""

    def __init__(self, script: Sequence[Passed]) -> None:
        self._script = script
        self._sent: list[dict[str, Any]] = []
        self._changed = asyncio.Event()
        self._over = False
        self.connected = self.closed = 0

    async def connect(self) -> None:
        self.connected += 1

    async def write(self, data: str) -> None:
        self._sent.append(json.loads(data))
        self._changed.set()

    async def read_messages(self) -> AsyncIterator[dict[str, Any]]:
        sent = 0
        for passed in self._script:
            if passed.way == "out":
                sent += 1
                await self._until_sent(sent)
            elif passed.way == "exit":
                raise sdk.ProcessError("The CLI has failed", exit_code=1)
            elif passed.frame["type"] == "control_response":
                yield self._initialized()
            else:
                yield passed.frame
        await self._until_sent(None)

    async def close(self) -> None:
        self.closed += 1
        await self.end_input()

    async def end_input(self) -> None:
        self._over = True
        self._changed.set()

    def is_ready(self) -> bool:
        return True

    async def _until_sent(self, count: int | None) -> None:
        while not (len(self._sent) >= count if count is not None else self._over):
            self._changed.clear()
            await self._changed.wait()

    def _initialized(self) -> dict[str, Any]:
        request = next(frame for frame in self._sent if frame["type"] == "control_request")
        response: dict[str, Any] = {
            "subtype": "success",
            "request_id": request["request_id"],
            "response": {"commands": []},
        }
        return {"type": "control_response", "response": response}
