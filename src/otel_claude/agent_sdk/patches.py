"""The places of the Claude Agent SDK that are patched, and how they are restored.

In: the SDK's modules, and what emits. Out: the same SDK with wrappers around four methods of its own transport, two of
what reads from transports, and the two places where it is given another one. Every public function and client talks
through a transport, so what the application has imported before is observed as well. No option and no hook is changed.
"""

import logging
import os
import weakref
from collections.abc import Awaitable, Callable, Mapping
from types import ModuleType
from typing import Any

from opentelemetry.instrumentation.utils import is_instrumentation_enabled

from otel_claude.agent_sdk import transports
from otel_claude.agent_sdk.cli_traces import is_new, makes_spans
from otel_claude.agent_sdk.emission import Emission
from otel_claude.agent_sdk.observer import Observer
from otel_claude.agent_sdk.providers import PROVIDER, provider_in
from otel_claude.agent_sdk.transports import Frames, ObservedTransport
from otel_claude.anthropic.patches import Patch, wrapped_by
from otel_claude.dropped import watch_collections
from otel_claude.failsafe import guarded
from otel_claude.values import fields
from otel_claude.weak_sets import items_of

_log = logging.getLogger("otel_claude")

PLACES = ("_internal.transport.subprocess_cli", "_internal.client", "_internal.query", "client")
"""The modules of the SDK that are patched."""


class Patches:
    """All of them. After `restore` also a wrapper that somebody still holds does nothing but pass on."""

    def __init__(self, emission: Emission) -> None:
        self._emission: Emission | None = emission
        self._observers: weakref.WeakKeyDictionary[Any, Observer] = weakref.WeakKeyDictionary()
        self._alive: weakref.WeakSet[Observer] = weakref.WeakSet()
        self._watched: weakref.WeakSet[Any] = weakref.WeakSet()
        self._applied: list[Patch] = []
        self._own: tuple[type, ...] = ()

    def apply(self, modules: Mapping[str, ModuleType | None]) -> None:
        """Patches the SDK's `modules`, by their names."""
        own = getattr(modules.get("_internal.transport.subprocess_cli"), "SubprocessCLITransport", None)
        self._own = () if own is None else (own,)
        missing: list[str] = []
        for module, class_name, wrappers in (
            (
                "_internal.transport.subprocess_cli",
                "SubprocessCLITransport",
                {
                    "connect": self._connect,
                    "write": self._write,
                    "read_messages": self._read_messages,
                    "close": self._close,
                },
            ),
            ("_internal.client", "InternalClient", {"process_query": self._process_query}),
            ("_internal.query", "Query", {"start": self._start_query, "close": self._close_query}),
            ("client", "ClaudeSDKClient", {"connect": self._connect_client}),
        ):
            owner = getattr(modules.get(module), class_name, None)
            absent = [f"{class_name}.{method}" for method in wrappers if owner is None or method not in vars(owner)]
            missing += absent
            if owner is not None and not absent:
                self._applied += [Patch(owner, method, wrapped_by(wrapper)) for method, wrapper in wrappers.items()]
        watch_collections()
        for patch in self._applied:
            patch.apply()
        if missing:
            _log.warning(
                "otel_claude: this version of claude-agent-sdk has no %s; what goes through there is not observed",
                ", ".join(missing),
            )

    def restore(self) -> None:
        """Restores everything, the last first, and ends what is open."""
        self._emission = None
        while self._applied:
            self._applied.pop().restore()
        self.close_all()

    @guarded(None)
    def close_all(self) -> None:
        """Ends what is open on all connections."""
        for observer in items_of(self._alive):
            observer.closed()

    @guarded(None)
    def forget_all(self) -> None:
        """In a child: the connections are its parent's."""
        for observer in items_of(self._alive):
            observer.forget()

    def observe(self, transport: Any, *, asks: bool = False) -> Any:
        """A transport of the application's own, under observation. `asks`: it is for one prompt."""
        observed = self._observed(transport, asks=asks)
        return transport if observed is None else observed

    @guarded(None)
    def _observed(self, transport: Any, *, asks: bool) -> ObservedTransport | None:
        emission = self._emission
        if emission is None or not is_instrumentation_enabled() or type(transport) is ObservedTransport:
            return None
        try:
            self._watched.add(transport)
        except TypeError:
            # It cannot be kept in a set, so it is none of the SDK's own class either.
            pass
        return ObservedTransport(transport, self._observer(emission, transport), asks=asks)

    def _observer(self, emission: Emission, transport: Any) -> Observer:
        """An observer for a connection. Of transports that are not the SDK's own it is not known what they run."""
        options = getattr(transport, "_options", None) if isinstance(transport, self._own) else None
        given = fields(getattr(options, "env", None))
        observer = Observer(
            emission,
            new=options is not None and is_new(options),
            deferring=options is not None and makes_spans(given, os.environ),
            provider=PROVIDER if options is None else provider_in(given, os.environ),
        )
        self._alive.add(observer)
        return observer

    @guarded(None)
    def _observer_for(self, transport: Any) -> Observer | None:
        """The observer of a connection that the SDK's own transport is about to make."""
        emission = self._emission
        if emission is None or not is_instrumentation_enabled() or transport in self._watched:
            return None
        if getattr(transport, "_process", None) is not None:
            return None  # It is connected already.
        observer = self._observers[transport] = self._observer(emission, transport)
        return observer

    async def _connect(self, wrapped: Callable[..., Awaitable[None]], transport: Any, args: Any, kwargs: Any) -> None:
        observer = self._observer_for(transport)
        if observer is None:
            return await wrapped(*args, **kwargs)
        asks = isinstance(getattr(transport, "_prompt", None), str)
        return await transports.connect(observer, lambda: wrapped(*args, **kwargs), asks=asks)

    async def _write(self, wrapped: Callable[..., Awaitable[None]], transport: Any, args: Any, kwargs: Any) -> None:
        observer = self._observers.get(transport)
        data = args[0] if args else kwargs.get("data")
        if observer is None or not isinstance(data, str):
            return await wrapped(*args, **kwargs)
        return await transports.write(observer, wrapped, data)

    def _read_messages(self, wrapped: Callable[..., Any], transport: Any, args: Any, kwargs: Any) -> Any:
        observer = self._observers.get(transport)
        frames = wrapped(*args, **kwargs)
        return frames if observer is None else Frames(frames, observer)

    async def _close(self, wrapped: Callable[..., Awaitable[None]], transport: Any, args: Any, kwargs: Any) -> None:
        observer = self._observers.pop(transport, None)
        if observer is None:
            return await wrapped(*args, **kwargs)
        return await transports.close(observer, lambda: wrapped(*args, **kwargs))

    async def _start_query(self, wrapped: Callable[..., Awaitable[None]], query: Any, args: Any, kwargs: Any) -> None:
        """From here on a task of the SDK's reads the frames, and starts those that handle what the CLI asks for."""
        observer = self._observer_of(query)
        if observer is not None:
            observer.hand_over()
        return await wrapped(*args, **kwargs)

    async def _close_query(self, wrapped: Callable[..., Awaitable[None]], query: Any, args: Any, kwargs: Any) -> None:
        """The SDK cancels the reader of frames before it closes the transport. Here it is known who closes, and why."""
        observer = self._observer_of(query)
        if observer is not None:
            observer.closed()
        return await wrapped(*args, **kwargs)

    @guarded(None)
    def _observer_of(self, query: Any) -> Observer | None:
        transport = getattr(query, "transport", None)
        observed = type(transport) is ObservedTransport
        return transport.observer if observed else self._observers.get(transport)

    def _process_query(self, wrapped: Callable[..., Any], client: Any, args: Any, kwargs: Any) -> Any:
        if kwargs.get("transport") is not None:
            asks = isinstance(kwargs.get("prompt"), str)
            kwargs = {**kwargs, "transport": self.observe(kwargs["transport"], asks=asks)}
        return wrapped(*args, **kwargs)

    async def _connect_client(
        self, wrapped: Callable[..., Awaitable[None]], client: Any, args: Any, kwargs: Any
    ) -> Any:
        own = getattr(client, "_custom_transport", None)
        if own is None:
            return await wrapped(*args, **kwargs)
        client._custom_transport = self.observe(own)  # noqa: SLF001  # the one place where the client keeps it
        try:
            return await wrapped(*args, **kwargs)
        finally:
            client._custom_transport = own  # noqa: SLF001  # as the application has given it
