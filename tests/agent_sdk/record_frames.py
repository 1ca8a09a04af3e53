"""Records the frames that pass between the Claude Agent SDK and its CLI, for `frames/`.

    python tests/agent_sdk/record_frames.py [SCENARIO ...]

What differs from run to run or from machine to machine is left out or gets a name that counts.
"""

import asyncio
import importlib
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import bundled_cli
from agent_frames import FOLDER
from agent_scenarios import SCENARIOS

from otel_claude.testing import SimulatedClaude
from otel_claude.values import is_array, is_object

LEFT_OUT = frozenset(
    {
        "agents", "capabilities", "commands", "cwd", "memory_paths", "models", "plugins", "skills", "slash_commands",
        "terminal_slash_commands", "timestamp", "tools",
    }
)  # fmt: skip
COUNTED = {
    "session_id": "session",
    "task_id": "task",
    "agent_id": "task",
    "agentId": "task",
    "request_id": "request",
    "run_id": "run",
    "runId": "run",
    "uuid": "uuid",
}
LONGEST = 200


class Recorder:
    """Writes down the frames of one scenario."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._names: dict[str, dict[str, str]] = {}
        self.lines: list[str] = []

    def passed(self, way: str, frame: dict[str, Any]) -> None:
        """A frame passes."""
        ms = round((time.monotonic() - self._began) * 1000)
        kept = {"type": "control_response"} if frame["type"] == "control_response" else self._clean(frame)
        self.lines.append(json.dumps({"ms": ms, "way": way, "frame": kept}))

    def _clean(self, value: Any, key: str = "") -> Any:
        if is_object(value):
            return {name: self._clean(item, name) for name, item in value.items() if name not in LEFT_OUT}
        if is_array(value):
            return [self._clean(item) for item in value]
        if isinstance(value, str) and value and key in COUNTED and not value.startswith("req_sim"):
            known = self._names.setdefault(COUNTED[key], {})
            return known.setdefault(value, f"{COUNTED[key]}_{len(known) + 1}")
        if isinstance(value, str) and tempfile.gettempdir() in value:
            return "…"
        return f"{value[:LONGEST]}…" if isinstance(value, str) and len(value) > LONGEST else value


def main() -> None:
    """Records the scenarios that the command line names, or all."""
    for name in sys.argv[1:] or SCENARIOS:
        recorder = Recorder()
        _watch(recorder)
        scenario = SCENARIOS[name]
        with SimulatedClaude(default=scenario.answers()) as claude, tempfile.TemporaryDirectory() as home:
            options = bundled_cli.options(claude, Path(home), **scenario.options)
            asyncio.run(scenario.run(lambda options=options: {"options": options}))  # pyright: ignore[reportArgumentType]  # a coroutine
        FOLDER.joinpath(f"{name}.jsonl").write_text("\n".join(recorder.lines) + "\n", encoding="utf-8")
        print(f"{name}: {len(recorder.lines)} frames")


SubprocessCLITransport: Any = importlib.import_module(
    "claude_agent_sdk._internal.transport.subprocess_cli"
).SubprocessCLITransport
READ, WRITE = SubprocessCLITransport.read_messages, SubprocessCLITransport.write


def _watch(recorder: Recorder) -> None:
    async def read_messages(transport: Any) -> Any:
        try:
            async for frame in READ(transport):
                recorder.passed("in", frame)
                yield frame
        except Exception:
            recorder.passed("exit", {"type": "exit"})
            raise

    async def write(transport: Any, data: str) -> None:
        recorder.passed("out", json.loads(data))
        await WRITE(transport, data)

    SubprocessCLITransport.read_messages = read_messages
    SubprocessCLITransport.write = write


if __name__ == "__main__":
    main()
