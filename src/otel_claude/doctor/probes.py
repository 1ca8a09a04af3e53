"""One span, one point of a metric and one event, on their way through the exporters of the environment.

In: exporters, and how many seconds each has. Out: what has become of each. Exporters are made as
`opentelemetry-instrument` makes them, from their entry points and the same variables. Providers are of their own, so
that nothing of the application's is sent, and no sampler decides.
"""

import logging
import math
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import entry_points
from typing import Any, NamedTuple, NoReturn

from opentelemetry import trace
from opentelemetry._logs import SeverityNumber
from opentelemetry.context import Context
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from otel_claude.doctor.answers import Answer, listen, watched
from otel_claude.doctor.confidential import Confidential
from otel_claude.doctor.deadline import Work
from otel_claude.doctor.exporters import Exporter
from otel_claude.doctor.headers import HEADERS_LOGGER
from otel_claude.doctor.sent import Sent
from otel_claude.doctor.signals import LOGS, METRICS, NAME, POINT, TRACES, Signal
from otel_claude.emitting.events import event_record
from otel_claude.version import SCOPE, __version__

NOISY = ("opentelemetry", "urllib3", "requests")
"""Loggers of exporters and of what they use. What they log may have headers in it."""


class Ids(NamedTuple):
    """The ids of the test span, which the test event has as well."""

    trace_id: int
    span_id: int


def new_ids() -> Ids:
    """Ids that nobody else has."""
    generator = RandomIdGenerator()
    return Ids(generator.generate_trace_id(), generator.generate_span_id())


def send(
    exporters: Sequence[Exporter], resource: Resource, ids: Ids, confidential: Confidential, seconds: float
) -> Sequence[Sent]:
    """Sends one thing through each of the exporters, all at once. Each is answered for within so many seconds."""
    # Exporters are imported here: on several threads at once, imports may wait for each other.
    made = [_maker(exporter) for exporter in exporters]
    with watched(), _heard() as heard:
        probes = [Probe(exporter, make, resource, ids, heard) for exporter, make in zip(exporters, made, strict=True)]
        at_work = [Work(probe.send, seconds) for probe in probes]
        return [probe.sent(work, confidential, seconds) for probe, work in zip(probes, at_work, strict=True)]


class Probe:
    """One thing on its way through one exporter."""

    def __init__(
        self, exporter: Exporter, make: Callable[[], Any], resource: Resource, ids: Ids, heard: "Heard"
    ) -> None:
        self._exporter = exporter
        self._make = make
        self._resource = resource
        self._ids = ids
        self._heard = heard
        self._logged: Sequence[str] = ()
        self._answers: Sequence[Answer] = ()
        self._failures: Sequence[str] = ()
        self._results: list[bool] = []
        self._raised = ""

    def send(self) -> float:
        """Sends it. How many seconds that has taken.

        Raises:
            Exception: the exporter cannot be imported or made.
        """
        signal = self._exporter.signal
        (_, self._answers, self._failures), self._logged = listen(signal), self._heard.listen()
        exporter = self._make()
        exporter.export = self._recorded(exporter.export)
        began = time.perf_counter()
        close = SENDERS[signal](exporter, self._resource, self._ids)
        took = time.perf_counter() - began
        close()
        return took

    def sent(self, work: Work[float], confidential: Confidential, seconds: float) -> Sent:
        """What has become of it."""
        try:
            took, is_accepted = work.result(), self._results[-1:] == [True]
        except TimeoutError:
            took, is_accepted = seconds, self._results[-1] if self._results else None
        except Exception as error:
            took, is_accepted = 0.0, False
            self._raised = self._raised or _described(error)
        return Sent(
            self._exporter,
            is_accepted,
            took,
            [answer._replace(said=confidential.without(answer.said)) for answer in self._answers],
            [confidential.without(text) for text in (*self._failures, *self._logged)],
            confidential.without(self._raised),
        )

    def _recorded(self, export: Callable[..., Any]) -> Callable[..., Any]:
        def recording(*args: Any, **kwargs: Any) -> Any:
            try:
                result = export(*args, **kwargs)
            except Exception as error:
                # Processors take it, and only log that there was one.
                self._raised = _described(error)
                self._results.append(False)
                raise
            self._results.append(result.name == "SUCCESS")
            return result

        return recording


def _described(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _maker(exporter: Exporter) -> Callable[[], Any]:
    """What makes an exporter. Where it cannot be imported, it raises that when it is called."""
    (found, *_) = entry_points(group=exporter.signal.group, name=exporter.component or "")
    try:
        return found.load()
    except Exception as error:
        failure = error

        def fail() -> NoReturn:
            raise failure

        return fail


def _send_span(exporter: Any, resource: Resource, ids: Ids) -> Callable[[], None]:
    provider = TracerProvider(sampler=ALWAYS_ON, resource=resource, id_generator=SameIds(ids), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    provider.get_tracer(SCOPE, __version__).start_span(NAME, Context()).end()
    return provider.shutdown


def _send_point(exporter: Any, resource: Resource, ids: Ids) -> Callable[[], None]:
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=math.inf)
    provider = MeterProvider([reader], resource, shutdown_on_exit=False)
    counter = provider.get_meter(SCOPE, __version__).create_counter(
        POINT, unit="{run}", description="Runs of otel-claude doctor."
    )
    counter.add(1)
    reader.collect()
    return provider.shutdown


def _send_event(exporter: Any, resource: Resource, ids: Ids) -> Callable[[], None]:
    provider = LoggerProvider(resource, shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    flags = trace.TraceFlags(trace.TraceFlags.SAMPLED)
    span = trace.NonRecordingSpan(trace.SpanContext(ids.trace_id, ids.span_id, is_remote=False, trace_flags=flags))
    event = event_record(POINT, SeverityNumber.INFO, {}, trace.set_span_in_context(span))
    provider.get_logger(SCOPE, __version__).emit(event)
    return provider.shutdown


SENDERS: Mapping[Signal, Callable[[Any, Resource, Ids], Callable[[], None]]] = {
    TRACES: _send_span,
    METRICS: _send_point,
    LOGS: _send_event,
}
"""How a thing of each signal is sent through an exporter. Each returns what closes the exporter."""


class SameIds(IdGenerator):
    """Gives the ids of the test span."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids

    def generate_trace_id(self) -> int:
        """The id of its trace."""
        return self._ids.trace_id

    def generate_span_id(self) -> int:
        """Its own id."""
        return self._ids.span_id


class Heard(logging.Filter):
    """Keeps what some threads log from whoever prints it, and has it by thread. Others' logs go their way."""

    def __init__(self) -> None:
        super().__init__()
        self._texts: dict[threading.Thread, list[str]] = {}

    def listen(self) -> Sequence[str]:
        """What the thread of the caller logs from now on."""
        return self._texts.setdefault(threading.current_thread(), [])

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record goes its way."""
        texts = self._texts.get(threading.current_thread())
        if texts is None:
            return True
        if record.name != HEADERS_LOGGER and record.levelno >= logging.WARNING:
            texts.append(record.getMessage())
        return False

    @property
    def is_over(self) -> bool:
        """Whether nothing can come any more."""
        return not any(thread.is_alive() for thread in self._texts)


@contextmanager
def _heard() -> Generator[Heard]:
    """Hears what is logged on the threads of probes, in each logger that there is by now."""
    heard = Heard()
    loggers = [logging.getLogger(name) for name in [*logging.root.manager.loggerDict] if name.startswith(NOISY)]
    for logger in loggers:
        # Before a filter of the exporters' own, which leaves out what one of them has just said.
        logger.filters.insert(0, heard)
    try:
        yield heard
    finally:
        # An exporter that tries again and again goes on doing so, and is not to be heard of.
        if heard.is_over:
            for logger in loggers:
                logger.removeFilter(heard)
