"""OpenTelemetry for the Claude Agent SDK (`claude-agent-sdk`): the turns of an agent, its subagents, answers and tools.

    from otel_claude.agent_sdk import ClaudeAgentInstrumentor

    ClaudeAgentInstrumentor().instrument()

The SDK talks to the Claude CLI in frames, through a transport. They are observed as they pass, and nothing is added to
them, nor to options and hooks. The CLI asks the API itself, in a process of its own: `docs/agent_sdk.md` tells what can
be known of that, and how exact it is.
"""

from otel_claude.agent_sdk.instrumentor import ClaudeAgentInstrumentor, observe_transport

__all__ = ["ClaudeAgentInstrumentor", "observe_transport"]
