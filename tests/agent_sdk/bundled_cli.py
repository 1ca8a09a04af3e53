"""The CLI that comes with the Claude Agent SDK, set up to ask the simulated API and nobody else."""

import os
from pathlib import Path
from typing import Any

from agent_scenarios import MODEL, sdk, tools

from otel_claude.testing import SimulatedClaude


def options(claude: SimulatedClaude, home: Path, **more: Any) -> Any:
    """Options with which it finds nothing of the user's, and tells nobody of itself."""
    environment = {
        "ANTHROPIC_BASE_URL": claude.base_url,
        "ANTHROPIC_API_KEY": "sk-ant-simulated",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
        "HOME": str(home),
        "CLAUDE_CONFIG_DIR": str(home / "claude"),
    }
    inherited = {name: "" for name in os.environ if name.startswith(("ANTHROPIC_", "CLAUDE_", "OTEL_"))}
    environment = {**inherited, **environment, **more.pop("env", {})}
    usual: dict[str, Any] = {
        "model": MODEL,
        "env": environment,
        "cwd": home,
        "setting_sources": [],
        "mcp_servers": {"calc": tools()},
    }
    return sdk.ClaudeAgentOptions(**{**usual, **more})


def is_bundled() -> bool:
    """Whether there is one for this platform."""
    return any(Path(sdk.__file__).parent.joinpath("_bundled").glob("claude*"))
