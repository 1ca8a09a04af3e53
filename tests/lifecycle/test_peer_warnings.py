"""Other instrumentations of the same SDK: one warning names each, once."""

import functools
import logging
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import wrapt
from anthropic.resources.messages import AsyncMessages, Messages
from apps import HELLO, SwitchOn, connect
from loopback import Loopback

from otel_claude.anthropic import peers
from otel_claude.testing import SimulatedClaude


@pytest.fixture(autouse=True)
def none_warned_of(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(peers, "_warned", set[str]())


@pytest.fixture
def foreign() -> Iterator[types.ModuleType]:
    """A package of somebody else's, with wrappers in the three styles that are in use."""
    module = types.ModuleType("rival.instrumentation")
    module.__dict__.update(functools=functools, wrapt=wrapt)
    exec(  # noqa: S102 - so that the functions belong to that module
        """
def plain(original):
    @functools.wraps(original)
    def wrapper(*args, **kwargs):
        return original(*args, **kwargs)
    return wrapper

def function_wrapper(original):
    def wrapper(wrapped, instance, args, kwargs):
        return wrapped(*args, **kwargs)
    return wrapt.FunctionWrapper(original, wrapper)

class _Wrapper:
    def __call__(self, wrapped, instance, args, kwargs):
        return wrapped(*args, **kwargs)

def object_wrapper(original):
    return wrapt.FunctionWrapper(original, _Wrapper())

class _Bound:
    def wrap(self, wrapped, instance, args, kwargs):
        return wrapped(*args, **kwargs)

def bound_wrapper(original):
    return wrapt.FunctionWrapper(original, _Bound().wrap)

def partial_wrapper(original):
    def wrapper(tracer, wrapped, instance, args, kwargs):
        return wrapped(*args, **kwargs)
    return wrapt.FunctionWrapper(original, functools.partial(wrapper, None))
""",
        module.__dict__,
    )
    sys.modules[module.__name__] = module
    yield module
    del sys.modules[module.__name__]


STYLES = ("plain", "function_wrapper", "object_wrapper", "bound_wrapper", "partial_wrapper")


def warnings_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "otel_claude"]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(
    ("owner", "method"),
    [(Messages, "create"), (AsyncMessages, "create"), (Messages, "stream")],
    ids=lambda v: str(getattr(v, "__name__", v)),
)
def test_a_peer_that_came_before_is_named_once(
    client: Any,
    switch_on: SwitchOn,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    foreign: Any,
    style: str,
    owner: type,
    method: str,
):
    monkeypatch.setattr(owner, method, getattr(foreign, style)(vars(owner)[method]))
    with caplog.at_level(logging.WARNING, "otel_claude"):
        instrumentor = switch_on()
        client.messages.create(**HELLO)
        instrumentor.uninstrument()
        switch_on()
        client.messages.create(**HELLO)

    (warning,) = warnings_in(caplog)
    assert "rival.instrumentation" in warning
    assert "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS" in warning


@pytest.mark.parametrize("style", STYLES)
def test_a_peer_that_comes_after_is_named_at_the_first_call(
    claude: SimulatedClaude,
    switch_on: SwitchOn,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    foreign: Any,
    style: str,
):
    with caplog.at_level(logging.WARNING, "otel_claude"):
        switch_on()
        assert warnings_in(caplog) == []
        monkeypatch.setattr(Messages, "create", getattr(foreign, style)(vars(Messages)["create"]))
        with connect(claude) as client:
            client.messages.create(**HELLO)
            client.messages.create(**HELLO)

    (warning,) = warnings_in(caplog)
    assert "rival.instrumentation" in warning


def test_two_peers_are_named_in_one_warning(
    switch_on: SwitchOn, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, foreign: Any
):
    other = types.ModuleType("opponent.instrumentation")
    other.__dict__.update(functools=functools)
    exec(  # noqa: S102 - so that the function belongs to that module
        "def wrap(original):\n"
        "    @functools.wraps(original)\n"
        "    def wrapper(*args, **kwargs):\n"
        "        return original(*args, **kwargs)\n"
        "    return wrapper\n",
        other.__dict__,
    )
    inner = foreign.function_wrapper(vars(Messages)["create"])
    monkeypatch.setattr(Messages, "create", other.wrap(inner))
    with caplog.at_level(logging.WARNING, "otel_claude"):
        switch_on()

    (warning,) = warnings_in(caplog)
    assert "opponent.instrumentation and rival.instrumentation" in warning


def test_a_wrapper_that_is_no_instrumentation_is_not_named(
    switch_on: SwitchOn, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """Such as a cache, or this one of a test."""
    original: Any = vars(Messages)["create"]

    @functools.wraps(original)
    def cached(*args: Any, **kwargs: Any) -> Any:
        return original(*args, **kwargs)

    monkeypatch.setattr(Messages, "create", cached)
    with caplog.at_level(logging.WARNING, "otel_claude"):
        switch_on()

    assert warnings_in(caplog) == []


def test_a_peer_at_the_base_client_is_named(
    switch_on: SwitchOn, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, foreign: Any
):
    from anthropic._base_client import SyncAPIClient

    monkeypatch.setattr(SyncAPIClient, "post", foreign.plain(vars(SyncAPIClient)["post"]))
    with caplog.at_level(logging.WARNING, "otel_claude"):
        switch_on()

    assert len(warnings_in(caplog)) == 1


def test_the_sdks_own_decorators_are_no_peers(client: Any, switch_on: SwitchOn, caplog: pytest.LogCaptureFixture):
    for owner in (Messages, AsyncMessages):
        assert hasattr(vars(owner)["create"], "__wrapped__"), "the SDK decorates it"
    with caplog.at_level(logging.DEBUG, "otel_claude"):
        switch_on()
        client.messages.create(**HELLO)

    assert warnings_in(caplog) == []


def test_an_application_that_wraps_a_method_for_itself_is_not_broken_by_the_search(
    switch_on: SwitchOn, monkeypatch: pytest.MonkeyPatch
):
    class Strange:
        __wrapped__: Any = None

        def __get__(self, instance: Any, owner: Any = None) -> Callable[..., str]:
            return lambda *args, **kwargs: "mine"

    strange = Strange()
    strange.__wrapped__ = strange
    monkeypatch.setattr(Messages, "create", strange)
    switch_on()

    with Loopback().connect() as client:
        assert client.messages.create(**HELLO) == "mine"
