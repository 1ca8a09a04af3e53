"""The alerts as a file of Prometheus' rules.

In: `ALERTS`. Out: YAML, which is written by hand, since nothing else here needs a package for it. Pure.
"""

import json
from collections.abc import Iterator, Mapping
from itertools import groupby

from otel_claude.dashboards.alert import Alert, Few, link
from otel_claude.dashboards.alerts import ALERTS
from otel_claude.dashboards.measures import Formula, seconds
from otel_claude.dashboards.promql import promql

WEEK = "168h"
AMOUNTS = ("USD", "{token}")
"""Units of what is to be exact though processes are started again. Failures are looked at, and shares of calls."""


def expression(alert: Alert) -> str:
    """The query of an alert: whatever it gives is wrong."""
    if alert.formula is None:
        return alert.promql
    exact = any(each.of.unit in AMOUNTS for each in alert.formula.measures.values())
    formula = alert.formula if alert.few is None else _of_many(alert.formula, alert.few)
    now = promql(formula, exact=exact)
    if not alert.past:
        return f"{now} {alert.test} {alert.bound:g}"
    then = promql(formula.ago(alert.past), exact=exact)
    if alert.floor is not None:
        # Of what is younger than that, nothing is known.
        before = promql(formula.ago(alert.past).over(WEEK), exact=False)
        return f"{now} {alert.test} clamp_min({alert.bound:g} * ({then} or 0 * {before}), {alert.floor:g})"
    return f"{now} {alert.test} {alert.bound:g} * {f'({then})' if formula.is_ratio else then}"


def _of_many(mean: Formula, few: Few) -> Formula:
    """A mean of more calls than these."""
    return mean._replace(text=f"{{part}} / ({{whole}} > {few.calls} / {seconds(mean.first.window)})")


def rules(guide: str) -> str:
    """The file of rules, a group for each section of the guide."""
    return "".join(f"{line}\n" for line in _lines(guide))


def _lines(guide: str) -> Iterator[str]:
    yield "# Alerts on calls of Claude, from `otel-claude alerts prometheus`."
    yield "groups:"
    for section, alerts in groupby(ALERTS, key=lambda each: each.section):
        yield f"  - name: {json.dumps(f'Claude: {section}')}"
        yield "    rules:"
        for alert in alerts:
            yield f"      - alert: {alert.name}"
            yield "        expr: |-"
            yield from (f"          {line}" for line in expression(alert).splitlines())
            yield f"        for: {alert.wait}"
            yield from _mapping("labels", {"severity": alert.severity})
            yield from _mapping(
                "annotations",
                {"summary": alert.hint, "value": "{{ $value | humanize }}", "runbook_url": link(alert, guide)},
            )


def _mapping(name: str, values: Mapping[str, str]) -> Iterator[str]:
    yield f"        {name}:"
    for key, value in values.items():
        # A string in JSON is one in YAML.
        yield f"          {key}: {json.dumps(value)}"
