"""Whether the CLI makes spans of its own. Pure.

In: the options of a connection, and the environment of the process. Out: yes or no, by the rules of the CLI: it makes
traces where telemetry is enabled, the beta of traces as well, and an exporter of traces is named.
https://code.claude.com/docs/en/monitoring-usage
"""

from collections.abc import Mapping

from otel_claude.values import Fields, fields

SWITCHES = ("CLAUDE_CODE_ENABLE_TELEMETRY", "CLAUDE_CODE_ENHANCED_TELEMETRY_BETA")
EXPORTER = "OTEL_TRACES_EXPORTER"

_ON = frozenset({"1", "true", "yes", "on"})


def makes_spans(given: Fields, environment: Mapping[str, str]) -> bool:
    """Whether it does. `given` is what the options add to the `environment`."""
    merged = {**environment, **given}
    exporters = {name.strip().lower() for name in str(merged.get(EXPORTER, "")).split(",")} - {"", "none"}
    return bool(exporters) and all(is_on(merged.get(switch)) for switch in SWITCHES)


def is_on(value: object) -> bool:
    """Whether a variable of the environment says yes."""
    return str(value).strip().lower() in _ON


RESUMING = ("resume", "continue_conversation", "session_store", "fork_session")
"""Options with which a connection may go on with an earlier conversation."""

_FLAGS = frozenset({"resume", "continue", "r", "c", "session-id", "from-pr", "teleport"})


def is_new(options: object) -> bool:
    """Whether it is known that a connection with these options begins a conversation of its own."""
    flags = set(fields(getattr(options, "extra_args", None)))
    return not any(getattr(options, name, None) for name in RESUMING) and not _FLAGS & flags
