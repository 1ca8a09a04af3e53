"""Units of rates stand in the titles of all three dashboards: no axis has a sign for them."""

import re
from typing import Any

import pytest

from otel_claude.dashboards import datadog, grafana, newrelic

RATE = re.compile(r" \((?:\w+ )+(an hour|a minute)\)$")
SECONDS = {"an hour": "3600", "a minute": "60"}

GRAFANA = {
    panel["title"]: " ".join(target["expr"] for target in panel["targets"])
    for panel in grafana.dashboard()["panels"]
    if "targets" in panel
}
DATADOG = {
    widget["definition"]["title"]: " ".join(
        formula["formula"] for request in widget["definition"]["requests"] for formula in request["formulas"]
    )
    for group in datadog.dashboard()["widgets"]
    for widget in group["definition"]["widgets"]
}
NEW_RELIC = {
    widget["title"]: " ".join(query["query"] for query in widget["rawConfiguration"]["nrqlQueries"])
    for page in newrelic.dashboard()["pages"]
    for widget in page["widgets"]
}
SHOWN: Any = {"grafana": GRAFANA, "datadog": DATADOG, "newrelic": NEW_RELIC}


@pytest.mark.parametrize("backend", SHOWN)
def test_what_is_made_of_seconds_says_of_what(backend: str):
    """3,600 s are an hour, and 60 s a minute."""
    for title, asked in SHOWN[backend].items():
        times = re.search(r" \* (\d+)\b", asked)
        said = RATE.search(title)
        assert (None if said is None else SECONDS[said[1]]) == (None if times is None else times[1]), title


@pytest.mark.parametrize("backend", SHOWN)
def test_the_spend_of_a_day_and_that_of_an_hour_are_told_apart(backend: str):
    assert {"Spend by model (USD an hour)", "Spend by what was paid for (USD an hour)"} <= SHOWN[backend].keys()
    assert {title.replace("in 24 hours", "today") for title in SHOWN[backend]} >= {
        "Spend today",
        "Spend today by model",
    }
    assert {"Calls by model (calls a minute)", "Errors by category (errors a minute)"} <= SHOWN[backend].keys()
    assert {"Tokens by type (tokens a minute)"} <= SHOWN[backend].keys()


@pytest.mark.parametrize(("title", "asked"), NEW_RELIC.items())
def test_new_relic_has_the_unit_at_each_line(title: str, asked: str):
    if (said := RATE.search(title)) is not None:
        assert [name.endswith(f" {said[1]}") for name in re.findall(r" AS '(.+?)'", asked)] == [True]
