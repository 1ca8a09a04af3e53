"""The dashboard of Grafana: a Prometheus that has scraped a run of the simulated API answers each of its queries."""

import json
import math
import re
import time
from collections.abc import Iterator
from importlib import import_module
from typing import Any, NamedTuple, cast

import pytest
from prometheus_server import JOB, PrometheusServer, Series
from traffic import OPUS, PRICE, SETTINGS, SONNET, Traffic

from otel_claude import AnthropicInstrumentor, Settings
from otel_claude.dashboards.grafana import dashboard
from otel_claude.dashboards.measures import SOMETIMES
from otel_claude.dashboards.promql import label
from otel_claude.testing import SimulatedClaude
from promql import Case, Recorded, check, needs_promtool

TARGETS = [
    pytest.param(target["expr"], id=f"{panel['title']} {target['refId']}")
    for panel in dashboard()["panels"]
    for target in panel.get("targets", ())
]
WARM_UP, COUNTED = 1, 4
ALL = WARM_UP + COUNTED


class Scraped(NamedTuple):
    """What was scraped until a scrape that has gone well: one that takes too long ends the series of gauges."""

    prometheus: PrometheusServer
    at: float
    warm: float
    """When there was one value of each series."""

    def query(self, expression: str, at: float | None = None) -> list[Series]:
        """The query of a panel that shows an hour."""
        asked = expression.replace("$__rate_interval", "1h").replace("$__range", "1h").replace("$service", JOB)
        return self.prometheus.query(asked, at or self.at)


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scraped]:
    exporter = pytest.importorskip("opentelemetry.exporter.prometheus", reason="opentelemetry-exporter-prometheus")
    import prometheus_client
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.trace import TracerProvider

    registry = prometheus_client.CollectorRegistry()
    meter_provider = MeterProvider([exporter.PrometheusMetricReader(registry=registry)], shutdown_on_exit=False)
    tracer_provider = TracerProvider(shutdown_on_exit=False)
    server, thread = prometheus_client.start_http_server(0, "127.0.0.1", registry)
    instrumentor = AnthropicInstrumentor()
    instrumentor.instrument(
        tracer_provider=tracer_provider,
        meter_provider=meter_provider,
        logger_provider=LoggerProvider(shutdown_on_exit=False),
        settings=Settings(**SETTINGS),
    )
    prometheus = None
    try:
        with SimulatedClaude() as claude:
            traffic = Traffic(claude, tracer_provider)
            # A rate needs two values of a series.
            traffic.rounds_of(WARM_UP)
            prometheus = PrometheusServer(tmp_path_factory.mktemp("prometheus"), server.server_port)
            wait_for(prometheus, WARM_UP)
            warm = scraped_at(prometheus)
            time.sleep(2)
            traffic.rounds_of(COUNTED)
            wait_for(prometheus, ALL)
            time.sleep(2)
            traffic.close()
        yield Scraped(prometheus, scraped_at(prometheus), warm)
    finally:
        instrumentor.uninstrument()
        if prometheus is not None:
            prometheus.stop()
        server.shutdown()
        server.server_close()
        thread.join()
        meter_provider.shutdown()


def wait_for(prometheus: PrometheusServer, rounds: int) -> None:
    prometheus.until(f"sum(claude_trace_capped_total) == {rounds}")
    prometheus.until(f"sum(claude_cost_unpriced_total) == {rounds}")
    prometheus.until('claude_budget_spent_USD{claude_budget_scope="umbrella"}')


def scraped_at(prometheus: PrometheusServer) -> float:
    return prometheus.until("timestamp(claude_budget_limit_USD)")[0][1]


def by(name: str, found: list[Series]) -> dict[str, float]:
    return {labels.get(name, ""): value for labels, value in found}


def expression(title: str) -> str:
    (panel,) = (panel for panel in dashboard()["panels"] if panel["title"] == title)
    return str(panel["targets"][0]["expr"])


@pytest.mark.parametrize("expr", TARGETS)
def test_every_query_has_data(expr: str, scraped: Scraped):
    found = scraped.query(expr)
    assert found != []
    assert not any(math.isnan(value) for _, value in found)
    asked = {each for group in re.findall(r"by \((.*?)\)", expr) for each in group.split(", ")}
    lacked = {label(each) for group in SOMETIMES.values() for each in group}
    assert all(set(labels) >= asked - {"le"} - lacked for labels, _ in found)


@pytest.mark.parametrize(
    ("title", "label", "value", "expected"),
    [
        ("Spend today by tenant", "tenant", "umbrella", ALL * PRICE[SONNET]),
        ("Spend today by model", "gen_ai_response_model", OPUS, ALL * PRICE[OPUS]),
        ("What broke streams", "error_type", "stream_interrupted", ALL),
        ("Runs that failed", "gen_ai_agent_name", "research", ALL),
        ("Tools that failed", "gen_ai_tool_name", "search", ALL),
        ("Traces over the span cap", "", "", ALL),
    ],
)
def test_a_sum_is_what_was_counted(title: str, label: str, value: str, expected: float, scraped: Scraped):
    """With what each series began with."""
    assert by(label, scraped.query(expression(title)))[value] == pytest.approx(expected)
    assert by(label, scraped.query(expression(title), scraped.warm))[value] == pytest.approx(expected * WARM_UP / ALL)


CALLS = 14
"""Of a round: the ten above, and the four of two runs."""


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        # Two calls of each run.
        ("Model calls of a run", 2),
        # 1 of 14 calls was tried again; one was overloaded, one broke.
        ("Retries for a call", 1 / CALLS),
        ("Error rate", 2 / CALLS),
    ],
)
def test_a_ratio_is_one_of_sums(title: str, expected: float, scraped: Scraped):
    values = {value for _, value in scraped.query(expression(title))}
    assert list(values) == [pytest.approx(expected, rel=0.02)]


def test_what_is_left_of_a_limit_is_what_the_last_answer_said(scraped: Scraped):
    """250 of 1,000 requests."""
    assert by("claude_rate_limit_type", scraped.query(expression("Left of rate limits")))["requests"] == 0.25


def test_the_cache_hit_rate_is_a_share_of_all_input(scraped: Scraped):
    """3,000 of 4,000 tokens, but for the stream that broke, which has none of the cache."""
    ((_, value),) = scraped.query(expression("Cache hit rate"))
    assert value == pytest.approx(0.75, rel=0.01)


def test_a_budget_is_spent_by_what_its_calls_cost(scraped: Scraped):
    spent = by("claude_budget_scope", scraped.query(expression("Spent of each budget")))
    assert spent["umbrella"] == pytest.approx(ALL * PRICE[SONNET])


def test_errors_are_told_apart_by_their_category(scraped: Scraped):
    found = by("claude_error_category", scraped.query(expression("Errors by category (errors a minute)")))
    assert set(found) == {"invalid_request", "overloaded", "stream_interrupted"}


PANELS = {panel["title"]: panel for panel in dashboard()["panels"] if panel["type"] != "row"}
JOBS = 'job=~"$service"'
SAID = {
    "Spend by model (USD an hour)": (
        f"sum by (gen_ai_response_model) (rate(claude_cost_USD_total{{{JOBS}}}[$__rate_interval])) * 3600"
    ),
    "Calls by model (calls a minute)": (
        "sum by (gen_ai_request_model) (rate(gen_ai_client_operation_duration_seconds_count"
        f'{{gen_ai_operation_name="chat", {JOBS}}}[$__rate_interval])) * 60'
    ),
    "Context utilization": (
        f"histogram_quantile(0.5, sum by (le) (rate(claude_context_utilization_bucket{{{JOBS}}}[$__rate_interval])))"
    ),
    "Opus, slowest tenth": (
        "histogram_quantile(0.9, sum by (le, gen_ai_request_model) (rate("
        'gen_ai_client_operation_duration_seconds_bucket{gen_ai_operation_name="chat", error_type="", '
        f'gen_ai_request_model=~".*opus.*", {JOBS}}}[$__rate_interval])))'
    ),
    "First content of streams, slowest twentieth": (
        "histogram_quantile(0.95, sum by (le, gen_ai_request_model) (rate("
        f"gen_ai_client_operation_time_to_first_chunk_seconds_bucket{{{JOBS}}}[$__rate_interval])))"
    ),
    "Tools, slowest tenth": (
        "histogram_quantile(0.9, sum by (le, gen_ai_tool_name) (rate("
        f"gen_ai_execute_tool_duration_seconds_bucket{{{JOBS}}}[$__rate_interval])))"
    ),
    "Budgets": (
        "max by (job, claude_budget_name) (claude_budget_spent_USD"
        f"{{{JOBS}}} / ignoring (claude_budget_scope) group_left () claude_budget_limit_USD{{{JOBS}}})"
    ),
    "Left of rate limits": (
        "min by (claude_rate_limit_type, claude_rate_limit_model, anthropic_organization_id, claude_workspace, "
        f"claude_call_name) (claude_rate_limit_remaining{{{JOBS}}} / claude_rate_limit_limit{{{JOBS}}})"
    ),
    "Errors by category (errors a minute)": (
        "sum by (claude_error_category) (rate(gen_ai_client_operation_duration_seconds_count"
        f'{{error_type!="", {JOBS}}}[$__rate_interval])) * 60'
    ),
}
"""What is asked for in words of Prometheus' own, one for each way to measure; sums are held by their numbers above."""


@pytest.mark.parametrize(("title", "said"), SAID.items(), ids=SAID)
def test_a_panel_asks_for_what_its_title_says(title: str, said: str):
    assert PANELS[title]["targets"][0]["expr"] == said


def test_the_fullest_of_a_hundred_prompts_is_the_second_line():
    assert PANELS["Context utilization"]["targets"][1]["expr"].startswith("histogram_quantile(0.99, ")


def test_lines_are_over_time_and_numbers_of_the_whole_of_it():
    for panel in PANELS.values():
        lines = panel["type"] == "timeseries"
        for target in panel["targets"]:
            assert (target["range"], target["instant"]) == (lines, not lines)
            windows = set(re.findall(r"\[(.+?)\]", target["expr"])) - {"1h"}
            assert windows <= {"$__rate_interval" if lines else "$__range"}
            # The default of a data source is 15 s, in which most processes have told nothing.
            assert target["interval"] == "1m"
    assert {title for title, panel in PANELS.items() if "timeFrom" in panel} == {
        title for title in PANELS if "today" in title
    }
    assert PANELS["Spend today"]["timeFrom"] == "now/d"


@pytest.mark.parametrize(
    ("title", "unit"),
    {
        "Spend today": "currencyUSD",
        "Spend by model (USD an hour)": "currencyUSD",
        "Budgets": "percentunit",
        "Error rate": "percentunit",
        "Opus, slowest tenth": "s",
        "Calls by model (calls a minute)": "short",
    }.items(),
)
def test_a_panel_has_the_unit_of_its_numbers(title: str, unit: str):
    assert PANELS[title]["fieldConfig"]["defaults"]["unit"] == unit


@pytest.mark.parametrize(
    ("title", "steps"),
    {
        "Haiku, slowest tenth": [("green", None), ("red", 1)],
        "Sonnet, slowest tenth": [("green", None), ("red", 3)],
        "Opus, slowest tenth": [("green", None), ("red", 12)],
        "Context utilization": [("green", None), ("red", 0.75)],
        "Error rate": [("green", None), ("red", 0.001)],
        "Left of rate limits": [("red", None), ("green", 0.1)],
        "Budgets": [("green", None), ("orange", 0.8), ("red", 1)],
    }.items(),
)
def test_colours_change_where_it_begins_to_be_wrong(title: str, steps: list[tuple[str, float | None]]):
    thresholds = PANELS[title]["fieldConfig"]["defaults"]["thresholds"]
    assert [(step["color"], step["value"]) for step in thresholds["steps"]] == steps


def test_what_is_apart_is_named_by_what_it_is_apart_by():
    legends = {title: [target["legendFormat"] for target in panel["targets"]] for title, panel in PANELS.items()}
    assert legends["Spend by model (USD an hour)"] == ["{{gen_ai_response_model}}"]
    assert legends["Context utilization"] == ["median", "fullest of a hundred"]
    assert legends["Spent of each budget"] == [
        "spent {{job}} {{claude_budget_name}} {{claude_budget_scope}}",
        "limit {{job}} {{claude_budget_name}}",
    ]


def test_a_line_of_what_has_no_name_has_one():
    """A run of the SDK's tool runner is one of no named agent."""
    rate = f"rate(gen_ai_invoke_agent_duration_seconds_count{{{JOBS}}}[$__rate_interval])"
    asked = PANELS["Runs of agents (runs a minute)"]["targets"][0]["expr"]
    named = '"gen_ai_agent_name"'
    assert asked == f'label_replace(sum by (gen_ai_agent_name) ({rate}) * 60, {named}, "none", {named}, "")'


@needs_promtool
def test_runs_of_no_named_agent_are_counted_as_such():
    asked = expression("Runs that failed").replace("$__range", "1h").replace("$service", "agents")
    metric, labels = "gen_ai_invoke_agent_duration_seconds_count", {"job": "agents", "error_type": "api_error"}
    hour = Recorded("up", {}, [(0, 12)], 1)
    unnamed = Recorded(metric, labels, (), 2, after=6)
    named = Recorded(metric, {**labels, "gen_ai_agent_name": "research"}, (), 3, after=6)
    query = (
        f'sum({asked} == 2 and on (gen_ai_agent_name) label_replace(vector(1), "gen_ai_agent_name", "none", "", ""))'
    )
    assert check(query, [Case([hour, unnamed, named], fires=True), Case([hour, named], fires=False)]) == ""


def test_services_can_be_chosen_from_those_that_call(scraped: Scraped):
    (variable,) = (each for each in dashboard()["templating"]["list"] if each["name"] == "service")
    (metric,) = re.findall(r"^label_values\((\w+), job\)$", variable["query"]["query"])
    assert {labels["job"] for labels, _ in scraped.prometheus.query(metric, scraped.at)} == {JOB}
    assert variable["current"]["value"] == "$__all"
    everything = scraped.query(expression("Spend today").replace("$service", variable["allValue"]))
    assert everything == scraped.query(expression("Spend today"))


def test_panels_stand_beside_each_other_and_belong_to_no_installation():
    made: Any = dashboard()
    taken = [
        (panel["gridPos"]["x"] + dx, panel["gridPos"]["y"] + dy)
        for panel in made["panels"]
        for dx in range(panel["gridPos"]["w"])
        for dy in range(panel["gridPos"]["h"])
    ]
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) == 23
    assert {target["datasource"]["uid"] for panel in made["panels"] for target in panel.get("targets", ())} == {
        "${datasource}"
    }
    assert [panel["id"] for panel in made["panels"]] == list(range(1, len(made["panels"]) + 1))


def test_grafanas_own_schema_knows_each_field():
    """What its SDK does not know, it does not write out again."""
    models, encoder, plugins = (
        import_module(f"grafana_foundation_sdk.{module}")
        for module in ("models.dashboard", "cog.encoder", "cog.plugins")
    )
    plugins.register_default_plugins()
    made = dashboard()
    written = json.loads(encoder.JSONEncoder(sort_keys=True).encode(models.Dashboard.from_json(made)))
    assert lost(made, written) == []


def lost(made: Any, written: Any, place: str = "") -> list[str]:
    """Where the second is not as the first. It may have more."""
    if isinstance(made, dict):
        fields = cast("dict[str, Any]", made)
        return [
            found
            for name, value in fields.items()
            for found in (lost(value, written[name], f"{place}.{name}") if name in written else [f"{place}.{name}"])
        ]
    if isinstance(made, list):
        pairs = zip(cast("list[Any]", made), written, strict=True)
        return [found for at, (one, other) in enumerate(pairs) for found in lost(one, other, f"{place}[{at}]")]
    return [] if made == written else [place]
