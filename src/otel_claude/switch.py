"""What the switches of both SDKs share: whether the SDK is there at all, the settings, and the span cap.

In: what `instrument()` is called with. Out: `Switched`, for the part that knows the SDK.
"""

import logging
import weakref
from importlib.util import find_spec
from typing import Any, ClassVar, NamedTuple

from opentelemetry import trace
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # pyright: ignore[reportMissingTypeStubs]  # typed in part

from otel_claude.settings import Settings
from otel_claude.span_cap.installation import cap, install_span_cap

_log = logging.getLogger("otel_claude")

_capped: "weakref.WeakKeyDictionary[Any, set[Switch]]" = weakref.WeakKeyDictionary()
"""The providers that a switch has put the cap on, each with the switches that are on and want it."""


class Switched(NamedTuple):
    """The settings that hold, and the providers that were given; `None` is the global one."""

    settings: Settings
    tracer_provider: Any = None
    meter_provider: Any = None
    logger_provider: Any = None


class Switch(BaseInstrumentor):
    """The switch of the SDK in `package`, which messages call `sdk`. `_switch_on` and `_switch_off` know that SDK."""

    package: ClassVar[str]
    sdk: ClassVar[str]
    _provider: Any = None

    def _switch_on(self, switched: Switched) -> None:
        raise NotImplementedError

    def _switch_off(self) -> None:
        raise NotImplementedError

    def _instrument(self, **kwargs: Any) -> None:
        # Whoever has one of the two SDKs loads the instrumentors of both.
        if find_spec(self.package) is None:
            return
        try:
            self._prepare(**kwargs)
        except Exception:
            # One exception here would end the auto-instrumentation of every library of the process.
            _log.exception("otel_claude: %s could not be instrumented", self.sdk)

    def _prepare(
        self,
        *,
        tracer_provider: Any = None,
        meter_provider: Any = None,
        logger_provider: Any = None,
        settings: Any = None,
        **options: Any,
    ) -> None:
        chosen = _chosen(settings, options)
        # Before any tracer is asked for: until opentelemetry-sdk 1.41 a tracer keeps the sampler that it began with.
        self._provider = trace.get_tracer_provider() if tracer_provider is None else tracer_provider
        is_new = cap(
            tracer_provider,
            chosen.max_spans_per_trace,
            meter_provider=meter_provider,
            logger_provider=logger_provider,
            compatibility=chosen.compatibility,
        )
        if is_new or (chosen.max_spans_per_trace and self._provider in _capped):
            _capped.setdefault(self._provider, set()).add(self)
        self._switch_on(Switched(chosen, tracer_provider, meter_provider, logger_provider))

    def _uninstrument(self, **kwargs: Any) -> None:
        try:
            self._switch_off()
        except Exception:
            _log.exception("otel_claude: %s could not be switched off as a whole", self.sdk)
        # A cap that the application has put on itself stays.
        if self._provider in _capped:
            _capped[self._provider].discard(self)
            if not _capped[self._provider]:
                del _capped[self._provider]
                install_span_cap(self._provider, 0)
        self._provider = None


def _chosen(settings: Any, options: dict[str, Any]) -> Settings:
    if settings is not None and not isinstance(settings, Settings):
        _log.warning("otel_claude: settings is %r; accepted: an object of Settings; the environment is read", settings)
        settings = None
    if settings is None:
        return Settings.from_environment(lenient=True, **options)
    return settings.changed(lenient=True, **options) if options else settings
