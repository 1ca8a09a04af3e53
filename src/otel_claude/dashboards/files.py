"""What is written for each backend: names of files, and their text.

In: a backend, and where the guide is. Out: text that is the same each time. Pure.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from otel_claude.dashboards import datadog, grafana, newrelic, prometheus


class File(NamedTuple):
    """A file, and what makes its text from the address of the guide."""

    name: str
    text: Callable[[str], str]


def _json(document: Callable[[str], Any]) -> Callable[[str], str]:
    return lambda guide: f"{json.dumps(document(guide), indent=2)}\n"


DASHBOARDS: Mapping[str, File] = {
    "grafana": File("claude-grafana-dashboard.json", _json(lambda _: grafana.dashboard())),
    "datadog": File("claude-datadog-dashboard.json", _json(lambda _: datadog.dashboard())),
    "newrelic": File("claude-newrelic-dashboard.json", _json(lambda _: newrelic.dashboard())),
}
ALERT_RULES: Mapping[str, File] = {
    "prometheus": File("claude-prometheus-rules.yaml", prometheus.rules),
    "datadog": File("claude-datadog-monitors.json", _json(datadog.monitors)),
    "newrelic": File("claude-newrelic-conditions.json", _json(newrelic.conditions)),
}
