"""How many traces are recorded.

In: variables. Out: a check. https://opentelemetry.io/docs/languages/sdk-configuration/general/#otel_traces_sampler
"""

from collections.abc import Iterator
from importlib.metadata import entry_points

from otel_claude.doctor.check import Check
from otel_claude.doctor.variables import Variables

SAMPLER, SHARE = "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"
BASES = ("always_on", "always_off", "traceidratio")
OWN = frozenset(f"{before}{base}" for before in ("", "parentbased_") for base in BASES)
"""The samplers of the SDK itself, which takes them in capitals as well."""


def sampler_checks(variables: Variables) -> Iterator[Check]:
    """How many traces are recorded."""
    name = variables.read(SAMPLER)
    if name is None:
        yield Check(
            "ok", "sampler", "parentbased_always_on, the default: all traces but those that a caller leaves out"
        )
        return
    known = sorted(each.name for each in entry_points(group="opentelemetry_traces_sampler"))
    if name not in known and name.lower() in OWN:
        # What is no entry point, the SDK looks for once more.
        name = name.lower()
    elif name not in known:
        yield Check(
            "problem",
            "sampler",
            f"{SAMPLER} is {name!r}; accepted: {', '.join(known)}. The default is used",
            f"correct {SAMPLER}, or unset it",
        )
        return
    if name.endswith("always_off"):
        yield Check(
            "problem",
            "sampler",
            f"{SAMPLER}={name}: no trace is begun here, only metrics tell of calls",
            f"unset {SAMPLER}",
        )
    elif name.endswith("traceidratio"):
        yield _share_check(name, variables.read(SHARE))
    else:
        yield Check("ok", "sampler", f"{name} ({SAMPLER})")


def _share_check(name: str, share: str | None) -> Check:
    try:
        number = float(share or "")
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        return Check(
            "problem",
            "sampler",
            f"{SHARE} is {share!r}; accepted: a number from 0 to 1. All traces are recorded",
            f"{SHARE}=0.1, for one trace of ten",
        )
    return Check(
        "note" if number < 1 else "ok",
        "sampler",
        f"{name} records {number:.4%} of traces; metrics still count all calls".replace(".0000%", "%"),
    )
