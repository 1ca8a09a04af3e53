"""Each function of the cap in turn raises, and an application that makes spans sees nothing of it."""

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext

import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import StatusCode
from traced import from_elsewhere

from functions import FUNCTIONS, failing
from otel_claude.failsafe import failures
from otel_claude.span_cap.installation import cap

OUTSIDE = {
    "span_cap.sampler:CapSampler.should_sample": "asks the application's sampler",
    "span_cap.sampler:CapSampler.get_description": "asks the application's sampler",
    "span_cap.processor:CapProcessor.on_start": "is the guard around the start of a span",
    "span_cap.processor:CapProcessor.on_end": "is the guard around the end of a span",
    "span_cap.processor:CapProcessor._hand_over": "calls the application's processors",
    "span_cap.processor:CapProcessor.shutdown": "calls the application's processors",
    "span_cap.processor:CapProcessor.force_flush": "calls the application's processors",
    "span_cap.overflow:AsSampled.get_span_context": "answers the application's sampler",
    "span_cap.overflow:AsSampled.context": "answers the application's sampler",
    "span_cap.watch:Watch.look": "what it raises, Python only reports",
    "span_cap.watch:_keep_looking": "what it raises, Python only reports",
    "span_cap.installation:cap": "is the guard around switching on",
    "span_cap.installation:pre_instrument": "is the guard around switching on",
    "span_cap.installation:install_span_cap": "called by the application, in code",
}
CAP = {name: function for name, function in FUNCTIONS.items() if name.startswith("span_cap.")}
SPANS = 3 + 60 * 3


@pytest.fixture(autouse=True)
def forgotten_failures() -> Iterator[None]:
    yield
    failures.counts.clear()


def use(fault: AbstractContextManager[None]) -> tuple[list[str], list[str]]:
    """Names of the spans that an application makes, as it sees them, and of those that were exported."""
    exporter = InMemorySpanExporter()
    seen: list[str] = []
    with fault:
        provider = TracerProvider(sampler=ParentBased(TraceIdRatioBased(1.0)), shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        reader = InMemoryMetricReader()
        cap(provider, 20, meter_provider=MeterProvider([reader], shutdown_on_exit=False))
        tracer = provider.get_tracer("application")
        for context in (None, from_elsewhere(), from_elsewhere()):
            with tracer.start_as_current_span("root", context) as root:
                seen.append("root")
                for number in range(30):
                    with tracer.start_as_current_span("outer", attributes={"claude.cost.usd": 0.5}) as outer:
                        seen.append("outer")
                        inner = tracer.start_span("inner", attributes={"gen_ai.operation.name": "invoke_agent"})
                        seen.append("inner")
                        if number % 3 == 0:
                            outer.set_status(StatusCode.ERROR)
                        inner.end()
                        assert trace.get_current_span() is outer
                assert root.is_recording()
        provider.force_flush()
        reader.get_metrics_data()
        provider.shutdown()
    return seen, [span.name for span in exporter.get_finished_spans()]


def test_without_a_fault_the_traces_are_capped():
    seen, exported = use(nullcontext())

    assert (len(seen), len(exported)) == (SPANS, 40)
    assert failures.counts == {}


@pytest.mark.parametrize("name", [name for name in CAP if name not in OUTSIDE])
def test_a_fault_of_the_cap_is_not_seen(name: str):
    seen, exported = use(failing(CAP[name]))

    assert len(seen) == SPANS
    assert exported.count("root") >= 1


def test_a_fault_while_the_cap_is_installed_is_logged(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.ERROR, "otel_claude"):
        seen, exported = use(failing(CAP["span_cap.shares:shares_of"]))

    assert seen == exported or sorted(seen) == sorted(exported)
    assert [record.getMessage() for record in caplog.records] == ["otel_claude: the span cap could not be installed"]


def test_each_function_that_stands_outside_is_there():
    assert [name for name in OUTSIDE if name not in CAP] == []
