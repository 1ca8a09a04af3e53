"""Where telemetry goes, and whether anybody listens there.

In: the providers that an instrumentor is given; one that is not given is the global one, whether it has been set yet or
not. Out: tracers, a meter and a logger under the scope of this package.
"""

import weakref

from opentelemetry import _logs, metrics, trace

from otel_claude.version import SCOPE, __version__

API_PACKAGES = ("opentelemetry.trace", "opentelemetry.metrics", "opentelemetry._logs")
"""Where the providers are from that stand in until one is set: classes of OpenTelemetry's API package."""


class Providers:
    """The three providers of an instrumentation. `follows_client`: a client may have a tracer provider of its own."""

    def __init__(
        self,
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
        logger_provider: _logs.LoggerProvider | None = None,
    ) -> None:
        self.follows_client = tracer_provider is None
        self.meter_provider = meter_provider
        self.meter = metrics.get_meter(SCOPE, __version__, meter_provider)
        self.logger = _logs.get_logger(SCOPE, __version__, logger_provider)
        self._tracer = trace.get_tracer(SCOPE, __version__, tracer_provider)
        self._tracers: weakref.WeakKeyDictionary[trace.TracerProvider, trace.Tracer] = weakref.WeakKeyDictionary()
        self._configured = any(provider is not None for provider in (tracer_provider, meter_provider, logger_provider))
        self._metered = False

    def tracer(self, provider: trace.TracerProvider | None = None) -> trace.Tracer:
        """The tracer of spans, on the `provider` of a client where that has one of its own."""
        if provider is None:
            return self._tracer
        tracer = self._tracers.get(provider)
        if tracer is None:
            tracer = self._tracers[provider] = provider.get_tracer(SCOPE, __version__)
        return tracer

    @property
    def configured(self) -> bool:
        """Whether anybody listens to anything."""
        if not self._configured:
            self._configured = not all(
                type(provider).__module__.startswith(API_PACKAGES)
                for provider in (
                    trace.get_tracer_provider(),
                    metrics.get_meter_provider(),
                    _logs.get_logger_provider(),
                )
            )
        return self._configured

    @property
    def metered(self) -> bool:
        """Whether metrics have somewhere to go, so that it is worth making their points."""
        if not self._metered:
            provider = self.meter_provider or metrics.get_meter_provider()
            self._metered = not type(provider).__module__.startswith(API_PACKAGES)
        return self._metered
