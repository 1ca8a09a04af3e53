"""Other instrumentations of the Anthropic SDK in the same process.

In: the SDK's methods that they wrap. Out: one warning that names them, for each would record every call once more, with
tokens and all.
"""

import functools
import logging
import sys
from typing import Any

from otel_claude.failsafe import guarded
from otel_claude.values import is_object, text

_log = logging.getLogger("otel_claude")

PLACES: tuple[tuple[str, str, str], ...] = (
    ("anthropic.resources.messages", "Messages", "create"),
    ("anthropic.resources.messages", "AsyncMessages", "create"),
    ("anthropic.resources.messages", "Messages", "stream"),
    ("anthropic._base_client", "SyncAPIClient", "post"),
)
"""Module, class and method of what other instrumentations wrap, one or the other."""

MOST_WRAPPERS = 10

KNOWN = frozenset(
    {
        "agentops",
        "ddtrace",
        "elasticapm",
        "langfuse",
        "langsmith",
        "logfire",
        "mlflow",
        "newrelic",
        "openlit",
        "opik",
        "sentry_sdk",
        "traceloop",
        "weave",
    }
)
"""Packages that record calls and do not say so in the names of their modules."""

_warned: set[str] = set()


@guarded(None)
def warn_of_peers() -> None:
    """Warns of the instrumentations that are found, of each once in a process."""
    found = foreign_wrappers() - _warned
    if found:
        _warned.update(found)
        _log.warning(
            "otel_claude: %s also records the calls of the Anthropic SDK, so most backends count spans and tokens"
            " twice, or, where it marks its calls, nothing is recorded here. Switch one of them off, for example with"
            " OTEL_PYTHON_DISABLED_INSTRUMENTATIONS",
            " and ".join(sorted(found)),
        )


def foreign_wrappers() -> set[str]:
    """The packages that have wrapped one of the SDK's methods, as their modules are called."""
    found: set[str] = set()
    for module_name, class_name, method in PLACES:
        cls: type[Any] | None = getattr(sys.modules.get(module_name), class_name, None)
        if cls is not None:
            found.update(_wrappers(vars(cls).get(method)))
    return found


def _wrappers(function: Any) -> set[str]:
    """The modules of all that is wrapped around a method of the SDK, which wraps some of them itself."""
    found: set[str] = set()
    depth = 0
    while function is not None and depth < MOST_WRAPPERS:
        inner = getattr(function, "__wrapped__", None)
        wrapper = getattr(function, "_self_wrapper", None)
        module = _module_of(wrapper if wrapper is not None else function)
        if inner is not None and module is not None and _records(module):
            found.add(module)
        function, depth = inner, depth + 1
    return found


def _records(module: str) -> bool:
    """Whether a module is one of an instrumentation. Caches, retries and loggers wrap methods as well."""
    package = module.partition(".")[0]
    return package in KNOWN or ("instrument" in module and package != "otel_claude")


def _module_of(wrapper: Any) -> str | None:
    """Where a wrapper was written. `functools.wraps` gives it the name of what it wraps, but not its globals."""
    while isinstance(wrapper, functools.partial):
        wrapper = wrapper.func
    scope = getattr(getattr(wrapper, "__func__", wrapper), "__globals__", None)
    return text(scope.get("__name__") if is_object(scope) else wrapper.__class__.__module__)
