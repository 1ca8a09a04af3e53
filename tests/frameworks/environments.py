"""The environments: one for each framework."""

import sys
from collections.abc import Iterable
from pathlib import Path

from table import Framework

# The tests are no package.
sys.path.append(str(Path(__file__).parents[1]))

from venvs import commands_of

CONSTRAINTS = Path(__file__).with_name("constraints.txt")
NEEDED = ("opentelemetry-distro", "opentelemetry-exporter-otlp-proto-http")


def environment(framework: Framework) -> Path:
    """The folder with the commands of its environment, which is made where there is none of these versions.

    Raises:
        subprocess.SubprocessError: it cannot be installed.
    """
    wanted = (f"anthropic=={framework.anthropic}", *framework.requirements, *NEEDED)
    pins = _by_package(CONSTRAINTS.read_text("utf-8").splitlines()) | _by_package(framework.instead)
    return commands_of(f"framework-{framework.name}", wanted, "\n".join(pins.values()))


def _by_package(pins: Iterable[str]) -> dict[str, str]:
    return {pin.partition("==")[0]: pin for pin in pins if not pin.startswith("#")}
