"""Puts the cap on a provider, once.

In: a tracer provider of OpenTelemetry's SDK. Out: the same, with our sampler around its own, and our processor before
its others.
"""

import logging
import os
import sys
import weakref
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from opentelemetry import _logs, metrics, trace

from otel_claude.emitting.compatibility import CONVENTIONS, OFF
from otel_claude.readers import most_spans
from otel_claude.settings import SettingError, Settings
from otel_claude.version import SCOPE, __version__

if TYPE_CHECKING:
    from otel_claude.span_cap.processor import CapProcessor
    from otel_claude.span_cap.sampler import CapSampler

_log = logging.getLogger("otel_claude")

DISABLED = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"
OUR_NAME = "claude_span_cap"

_declined: "weakref.WeakSet[trace.TracerProvider]" = weakref.WeakSet()
_caps: "weakref.WeakKeyDictionary[Any, tuple[CapProcessor, CapSampler]]" = weakref.WeakKeyDictionary()


def install_span_cap(
    tracer_provider: trace.TracerProvider | None = None,
    max_spans: int = 1_000,
    *,
    meter_provider: metrics.MeterProvider | None = None,
    logger_provider: _logs.LoggerProvider | None = None,
    compatibility: str = OFF,
) -> None:
    """Keeps every trace of a provider at or under `max_spans` exported spans, whatever library makes them.

    To be called before instrumentations ask the provider for their tracers; those that it has already are capped as
    well from opentelemetry-sdk 1.41 on. Once more, it only changes `max_spans`, for traces to come, and
    `compatibility`.

    Args:
        tracer_provider: A provider of opentelemetry-sdk. `None` is the global one.
        max_spans: How many spans of a trace may be exported, summaries included: 2 or more. 0 takes the cap off.
        meter_provider: Where spans are counted. `None` is the global one.
        logger_provider: Where capped traces are reported. `None` is the global one.
        compatibility: The convention whose attributes summaries have besides: a value of the setting of that name.

    Raises:
        SettingError: a value is not accepted, or the provider is not one of opentelemetry-sdk.
    """
    from opentelemetry.sdk.trace import Tracer, TracerProvider

    from otel_claude.span_cap.processor import CapProcessor
    from otel_claude.span_cap.reports import Reports
    from otel_claude.span_cap.sampler import CapSampler
    from otel_claude.span_cap.sdk import put_first, set_sampler
    from otel_claude.span_cap.shares import shares_of

    try:
        max_spans = most_spans(max_spans)
    except ValueError as error:
        raise SettingError(f"max_spans is {max_spans!r}; accepted: {error}") from error
    if compatibility not in CONVENTIONS:
        raise SettingError(f"compatibility is {compatibility!r}; accepted: one of {', '.join(CONVENTIONS)}")
    provider = trace.get_tracer_provider() if tracer_provider is None else tracer_provider
    if not isinstance(provider, TracerProvider):
        raise SettingError(f"tracer_provider is {provider!r}; accepted: a TracerProvider of opentelemetry-sdk")
    installed = _caps.get(provider)
    if not max_spans:
        if installed is not None:
            installed[1].active = False
        return
    if installed is not None:
        processor, sampler = installed
        processor.traces.shares = shares_of(max_spans)
        processor.compatibility = compatibility
        sampler.active = True
        return
    tracer = provider.get_tracer(SCOPE, __version__)
    if not isinstance(tracer, Tracer):
        return  # The whole SDK is disabled.
    reports = Reports(meter_provider, logger_provider)
    processor = CapProcessor(shares_of(max_spans), tracer, reports, compatibility)
    reports.follow(processor.traces)
    sampler = CapSampler(provider.sampler, processor.traces)
    _caps[provider] = processor, sampler
    provider.add_span_processor(processor)
    if not put_first(provider, processor):
        _log.warning(
            "otel_claude: this opentelemetry-sdk keeps its span processors in a way that is not known, so spans that"
            " are held back at a shutdown may be lost; call force_flush() before it"
        )
    set_sampler(provider, sampler)


def cap(tracer_provider: trace.TracerProvider | None, max_spans: int, **options: Any) -> bool:
    """Installs the cap where that is possible. Whether it was not there before. Never raises.

    Where that is not wanted, the hook below does not install it either: declarative configuration comes before it.
    """
    try:
        provider = trace.get_tracer_provider() if tracer_provider is None else tracer_provider
        if not max_spans:
            _declined.add(provider)
        sdk = sys.modules.get("opentelemetry.sdk.trace")
        if not max_spans or sdk is None or not isinstance(provider, sdk.TracerProvider) or _is_on(provider):
            return False
        if OUR_NAME in _disabled():
            return False
        install_span_cap(provider, max_spans, **options)
    except Exception:
        _log.exception("otel_claude: the span cap could not be installed")
        return False
    return True


def _is_on(provider: trace.TracerProvider) -> bool:
    installed = _caps.get(provider)
    return installed is not None and installed[1].active


def _has_sdk() -> bool:
    return find_spec("anthropic") is not None


def _disabled() -> set[str]:
    """The instrumentations that are not to be switched on. OpenTelemetry calls the hook below whatever it says."""
    return {name.strip() for name in os.environ.get(DISABLED, "").split(",")}


def pre_instrument() -> None:
    """The hook by which `opentelemetry-instrument` has the cap installed before any tracer is made."""
    try:
        if _disabled() & {"*", "claude_anthropic"} or trace.get_tracer_provider() in _declined:
            return
        # A value that is not accepted is logged by the instrumentor, which reads all settings, where it is loaded.
        settings = Settings.from_environment(lenient=True, quiet=_has_sdk())
        cap(None, settings.max_spans_per_trace, compatibility=settings.compatibility)
    except Exception:
        _log.exception("otel_claude: the span cap could not be installed")
