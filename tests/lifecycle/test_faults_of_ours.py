"""Each function of the package in turn raises, and the application sees exactly what it sees without us.

What the functions in `OUTSIDE` are for is to call the SDK or the application, so nothing stands around them.
"""

import _thread
import contextvars
import gc
import logging
import sys
import threading
import time
from collections.abc import Iterator
from types import CodeType, FrameType

import pytest
from apps import HELLO, connect
from scenarios import Seen, all_scenarios

from functions import FUNCTIONS, Fault, UnprintableFault, failing
from otel_claude import AnthropicInstrumentor, Settings
from otel_claude.budgets.plan import read_plan
from otel_claude.failsafe import failures
from otel_claude.testing import SimulatedClaude, Telemetry

OUTSIDE = {
    "anthropic.patches:Patches._request": "calls the SDK",
    "anthropic.patches:Patches._async_request": "calls the SDK",
    "anthropic.patches:Patches._build_request": "calls the SDK",
    "anthropic.patches:Patches._process_response": "calls the SDK",
    "anthropic.patches:Patches._sleep_for_retry": "calls the SDK",
    "anthropic.patches:Patches._calculate_retry_timeout": "calls the SDK",
    "anthropic.patches:Patches._items": "calls the SDK",
    "anthropic.patches:Patches._async_items": "calls the SDK",
    "anthropic.calls:Calls.admit": "raises what a budget says",
    "anthropic.reading:Reading.item": "has a guard of its own",
    "anthropic.reading:observed": "hands the SDK's items on",
    "anthropic.reading:AsyncObserved.__init__": "hands the SDK's items on",
    "anthropic.reading:AsyncObserved.__aiter__": "hands the SDK's items on",
    "anthropic.reading:AsyncObserved.__anext__": "hands the SDK's items on",
    "anthropic.reading:AsyncObserved.__getattr__": "reaches through to the SDK's generator",
    "anthropic.bodies:_timed": "hands the HTTP library's bytes on",
    "anthropic.bodies:_AsyncTimed.__init__": "hands the HTTP library's bytes on",
    "anthropic.bodies:_AsyncTimed.__aiter__": "hands the HTTP library's bytes on",
    "anthropic.bodies:_AsyncTimed.__anext__": "hands the HTTP library's bytes on",
    "anthropic.bodies:_AsyncTimed.__getattr__": "reaches through to the HTTP library's chunks",
    "anthropic.bodies:_SyncWatched.__iter__": "hands the HTTP library's bytes on",
    "anthropic.bodies:_SyncWatched._told": "hands the HTTP library's bytes on",
    "anthropic.bodies:_SyncWatched.close": "closes the HTTP library's body",
    "anthropic.bodies:_AsyncWatched.__aiter__": "hands the HTTP library's bytes on",
    "anthropic.bodies:_AsyncWatched._atold": "hands the HTTP library's bytes on",
    "anthropic.bodies:_AsyncWatched.aclose": "closes the HTTP library's body",
    "anthropic.bodies:_Watched.__del__": "what it raises, Python only reports",
    "dropped:Endings._work": "what it raises, Python only reports",
    "dropped:GarbageCollection.__call__": "what it raises, Python only reports",
    "anthropic.bodies:_Watched.__getattr__": "reaches through to the HTTP library's body",
    "anthropic.native_spans:EndingSpan.end": "ends the SDK's span",
    "anthropic.native_spans:StandIn.start_span": "starts the SDK's span",
    "instrumentor:AnthropicInstrumentor.instrumentation_dependencies": "called by OpenTelemetry in `instrument`",
    "switch:Switch._uninstrument": "called by the application",
    "instrumentor:AnthropicInstrumentor._switch_off": "called by the application",
    "anthropic.patches:Patches.restore": "called by the application",
    "anthropic.patches:Patch.restore": "called by the application",
    "switch:Switch._instrument": "is the guard around switching on",
}

SETTINGS: dict[str, Settings | None] = {
    "all": Settings(
        metric_names="both",
        chunk_metrics=True,
        content="SPAN_AND_EVENT",
        redact=lambda kind, part: part,
        check_tools=True,
        baggage=("tenant",),
        user_id="hashed",
        audit=True,
        budgets=read_plan(
            {
                "interval_s": 0.05,
                "budgets": {
                    "all": {"usd": 1_000_000, "period": "day", "action": "block", "reserve": True},
                    "each": {"usd": 1e-9, "period": "rolling 24h", "per": "tenant"},
                },
            }
        ),
    ),
    "enrich": Settings(native_spans="enrich"),
    "environment": None,
}


def instrument(telemetry: Telemetry, settings: Settings | None) -> None:
    AnthropicInstrumentor().instrument(
        tracer_provider=telemetry.tracer_provider,
        meter_provider=telemetry.meter_provider,
        logger_provider=telemetry.logger_provider,
        settings=settings,
    )


@pytest.fixture(scope="module")
def expected() -> Seen:
    """What an application sees without us."""
    return all_scenarios()


def await_endings(threads: int) -> None:
    """Waits for the threads on which dropped streams end and prices are loaded: back to so many `threads`."""
    gc.collect()
    # Where switching off has failed, some go on.
    deadline = time.monotonic() + 1
    while thread_count() > threads and time.monotonic() < deadline:
        time.sleep(0.0005)


def thread_count() -> int:
    """With those that `threading` did not start."""
    return _thread._count()  # pyright: ignore[reportPrivateUsage]


@pytest.fixture(scope="module")
def reached() -> dict[CodeType, str]:
    """With which settings a function is first called, in the scenarios or while switching on and off."""
    found: dict[CodeType, str] = {}
    with_settings = ""

    def note(frame: FrameType, event: str, argument: object) -> None:
        if event == "call":
            found.setdefault(frame.f_code, with_settings)

    telemetry = Telemetry()
    threads = thread_count()
    threading.setprofile(note)
    sys.setprofile(note)
    try:
        for with_settings, settings in SETTINGS.items():  # noqa: B007 - `note` reads it
            instrument(telemetry, settings)
            all_scenarios()
            _ = telemetry.metrics
            AnthropicInstrumentor().uninstrument()
            await_endings(threads)
    finally:
        sys.setprofile(None)
        threading.setprofile(None)  # pyright: ignore[reportArgumentType]  # as its documentation says
    telemetry.shutdown()
    return found


@pytest.fixture(autouse=True)
def forgotten_failures() -> Iterator[None]:
    failures.counts.clear()
    yield
    failures.counts.clear()


def test_without_a_fault_the_application_sees_the_same(expected: Seen):
    telemetry = Telemetry()
    for settings in SETTINGS.values():
        instrument(telemetry, settings)
        try:
            assert all_scenarios() == expected
        finally:
            AnthropicInstrumentor().uninstrument()

    assert failures.counts == {}


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name not in OUTSIDE])
def test_a_fault_of_ours_is_not_seen(expected: Seen, reached: dict[CodeType, str], name: str):
    function = FUNCTIONS[name]
    if function.__code__ not in reached:
        pytest.skip("never called in the scenarios")
    settings = SETTINGS[reached[function.__code__]]
    telemetry = Telemetry()

    def use() -> Seen:
        threads = thread_count()
        with failing(function):
            instrument(telemetry, settings)
            try:
                seen = all_scenarios()
                _ = telemetry.metrics
            finally:
                AnthropicInstrumentor().uninstrument()
            await_endings(threads)
        return seen

    # What is left current after a fault is left in this context.
    seen = contextvars.copy_context().run(use)
    telemetry.shutdown()

    assert seen == expected


@pytest.mark.parametrize(
    "name", ["knowledge:Knowledge._cost", "anthropic.facts:take_headers", "anthropic.listeners:MessageEvents.item"]
)
def test_a_fault_that_cannot_be_shown_is_not_seen_either(expected: Seen, caplog: pytest.LogCaptureFixture, name: str):
    instrument(Telemetry(), SETTINGS["all"])
    try:
        with caplog.at_level(logging.DEBUG, "otel_claude"), failing(FUNCTIONS[name], UnprintableFault):
            seen = all_scenarios()
    finally:
        AnthropicInstrumentor().uninstrument()

    assert seen == expected


def test_a_fault_is_counted_and_logged_at_debug_level(
    running_claude: SimulatedClaude, caplog: pytest.LogCaptureFixture
):
    telemetry = Telemetry()
    instrument(telemetry, None)
    try:
        with (
            caplog.at_level(logging.DEBUG, "otel_claude"),
            failing(FUNCTIONS["emitting.spans:end_attributes"]),
            connect(running_claude) as client,
        ):
            client.messages.create(**HELLO)
    finally:
        AnthropicInstrumentor().uninstrument()

    assert failures.counts == {"Telemetry._set_attributes": 1}
    (record,) = caplog.records
    assert record.levelname == "DEBUG"
    assert record.exc_info
    assert isinstance(record.exc_info[1], Fault)
    assert len(telemetry.spans) == 1
    assert telemetry.count("gen_ai.client.operation.duration") == 1


def test_a_fault_in_one_signal_leaves_the_others(running_claude: SimulatedClaude):
    lost: dict[str, tuple[int, int]] = {}
    for name in ("telemetry:Telemetry._start_span", "emitting.metrics:Metrics.record", "knowledge:Knowledge._cost"):
        telemetry = Telemetry()
        instrument(telemetry, None)
        try:
            with failing(FUNCTIONS[name]), connect(running_claude) as client:
                client.messages.create(**HELLO)
        finally:
            AnthropicInstrumentor().uninstrument()
        lost[name] = len(telemetry.spans), telemetry.count("gen_ai.client.operation.duration")

    assert lost == {
        "telemetry:Telemetry._start_span": (0, 1),
        "emitting.metrics:Metrics.record": (1, 0),
        "knowledge:Knowledge._cost": (1, 1),
    }


def test_each_function_that_stands_outside_is_there():
    assert [name for name in OUTSIDE if name not in FUNCTIONS] == []
