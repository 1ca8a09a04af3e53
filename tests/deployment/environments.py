"""The environments of the deployments: which packages each has, in the versions of `constraints/`.

Those of the project's own `constraints.txt` hold as well, but where an environment is to have others.
"""

import hashlib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from venvs import PROJECT, TIMEOUT_S, commands_of

CONSTRAINTS = Path(__file__).with_name("constraints")
SDK = "anthropic==2.12.0"
NEEDED = (SDK, "opentelemetry-distro", "opentelemetry-exporter-otlp-proto-http")
PACKAGES: dict[str, Sequence[str]] = {
    "web": ("gunicorn", "uvicorn", "gevent", *NEEDED),
    "celery": ("celery[redis]", *NEEDED),
    "lambda": ("awslambdaric", "opentelemetry-instrumentation-aws-lambda", *NEEDED),
    "kubernetes": (SDK, "gunicorn", "uvicorn"),
    "pools": NEEDED,
    "scripts": ("nbclient", "ipykernel", *NEEDED),
}


def commands(name: str, *, ours: bool = True) -> Path:
    """The folder with the commands of an environment, which is made where it is not there.

    Raises:
        subprocess.SubprocessError: it cannot be installed.
    """
    own = "" if ours else "-without"
    return commands_of(f"deployment-{name}{own}", PACKAGES[name], pins(name), ours=ours)


def pins(name: str) -> str:
    """The versions of an environment, as pip takes them: its own, and the project's of all other packages."""
    own = CONSTRAINTS / f"{name}.txt"
    return "\n".join((_by_package(PROJECT / "constraints.txt") | (_by_package(own) if own.exists() else {})).values())


def folder(name: str, wanted: Sequence[str]) -> Path:
    """A folder with packages beside each other, as `pip install --target` leaves them, made where it is not there.

    Raises:
        subprocess.SubprocessError: it cannot be installed.
    """
    versions = pins(name)
    key = hashlib.sha256("\n".join([*wanted, versions]).encode()).hexdigest()[:8]
    home = PROJECT / ".venvs" / f"deployment-{name}-{key}"
    packages, done = home / "packages", home / "complete"
    if not done.exists():
        home.mkdir(parents=True, exist_ok=True)
        install(packages, versions, wanted)
        done.touch()
    return packages


def install(packages: Path, versions: str, wanted: Sequence[str]) -> None:
    """Installs packages into a folder that is not there yet, in one go. `versions` are written beside it.

    Raises:
        subprocess.SubprocessError: they cannot be installed.
    """
    constraints = packages.with_name("constraints.txt")
    constraints.write_text(versions, "utf-8")
    pip = (sys.executable, "-m", "pip", "install", "--no-compile", "--quiet", "--disable-pip-version-check")
    subprocess.run(  # pip
        (*pip, "--target", str(packages), "--constraint", str(constraints), *wanted),
        check=True,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )


def _by_package(path: Path) -> dict[str, str]:
    lines = path.read_text("utf-8").splitlines()
    return {line.partition("==")[0].lower().replace("_", "-"): line for line in lines if "==" in line}
