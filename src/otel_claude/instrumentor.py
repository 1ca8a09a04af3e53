"""The switch: `AnthropicInstrumentor().instrument()`, which `opentelemetry-instrument` calls as well.

In: providers and settings. Out: a patched SDK, until `uninstrument()`.
"""

import importlib
import logging
import os
from collections.abc import Collection
from importlib.util import find_spec
from typing import Any

from opentelemetry import trace
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # pyright: ignore[reportMissingTypeStubs]  # typed in part

from otel_claude.settings import Settings
from otel_claude.span_cap.installation import cap, install_span_cap

_log = logging.getLogger("otel_claude")

SUPPORTED = ("anthropic >= 0.50, < 3",)


class AnthropicInstrumentor(BaseInstrumentor):
    """Instruments the Anthropic SDK: every client, also those that exist already.

        AnthropicInstrumentor().instrument(tracer_provider=…, meter_provider=…, logger_provider=…, settings=Settings(…))

    All keywords are optional. Providers that are not given are the global ones. Without `settings` they are read from
    the environment, where a value that is not accepted is logged and its default used; fields of `Settings` may be
    given as keywords of their own, as OpenTelemetry's declarative configuration does. `instrument` never raises: a
    piece of the SDK that is not as expected is logged, and what depends on it is left out.
    """

    _patches: Any = None
    _switch_set: bool = False
    _capped: Any = None

    def instrumentation_dependencies(self) -> Collection[str]:
        """The versions of the SDK that are instrumented."""
        return SUPPORTED

    def _instrument(self, **kwargs: Any) -> None:
        # Whoever has one of the two SDKs loads the instrumentors of both.
        if find_spec("anthropic") is None:
            return
        try:
            self._switch_on(**kwargs)
        except Exception:
            # One exception here would end the auto-instrumentation of every library of the process.
            _log.exception("otel_claude: the Anthropic SDK could not be instrumented")

    def _switch_on(
        self,
        *,
        tracer_provider: Any = None,
        meter_provider: Any = None,
        logger_provider: Any = None,
        settings: Settings | None = None,
        **options: Any,
    ) -> None:
        from otel_claude.anthropic.bodies import Bodies
        from otel_claude.anthropic.calls import Calls
        from otel_claude.anthropic.native_spans import SWITCH, UnknownTracing, native_tracer
        from otel_claude.anthropic.patches import Patches
        from otel_claude.anthropic.peers import warn_of_peers
        from otel_claude.telemetry import Telemetry

        base, streaming, decoding = (
            importlib.import_module(f"anthropic.{name}") for name in ("_base_client", "_streaming", "_decoders.jsonl")
        )
        if settings is not None and not isinstance(settings, Settings):  # pyright: ignore[reportUnnecessaryIsInstance]  # from outside
            _log.warning(
                "otel_claude: settings is %r; accepted: an object of Settings; the environment is read", settings
            )
            settings = None
        if settings is None:
            settings = Settings.from_environment(lenient=True, **options)
        elif options:
            settings = settings.changed(lenient=True, **options)
        if settings.budgets is not None and not settings.plan.budgets:
            _log.warning("otel_claude: budgets (OTEL_CLAUDE_BUDGETS) has no budget, and there is no daily one")
        try:
            native = native_tracer(base.BaseClient)
        except UnknownTracing as error:
            native = None
            self._switch_set = SWITCH not in os.environ
            if os.environ.setdefault(SWITCH, "false").lower() == "false":
                _log.warning(
                    "otel_claude: %s, so the SDK's own spans are switched off with %s=false, for clients that are made"
                    " from now on",
                    error,
                    SWITCH,
                )
            else:
                _log.warning(
                    "otel_claude: %s, and %s is set, so each call has two spans until that is false", error, SWITCH
                )
        if cap(
            tracer_provider,
            settings.max_spans_per_trace,
            meter_provider=meter_provider,
            logger_provider=logger_provider,
        ):
            self._capped = trace.get_tracer_provider() if tracer_provider is None else tracer_provider
        telemetry = Telemetry(settings, tracer_provider, meter_provider, logger_provider)
        http = getattr(base, "httpx2", None) or base.httpx
        patches = Patches(Calls(telemetry, Bodies(http), native), telemetry, native)
        self._patches = patches
        patches.apply(base, streaming, decoding)
        telemetry.agents.open()
        if telemetry.configured:
            telemetry.loading.ask()
        warn_of_peers()

    def _uninstrument(self, **kwargs: Any) -> None:
        if self._patches is not None:
            self._patches.restore()
            self._patches = None
        if self._capped is not None:
            install_span_cap(self._capped, 0)
            self._capped = None
        if self._switch_set:
            from otel_claude.anthropic.native_spans import SWITCH

            os.environ.pop(SWITCH, None)
            self._switch_set = False
