"""What a use of a tool is: who executes it, where, and how it has failed. Pure.

In: blocks of answers, and what the CLI says when a session begins. Out: the facts of a `ToolUse`.
"""

from otel_claude.agent_sdk.runs import ToolUse
from otel_claude.agents.execution import CANCELLED, NOT_EXECUTED, TOOL_ERROR
from otel_claude.values import Fields, fields, is_array, is_object, text

SERVER_USES = frozenset({"server_tool_use", "mcp_tool_use"})
"""The types of blocks for tools that the API executes itself."""

USES = SERVER_USES | {"tool_use"}

_MCP = "mcp__"

PERMISSION_DENIED = "permission_denied"
"""The `error.type` of a tool that was asked for and not permitted."""

_ABSENT = "<tool_use_error>Error: No such tool available"
"""How the result begins of a tool that is not there. The CLI has no other word for it."""


def described(tool: ToolUse, block: Fields, session: Fields) -> ToolUse:
    """The same with what the name of a tool and the session's list of MCP servers say of it.

    Tools of MCP servers are called `mcp__{server}__{tool}`. Servers that the application has itself have the source
    `sdk` in the list.
    """
    if str(block.get("type")) in SERVER_USES:
        tool.kind, tool.server = "server", text(block.get("server_name"))
    elif tool.name.startswith(_MCP):
        tool.kind = "mcp"
        said = session.get("mcp_servers")
        servers = [server for server in said if is_object(server)] if is_array(said) else []
        for server in sorted(servers, key=lambda server: -len(str(server.get("name")))):
            if tool.name.startswith(f"{_MCP}{server.get('name')}__"):
                tool.server, tool.in_process = text(server.get("name")), server.get("source") == "sdk"
                return tool
        tool.server = tool.name.removeprefix(_MCP).partition("__")[0] or None
    return tool


def is_use(block: Fields) -> bool:
    """Whether a block of an answer asks for a tool."""
    return str(block.get("type")) in USES


def is_result(block: Fields) -> bool:
    """Whether a block is what a tool gave."""
    return str(block.get("type")).endswith("tool_result")


def error_of(block: Fields, meta: Fields) -> str | None:
    """The `error.type` of a result: what the CLI says, or `tool_error` where it only says that it is one."""
    content = fields(block.get("content"))
    if (code := text(content.get("error_code"))) is not None:
        return code
    if block.get("is_error") is not True:
        return None
    if fields(meta.get("permission_decision")).get("decision") == "reject":
        return PERMISSION_DENIED
    if str(block.get("content")).startswith(_ABSENT):
        return NOT_EXECUTED
    return REASONS.get(str(meta.get("non_execution_kind")), TOOL_ERROR)


REASONS = {"permission-rule": PERMISSION_DENIED, "user-rejected": CANCELLED}
"""Words of the CLI for why a tool was not executed to its end."""


def was_executed(tool: ToolUse) -> bool:
    """Whether a use counts as a tool call: not of the API's own tools, nor of those that were not executed at all."""
    return tool.kind != "server" and tool.error_type not in (PERMISSION_DENIED, NOT_EXECUTED)
