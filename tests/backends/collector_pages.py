"""Configurations of the OpenTelemetry Collector in the documentation, as the Collector's `validate` reads them.

What this Collector was not built with is left out of them before. A *component* is a receiver, a processor, an
exporter, a connector or an extension; the part of its name before a slash is its kind.
"""

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from venvs import PROJECT

DOCS = PROJECT / "docs"
FENCE = re.compile(r"^```yaml\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
VARIABLE = re.compile(r"\$\{env:(?P<name>\w+)")
ANY_VALUE = "https://otlp.example.com"
"""Of variables of the environment, which are addresses and keys."""
SECTIONS = ("receivers", "processors", "exporters", "connectors", "extensions")
OLDER_NAMES = {"exporters": {"otlp", "otlphttp"}}
"""Kinds that it does not list, and takes."""
STAND_IN = "debug"
"""The exporter of a pipeline none of whose exporters is there."""
TIMEOUT_S = 30


class Configuration(NamedTuple):
    """A configuration, and the page that it stands in. `named` are the variables of the environment that it names."""

    page: str
    document: Any
    named: Collection[str]


def configurations() -> Iterator[Configuration]:
    """All those that are whole: with something that they receive."""
    for path in sorted(DOCS.rglob("*.md")):
        for block in FENCE.finditer(path.read_text("utf-8")):
            document = yaml.safe_load(block["text"])
            if {"receivers", "service"} <= document.keys():
                yield Configuration(str(path.relative_to(DOCS)), document, set(VARIABLE.findall(block["text"])))


def plain() -> Configuration:
    """The first one of the page on backends. It has nothing that is not in every Collector."""
    return next(each for each in configurations() if each.page == "backends.md")


def wrong(program: Path) -> Iterator[str]:
    """What `validate` has against them."""
    kinds = _kinds(program)
    for configuration in configurations():
        known = _known(configuration.document, kinds)
        if configuration == plain() and known != configuration.document:
            yield f"{configuration.page}: not all components of the first configuration are in this Collector"
        if complaint := _validated(program, known, configuration.named):
            yield f"{configuration.page}: {complaint}"


def _kinds(program: Path) -> Mapping[str, Collection[str]]:
    """The kinds of components that the Collector was built with, by their section."""
    listed = yaml.safe_load(_run(program, "components").stdout)
    return {
        section: {each["name"] for each in listed[section]} | OLDER_NAMES.get(section, set()) for section in SECTIONS
    }


def _known(document: Any, kinds: Mapping[str, Collection[str]]) -> Any:
    """A configuration without the components that the Collector does not have."""

    def there(section: str, names: Iterable[str]) -> list[str]:
        return [name for name in names if name.partition("/")[0] in kinds[section]]

    def pipeline(parts: Any) -> Any:
        kept = {section: there(section, names) for section, names in parts.items()}
        return {**kept, "exporters": kept["exporters"] or [STAND_IN]}

    components = {
        section: {name: document[section][name] for name in there(section, document[section])}
        for section in SECTIONS
        if section in document
    }
    pipelines = {name: pipeline(parts) for name, parts in document["service"]["pipelines"].items()}
    service = {
        **document["service"],
        "pipelines": {name: parts for name, parts in pipelines.items() if parts["receivers"]},
    }
    if "extensions" in service:
        service["extensions"] = there("extensions", service["extensions"])
    if any(STAND_IN in parts["exporters"] for parts in pipelines.values()):
        components["exporters"].setdefault(STAND_IN, None)
    return {**document, **components, "service": service}


def _validated(program: Path, document: Any, named: Iterable[str]) -> str | None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "collector.json"
        # JSON is YAML.
        file.write_text(json.dumps(document), "utf-8")
        done = _run(program, "validate", f"--config={file}", **dict.fromkeys(named, ANY_VALUE))
    return done.stderr.strip() if done.returncode else None


def _run(program: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # the Collector that was built
        [program, *arguments],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, **environment},
        timeout=TIMEOUT_S,
        check=False,
    )
