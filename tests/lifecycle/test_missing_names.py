"""An SDK in which a private name is missing or renamed: one warning, and the rest works."""

import logging
from collections.abc import Callable
from importlib import import_module
from typing import Any, cast

import anthropic._base_client
import anthropic._streaming
import pytest
from anthropic._base_client import BaseClient
from apps import HELLO, SDK_MAKES_SPANS, SwitchOn, connect

from otel_claude.testing import SimulatedClaude, Telemetry


def no_tracer(client: object) -> None:
    return None


def shown(value: object) -> str:
    return str(getattr(value, "__name__", value))


BASE, STREAMING, DECODING = anthropic._base_client, anthropic._streaming, import_module("anthropic._decoders.jsonl")

PATCHED: tuple[tuple[Any, str, str], ...] = (
    (BASE, "SyncAPIClient", "request"),
    (BASE, "AsyncAPIClient", "request"),
    (BASE, "BaseClient", "_build_request"),
    (BASE, "SyncAPIClient", "_process_response"),
    (BASE, "AsyncAPIClient", "_process_response"),
    (BASE, "SyncAPIClient", "_sleep_for_retry"),
    (BASE, "AsyncAPIClient", "_sleep_for_retry"),
    (BASE, "BaseClient", "_calculate_retry_timeout"),
    (STREAMING, "Stream", "__stream__"),
    (STREAMING, "AsyncStream", "__stream__"),
    (DECODING, "JSONLDecoder", "__decode__"),
    (DECODING, "AsyncJSONLDecoder", "__decode__"),
)


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, str, str], None]:
    """Makes a method be missing in its class, yet found: it moves to a base class of another name."""

    def move(module: Any, class_name: str, name: str) -> None:
        owner: Any = getattr(module, class_name)
        method = cast("dict[str, object]", vars(owner))[name]
        base: Any = next(cls for cls in owner.__mro__[1:] if cls.__module__.startswith("anthropic") or cls is object)
        if base is object:
            pytest.skip("its only base is `object`")
        monkeypatch.setattr(base, name, method, raising=False)
        monkeypatch.delattr(owner, name)

    return move


@pytest.mark.parametrize(
    ("module", "class_name", "name"),
    [patched for patched in PATCHED if patched[1] != "BaseClient"],
    ids=shown,
)
def test_a_class_that_is_gone_is_named_in_a_warning(
    client: Any,
    switch_on: SwitchOn,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    module: Any,
    class_name: str,
    name: str,
):
    monkeypatch.delattr(module, class_name)
    with caplog.at_level(logging.WARNING, "otel_claude"):
        switch_on()

    assert name in caplog.text
    assert [record.levelname for record in caplog.records] == ["WARNING"] * len(caplog.records)
    assert client.messages.create(**HELLO).type == "message"


@pytest.mark.parametrize(
    ("module", "class_name", "name"),
    [patched for patched in PATCHED if patched[1] in ("SyncAPIClient", "AsyncAPIClient")],
    ids=shown,
)
def test_a_method_that_has_moved_is_named_in_a_warning_and_the_rest_works(
    claude: SimulatedClaude,
    client: Any,
    switch_on: SwitchOn,
    telemetry: Telemetry,
    without: Callable[[Any, str, str], None],
    caplog: pytest.LogCaptureFixture,
    module: Any,
    class_name: str,
    name: str,
):
    without(module, class_name, name)
    with caplog.at_level(logging.WARNING, "otel_claude"):
        switch_on()

    named = [record for record in caplog.records if name in record.getMessage()]
    assert [record.levelname for record in named] == ["WARNING"]
    assert client.messages.create(**HELLO).type == "message"
    assert list(client.messages.create(**HELLO, stream=True))[-1].type == "message_stop"
    if (class_name, name) != ("SyncAPIClient", "request"):
        assert telemetry.count("gen_ai.client.operation.duration") == 2


def test_the_warning_tells_which_of_two_classes_lacks_a_method(
    switch_on: SwitchOn, without: Callable[[Any, str, str], None], caplog: pytest.LogCaptureFixture
):
    without(BASE, "AsyncAPIClient", "request")
    switch_on()

    (warning,) = [record.getMessage() for record in caplog.records if record.name == "otel_claude"]
    assert "AsyncAPIClient.request" in warning


def test_without_process_response_calls_still_have_spans_and_streams_end(
    client: Any, switch_on: SwitchOn, telemetry: Telemetry, without: Callable[[Any, str, str], None]
):
    without(BASE, "SyncAPIClient", "_process_response")
    switch_on()
    client.messages.create(**HELLO)
    for _ in client.messages.create(**HELLO, stream=True):
        pass

    assert len(telemetry.spans) == 2


@pytest.mark.skipif(not SDK_MAKES_SPANS, reason="the SDK makes no spans")
@pytest.mark.parametrize("found", [no_tracer, None], ids=["a method", "nothing"])
def test_a_tracer_that_is_no_property_switches_the_sdks_spans_off_for_new_clients(
    claude: SimulatedClaude,
    switch_on: SwitchOn,
    telemetry: Telemetry,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    found: Any,
):
    native = vars(BaseClient)["_tracer"]
    monkeypatch.setenv("ANTHROPIC_OPEN_TELEMETRY", "to be restored after the test")
    monkeypatch.delenv("ANTHROPIC_OPEN_TELEMETRY")
    if found is None:
        monkeypatch.delattr(BaseClient, "_tracer")
        monkeypatch.setattr(BaseClient, "_native_tracer", native, raising=False)
    else:
        monkeypatch.setattr(BaseClient, "_tracer", found)
    with caplog.at_level(logging.WARNING, "otel_claude"):
        switch_on()
    monkeypatch.setattr(BaseClient, "_tracer", native, raising=False)

    (warning,) = [record.getMessage() for record in caplog.records]
    assert "ANTHROPIC_OPEN_TELEMETRY=false" in warning
    with connect(claude) as client:
        assert client.open_telemetry["traces"]["enabled"] is False
        client.messages.create(**HELLO)
    assert len(telemetry.spans) == 1


@pytest.mark.skipif(not SDK_MAKES_SPANS, reason="the SDK makes no spans")
def test_the_environment_is_as_before_after_switching_off(switch_on: SwitchOn, monkeypatch: pytest.MonkeyPatch):
    import os

    monkeypatch.setenv("ANTHROPIC_OPEN_TELEMETRY", "to be restored after the test")
    monkeypatch.delenv("ANTHROPIC_OPEN_TELEMETRY")
    monkeypatch.setattr(BaseClient, "_tracer", no_tracer)
    switch_on().uninstrument()

    assert "ANTHROPIC_OPEN_TELEMETRY" not in os.environ


@pytest.mark.skipif(not SDK_MAKES_SPANS, reason="the SDK makes no spans")
def test_the_warning_is_true_where_the_application_has_set_the_switch_itself(
    claude: SimulatedClaude, switch_on: SwitchOn, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    native = vars(BaseClient)["_tracer"]
    monkeypatch.setenv("ANTHROPIC_OPEN_TELEMETRY", "true")
    monkeypatch.setattr(BaseClient, "_tracer", no_tracer)
    switch_on()
    monkeypatch.setattr(BaseClient, "_tracer", native)

    (warning,) = [record.getMessage() for record in caplog.records]
    with connect(claude) as client:
        assert ("are switched off" in warning) == (not client.open_telemetry["traces"]["enabled"])
