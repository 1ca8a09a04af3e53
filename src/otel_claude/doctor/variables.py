"""The environment as `opentelemetry-instrument` has it: with the defaults of the distro.

In: the environment of the process, and the distros that are installed. Out: variables, and who has set each.
"""

import os
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from importlib.metadata import entry_points
from typing import NamedTuple

from otel_claude.doctor.signals import OTLP, Signal

DISTRO, DISTROS = "OTEL_PYTHON_DISTRO", "opentelemetry_distro"
"""The variable that names a distro, and the group of entry points that distros are in."""


class Variables(NamedTuple):
    """The values of variables. Those in `by_distro` come from the distro, and the user has not set them."""

    values: Mapping[str, str]
    by_distro: frozenset[str] = frozenset()
    failed_distro: str | None = None
    """The class of the exception that the distro has raised."""

    def read(self, name: str) -> str | None:
        """The value of a variable. An empty one is none."""
        return self.values.get(name, "").strip() or None

    def of_signal(self, signal: Signal, what: str) -> tuple[str, str] | None:
        """The variable of OTLP that counts for a signal, with its value: its own, or else the one for all of them."""
        for name in (signal.own(what), f"{OTLP}{what}"):
            if (value := self.read(name)) is not None:
                return name, value
        return None

    def name_of(self, signal: Signal, what: str) -> str:
        """The variable of OTLP that counts for a signal; where none is set, the one for all of them."""
        return (self.of_signal(signal, what) or (f"{OTLP}{what}", ""))[0]

    def shown(self, name: str) -> str:
        """A variable with its value, and who has set it. Not for what may be confidential."""
        return f"{name}={self.read(name) or ''}{', set by the distro' if name in self.by_distro else ''}"


def is_instrumented() -> bool:
    """Whether this process was started by `opentelemetry-instrument`, or by what injects the same."""
    return "opentelemetry.instrumentation.auto_instrumentation" in sys.modules


@contextmanager
def variables() -> Generator[Variables]:
    """The variables as they are set up before exporters are made, for as long as it is entered."""
    before = dict(os.environ)
    failed = None
    try:
        if not is_instrumented():
            try:
                _configure_by_distro()
            except Exception as error:
                failed = type(error).__name__
        after = dict(os.environ)
        yield Variables(after, frozenset(name for name in after if name not in before), failed)
    finally:
        os.environ.clear()
        os.environ.update(before)


def _configure_by_distro() -> None:
    """As `opentelemetry.instrumentation.auto_instrumentation` does it: the first distro, or the one that is named."""
    wanted = os.environ.get(DISTRO)
    for found in entry_points(group=DISTROS):
        if wanted in (None, found.name):
            found.load()().configure()
            return
