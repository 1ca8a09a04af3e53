"""The OpenTelemetry Collector, built from Debian's packages of Go libraries, and kept in `.venvs`.

No package has the Collector as a program, and Debian 12 none of its libraries. Those of *sid*, Debian's newest suite,
are downloaded into a temporary folder, the compiler with them, and unpacked there: nothing is installed, and what apt
knows of this system stays as it is. Sid is had from where apt gets the system's own suite from.

`constraints/collector.txt` has the packages. Sid keeps one version of each, so only that of the Collector is pinned;
a compiler's package has its version in its name. When sid goes on, what was built stays.
"""

import hashlib
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from platform import freedesktop_os_release

from venvs import PROJECT

SUITE = "sid"
PACKAGES = Path(__file__).parent / "constraints" / "collector.txt"
PROGRAM = Path(__file__).with_name("collector_main.go")
VERSION = re.compile(r"^golang-opentelemetry-collector-dev=(?P<version>.+)-.+$", re.MULTILINE)
"""The Collector's own, before what Debian adds to it."""
KEYS = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
"""Debian signs its suites with these."""
TIMEOUT_S = 900


class NotAvailable(Exception):
    """It cannot be built from what there is. The message says why."""


def commands() -> Path:
    """The folder with the command `otelcol`, which is built where it is not there.

    Raises:
        NotAvailable: it cannot be built.
    """
    packages = PACKAGES.read_text("utf-8")
    key = hashlib.sha256((packages + PROGRAM.read_text("utf-8")).encode()).hexdigest()[:8]
    program = PROJECT / ".venvs" / f"backend-collector-{key}" / "bin" / "otelcol"
    if not program.exists():
        with tempfile.TemporaryDirectory() as scratch:
            try:
                _build(_unpacked(packages.split(), Path(scratch)), _version(packages), program)
            except (OSError, subprocess.SubprocessError) as error:
                said = (getattr(error, "stderr", None) or str(error)).strip()
                raise NotAvailable(f"it cannot be built from Debian {SUITE}: {said.splitlines()[-1]}") from error
    return program.parent


def _version(packages: str) -> str:
    (version,) = VERSION.findall(packages)
    return version


def _unpacked(packages: Sequence[str], scratch: Path) -> Path:
    """The root of a tree with the files of `packages`."""
    downloads, root = scratch / "downloads", scratch / "root"
    for folder in (downloads, root, scratch / "lists" / "partial"):
        folder.mkdir(parents=True)
    sources = scratch / "sources.list"
    sources.write_text("".join(_sources()), "utf-8")
    settings = {
        "Dir::Etc::SourceList": sources,
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::Etc::Preferences": "/dev/null",
        "Dir::Etc::PreferencesParts": "/dev/null",
        "Dir::State::Lists": scratch / "lists",
        "Dir::State::Status": "/dev/null",
        "Dir::Cache": scratch,
        # The user that apt changes to has no access to a temporary folder.
        "APT::Sandbox::User": "root",
    }
    apt = ("apt-get", "--quiet=2", *(f"--option={name}={value}" for name, value in settings.items()))
    _output(*apt, "--error-on=any", "update")
    _output(*apt, "download", *packages, cwd=downloads)
    for package in downloads.iterdir():
        _output("dpkg-deb", "--extract", str(package), str(root))
    return root


def _sources() -> Iterator[str]:
    """Lines for apt that have sid, of where the system's own suite comes from."""
    own = freedesktop_os_release().get("VERSION_CODENAME")
    places = _output("apt-get", "indextargets", "--format=$(RELEASE) $(COMPONENT) $(REPO_URI)", "Created-By: Packages")
    for place in dict.fromkeys(places.splitlines()):
        suite, component, address = place.split()
        if (suite, component) == (own, "main"):
            yield f"deb [signed-by={KEYS}] {address} {SUITE} main\n"


def _build(root: Path, version: str, program: Path) -> None:
    (compiler,) = (root / "usr" / "lib").glob("go-*")
    (root / "cache").mkdir()
    environment = {
        "GOROOT": str(compiler),
        "GOPATH": str(root / "usr" / "share" / "gocode"),
        # It writes what it counts of itself there.
        "HOME": str(root),
        "GOCACHE": str(root / "cache"),
        "GO111MODULE": "off",
        "GOPROXY": "off",
        "GOTOOLCHAIN": "local",
        "CGO_ENABLED": "0",
    }
    program.parent.mkdir(parents=True, exist_ok=True)
    whole = program.with_suffix(".new")
    flags = f"-s -w -X main.version={version}"
    command = (compiler / "bin" / "go", "build", "-trimpath", f"-ldflags={flags}", f"-o={whole}", PROGRAM)
    _output(*command, cwd=root, environment=environment)
    whole.replace(program)


def _output(*command: str | Path, cwd: Path | None = None, environment: Mapping[str, str] | None = None) -> str:
    return subprocess.run(  # apt, dpkg and Go
        command,
        check=True,
        capture_output=True,
        encoding="utf-8",
        cwd=cwd,
        timeout=TIMEOUT_S,
        env={**os.environ, "LC_ALL": "C", **(environment or {})},
    ).stdout
