"""The switch: `ClaudeAgentInstrumentor().instrument()`, which `opentelemetry-instrument` calls as well.

In: providers and settings. Out: a patched Claude Agent SDK, until `uninstrument()`.
"""

import importlib
import logging
import os
import sys
from collections.abc import Collection
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from otel_claude.at_exit import call_at_exit
from otel_claude.switch import Switch, Switched

if TYPE_CHECKING:
    from otel_claude.agent_sdk.patches import Patches

_log = logging.getLogger("otel_claude")
_T = TypeVar("_T")

SUPPORTED = ("claude-agent-sdk >= 0.2, < 0.3",)

_active: "Patches | None" = None


def observe_transport(transport: _T) -> _T:
    """A transport of your own, under observation: give it to whatever takes transports in place of the SDK's functions.

    `query()` and `ClaudeSDKClient` observe the transports that they are given themselves. Each observed transport is
    for one connection. While nothing is instrumented, the transport comes back as it is.
    """
    return transport if _active is None else _active.observe(transport)


def _close_all() -> None:
    if _active is not None:
        _active.close_all()


def _forget_all() -> None:
    if _active is not None:
        _active.forget_all()


os.register_at_fork(after_in_child=_forget_all)


class ClaudeAgentInstrumentor(Switch):
    """Instruments the Claude Agent SDK: `query()`, every `ClaudeSDKClient`, and transports of the application's own.

        ClaudeAgentInstrumentor().instrument(tracer_provider=…, meter_provider=…, settings=Settings(…))

    All keywords are optional, as are those of `AnthropicInstrumentor`. Connections that exist already are not observed.
    `instrument` never raises: a piece of the SDK that is not as expected is logged, and nothing is observed.
    """

    package = "claude_agent_sdk"
    sdk = "the Claude Agent SDK"
    _patches: Any = None
    _agents: Any = None

    def instrumentation_dependencies(self) -> Collection[str]:
        """The versions of the SDK that are instrumented."""
        return SUPPORTED

    def _switch_on(self, switched: Switched) -> None:
        global _active  # noqa: PLW0603  # what `observe_transport` looks for

        from otel_claude.agent_sdk import mcp_spans
        from otel_claude.agent_sdk.emission import Emission
        from otel_claude.agent_sdk.patches import PLACES, Patches
        from otel_claude.agents.live import switch_on

        emission = Emission(*switched)
        patches = Patches(emission)
        self._patches = _active = patches
        self._agents = emission.agents
        switch_on(emission.agents, yields=True)
        patches.apply({name: _module(f"claude_agent_sdk.{name}") for name in PLACES})
        call_at_exit(_close_all)
        if switched.settings.native_spans == "replace" and (module := _module(mcp_spans.MODULE)) is not None:
            mcp_spans.stand_in(module)

    def _switch_off(self) -> None:
        global _active  # noqa: PLW0603  # nothing is observed from now on

        from otel_claude.agent_sdk import mcp_spans

        _active = None
        patches, agents = self._patches, self._agents
        self._patches = self._agents = None
        if patches is not None:
            patches.restore()
            agents.close()
        if (module := sys.modules.get(mcp_spans.MODULE)) is not None:
            mcp_spans.restore(module)


def _module(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None
