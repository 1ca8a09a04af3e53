"""What the operator of OpenTelemetry injects into a pod of Kubernetes, without Kubernetes.

An init container copies a folder of packages into the pod, and variables of the environment have Python load them: the
same is done here with a folder that pip has made. In: where otel-claude is, in the application's image or in the one
that is injected. Out: what does not hold.
https://github.com/open-telemetry/opentelemetry-operator/blob/main/internal/instrumentation/python.go
https://github.com/open-telemetry/opentelemetry-operator/blob/main/internal/instrumentation/sdk.go
"""

import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import distributions
from pathlib import Path

from environments import commands, folder, install, pins
from exported import AUDITED, UNLIMITED
from facts import CHATS
from ground import APPS, Ground, Outcome, ground
from processes import START_TIMEOUT_S, otherwise
from web_servers import WORKERS, Way, serving, worked

from venvs import PROJECT

CORE = (
    "opentelemetry-distro",
    "opentelemetry-exporter-otlp-proto-http",
    "opentelemetry-exporter-prometheus",
    "opentelemetry-propagator-b3",
    "opentelemetry-propagator-jaeger",
    "opentelemetry-propagator-aws-xray",
    "opentelemetry-propagator-ot-trace",
    "opentelemetry-instrumentation",
)
SOME = tuple(
    f"opentelemetry-instrumentation-{name}"
    for name in ("asgi", "asyncio", "httpx", "logging", "requests", "sqlite3", "system-metrics", "threading", "wsgi")
)
"""Instrumentations: nine of the about fifty in the operator's image."""

POD = "k8s.namespace.name=shop,k8s.pod.name=claude-1,service.instance.id=shop.claude-1.app"
OWN_IDS = {"OTEL_EXPERIMENTAL_RESOURCE_DETECTORS": "otel,service_instance"}
RARELY = {"OTEL_METRIC_EXPORT_INTERVAL": "600000"}
COMPILED = frozenset({"protobuf", "psutil", "wrapt"})
COMPILED_OF_OURS = frozenset({"pydantic-core", "rpds-py"})
REPLACED = "pydantic"

_FORKED = Way("", ("gunicorn", "--workers", str(WORKERS), "wsgi_app:app"))
_SPAWNED = Way(
    "",
    # Uvicorn kills a worker that is not ready by then, and 5 seconds are few for one that is instrumented.
    ("uvicorn", "--workers", str(WORKERS), "--timeout-worker-healthcheck", "60", "asgi_app:app"),
    environment={"CLOSES": "yes"},
)


def check(where: Path, *, quick: bool) -> Iterator[Outcome]:
    """Runs a script, and servers, in pods. The image is the newest of the operator's that `constraints/` has."""
    image = folder("operator", (*CORE, *SOME))
    yield _script(where, image, "in the application's image")
    if quick:
        return
    yield _derived(commands("kubernetes", ours=False))
    yield _older(where)
    yield _served(where, image, "gunicorn", _FORKED, RARELY)
    yield _served(where, image, "uvicorn, an id for each", _SPAWNED, OWN_IDS)
    yield _one_id(where, image)


def _injected(ready: Ground, image: Path) -> Mapping[str, str]:
    """Copies the image as the init container does, and returns the variables that the operator sets."""
    at = ready.home / "otel-auto-instrumentation-python"
    shutil.copytree(image, at, dirs_exist_ok=True)
    return {
        "PYTHONPATH": f"{at}/opentelemetry/instrumentation/auto_instrumentation:{APPS}:{at}",
        "OTEL_RESOURCE_ATTRIBUTES": POD,
    }


def _ran(where: Path, ready: Ground, image: Path, *packages: str) -> Sequence[str]:
    """What a script prints in a pod: its process, and the versions of packages."""
    done = subprocess.run(  # the application that is beside this file
        (where / "python", APPS / "script.py", *packages),
        env=ready.environment(**_injected(ready, image)),
        cwd=ready.home,
        capture_output=True,
        text=True,
        timeout=START_TIMEOUT_S,
        check=True,
    )
    return done.stdout.split()


def _script(where: Path, image: Path, how: str) -> Outcome:
    with ground("delta") as ready:
        pid, *_ = _ran(where, ready, image)
        complaints = _compiled(image, COMPILED)
        return ready.outcome(f"kubernetes, {how}", complaints, {pid})


def _derived(where: Path) -> Outcome:
    """otel-claude in the image that is injected: its packages, too, go before those of the application."""
    with ground() as ready:
        image = ready.home / "image"
        install(image, pins("operator"), (*CORE, *SOME, str(PROJECT)))
        pid, version = _ran(where, ready, image, REPLACED)
        complaints = _compiled(image, COMPILED | COMPILED_OF_OURS)
        bare = subprocess.run(  # the interpreter of the environment
            (where / "python", "-c", f"from importlib.metadata import version; print(version({REPLACED!r}))"),
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        if version.endswith(bare):
            complaints.append(f"{version} is the application's own, and not that of the image")
        return ready.outcome("kubernetes, in the injected image", complaints, {pid})


def _older(where: Path) -> Outcome:
    """An image from before the SDK had events: all but these."""
    with ground() as ready:
        pid, *_ = _ran(where, ready, folder("operator-older", (*CORE, *SOME)))
        told = len(ready.answers.calls)
        return ready.shown("kubernetes, an older image", (), {CHATS: told, UNLIMITED: told, AUDITED: 0}, {pid})


def _served(where: Path, image: Path, how: str, way: Way, variables: Mapping[str, str]) -> Outcome:
    with ground() as ready:
        way = way._replace(environment={**way.environment, **_injected(ready, image), **variables})
        with serving(where, way, ready) as running:
            pids = worked(running, lambda seen: len(seen) >= WORKERS)
            complaints = otherwise(running.end(), running.written)
        return ready.outcome(f"kubernetes, {how}", complaints, pids)


def _one_id(where: Path, image: Path) -> Outcome:
    """With the operator's id, spawned workers overwrite each other's counts."""
    with ground() as ready:
        way = _SPAWNED._replace(environment={**_SPAWNED.environment, **_injected(ready, image)})
        with serving(where, way, ready) as running:
            pids = worked(running, lambda seen: len(seen) >= WORKERS)
            complaints = otherwise(running.end(), running.written)
        seen = ready.came
        told = len(ready.answers.calls)
        if seen.facts[UNLIMITED] >= told:
            complaints.append("no counts were overwritten")
        if len(seen.metered) != 1:
            complaints.append(f"metrics are of {seen.metered}")
        return ready.shown("kubernetes, uvicorn, one id", complaints, {CHATS: told, AUDITED: told}, pids)


def _compiled(image: Path, expected: frozenset[str]) -> list[str]:
    """What is compiled for one version of Python in an image, where that is not what is expected."""
    found = frozenset(
        str(each.metadata["Name"]).lower().replace("_", "-")
        for each in distributions(path=[str(image)])
        if any(file.suffix == ".so" for file in each.files or ())
    )
    return [] if found == expected else [f"compiled packages are {sorted(found)}, not {sorted(expected)}"]
