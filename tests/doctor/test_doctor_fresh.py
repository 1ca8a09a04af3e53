"""The first advice that a fresh environment gets, followed in an environment of its own, to the end: all arrives."""

import json
import os
import re
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from test_doctor_grpc import SERVICES, serving

pytest.importorskip("opentelemetry.distro", reason="`opentelemetry-distro` is not installed here")
pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="the exporter is not installed")

SOURCE = Path(__file__).parents[2] / "src"
DISTRO = "opentelemetry_distro"
OVER_GRPC, OVER_HTTP = "opentelemetry_exporter_otlp_proto_grpc", "opentelemetry_exporter_otlp_proto_http"
BRINGS: Mapping[str, tuple[str, ...]] = {
    "opentelemetry-distro": (DISTRO,),
    # https://pypi.org/project/opentelemetry-exporter-otlp/: it has nothing but the two.
    "opentelemetry-exporter-otlp": (OVER_GRPC, OVER_HTTP),
    "opentelemetry-exporter-otlp-proto-grpc": (OVER_GRPC,),
    "opentelemetry-exporter-otlp-proto-http": (OVER_HTTP,),
}
METADATA = re.compile(r"(\w+)-[^-]+\.dist-info")


class Fresh:
    """An environment that has what the tests have, but for the distro and the exporters."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, symlinks=True)
        self._folder = folder
        self._site = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
        self._others = Path(sysconfig.get_path("purelib"))
        left_out = {name for names in BRINGS.values() for name in names}
        # A package is installed when it has metadata: only by those is an exporter found.
        self._link(
            each.name for each in self._others.iterdir() if each.suffix != ".pth" and packaged_in(each) not in left_out
        )

    def _link(self, names: Iterable[str]) -> None:
        for name in names:
            if not (self._site / name).exists():
                (self._site / name).symlink_to(self._others / name)

    def install(self, packages: Iterable[str]) -> None:
        wanted = {name for package in packages for name in BRINGS[package]}
        self._link(each.name for each in self._others.iterdir() if packaged_in(each) in wanted)

    def doctor(self, endpoint: str) -> Any:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("OTEL_", "ANTHROPIC_", "PYTEST_")) and not name.lower().endswith("_proxy")
        }
        python = self._folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
        ran = subprocess.run(
            [python, "-m", "otel_claude_command", "doctor", "--format", "json"],
            env={
                **inherited,
                "PYTHONPATH": str(SOURCE),
                "OTEL_SERVICE_NAME": "shop",
                "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ran.stderr == ""
        return json.loads(ran.stdout)


def packaged_in(path: Path) -> str | None:
    """The package that a folder has the metadata of."""
    found = METADATA.fullmatch(path.name)
    return None if found is None else found[1]


def problems(told: Any) -> dict[str, str]:
    return {check["name"]: check["mend"] for check in told["checks"] if check["status"] == "problem"}


def test_after_the_first_advice_to_a_fresh_environment_everything_arrives(tmp_path: Path):
    services: list[str] = []

    def answer(service: str, request: bytes, context: Any) -> Any:
        services.append(service)
        return SERVICES[service]()

    fresh = Fresh(tmp_path / "fresh")
    with serving(answer) as endpoint:
        before = problems(fresh.doctor(endpoint))
        assert set(before) == {"distro", "exporters", "this process"}
        assert services == []
        command = before["distro"].partition(";")[0]
        assert before["exporters"] == command
        fresh.install(command.removeprefix("pip install ").split())
        told = fresh.doctor(endpoint)
    assert problems(told) == {}
    assert sorted(services) == sorted(SERVICES)
