"""Whether `opentelemetry-instrument` does what it should: in this process, or else in another one that it starts.

In: variables, and what there is in that process. Out: checks.
"""

from collections.abc import Iterator, Sequence
from subprocess import TimeoutExpired

from otel_claude.doctor.answers import short
from otel_claude.doctor.check import Check
from otel_claude.doctor.deadline import Work
from otel_claude.doctor.exporters import chosen
from otel_claude.doctor.instrumentations import EVERYTHING, OURS, disabled
from otel_claude.doctor.packages import is_installed
from otel_claude.doctor.replaced import replaced_checks
from otel_claude.doctor.sdk import config_file
from otel_claude.doctor.setups import START_S, Setup, Tried, setup_here
from otel_claude.doctor.signals import SIGNALS, Signal, listed
from otel_claude.doctor.variables import Variables

NAME = "this process"
COMMAND = "`opentelemetry-instrument python -c pass`"
OTHERS = "mend the other problems that are named here"
IN_USE = ("Address already in use", "Only one usage of each socket address")
"""What Unix and Windows say of a port at which somebody else listens."""


def process_checks(variables: Variables, trial: Work[Tried] | None) -> Iterator[Check]:
    """What was set up in this process, or, where there is a `trial`, what that has found in another one."""
    if trial is None:
        yield from _checks(
            variables,
            Tried(setup_here()),
            "was started by opentelemetry-instrument, which",
            f"{OTHERS}; what opentelemetry-instrument has printed tells more",
        )
        return
    before = "was not started by opentelemetry-instrument"
    try:
        tried = trial.result()
    except (OSError, TimeoutExpired) as error:
        is_late = isinstance(error, (TimeoutError, TimeoutExpired))
        why = f"has not started within {START_S:g} s" if is_late else "cannot be started"
        says = f"{before}, and another one, to see what that sets up, {why} ({type(error).__name__})"
        yield Check("problem" if is_late else "note", NAME, says, f"look at what {COMMAND} does here")
        return
    yield from replaced_checks(variables, tried.printed)
    yield from _checks(
        variables,
        tried,
        f"{before}; another one was, to see what comes of it, and",
        f"{'correct what is named' if tried.error else OTHERS}; {COMMAND} prints all of it",
    )


def _checks(variables: Variables, tried: Tried, who: str, mend: str) -> Iterator[Check]:
    setup = tried.setup
    because = f": {short(tried.error)}" if tried.error else ""
    if setup is None:
        yield Check("problem", NAME, f"{who} does not come to running a program{because}", mend)
        return
    off = disabled(variables)
    wanted = [] if EVERYTHING in off else [name for name in OURS if name not in off and is_installed(OURS[name])]
    without = [OURS[name] for name in wanted if name not in setup.switched_on]
    lacking = [
        *([f"set up no provider of {listed(missing)}"] if (missing := _missing(variables, setup)) else ()),
        *(
            [f"instrumented neither of {listed(without)}" if len(without) > 1 else f"not instrumented {without[0]}"]
            if without
            else ()
        ),
    ]
    if any(text in tried.error for text in IN_USE):
        says = f"{who} has not set up all{because}"
        yield Check(
            "note", NAME, says, "if the program runs here now, it is what has the port; if not, change the port"
        )
    elif lacking or tried.gave_up:
        yield Check("problem", NAME, f"{who} has {', and '.join(lacking) or 'given up'}{because}", mend)
    else:
        done = (
            f"has set up providers, and instrumented {listed([OURS[name] for name in wanted])}"
            if wanted
            else "has set up providers"
        )
        yield Check("ok", NAME, f"{who} {done}")


def _missing(variables: Variables, setup: Setup) -> Sequence[str]:
    """The signals that are to be exported, and have no provider."""
    missing: list[Signal] = [signal for signal in SIGNALS if signal.name not in setup.signals]
    if len(missing) < len(SIGNALS):
        missing = [] if config_file(variables) else [each for each in missing if chosen(variables, each)]
    return [signal.carries for signal in missing]
