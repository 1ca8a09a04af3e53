"""The span cap where several SDKs are instrumented: it is there as long as one of them wants it."""

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

from otel_claude import install_span_cap
from otel_claude.span_cap.sampler import CapSampler
from otel_claude.switch import Switch, Switched
from otel_claude.testing import Telemetry

CAP = 10
MORE = 3 * CAP


class Nothing:
    """What a switch does that knows nothing of its SDK, which is one that is installed: others are left alone."""

    package = "anthropic"
    sdk = "an SDK"

    def instrumentation_dependencies(self) -> tuple[str, ...]:
        return ()

    def _switch_on(self, switched: Switched) -> None: ...

    def _switch_off(self) -> None: ...


class One(Nothing, Switch):
    """The switch of one SDK."""


class Other(Nothing, Switch):
    """That of another."""


@pytest.fixture
def other() -> Iterator[Telemetry]:
    telemetry = Telemetry()
    yield telemetry
    telemetry.shutdown()


@pytest.fixture(autouse=True)
def switched_off() -> Iterator[None]:
    yield
    for switch in (One(), Other()):
        if switch.is_instrumented_by_opentelemetry:
            switch.uninstrument()


def on(switch: type[Switch], telemetry: Telemetry, **options: Any) -> Switch:
    one = switch()
    one.instrument(tracer_provider=telemetry.tracer_provider, **{"max_spans_per_trace": CAP, **options})
    return one


def is_capped(telemetry: Telemetry) -> bool:
    telemetry.clear()
    tracer = telemetry.tracer_provider.get_tracer("app")
    with tracer.start_as_current_span("root"):
        for _ in range(MORE):
            tracer.start_span("work").end()
    assert telemetry.tracer_provider.force_flush()
    exported = len(telemetry.spans)
    assert exported in (CAP, MORE + 1)
    return exported == CAP


@pytest.mark.parametrize("last", [One, Other])
def test_the_cap_goes_with_the_last_that_wants_it(last: type[Switch], telemetry: Telemetry):
    on(One, telemetry)
    on(Other, telemetry)
    (first,) = {One, Other} - {last}

    first().uninstrument()
    assert is_capped(telemetry)
    last().uninstrument()
    assert not is_capped(telemetry)


def test_one_that_is_switched_on_again_wants_it_again(telemetry: Telemetry):
    on(One, telemetry)
    on(Other, telemetry)
    One().uninstrument()
    on(One, telemetry)
    Other().uninstrument()

    assert is_capped(telemetry)


def test_one_that_wants_none_does_not_keep_it(telemetry: Telemetry):
    on(One, telemetry)
    on(Other, telemetry, max_spans_per_trace=0)
    One().uninstrument()

    assert not is_capped(telemetry)


def test_each_provider_has_its_own(telemetry: Telemetry, other: Telemetry):
    on(One, telemetry)
    on(Other, other)
    One().uninstrument()

    assert not is_capped(telemetry)
    assert is_capped(other)
    Other().uninstrument()
    assert not is_capped(other)


def test_the_applications_own_stays(telemetry: Telemetry):
    install_span_cap(telemetry.tracer_provider, CAP)
    on(One, telemetry)
    on(Other, telemetry)
    One().uninstrument()
    Other().uninstrument()

    assert is_capped(telemetry)


def test_one_that_the_application_takes_off_meanwhile_is_put_on_for_those_that_want_it(telemetry: Telemetry):
    on(One, telemetry)
    install_span_cap(telemetry.tracer_provider, 0)
    on(Other, telemetry)
    One().uninstrument()
    assert is_capped(telemetry)
    Other().uninstrument()
    assert not is_capped(telemetry)


class Early(Nothing, Switch):
    """One that notes whether its tracers would be capped from the start, as SDKs before 1.41 need it."""

    was_capped = False

    def _switch_on(self, switched: Switched) -> None:
        self.was_capped = isinstance(switched.tracer_provider.sampler, CapSampler)


def test_it_is_there_before_a_switch_asks_for_tracers(telemetry: Telemetry):
    early = Early()
    early.instrument(tracer_provider=telemetry.tracer_provider)
    early.uninstrument()

    assert early.was_capped


class Slotted:
    """A provider of the application's own, that nothing can refer to weakly."""

    __slots__ = ()

    def get_tracer(self, *args: Any, **kwargs: Any) -> Any:
        return TracerProvider(shutdown_on_exit=False).get_tracer("app")


def test_a_provider_of_another_kind_has_none(caplog: pytest.LogCaptureFixture):
    switch = One()
    switch.instrument(tracer_provider=Slotted())
    switch.uninstrument()

    assert caplog.records == []
