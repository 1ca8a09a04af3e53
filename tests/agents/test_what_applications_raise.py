"""Runs and executions that end with exceptions of the application's, which may have anything in them."""

from types import SimpleNamespace
from typing import Any

import pytest
from rig import told

import otel_claude
from otel_claude.testing import Telemetry


class PairsOfHeaders(Exception):
    """As ASGI and h11 have headers."""

    response = SimpleNamespace(headers=[("content-type", "text/html")])


class NumericHeader(Exception):
    """A header that is no text."""

    response = SimpleNamespace(headers={"x-amzn-errortype": 5})


class Unset(Exception):
    """As the HTTP library's exceptions have their request."""

    @property
    def response(self) -> Any:
        raise RuntimeError("The .response property has not been set.")


@otel_claude.tool(name="work")
def work(error: Exception) -> None:
    """Fail."""
    raise error


@pytest.mark.parametrize("kind", [PairsOfHeaders, NumericHeader, Unset])
def test_whatever_an_exception_has_in_it_the_spans_end_with_its_class(telemetry: Telemetry, kind: type[Exception]):
    with pytest.raises(kind), otel_claude.agent("x"):
        work(kind())
    assert {span.name: told(span)["error.type"] for span in telemetry.spans} == {
        "execute_tool work": kind.__name__,
        "invoke_agent x": kind.__name__,
    }
    for metric in ("gen_ai.execute_tool.duration", "gen_ai.invoke_agent.duration"):
        assert telemetry.count(metric, {"error.type": kind.__name__}) == 1
