"""The places of the SDK that are patched, and how they are restored.

In: a loaded SDK, and the `Calls` that want to know. Out: the same SDK with the wrappers below around a few methods of
its base client, its streams and its decoder. They have kept their names and signatures from 0.50 on, and every client
class, resource, helper and raw response goes through them.

A wrapper tells `Calls` what passes and calls what it wraps, with the same arguments. Methods are patched on the
classes, so clients and resources that exist already are covered, and nothing is left behind in them.
"""

import logging
from collections.abc import Callable
from types import ModuleType
from typing import Any

import wrapt

from otel_claude.agents.current import current_run
from otel_claude.anthropic.bodies import reading_of
from otel_claude.anthropic.calls import Calls
from otel_claude.anthropic.native_spans import tracer_for, tracer_in
from otel_claude.anthropic.reading import AsyncObserved, Reading, observed
from otel_claude.anthropic.scope import current_call
from otel_claude.anthropic.tool_runner import RUNS, ToolRunners, loaded
from otel_claude.dropped import watch_collections
from otel_claude.failsafe import failures, guarded
from otel_claude.telemetry import Telemetry

_log = logging.getLogger("otel_claude")

Wrapper = Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any]


class Patch:
    """One attribute of a class or a module, replaced and restored."""

    def __init__(self, owner: type | ModuleType, name: str, replace: Callable[[Any], Any]) -> None:
        self._owner = owner
        self._name = name
        self._original = vars(owner)[name]
        self._patched = replace(self._original)

    def apply(self) -> None:
        """Puts the replacement in place."""
        setattr(self._owner, self._name, self._patched)

    @guarded(None)
    def restore(self) -> None:
        """Puts the very object back that was there. Somebody else's patch on top of ours is left in its place."""
        if vars(self._owner).get(self._name) is self._patched:
            setattr(self._owner, self._name, self._original)


def wrapped_by(wrapper: Wrapper) -> Callable[[Any], Any]:
    """What replaces a method by itself with `wrapper` around it."""
    return lambda original: wrapt.FunctionWrapper(original, wrapper)


class Patches:
    """All of them. After `restore` also a wrapper that somebody still holds does nothing but pass on.

    `restore` may be called on another thread, in the middle of a wrapper: each looks once who wants to know.
    """

    def __init__(self, calls: Calls, telemetry: Telemetry, native: property | None) -> None:
        self._calls: Calls | None = calls
        self._runners = ToolRunners(calls, telemetry)
        self._telemetry = telemetry
        self._native = native
        self._applied: list[Patch] = []

    def apply(self, base: ModuleType, streaming: ModuleType, decoding: ModuleType) -> None:
        """Patches the SDK's modules `_base_client`, `_streaming` and `_decoders.jsonl`."""
        watch_collections()
        for module, class_name, method, wrapper in (
            (base, "SyncAPIClient", "request", self._request),
            (base, "AsyncAPIClient", "request", self._async_request),
            (base, "BaseClient", "_build_request", self._build_request),
            (base, "SyncAPIClient", "_process_response", self._process_response),
            (base, "AsyncAPIClient", "_process_response", self._process_response),
            (base, "SyncAPIClient", "_sleep_for_retry", self._sleep_for_retry),
            (base, "AsyncAPIClient", "_sleep_for_retry", self._sleep_for_retry),
            (base, "BaseClient", "_calculate_retry_timeout", self._calculate_retry_timeout),
            (streaming, "Stream", "__stream__", self._items),
            (streaming, "AsyncStream", "__stream__", self._async_items),
            (decoding, "JSONLDecoder", "__decode__", self._items),
            (decoding, "AsyncJSONLDecoder", "__decode__", self._async_items),
        ):
            self._patch(module, class_name, method, wrapped_by(wrapper))
        if (module := loaded()) is not None:
            self._patch_runners(module)
        if self._native is not None and self._telemetry.settings.native_spans != "keep":
            self._patch(base, "BaseClient", "_tracer", self._stand_in)

    def _patch(self, module: ModuleType, class_name: str, name: str, replace: Callable[[Any], Any]) -> None:
        owner: type | None = getattr(module, class_name, None)
        if owner is None or name not in vars(owner):
            where = f"{class_name}.{name}"
            _log.warning("otel_claude: this version of anthropic has no %s; what it tells is missing", where)
            return
        self._replace(owner, name, replace)

    def _replace(self, owner: type | ModuleType, name: str, replace: Callable[[Any], Any]) -> None:
        patch = Patch(owner, name, replace)
        patch.apply()
        self._applied.append(patch)

    def _patch_runners(self, module: ModuleType) -> None:
        places = list(self._runners.places(module))
        for owner, name, wrapper in places:
            self._replace(owner, name, wrapped_by(wrapper))
        if not any(name == RUNS for _, name, _ in places):
            _log.warning("otel_claude: this version of anthropic has no %s in its tool runner; runs are missing", RUNS)

    def restore(self) -> None:
        """Restores everything, the last first."""
        calls, self._calls = self._calls, None
        if calls is not None:
            calls.shut_down()
            self._runners.close()
        while self._applied:
            self._applied.pop().restore()

    def _request(self, wrapped: Callable[..., Any], client: Any, args: Any, kwargs: Any) -> Any:
        calls = self._calls
        scope = calls and calls.begin(client, options_in(args, kwargs))
        if scope is None:
            return wrapped(*args, **kwargs)
        with scope:
            result = wrapped(*args, **kwargs)
        scope.returned(result)
        return result

    async def _async_request(self, wrapped: Callable[..., Any], client: Any, args: Any, kwargs: Any) -> Any:
        calls = self._calls
        scope = calls and calls.begin(client, options_in(args, kwargs))
        if scope is None:
            return await wrapped(*args, **kwargs)
        with scope:
            result = await wrapped(*args, **kwargs)
        scope.returned(result)
        return result

    def _build_request(self, wrapped: Callable[..., Any], client: Any, args: Any, kwargs: Any) -> Any:
        request = wrapped(*args, **kwargs)
        if (calls := self._calls) is not None:
            calls.attempt(client, args[0] if args else kwargs.get("options"), request)
            calls.admit()
        return request

    def _process_response(self, wrapped: Callable[..., Any], client: Any, args: Any, kwargs: Any) -> Any:
        if (calls := self._calls) is not None:
            calls.responded(kwargs.get("response"))
        return wrapped(*args, **kwargs)

    def _sleep_for_retry(self, wrapped: Callable[..., Any], client: Any, args: Any, kwargs: Any) -> Any:
        if (calls := self._calls) is not None:
            calls.sleeping(kwargs.get("response"))
        return wrapped(*args, **kwargs)

    def _calculate_retry_timeout(self, wrapped: Callable[..., Any], client: Any, args: Any, kwargs: Any) -> Any:
        wait_s = wrapped(*args, **kwargs)
        if (calls := self._calls) is not None:
            calls.waits(wait_s)
        return wait_s

    def _items(self, wrapped: Callable[..., Any], source: Any, args: Any, kwargs: Any) -> Any:
        items, reading = wrapped(*args, **kwargs), self._reading(source)
        return items if reading is None else observed(items, reading)

    def _async_items(self, wrapped: Callable[..., Any], source: Any, args: Any, kwargs: Any) -> Any:
        items, reading = wrapped(*args, **kwargs), self._reading(source)
        return items if reading is None else AsyncObserved(items, reading)

    @guarded(None)
    def _reading(self, source: Any) -> Reading | None:
        """The watch on the response of a stream, or of a decoder, which calls it `http_response`."""
        return reading_of(getattr(source, "response", None) or getattr(source, "http_response", None))

    def _stand_in(self, original: property) -> property:
        def tracer(client: Any) -> Any:
            native = original.__get__(client)
            try:
                if native is None:
                    return None
                if (call := current_call()) is not None:
                    return tracer_for(call, native, self._telemetry)
                run = current_run()
                return native if run is None else tracer_in(run, native, self._telemetry)
            except Exception:
                failures.report("tracer_for")
                return native

        return property(tracer, original.fset, original.fdel, original.__doc__)


@guarded(None)
def options_in(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The options among the arguments of `request(cast_to, options, …)`."""
    return args[1] if len(args) > 1 else kwargs.get("options")
