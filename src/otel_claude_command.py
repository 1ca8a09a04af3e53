"""What the command `otel-claude` starts with, outside of the package.

In: arguments. Out: text, and an exit status. The package imports OpenTelemetry, and that cannot be imported with some
values of its own variables. The command then tells so, as the doctor tells a problem.
"""

import json
import os
import re
import sys
from collections.abc import Mapping

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

WRONG = 1


def main() -> int:
    """Runs the command of the package. The exit status."""
    try:
        from otel_claude.commands import main as run
    except Exception as error:  # OpenTelemetry raises more than ImportError
        is_json = "json" in sys.argv or "--format=json" in sys.argv
        sys.stdout.write(told(f"{type(error).__name__}: {error}", os.environ, is_json=is_json))
        return WRONG
    return run()


def told(error: str, environ: Mapping[str, str], *, is_json: bool) -> str:
    """What is said of an exception that an import has raised, for people or as JSON."""
    says = f"cannot be imported here, so no program that uses it records anything ({error})"
    check = {"status": "problem", "name": "OpenTelemetry", "says": says, "mend": _mend(error, environ)}
    if is_json:
        checks = [{"section": "What is installed", **check}]
        return f"{json.dumps({'problems': 1, 'notes': 0, 'checks': checks, 'settings': []}, indent=2)}\n"
    return f"What is installed\n  PROBLEM  OpenTelemetry  {says}\n  Do: {check['mend']}.\n\n1 problem, no notes.\n"


def _mend(error: str, environ: Mapping[str, str]) -> str:
    named = [name for name in environ if name.startswith("OTEL_") and re.search(rf"\b{re.escape(name)}\b", error)]
    if named:
        return f"correct {' and '.join(named)}, or unset it"
    names = [name.strip() for name in environ.get(PROPAGATORS, "").split(",")]
    packages = dict.fromkeys(PACKAGES[name] for name in names if name in PACKAGES)
    if not any(names):
        return "look at what `python -c 'import otel_claude'` prints here"
    install = f"pip install {' '.join(packages)}, or " if packages else ""
    return f"{install}correct {PROPAGATORS}, whose default is tracecontext,baggage"


if __name__ == "__main__":
    sys.exit(main())
