"""The switch: `AnthropicInstrumentor().instrument()`, which `opentelemetry-instrument` calls as well.

In: providers and settings. Out: a patched SDK, until `uninstrument()`.
"""

import importlib
import logging
import os
from collections.abc import Collection
from typing import Any

from otel_claude.switch import Switch, Switched

_log = logging.getLogger("otel_claude")

SUPPORTED = ("anthropic >= 0.50, < 3",)


class AnthropicInstrumentor(Switch):
    """Instruments the Anthropic SDK: every client, also those that exist already.

        AnthropicInstrumentor().instrument(tracer_provider=…, meter_provider=…, logger_provider=…, settings=Settings(…))

    All keywords are optional. Providers that are not given are the global ones. Without `settings` they are read from
    the environment, where a value that is not accepted is logged and its default used; fields of `Settings` may be
    given as keywords of their own, as OpenTelemetry's declarative configuration does. `instrument` never raises: a
    piece of the SDK that is not as expected is logged, and what depends on it is left out.
    """

    package = "anthropic"
    sdk = "the Anthropic SDK"
    _patches: Any = None
    _telemetry: Any = None
    _switch_set: bool = False

    def instrumentation_dependencies(self) -> Collection[str]:
        """The versions of the SDK that are instrumented."""
        return SUPPORTED

    def flush_budgets(self) -> None:
        """Writes what budgets have booked to their ledger, and waits for it: a ledger that is gone, up to its timeout.

        It is written twice in every `interval_s` and at the end of a process. This is for one that is frozen or killed
        before that, as a function of AWS Lambda is. It never raises, and does nothing where there is no budget.
        """
        if self._telemetry is not None:
            self._telemetry.flush_budgets()

    def _switch_on(self, switched: Switched) -> None:
        from otel_claude.anthropic.bodies import Bodies
        from otel_claude.anthropic.calls import Calls
        from otel_claude.anthropic.native_spans import UnknownTracing, native_tracer
        from otel_claude.anthropic.patches import Patches
        from otel_claude.anthropic.peers import warn_of_peers
        from otel_claude.telemetry import Telemetry

        base, streaming, decoding = (
            importlib.import_module(f"anthropic.{name}") for name in ("_base_client", "_streaming", "_decoders.jsonl")
        )
        settings = switched.settings
        if settings.budgets is not None and not settings.plan.budgets:
            _log.warning("otel_claude: budgets (OTEL_CLAUDE_BUDGETS) has no budget, and there is no daily one")
        try:
            native = native_tracer(base.BaseClient)
        except UnknownTracing as error:
            native = None
            self._silence(error)
        telemetry = Telemetry(*switched)
        http = getattr(base, "httpx2", None) or base.httpx
        patches = Patches(Calls(telemetry, Bodies(http), native), telemetry, native)
        self._patches, self._telemetry = patches, telemetry
        patches.apply(base, streaming, decoding)
        telemetry.agents.open()
        if telemetry.configured:
            telemetry.loading.ask()
        warn_of_peers()

    def _silence(self, unknown: Exception) -> None:
        """Switches the SDK's own spans off by its variable, as they cannot be replaced one by one."""
        from otel_claude.anthropic.native_spans import SWITCH

        self._switch_set = SWITCH not in os.environ
        if os.environ.setdefault(SWITCH, "false").lower() == "false":
            _log.warning(
                "otel_claude: %s, so the SDK's own spans are switched off with %s=false, for clients that are made"
                " from now on",
                unknown,
                SWITCH,
            )
        else:
            _log.warning(
                "otel_claude: %s, and %s is set, so each call has two spans until that is false", unknown, SWITCH
            )

    def _switch_off(self) -> None:
        if self._patches is not None:
            self._patches.restore()
            self._patches = self._telemetry = None
        if self._switch_set:
            from otel_claude.anthropic.native_spans import SWITCH

            os.environ.pop(SWITCH, None)
            self._switch_set = False
