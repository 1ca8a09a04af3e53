"""Values of variables that OpenTelemetry does not accept, and quietly replaces by its defaults.

In: variables, and what a process has printed that was set up by them. Out: checks. Pure.
"""

import re
from collections.abc import Iterator, Mapping

from otel_claude.doctor.check import Check
from otel_claude.doctor.signals import SIGNALS
from otel_claude.doctor.variables import Variables

NAMED = re.compile(r"Unable to parse value for (OTEL_\w+) as")
"""How the SDK names most of them."""

OTHERS: Mapping[str, str] = {
    "Found invalid value for export interval": "OTEL_METRIC_EXPORT_INTERVAL",
    "Found invalid value for export timeout": "OTEL_METRIC_EXPORT_TIMEOUT",
}
"""What it prints of others."""

COMPRESSION = "Unsupported compression type"
COMPRESSIONS = ("none", "gzip", "deflate")


def replaced_checks(variables: Variables, printed: str) -> Iterator[Check]:
    """The variables whose values do not count."""
    names = [*NAMED.findall(printed), *(name for text, name in OTHERS.items() if text in printed)]
    if COMPRESSION in printed:
        found = [given for signal in SIGNALS if (given := variables.of_signal(signal, "COMPRESSION"))]
        names += [name for name, value in found if value.lower() not in COMPRESSIONS]
    for name in dict.fromkeys(names):
        says = f"{name} is {variables.read(name) or ''!r}, which OpenTelemetry does not accept; its default is used"
        yield Check("problem", "value", says, f"correct {name}, or unset it")
