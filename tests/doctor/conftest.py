"""An environment that says nothing of OpenTelemetry, and a way to say something in it."""

import importlib
import os
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

import pytest

from otel_claude.doctor import examination
from otel_claude.doctor.deadline import Work
from otel_claude.doctor.setups import INSTRUMENTORS, Setup, Tried
from otel_claude.doctor.signals import SIGNALS


@pytest.fixture
def really_tried() -> None:
    """Has another process started, to see what `opentelemetry-instrument` sets up."""


@pytest.fixture(autouse=True)
def set_up_well(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes it for granted that `opentelemetry-instrument` sets up everything, for to try that takes seconds."""
    if "really_tried" not in request.fixturenames:
        well = Tried(Setup([signal.name for signal in SIGNALS], [*INSTRUMENTORS]))
        monkeypatch.setattr(examination, "trying", lambda *_args, **_kwargs: nullcontext(Work(lambda: well, 60)))  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]  # as it is called


@pytest.fixture(autouse=True)
def own_commands_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has the commands of this Python found before others."""
    monkeypatch.setenv("PATH", os.pathsep.join((sysconfig.get_path("scripts"), os.environ.get("PATH", ""))))


@pytest.fixture
def set_variables(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets variables of the environment, in which there are no others that matter."""
    for name in os.environ:
        if name.startswith(("OTEL_", "ANTHROPIC_")) or name.lower().endswith(("_proxy", "_ca_bundle")):
            monkeypatch.delenv(name)

    def set_variables(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return set_variables


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Has a package look as if it were installed, by its metadata. `module` is the text of a module of its name."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])

    def install(name: str, version: str, entry_points: str = "", requires: str = "", module: str = "") -> None:
        importable = name.replace("-", "_")
        folder = tmp_path / f"{importable}-{version}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}")
        (folder / "entry_points.txt").write_text(entry_points)
        (tmp_path / f"{importable}.py").write_text(module)
        monkeypatch.delitem(sys.modules, importable, raising=False)
        importlib.invalidate_caches()

    return install


@pytest.fixture
def uninstall(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Has packages look as if they were not installed. Each call says of all of them which are not."""
    real = Distribution.discover

    def uninstall(*names: str) -> None:
        def discover(**kwargs: Any) -> Iterator[Distribution]:
            # By the names of folders: to read each package's metadata takes long.
            found: Iterable[Any] = real(**kwargs)
            return (each for each in found if each._normalized_name.replace("_", "-") not in names)

        monkeypatch.setattr(Distribution, "discover", discover)

    return uninstall
