"""The rules of Prometheus: they are the alerts of the guide, and each fires in its case and not in a week of calm."""

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest
import yaml

from otel_claude.dashboards.alerts import ALERTS
from otel_claude.dashboards.conditions import cost, failed
from otel_claude.dashboards.expectations import EXPECTATIONS
from otel_claude.dashboards.measures import one, seconds
from otel_claude.dashboards.prometheus import expression, rules
from otel_claude.dashboards.promql import promql
from otel_claude.emitting.instruments import DURATION, FIRST_CHUNK, INFERENCE_DURATION, TOKENS, UTILIZATION
from promql import SECTIONS, Case, Recorded, check, needs_promtool, queries

NAMES = [alert.name for alert in ALERTS]
GUIDE = "https://example.com/production.md"
RULES: Mapping[str, Mapping[str, Any]] = {
    rule["alert"]: rule for group in yaml.safe_load(rules(GUIDE))["groups"] for rule in group["rules"]
}


def without_spaces(query: str) -> str:
    return re.sub(r"\s+", "", query)


@pytest.mark.parametrize("section", SECTIONS)
def test_the_guide_has_the_query_of_every_rule_and_no_other(section: str):
    told = [without_spaces(query) for query in queries(SECTIONS[section])]
    made = [without_spaces(expression(alert)) for alert in ALERTS if alert.section == section]
    assert sorted(told) == sorted(made)


def test_every_alert_is_in_a_section_of_the_guide():
    assert {alert.section for alert in ALERTS} <= set(SECTIONS)


def test_names_are_apart():
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("alert", ALERTS, ids=NAMES)
def test_a_rule_says_how_bad_it_is_what_to_do_and_where_to_read_on(alert: Any):
    rule = RULES[alert.name]
    assert rule["labels"] == {"severity": alert.severity}
    assert rule["annotations"]["summary"] == alert.hint
    assert rule["annotations"]["value"] == "{{ $value | humanize }}"
    heading = rule["annotations"]["runbook_url"].removeprefix(f"{GUIDE}#")
    assert heading == alert.section.lower().replace(" ", "-")
    assert without_spaces(rule["expr"]) == without_spaces(expression(alert))
    assert seconds(rule["for"]) == seconds(alert.wait)


@pytest.mark.parametrize("each", EXPECTATIONS, ids=lambda each: each.family)
def test_an_answer_may_take_as_long_as_is_expected_of_its_model(each: Any):
    """Haiku under 1 s, Sonnet 1 to 3 s, Opus 3 to 12 s; a histogram only tells bounds of its buckets apart."""
    assert each.seconds == {"haiku": 1, "sonnet": 3, "opus": 12}[each.family]
    for instrument in (DURATION, INFERENCE_DURATION):
        assert each.seconds in (instrument.buckets or ())


# What was recorded: a sample every five minutes.

HOUR, DAY = 12, 12 * 24
CALLS = "gen_ai_client_operation_duration_seconds"
CHAT = {"gen_ai_operation_name": "chat"}
SONNET, OPUS, HAIKU = "claude-sonnet-5-5", "claude-opus-5-5", "claude-haiku-4-5"
Steps = Sequence[tuple[float, int]]


def of_model(model: str) -> Mapping[str, str]:
    return {**CHAT, "gen_ai_request_model": model, "gen_ai_response_model": model}


def counted(name: str, steps: Steps, **labels: str) -> list[Recorded]:
    return [Recorded(name, labels, steps)]


def steady(name: str, value: float, samples: int, **labels: str) -> list[Recorded]:
    return [Recorded(name, labels, [(0, samples)], value)]


def histogram(name: str, bounds: Sequence[float], value: float, steps: Steps, **labels: str) -> list[Recorded]:
    """A histogram whose values are all the same."""
    none = [(0.0, samples) for _, samples in steps]
    return [
        Recorded(f"{name}_count", labels, steps),
        Recorded(f"{name}_sum", labels, [(many * value, samples) for many, samples in steps]),
        *(Recorded(f"{name}_bucket", {**labels, "le": str(bound)}, steps if value <= bound else none)
          for bound in bounds),
        Recorded(f"{name}_bucket", {**labels, "le": "+Inf"}, steps),
    ]  # fmt: skip


def once(name: str, **labels: str) -> list[Recorded]:
    """Something that happens for the first time at the end of two hours: one value."""
    return [Recorded(name, labels, (), 1, after=2 * HOUR)]


def fails(category: str, **labels: str) -> list[Recorded]:
    return once(f"{CALLS}_count", claude_error_category=category, error_type="some_error", **labels)


def limit(
    left: float,
    samples: int,
    kind: str = "input_tokens",
    of: float = 1_000_000,
    organization: str = "prod",
    instance: str = "one",
) -> list[Recorded]:
    labels = {
        "instance": instance,
        "claude_rate_limit_type": kind,
        "claude_rate_limit_model": "claude-sonnet-5-5",
        "anthropic_organization_id": organization,
    }
    return [
        *steady("claude_rate_limit_limit", of, samples, **labels),
        *steady("claude_rate_limit_remaining", of * left, samples, **labels),
    ]


def budget(spent: float, samples: int, of: float = 100, job: str = "support", **scope: str) -> list[Recorded]:
    labels = {"job": job, "instance": f"{job} {of}", "claude_budget_name": "daily_budget_usd"}
    return [
        *steady("claude_budget_limit_USD", of, samples, **labels),
        *steady("claude_budget_spent_USD", spent, samples, **labels, **scope),
    ]


def slow(model: str, value: float, samples: int = 2 * HOUR, many: float = 10) -> list[Recorded]:
    return histogram(CALLS, DURATION.buckets or (), value, [(many, samples)], **of_model(model))


def grown_by(times: float, then: float, now: float, metric: str, past: int, **labels: str) -> list[Recorded]:
    """So many calls in five minutes then, and so many now, for two hours, which are so many times as large."""
    return [
        Recorded(f"{metric}_count", labels, [(then, past), (now, 2 * HOUR)]),
        Recorded(f"{metric}_sum", labels, [(then, past), (now * times, 2 * HOUR)]),
    ]


def prompts(times: float, then: float, now: float) -> list[Recorded]:
    return grown_by(times, then, now, "gen_ai_client_token_usage", DAY, gen_ai_token_type="input")


def answers(times: float, then: float, now: float) -> list[Recorded]:
    return grown_by(times, then, now, CALLS, 7 * DAY, **of_model(SONNET))


CHUNKS = "gen_ai_client_operation_time_per_output_chunk_seconds"
FIRST = "gen_ai_client_operation_time_to_first_chunk_seconds"
BROKEN = {"claude_stream_outcome": "interrupted", "error_type": "stream_interrupted"}
ON = [(10.0, 2 * HOUR)]

FIRES: Mapping[str, list[Recorded]] = {
    "ClaudeRateLimitLow": limit(0.09, HOUR, "requests"),
    "ClaudeMethodLimitLow": [
        each._replace(labels={**each.labels, "claude_call_name": "anthropic.messages.count_tokens"})
        for each in limit(0.09, HOUR, "requests")
    ],
    "ClaudeRateLimited": fails("rate_limited"),
    # 4,050 in five minutes are 810 a minute.
    "ClaudeRequestsNearLimit": counted(f"{CALLS}_count", [(4_050, 2 * HOUR)], **CHAT),
    "ClaudeContextHigh": histogram("claude_context_utilization", UTILIZATION.buckets or (), 0.8, ON),
    "ClaudeContextTooLarge": fails("context_length"),
    "ClaudePromptsGrow": prompts(1.6, 20, 20),
    "ClaudeStreamsBreak": once("claude_stream_interruptions_total", **BROKEN),
    "ClaudeFirstContentSlow": histogram(FIRST, FIRST_CHUNK.buckets or (), 15, ON),
    "ClaudeStreamsStall": histogram(CHUNKS, FIRST_CHUNK.buckets or (), 15, ON),
    "ClaudeAuthentication": fails("authentication"),
    "ClaudeBilling": fails("permission"),
    "ClaudeModelNotFound": fails("model_not_found"),
    "ClaudeAnswersCut": [
        *counted("claude_responses_total", [(97, 2 * HOUR)], claude_stop_reason="end_turn"),
        *counted("claude_responses_total", [(3, 2 * HOUR)], claude_stop_reason="max_tokens"),
    ],
    "ClaudeRequestsRefused": fails("tool_schema"),
    "ClaudeRequestTooLarge": fails("request_too_large"),
    "ClaudeUploadsFail": fails("timeout", gen_ai_operation_name="beta.files.upload"),
    # 1.75 in five minutes are 21 an hour.
    "ClaudeSpendFast": counted("claude_cost_USD_total", [(1.75, 2 * HOUR)]),
    "ClaudeBudgetNearlySpent": budget(81, HOUR),
    "ClaudeBudgetOverspent": budget(101, HOUR),
    "ClaudeBudgetRefuses": fails("budget"),
    "ClaudeOpusForShortAnswers": histogram(
        "gen_ai_client_token_usage", TOKENS, 60, [(10, 3 * HOUR)], gen_ai_token_type="output", **of_model(OPUS)
    ),
    "ClaudeCacheUnused": counted("claude_cache_unused_total", [(1, 2 * HOUR)], **of_model(SONNET)),
    "ClaudeBatchesWouldDo": [
        *counted(f"{CALLS}_count", [(10, 2 * DAY)], **of_model(SONNET)),
        *counted("claude_cost_USD_total", [(0.4, 2 * DAY)], claude_processing="standard", **of_model(SONNET)),
    ],
    "ClaudeKeyMayBeLeaked": limit(0.4, 2 * HOUR),
    "ClaudeTokensSpike": counted(
        "claude_token_usage_total", [(100_000, 7 * DAY), (330_000, 2 * HOUR)], claude_token_type="input"
    ),
    "ClaudeRetries": [
        *counted(f"{CALLS}_count", [(100, 2 * HOUR)], **CHAT),
        *counted("claude_retries_total", [(6, 2 * HOUR)], **CHAT),
    ],
    "ClaudeSlower": answers(1.6, 10, 10),
    "ClaudeHaikuSlow": slow(HAIKU, 1.1),
    "ClaudeSonnetSlow": slow(SONNET, 3.5),
    "ClaudeOpusSlow": slow(OPUS, 13),
    "ClaudeCostUnknown": once("claude_cost_unpriced_total"),
    "ClaudeTraceCapped": once("claude_trace_capped_total"),
    "ClaudeErrors": [
        *counted(f"{CALLS}_count", [(998, 2 * HOUR)], **CHAT),
        *counted(f"{CALLS}_count", [(2, 2 * HOUR)], claude_error_category="overloaded", **CHAT),
    ],
    "ClaudeSpendOffTrend": counted("claude_cost_USD_total", [(1, 15 * DAY), (1.25, DAY + 2 * HOUR)]),
}
"""What makes each alert fire, at the end."""

LONG = 16 * DAY
WORKDAYS = [
    step
    for day in range(16)
    for much in [0.05 if day % 7 in (5, 6) else 1]
    for step in ((1.0 * much, 16 * HOUR), (5.0 * much, 8 * HOUR))
]
"""A team that works five days of seven."""
CALM: list[Recorded] = [
    *slow(HAIKU, 0.9, LONG, 5),
    *slow(OPUS, 11, LONG, 5),
    *histogram(CALLS, DURATION.buckets or (), 2.9, [(20 * many, samples) for many, samples in WORKDAYS],
               **of_model(SONNET)),
    # Two of some 10,000 that failed for the service, and nothing that the application got wrong.
    *counted(f"{CALLS}_count", [(0.01, LONG)], claude_error_category="overloaded", **CHAT),
    *counted("claude_retries_total", [(0.5, LONG)], **CHAT),
    *counted("claude_cost_USD_total", [(0.2 * many, samples) for many, samples in WORKDAYS],
             claude_processing="standard", **of_model(SONNET)),
    *counted("claude_token_usage_total", [(2_000, LONG)], claude_token_type="input", **of_model(SONNET)),
    *histogram("gen_ai_client_token_usage", TOKENS, 1_000, [(10, LONG)], gen_ai_token_type="input"),
    *histogram("gen_ai_client_token_usage", TOKENS, 900, [(10, LONG)], gen_ai_token_type="output", **of_model(OPUS)),
    *histogram("claude_context_utilization", UTILIZATION.buckets or (), 0.6, [(10, LONG)]),
    *histogram(FIRST, FIRST_CHUNK.buckets or (), 2, [(10, LONG)]),
    *histogram(CHUNKS, FIRST_CHUNK.buckets or (), 0.1, [(10, LONG)]),
    *counted("claude_responses_total", [(99, LONG)], claude_stop_reason="end_turn"),
    *counted("claude_responses_total", [(1, LONG)], claude_stop_reason="max_tokens"),
    *counted("claude_stream_interruptions_total", [(1, LONG)], claude_stream_outcome="abandoned"),
    *counted("claude_cache_unused_total", [(0.5, LONG)], **of_model(SONNET)),
    *limit(0.6, LONG),
    *budget(50, LONG),
]  # fmt: skip
"""Two weeks and two days of an application that is well, with all that the alerts look at."""


@pytest.fixture(scope="module")
def rule_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rules") / "rules.yaml"
    path.write_text(rules(GUIDE), "utf-8")
    return path


def promtool(*arguments: object) -> str:
    ran = subprocess.run(  # a program of the system, on files made here
        ["promtool", *map(str, arguments)],  # noqa: S607  # where it is depends on the system
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return "" if ran.returncode == 0 else ran.stdout + ran.stderr


def unit_tests(rule_file: Path, recorded: Sequence[Recorded], evaluated: str, expected: Mapping[str, int]) -> str:
    """What `promtool` says against it that these queries find something, or do not, at the end."""
    told = {
        "rule_files": [str(rule_file)],
        "evaluation_interval": evaluated,
        "tests": [
            {
                "interval": "5m",
                "input_series": [each.as_input() for each in recorded],
                "promql_expr_test": [
                    {
                        "expr": f"count({asked}) > bool 0 or vector(0)",
                        "eval_time": f"{5 * recorded[0].samples}m",
                        "exp_samples": [{"labels": "{}", "value": firing}],
                    }
                    for asked, firing in expected.items()
                ],
            }
        ],
    }
    path = rule_file.with_name("tests.yaml")
    path.write_text(json.dumps(told), "utf-8")
    return promtool("test", "rules", path)


@needs_promtool
def test_prometheus_accepts_the_rules(rule_file: Path):
    assert promtool("check", "rules", rule_file) == ""


@needs_promtool
@pytest.mark.parametrize("name", NAMES)
def test_an_alert_fires_in_its_case(name: str, rule_file: Path):
    assert unit_tests(rule_file, FIRES[name], "30m", {f'ALERTS{{alertname="{name}", alertstate="firing"}}': 1}) == ""


@needs_promtool
def test_no_alert_fires_in_two_weeks_of_calm(rule_file: Path):
    assert unit_tests(rule_file, CALM, "1h", {'last_over_time(ALERTS{alertstate="firing"}[16d])': 0}) == ""


PODS = [f"10.0.0.{number}:9464" for number in range(50)]


@needs_promtool
def test_the_first_failure_of_each_process_counts():
    """Fifty processes that are refused once each: a counter of each begins at 1, and stays there."""
    refused = [Recorded(f"{CALLS}_count", {"claude_error_category": "rate_limited", "instance": pod}, (), 1, after=HOUR)
               for pod in PODS]  # fmt: skip
    assert check(f"{promql(one(failed('rate_limited', window='5m')))} == 50", [Case(refused, fires=True)]) == ""


@needs_promtool
def test_short_processes_count_whole():
    """Two hundred of them, one after the other in less than a day, each of which spends 1 USD and ends."""
    spent = [
        Recorded("claude_cost_USD_total", {"instance": str(number)}, [(0, 1)], 1, after=1 + number)
        for number in range(200)
    ]
    day = Recorded("up", {}, [(0, 210)], 1)
    assert check(f"{promql(one(cost('grown', '1d')))} == 200", [Case([day, *spent], fires=True)]) == ""


@needs_promtool
def test_a_gap_in_scraping_makes_no_old_series_new():
    """Half an hour without a scrape, across the beginning of the window."""
    labels = {"claude_error_category": "rate_limited"}
    before = Recorded(f"{CALLS}_count", labels, [(0, 2 * HOUR)], 100)
    after = Recorded("up", {}, [(0, 2 * HOUR + 6)], 1)
    assert check(promql(one(failed("rate_limited", window="15m"))) + " > 0", [Case([after, before], fires=False)]) == ""


@needs_promtool
def test_a_process_that_is_started_again_at_its_address_spends_on():
    """Three processes, one after the other under the same labels, that spend 3, 3 and 1 USD.

    Between what was recorded an increase is an estimate, which is off by less than a thirtieth here.
    """
    day = Recorded("up", {}, [(0, 10 * HOUR)], 1)
    steps = [(0.1, 29), (-2.9, 1), (0.1, 29), (-2.9, 1), (0.1, 9)]
    spent = Recorded("claude_cost_USD_total", {"instance": "localhost:9464"}, steps, after=2 * HOUR)
    known = promql(one(cost("grown", "10h")))
    assert check(f"abs({known} / 7 - 1) < 0.03", [Case([day, spent], fires=True)]) == ""


class Restarted(NamedTuple):
    """What processes counted, one after the other under the same labels, a sample a minute, and what that is in all.

    They begin after so many minutes, and are looked at over so many.
    """

    values: str
    began: int
    minutes: int
    total: float
    within: float = 0.01
    window: str = "6h"


RESTARTED: Mapping[str, Restarted] = {
    "one value of 20, which began there, and 6 more of a second one that began with 1": Restarted(
        "20+0x119 1+0.05x120", 120, 240, 20 + 7
    ),
    "the same in a longer window": Restarted("20+0x119 1+0.05x120", 120, 240, 20 + 7, window="1d"),
    "no restart": Restarted("20+0x119 20+0.05x120", 120, 240, 20 + 6),
    "two restarts": Restarted("20+0.1x100 10+0.5x40 1+0.1x40", 120, 183, 30 + 30 + 5),
    "a restart of one that is older than the window": Restarted("100+0x400 1+0.1x200", 0, 601, 21),
    "no restart of one that is older than the window": Restarted("100+0x400 100+0.1x200", 0, 601, 20),
    "a small one and a large one": Restarted("0.1+0x20 0.05 100+0x40", 120, 62, 100.1),
    "three samples, of which an increase is a guess": Restarted("20 20 1", 120, 2, 20 + 1, within=0.25),
}


@needs_promtool
@pytest.mark.parametrize("what", RESTARTED)
def test_what_ended_processes_have_counted_is_in_the_sum(what: str):
    """Numbers are by hand: of each process the last value, and of one that is older than the window what it grew by."""
    case = RESTARTED[what]
    metric = "claude_cost_USD_total"
    written = f"_x{case.began} {case.values}" if case.began else case.values
    asked = promql(one(cost("grown", case.window)))
    end = case.began + case.minutes
    assert evaluated(f"abs({asked} / {case.total} - 1) < bool {case.within}", {metric: written}, end) == ""
    highest = f"max_over_time({metric}[{end}m])"
    if case.began:
        assert evaluated(f"{asked} >= bool sum({highest})", {metric: written}, end) == ""


def evaluated(query: str, series: Mapping[str, str], minutes: int) -> str:
    """What `promtool` says against it that the query is 1 after so many minutes of series that are written out."""
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {"expr": query, "eval_time": f"{minutes}m", "exp_samples": [{"labels": "{}", "value": 1}]}
        ],
    }
    with TemporaryDirectory() as directory:
        path = Path(directory) / "test.yaml"
        path.write_text(json.dumps({"rule_files": [], "tests": [test]}), "utf-8")
        return promtool("test", "rules", path)


WELL: Mapping[str, tuple[str, list[Recorded]]] = {
    "answers within what is expected": ("ClaudeSonnetSlow", slow(SONNET, 2.9)),
    "failures that take long": (
        "ClaudeSonnetSlow",
        [
            *slow(SONNET, 2.9),
            *histogram(CALLS, DURATION.buckets or (), 60, ON, error_type="timeout", **of_model(SONNET)),
        ],
    ),
    "a small organization and a large one": (
        "ClaudeRateLimitLow",
        [*limit(0.6, HOUR, of=50_000, organization="dev"), *limit(0.6, HOUR, of=2_000_000)],
    ),
    "an idle process that remembers a larger limit": (
        "ClaudeRateLimitLow",
        [
            *limit(0.9, HOUR, of=100_000, instance="busy"),
            *limit(0.9, HOUR, of=2_000_000, instance="idle"),
        ],
    ),
    "the small limit of a method beside the large one of its model": (
        "ClaudeRateLimitLow",
        [
            *limit(0.9, HOUR, "requests", of=4_000),
            *(
                each._replace(labels={**each.labels, "claude_call_name": "anthropic.messages.count_tokens"})
                for each in limit(0.9, HOUR, "requests", of=100)
            ),
        ],
    ),
    "the results of a batch, which are booked at once": (
        "ClaudeSpendFast",
        [
            *counted("claude_cost_USD_total", [(0.1, 2 * HOUR)]),
            Recorded("claude_cost_USD_total", {"claude_processing": "batch"}, (), 18, after=2 * HOUR),
        ],
    ),
    # 60 calls an hour, of which one is repeated, or three: one for twenty.
    "a retry of a small service": (
        "ClaudeRetries",
        [*counted(f"{CALLS}_count", [(5, 2 * HOUR)], **CHAT), *once("claude_retries_total", **CHAT)],
    ),
    "three retries of a small service": (
        "ClaudeRetries",
        [
            *counted(f"{CALLS}_count", [(5, 2 * HOUR)], **CHAT),
            Recorded("claude_retries_total", CHAT, (), 3, after=2 * HOUR),
        ],
    ),
    # 12 calls an hour, and 180.
    "a few long prompts": ("ClaudePromptsGrow", prompts(5, 1, 1)),
    "prompts of fewer calls than tell something": ("ClaudePromptsGrow", prompts(5, 15, 15)),
    "prompts of few calls yesterday": ("ClaudePromptsGrow", prompts(5, 1, 100)),
    "a few long answers": ("ClaudeSlower", answers(5, 1, 1)),
    "long answers, of which there were few last week": ("ClaudeSlower", answers(5, 1, 100)),
    "calls that a budget refuses, of an application that repeats few": (
        "ClaudeRequestsNearLimit",
        counted(f"{CALLS}_count", [(10_000, 2 * HOUR)], claude_error_category="budget", **CHAT),
    ),
}
"""What an alert is silent at."""

ILL: Mapping[str, tuple[str, list[Recorded]]] = {
    "a budget beside a larger one of another service": (
        "ClaudeBudgetNearlySpent",
        [*budget(90, HOUR), *budget(50, HOUR, 10_000, "batch")],
    ),
    "a budget beside a larger one under the same job": (
        "ClaudeBudgetNearlySpent",
        [*budget(90, HOUR), *budget(50, HOUR, 10_000)],
    ),
    "a tenant whose share is nearly spent": (
        "ClaudeBudgetNearlySpent",
        [*budget(90, HOUR, claude_budget_scope="umbrella")],
    ),
    "a small service that fails beside a large one": (
        "ClaudeErrors",
        [
            *counted(f"{CALLS}_count", [(10_000, 2 * HOUR)], job="large", **CHAT),
            *counted(f"{CALLS}_count", [(1, 2 * HOUR)], job="small", claude_error_category="connection", **CHAT),
        ],
    ),
    "failures in ten minutes that were not scraped": (
        "ClaudeRateLimited",
        [
            Recorded("up", {}, [(0, 2 * HOUR)], 1),
            Recorded(f"{CALLS}_count", {"claude_error_category": "rate_limited"}, [(0, HOUR)], 1),
            Recorded(
                f"{CALLS}_count",
                {"claude_error_category": "rate_limited", "instance": "other"},
                [(0, 1)],
                4,
                after=2 * HOUR - 2,
            ),
        ],
    ),
    # Beside calls that are all sent and half of which fail, or are repeated, ten thousand times as many refused ones.
    "errors among calls that a budget refuses": (
        "ClaudeErrors",
        [
            *counted(f"{CALLS}_count", [(1, 2 * HOUR)], **CHAT),
            *counted(f"{CALLS}_count", [(1, 2 * HOUR)], claude_error_category="overloaded", **CHAT),
            *counted(f"{CALLS}_count", [(10_000, 2 * HOUR)], claude_error_category="budget", **CHAT),
        ],
    ),
    # 2 USD a minute.
    "ten minutes of a loop": ("ClaudeSpendFast", counted("claude_cost_USD_total", [(0.1, 2 * HOUR), (10, 2)])),
    # 60 calls an hour and ten retries: (10 - 3) / 60.
    "many retries of a small service": (
        "ClaudeRetries",
        [
            *counted(f"{CALLS}_count", [(5, 2 * HOUR)], **CHAT),
            *counted("claude_retries_total", [(10 / 12, 2 * HOUR)], **CHAT),
        ],
    ),
    "retries among calls that a budget refuses": (
        "ClaudeRetries",
        [
            *counted(f"{CALLS}_count", [(2, 2 * HOUR)], **CHAT),
            *counted("claude_retries_total", [(1, 2 * HOUR)], **CHAT),
            *counted(f"{CALLS}_count", [(10_000, 2 * HOUR)], claude_error_category="budget", **CHAT),
        ],
    ),
}
"""What an alert fires at besides."""


@needs_promtool
@pytest.mark.parametrize("what", [*WELL, *ILL])
def test_an_alert_tells_what_is_wrong_from_what_is_not(what: str):
    name, recorded = {**WELL, **ILL}[what]
    (alert,) = (alert for alert in ALERTS if alert.name == name)
    assert check(expression(alert), [Case(recorded, fires=what in ILL)]) == ""
