"""Our instrumentation among the others: whether it is switched off, and what else records the same calls.

In: variables, what is installed, and what has wrapped the SDK in this process. Out: checks.
"""

from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from opentelemetry.instrumentation.dependencies import get_dist_dependency_conflicts  # pyright: ignore[reportMissingTypeStubs]  # typed in part

from otel_claude.anthropic.native_spans import SWITCH, UnknownTracing, native_tracer
from otel_claude.anthropic.peers import KNOWN, foreign_wrappers
from otel_claude.doctor.check import Check
from otel_claude.doctor.packages import is_installed
from otel_claude.doctor.variables import Variables
from otel_claude.span_cap.installation import DISABLED

GROUP = "opentelemetry_instrumentor"
OURS = {"claude_anthropic": "anthropic", "claude_agent_sdk": "claude-agent-sdk"}
"""Our entry points, and the package that each is for."""

CAP = "claude_span_cap"
EVERYTHING = "*"

DISTRIBUTIONS = {"elasticapm": "elastic-apm", "traceloop": "traceloop-sdk"}
"""Packages that are installed under another name than they are imported by."""

NATIVE_SPANS = {
    "replace": "they give way to ours",
    "enrich": "they stay, and get our attributes; a call has no other span",
    "keep": "they stay as they are, with neither tokens nor cost of ours; metrics and events are ours",
}


def disabled(variables: Variables) -> set[str]:
    """The instrumentations that are not to be switched on."""
    return {name.strip() for name in (variables.read(DISABLED) or "").split(",")} - {""}


def switch_checks(variables: Variables) -> Iterator[Check]:
    """Whether our instrumentation is switched off."""
    off = disabled(variables)
    if EVERYTHING in off:
        yield Check("problem", "switch", f"{DISABLED}=* switches everything off", f"unset {DISABLED}")
        return
    for name, package in OURS.items():
        if name in off and is_installed(package):
            yield Check(
                "problem",
                "switch",
                f"{DISABLED} has {name}, so calls of {package} are not recorded",
                f"take {name} out of it",
            )
    if CAP in off:
        yield Check("note", "switch", f"{DISABLED} has {CAP}, so traces have no cap", f"take {CAP} out of it")


def native_span_checks(variables: Variables, mode: str) -> Iterator[Check]:
    """What becomes of the spans that the SDK itself makes from 1.14 on."""
    if not is_installed("anthropic"):
        return
    name = "spans of the SDK"
    try:
        tracer = native_tracer(import_module("anthropic._base_client").BaseClient)
    except UnknownTracing:
        yield Check(
            "problem",
            name,
            f"this version makes them in a place that is not known, so they are switched off by {SWITCH}=false",
            "look for a newer otel-claude",
        )
        return
    if tracer is None:
        yield Check("ok", name, "this version makes none; those of calls are ours")
    elif (variables.read(SWITCH) or "").lower() == "false":
        yield Check("ok", name, f"are switched off by {SWITCH}=false; those of calls are ours")
    else:
        yield Check("ok", name, f"this version makes them; with native_spans={mode} {NATIVE_SPANS[mode]}")


def other_checks(variables: Variables) -> Iterator[Check]:
    """What else records the same calls."""
    off = disabled(variables)
    others = [each for each in entry_points(group=GROUP) if _is_of_claude(each)]
    recording = [each for each in others if not off & {each.name, EVERYTHING} and _would_load(each)]
    for each in recording:
        yield Check(
            "problem",
            "others",
            f"{_package(each)} also records the calls, so spans, tokens and cost count twice in most backends",
            f"{DISABLED}={','.join(sorted(off | {each.name}))}, or pip uninstall {_package(each)}",
        )
    known = {each.value.partition(":")[0] for each in others}
    wrapped = {each for each in foreign_wrappers() if not each.startswith(tuple(known))}
    for module in sorted(wrapped):
        yield Check("problem", "others", f"{module} has wrapped the SDK in this process", "switch one of the two off")
    if not recording and not wrapped:
        yield Check("ok", "others", "nothing else that is installed as an instrumentation records calls of Claude")
    told = {_package(each) for each in others} | {module.partition(".")[0] for module in wrapped}
    for name in sorted(KNOWN):
        package = DISTRIBUTIONS.get(name, name.replace("_", "-"))
        if is_installed(package) and not told & {name, package}:
            says = f"{package} is installed, and records calls of Claude as well if it is switched on in code for that"
            yield Check("note", "others", says, "if it is, have only one of the two record them")
    yield from _http_check(off)


def _is_of_claude(found: EntryPoint) -> bool:
    words = f"{found.name} {found.value}".lower()
    return found.name not in OURS and ("anthropic" in words or "claude" in words)


def _would_load(found: EntryPoint) -> bool:
    """Whether the versions that it needs are installed."""
    dist: Any = found.dist
    return dist is None or get_dist_dependency_conflicts(dist) is None


def _package(found: EntryPoint) -> str:
    return found.value.partition(":")[0] if found.dist is None else found.dist.name


def _http_check(off: set[str]) -> Iterator[Check]:
    if not is_installed("anthropic"):
        return
    library = "httpx2" if hasattr(import_module("anthropic._base_client"), "httpx2") else "httpx"
    found = list(entry_points(group=GROUP, name=library))
    if found and not off & {library, EVERYTHING} and _would_load(found[0]):
        yield Check(
            "note",
            "HTTP client",
            f"{_package(found[0])} gives each request a span of its own, inside of the call's",
            f"if they are not wanted, {DISABLED}={','.join(sorted(off | {library}))}",
        )
