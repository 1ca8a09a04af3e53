"""How many traces are recorded.

In: variables. Out: a check, and the share for a sentence. https://opentelemetry.io/docs/languages/sdk-configuration/general/#otel_traces_sampler
"""

from collections.abc import Iterator, Sequence
from importlib.metadata import entry_points
from typing import NamedTuple

from otel_claude.doctor.check import Check
from otel_claude.doctor.variables import Variables

SAMPLER, SHARE = "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"
DEFAULT, RATIO = "parentbased_always_on", "traceidratio"
BASES = ("always_on", "always_off", RATIO)
OWN = frozenset(f"{before}{base}" for before in ("", "parentbased_") for base in BASES)
"""The samplers of the SDK itself, which takes them in capitals as well."""


class Sampler(NamedTuple):
    """A sampler that there is, and the share of traces that it has recorded, of those that no caller has decided on."""

    name: str
    share: float

    @property
    def is_of_callers(self) -> bool:
        """Whether a caller that records a trace has it recorded here as well."""
        return self.name.startswith("parentbased_")

    @property
    def shown(self) -> str:
        """The share for people."""
        return f"{self.share * 100:.4g}%"


def sampler_checks(variables: Variables) -> Iterator[Check]:
    """How many traces are recorded."""
    name = variables.read(SAMPLER)
    if name is None:
        yield Check("ok", "sampler", f"{DEFAULT}, the default: all traces but those that a caller leaves out")
        return
    sampler = sampler_of(variables)
    if sampler is None:
        yield Check(
            "problem",
            "sampler",
            f"{SAMPLER} is {name!r}; accepted: {', '.join(_known())}. The default is used",
            f"correct {SAMPLER}, or unset it",
        )
    elif sampler.name.endswith(RATIO):
        yield _share_check(sampler, variables.read(SHARE))
    elif sampler.share == 0:
        yield _nothing(f"{SAMPLER}={sampler.name}", f"unset {SAMPLER}")
    else:
        yield Check("ok", "sampler", f"{sampler.name} ({SAMPLER})")


def sampler_of(variables: Variables) -> Sampler | None:
    """The sampler of the environment, if there is one of that name. Where no share can be read, the SDK records all."""
    name = variables.read(SAMPLER) or DEFAULT
    if name not in _known():
        # What is no entry point, the SDK looks for once more.
        name = name.lower()
        if name not in OWN:
            return None
    if name.endswith(RATIO):
        share = _read(variables.read(SHARE))
        return Sampler(name, 1.0 if share is None else share)
    return Sampler(name, 0.0 if name.endswith("always_off") else 1.0)


def _known() -> Sequence[str]:
    return sorted(each.name for each in entry_points(group="opentelemetry_traces_sampler"))


def _read(share: str | None) -> float | None:
    try:
        number = float(share or "")
    except ValueError:
        return None
    return number if 0 <= number <= 1 else None


def _share_check(sampler: Sampler, share: str | None) -> Check:
    if _read(share) is None:
        return Check(
            "problem",
            "sampler",
            f"{SHARE} is {share!r}; accepted: a number from 0 to 1. All traces are recorded",
            f"{SHARE}=0.1, for one trace of ten",
        )
    if sampler.share == 0:
        return _nothing(f"{SAMPLER}={sampler.name} with {SHARE}={share}", f"{SHARE}=0.1, for one trace of ten")
    return Check(
        "note" if sampler.share < 1 else "ok",
        "sampler",
        f"{sampler.name} records {sampler.shown} of traces; metrics still count all calls",
    )


def _nothing(by: str, mend: str) -> Check:
    return Check("problem", "sampler", f"{by}: no trace is begun here, only metrics tell of calls", mend)
