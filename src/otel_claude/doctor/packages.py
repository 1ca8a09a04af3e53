"""What is installed, and whether its versions are those that are supported.

In: the metadata of packages, and variables. Out: checks.
"""

import platform
import re
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, entry_points, version
from pathlib import Path
from shutil import which

from packaging.requirements import Requirement

from otel_claude.agent_sdk.instrumentor import SUPPORTED as SUPPORTED_AGENT_SDK
from otel_claude.doctor.check import Check
from otel_claude.doctor.remedies import CONFIGURATORS, EXPORTERS, lacking
from otel_claude.doctor.signals import SIGNALS, listed
from otel_claude.doctor.variables import Variables, is_instrumented
from otel_claude.instrumentor import SUPPORTED
from otel_claude.version import __version__
from otel_claude_command import fitting, misfits

OPENTELEMETRY = ("opentelemetry-api", "opentelemetry-sdk", "opentelemetry-instrumentation")

INSTRUMENT = "opentelemetry-instrument"
MOST_READ = 1_000
SHEBANG = re.compile(
    r"#!\s*(?:/usr/bin/env (?P<name>\S+)|/bin/sh\n'{3}exec' \"?(?P<long>[^\"\n]+?)\"? \"|(?P<path>\S*/py\S+))"
)
"""How a script begins: pip has a second way, for paths that are too long."""


def version_of(package: str) -> str | None:
    """The version of an installed package."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def is_installed(package: str) -> bool:
    """Whether a package is installed."""
    return version_of(package) is not None


def package_checks(variables: Variables) -> Iterator[Check]:
    """The versions of all that takes part."""
    yield Check("ok", "Python", platform.python_version())
    yield Check("ok", "otel-claude", __version__)
    yield from _sdk_checks()
    yield from _requirement_checks()
    yield _distro_check(variables)
    yield from _command_checks()
    exporters = {
        found.dist.name for signal in SIGNALS for found in entry_points(group=signal.group) if found.dist is not None
    }
    exporters -= set(OPENTELEMETRY)
    if exporters:
        yield Check("ok", "exporters", _versions(sorted(exporters)))
    else:
        yield Check("note", "exporters", "none is installed but the one that prints", f"pip install {EXPORTERS}")


def _command_checks() -> Iterator[Check]:
    """What is tried here is what this Python has. Another one has other packages."""
    if is_instrumented():
        return
    found = which(INSTRUMENT)
    interpreter = None if found is None else _interpreter(Path(found))
    own = Path(sysconfig.get_path("scripts")) / INSTRUMENT
    if found is None:
        says = f"{INSTRUMENT} is not on the PATH; that of this Python ({sys.executable}) is what is looked at"
        yield Check("note", "command", says, f"start the program with {own}, or put that on the PATH")
    elif interpreter is not None and _folder(interpreter) != _folder(sys.executable):
        says = (
            f"the {INSTRUMENT} that is on the PATH ({found}) is one of {interpreter}, and what is looked at is"
            f" {sys.executable}"
        )
        yield Check("note", "command", says, f"start the program with {own}, or run this command by {interpreter}")


def _interpreter(command: Path) -> str | None:
    """The Python that a script is run by, where that can be seen."""
    found = SHEBANG.match(command.read_text("utf-8", "replace")[:MOST_READ])
    if found is None:
        return None
    return which(found["name"]) if found["name"] else found["path"] or found["long"]


def _folder(interpreter: str) -> Path:
    # The file itself is a link in environments that share one.
    return Path(interpreter).parent.resolve()


def _versions(packages: Iterable[str]) -> str:
    return ", ".join(f"{package} {version_of(package) or 'not installed'}" for package in packages)


def _sdk_checks() -> Iterator[Check]:
    requirements = [Requirement(each) for each in (*SUPPORTED, *SUPPORTED_AGENT_SDK)]
    installed = {each.name: version_of(each.name) for each in requirements}
    for requirement in requirements:
        found = installed[requirement.name]
        supported = f"supported: {requirement.name} {_range(requirement)}"
        if found is None:
            is_alone = not any(installed.values())
            yield Check(
                "problem" if is_alone else "ok",
                requirement.name,
                "not installed, nor the other SDK, so there is nothing to record" if is_alone else "not installed",
                f"pip install {requirement.name}" if is_alone else "",
            )
        elif requirement.specifier.contains(found, prereleases=True):
            yield Check("ok", requirement.name, f"{found} ({supported})")
        else:
            yield Check(
                "problem",
                requirement.name,
                f"{found}, so its calls are not recorded ({supported})",
                f"pip install '{requirement.name}{requirement.specifier}', or a newer otel-claude",
            )


def _range(requirement: Requirement) -> str:
    return ", ".join(sorted((str(each) for each in requirement.specifier), reverse=True))


def _requirement_checks() -> Iterator[Check]:
    """Whether what we need ourselves is there in versions that we know, which nobody sees to after installation."""
    wrong = misfits()
    if wrong:
        is_family = any(each.name in OPENTELEMETRY for each in wrong)
        says = f"{'; '.join(each.shown for each in wrong)}: with others, calls may not be recorded, or not as they were"
        name = "OpenTelemetry" if is_family else listed([each.name for each in wrong])
        yield Check("problem", name, says, fitting(wrong))
    if not any(each.name in OPENTELEMETRY for each in wrong):
        yield Check("ok", "OpenTelemetry", _versions(OPENTELEMETRY))


def _distro_check(variables: Variables) -> Check:
    """Without a configurator nobody makes providers: `opentelemetry-instrument` instruments, and exports nothing."""
    found = [each for each in entry_points(group=CONFIGURATORS) if each.dist is not None]
    if not found:
        return Check(
            "problem",
            "distro",
            "none is installed, so opentelemetry-instrument exports nothing, whatever the variables say",
            f"pip install {' '.join(lacking(variables))}; a program that sets up its own providers needs none",
        )
    names = sorted({each.dist.name for each in found if each.dist is not None})
    if len(names) > 1:
        return Check(
            "note",
            "distro",
            f"{_versions(names)}: only one of them is used",
            "set OTEL_PYTHON_DISTRO and OTEL_PYTHON_CONFIGURATOR to the one that is meant, or uninstall the others",
        )
    return Check("ok", "distro", _versions(names))
