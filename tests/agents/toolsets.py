"""A toolset for both clients, and the answers that want its members to act."""

import importlib
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from rig import USAGE, is_async

from otel_claude.testing import Answer

if TYPE_CHECKING:
    from anthropic.lib import tools
else:
    tools = importlib.import_module("anthropic.lib.tools") if find_spec("anthropic.lib.tools") else None

HAS_TOOLSETS = hasattr(tools, "BetaRunnableToolset")


def use(number: int, name: str, toolset: str = "browser") -> dict[str, Any]:
    return {"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": {}, "toolset_name": toolset}


def wants(*uses: dict[str, Any]) -> Answer:
    return Answer(content=uses, stop_reason="tool_use", usage=USAGE)


def acted(name: str) -> str:
    if name == "refuse":
        raise tools.ToolError("not here")
    if name == "crash":
        raise LookupError(name)
    return f"{name}: done"


def browser(client: Any) -> Any:
    class Browser(tools.BetaRunnableToolset):
        toolset_name = "browser"

        def to_dict(self) -> Any:
            return {"type": "browser_toolset_20260801"}

        def call(self, context: Any, name: str, input: Mapping[str, object]) -> str:  # noqa: A002  # the SDK's name
            return acted(name)

    class AsyncBrowser(tools.BetaAsyncRunnableToolset):
        toolset_name = "browser"

        def to_dict(self) -> Any:
            return {"type": "browser_toolset_20260801"}

        async def call(self, context: Any, name: str, input: Mapping[str, object]) -> str:  # noqa: A002  # the SDK's name
            return acted(name)

    return AsyncBrowser() if is_async(client) else Browser()
