"""What the command `otel-claude` starts with, outside of the package.

In: arguments. Out: text, and an exit status. The package imports OpenTelemetry, and that cannot be imported in versions
that are too old, nor with some values of its own variables. The command then tells so, as the doctor tells a problem.
"""

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, distributions, requires, version
from typing import NamedTuple

PROPAGATORS = "OTEL_PROPAGATORS"
PACKAGES: Mapping[str, str] = {
    "b3": "opentelemetry-propagator-b3",
    "b3multi": "opentelemetry-propagator-b3",
    "jaeger": "opentelemetry-propagator-jaeger",
    "ottrace": "opentelemetry-propagator-ot-trace",
    "xray": "opentelemetry-propagator-aws-xray",
}
"""What brings the propagators that OpenTelemetry's specification names, but for its own two.

https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#general-sdk-configuration
"""

OURS = "otel-claude"
FAMILY = "opentelemetry-"
"""What the packages begin with that are released together, most of which need each other in one version."""

WRONG = 1


class Misfit(NamedTuple):
    """A package that is installed in another version than we need, or, where that is `None`, not at all."""

    name: str
    needed: str
    installed: str | None

    @property
    def shown(self) -> str:
        """It for people."""
        return f"{self.name} is {self.installed or 'not installed'}, and {self.needed} is needed"


def main() -> int:
    """Runs the command of the package. The exit status."""
    try:
        from otel_claude.commands import main as run
    except Exception as error:  # OpenTelemetry raises more than ImportError
        is_json = "json" in sys.argv or "--format=json" in sys.argv
        sys.stdout.write(told(f"{type(error).__name__}: {error}", os.environ, is_json=is_json))
        return WRONG
    return run()


def misfits() -> Sequence[Misfit]:
    """The packages that are not as the metadata of otel-claude ask for them."""
    try:
        # It comes with OpenTelemetry, of which anything may be missing here.
        from packaging.requirements import Requirement
        from packaging.version import InvalidVersion

        needed = [Requirement(each) for each in requires(OURS) or ()]
    except (ImportError, PackageNotFoundError):
        return ()
    found: list[Misfit] = []
    for each in needed:
        if each.marker is not None and not each.marker.evaluate({"extra": ""}):
            continue
        installed, fits = None, False
        try:
            installed = version(each.name)
            fits = each.specifier.contains(installed, prereleases=True)
        except (PackageNotFoundError, InvalidVersion):  # some versions of packaging raise the latter
            pass
        if not fits:
            found.append(Misfit(each.name, ",".join(sorted(map(str, each.specifier), reverse=True)), installed))
    return found


def fitting(wrong: Sequence[Misfit]) -> str:
    """The command that installs what fits. All of OpenTelemetry is moved at once, as its packages need each other."""
    named = {each.name for each in wrong}
    family = sorted({*_family()} - named) if any(name.startswith(FAMILY) for name in named) else ()
    return " ".join(("pip install --upgrade", *(f"'{each.name}{each.needed}'" for each in wrong), *family))


def _family() -> Iterator[str]:
    # What was half removed has no name.
    names = (str(each.metadata["Name"]) for each in distributions())
    return (name for name in names if name.startswith(FAMILY))


def told(error: str, environ: Mapping[str, str], *, is_json: bool) -> str:
    """What is said of an exception that an import has raised, for people or as JSON."""
    wrong = misfits()
    because = "".join(f"; {each.shown}" for each in wrong)
    says = f"cannot be imported here, so no program that uses it records anything ({error}){because}"
    check = {"status": "problem", "name": "OpenTelemetry", "says": says, "mend": _mend(error, environ, wrong)}
    if is_json:
        checks = [{"section": "What is installed", **check}]
        return f"{json.dumps({'problems': 1, 'notes': 0, 'checks': checks, 'settings': []}, indent=2)}\n"
    return f"What is installed\n  PROBLEM  OpenTelemetry  {says}\n  Do: {check['mend']}.\n\n1 problem, no notes.\n"


def _mend(error: str, environ: Mapping[str, str], wrong: Sequence[Misfit]) -> str:
    named = [name for name in environ if name.startswith("OTEL_") and re.search(rf"\b{re.escape(name)}\b", error)]
    of_variables = f"correct {' and '.join(named)}, or unset it" if named else ""
    if not named and (not wrong or "ropagator" in error):
        of_variables = _mend_of_propagators(environ)
    mends = [fitting(wrong) if wrong else "", of_variables]
    return "; then ".join(mend for mend in mends if mend) or "look at what `python -c 'import otel_claude'` prints here"


def _mend_of_propagators(environ: Mapping[str, str]) -> str:
    names = [name.strip() for name in environ.get(PROPAGATORS, "").split(",")]
    if not any(names):
        return ""
    packages = dict.fromkeys(PACKAGES[name] for name in names if name in PACKAGES)
    install = f"pip install {' '.join(packages)}, or " if packages else ""
    return f"{install}correct {PROPAGATORS}, whose default is tracecontext,baggage"


if __name__ == "__main__":
    sys.exit(main())
