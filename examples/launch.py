"""Starts an application under `opentelemetry-instrument`: with an environment, and nothing else."""

import sys
from collections.abc import Mapping
from pathlib import Path

AGENT = Path(sys.executable).with_name("opentelemetry-instrument")
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
KEY = "ANTHROPIC_API_KEY"


def application(name: str) -> Path:
    """The file of an application, which stands beside this one."""
    return Path(__file__).with_name(name)


def command(name: str) -> list[str | Path]:
    """What starts an application."""
    return [AGENT, sys.executable, application(name)]


def shown(name: str, settings: str = "") -> str:
    """The same as one would type it, in the markup of rich. `settings` are variables of the environment."""
    return f"[bold]$ {settings}opentelemetry-instrument python examples/{name}"


def environment(outer: Mapping[str, str], endpoint: str, api: str | None, **more: str) -> dict[str, str]:
    """The environment of an application, made from ours, with `more` in it.

    It exports to the receiver at `endpoint`; headers for the one of the user go along with it. `api` is the base URL of
    the simulated API, `None` means the real one.
    """
    names = (
        name for name in outer if name == "OTEL_EXPORTER_OTLP_HEADERS" or not name.startswith("OTEL_EXPORTER_OTLP_")
    )
    unproxied = outer.get("no_proxy") or outer.get("NO_PROXY")
    ours = {
        ENDPOINT: endpoint,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_SEMCONV_STABILITY_OPT_IN": "http",
        "PYTHONIOENCODING": "utf-8",
        **dict.fromkeys(("NO_PROXY", "no_proxy"), f"{unproxied},127.0.0.1" if unproxied else "127.0.0.1"),
        **more,
    }
    inherited = {name: outer[name] for name in names}
    if api is None:
        return inherited | ours
    simulated = {name: value for name, value in inherited.items() if not name.startswith("ANTHROPIC_")}
    return simulated | ours | {"ANTHROPIC_BASE_URL": api, KEY: "sk-ant-simulated"}
