"""OpenTelemetry's SDK as a whole: whether it is on, what configures it, and what it calls the service.

In: variables. Out: checks.
"""

import re
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

from otel_claude.doctor.attributes import ATTRIBUTES, attribute_checks
from otel_claude.doctor.check import Check
from otel_claude.doctor.packages import is_installed
from otel_claude.doctor.remedies import lacking
from otel_claude.doctor.variables import DISTRO, DISTROS, Variables

SERVICE = re.compile(r"(?:^|,)\s*service\.name\s*=\s*[^\s,]")


def is_disabled(variables: Variables) -> bool:
    """Whether OpenTelemetry's SDK is switched off as a whole."""
    return (variables.read("OTEL_SDK_DISABLED") or "").lower() == "true"


def config_file(variables: Variables) -> str | None:
    """The file of declarative configuration, in whose presence no other variable counts."""
    return variables.read("OTEL_CONFIG_FILE")


def missing_distro(variables: Variables) -> str | None:
    """The distro that a variable names, where it is not installed."""
    name = variables.values.get(DISTRO)
    return name if name is not None and not entry_points(group=DISTROS, name=name) else None


def sdk_checks(variables: Variables) -> Iterator[Check]:
    """Whether the SDK is on, and who configures it."""
    if variables.failed_distro is not None:
        says = f"the distro raises {variables.failed_distro}, so opentelemetry-instrument sets up nothing"
        yield Check("problem", "distro", says, "look at what opentelemetry-instrument prints, or uninstall that distro")
    if (name := missing_distro(variables)) is not None:
        known = ", ".join(sorted(found.name for found in entry_points(group=DISTROS))) or "none"
        says = f"{DISTRO} is {name!r}, and no installed package has a distro of that name, so none sets its defaults"
        without = {each: value for each, value in variables.values.items() if each != DISTRO}
        packages = lacking(variables._replace(values=without))
        install = f"pip install {' '.join(packages)}, and " if packages else ""
        yield Check("problem", "distro", says, f"{install}unset {DISTRO}; installed: {known}")
    if is_disabled(variables):
        yield Check(
            "problem", "OpenTelemetry", "OTEL_SDK_DISABLED=true: nothing is recorded", "unset OTEL_SDK_DISABLED"
        )
    if (path := config_file(variables)) is not None:
        says = f"OTEL_CONFIG_FILE names {path}: what is exported and where to is what the file says, and not variables"
        if not Path(path).is_file():
            yield Check("problem", "configuration", f"{says}; there is no such file", "correct the path, or unset it")
        elif not is_installed("opentelemetry-configuration"):
            yield Check("problem", "configuration", says, "pip install opentelemetry-configuration")
        else:
            yield Check("note", "configuration", f"{says}. It is not read here, and nothing is sent")
        return
    yield from attribute_checks(variables)
    if variables.read("OTEL_SERVICE_NAME") or SERVICE.search(variables.read(ATTRIBUTES) or ""):
        return
    yield Check(
        "note", "service.name", "is not set, so the service is called unknown_service", "set OTEL_SERVICE_NAME=my-app"
    )
