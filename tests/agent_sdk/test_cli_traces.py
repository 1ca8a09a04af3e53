"""When the CLI makes spans of its own, and when a connection begins a conversation of its own."""

from types import SimpleNamespace
from typing import Any

import pytest

from otel_claude.agent_sdk.cli_traces import is_new, makes_spans

ON = {
    "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
    "CLAUDE_CODE_ENHANCED_TELEMETRY_BETA": "true",
    "OTEL_TRACES_EXPORTER": "otlp",
}


@pytest.mark.parametrize(
    ("given", "environment", "expected"),
    [
        ({}, {}, False),
        (ON, {}, True),
        ({}, ON, True),
        ({"OTEL_TRACES_EXPORTER": "none"}, ON, False),
        ({"OTEL_TRACES_EXPORTER": "none,console"}, ON, True),
        ({"CLAUDE_CODE_ENABLE_TELEMETRY": "0"}, ON, False),
        ({"CLAUDE_CODE_ENHANCED_TELEMETRY_BETA": ""}, ON, False),
        ({name: value for name, value in ON.items() if name != "OTEL_TRACES_EXPORTER"}, {}, False),
    ],
)
def test_the_options_come_before_the_environment(given: dict[str, str], environment: dict[str, str], expected: bool):
    assert makes_spans(given, environment) is expected


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, True),
        ({"resume": "an id"}, False),
        ({"continue_conversation": True}, False),
        ({"session_store": object()}, False),
        ({"extra_args": {"continue": None}}, False),
        ({"extra_args": {"debug": None}}, True),
    ],
)
def test_options_that_may_go_on_with_an_earlier_conversation(options: dict[str, Any], expected: bool):
    assert is_new(SimpleNamespace(**options)) is expected
