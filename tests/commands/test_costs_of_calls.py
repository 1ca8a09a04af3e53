"""What `otel-claude costs` says of calls: the sums of the metrics, and what the price list makes of the tokens."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import pytest
from exporting import Exporter, line_of_spans, written
from opentelemetry import baggage, context
from opentelemetry.sdk.metrics.export import AggregationTemporality

from fixture_types import API_KEY, Instrument
from otel_claude.commands import main
from otel_claude.testing import Answer, Batch, ErrorEvent, SimulatedClaude, usage

MILLION = 1_000_000

# USD per million tokens: https://platform.claude.com/docs/en/about-claude/pricing
OPUS_5_5 = {"input": 4, "output": 20, "cache_write_5m": 5, "cache_write_1h": 8, "cache_read": 0.20}
SONNET_5_5 = {"input": 2, "output": 10, "cache_write_5m": 2.5, "cache_write_1h": 4, "cache_read": 0.10}
HAIKU_5_5 = {"input": 0.10, "output": 0.50, "cache_write_5m": 0.125, "cache_write_1h": 0.20, "cache_read": 0.01}

ASK: dict[str, Any] = {"max_tokens": 64, "messages": [{"role": "user", "content": "Hello"}]}
OPUS = Answer(
    "Hello",
    model="claude-opus-5-5",
    usage=usage(
        input_tokens=1_000,
        output_tokens=2_000,
        cache_read=30_000,
        cache_write_5m=400,
        cache_write_1h=500,
        server_tool_use={"web_search_requests": 3},
    ),
)
SONNET = Answer("Hello", model="claude-sonnet-5-5", usage=usage(input_tokens=700, output_tokens=900))
IN_BATCH = Answer("Hello", model="claude-sonnet-5-5", usage=usage(input_tokens=10_000, output_tokens=5_000))
UNKNOWN = Answer("Hello", model="claude-of-tomorrow", usage=usage(input_tokens=11, output_tokens=13))

OPUS_USD = {
    "input": 1_000 * 4 / MILLION,
    "output": 2_000 * 20 / MILLION,
    "cache_read": 30_000 * 0.20 / MILLION,
    "cache_write": (400 * 5 + 500 * 8) / MILLION,
    "server_tools": 3 * 10 / 1_000,
}
# Two calls, and two answers of a batch at half of the price.
SONNET_USD = {
    "input": (2 * 700 * 2 + 2 * 10_000 * 1) / MILLION,
    "output": (2 * 900 * 10 + 2 * 5_000 * 5) / MILLION,
}


@pytest.fixture(params=[AggregationTemporality.DELTA, AggregationTemporality.CUMULATIVE], ids=["delta", "cumulative"])
def exporter(request: pytest.FixtureRequest) -> Iterator[Exporter]:
    exporter = Exporter(request.param, **{"service.name": "support", "service.instance.id": "1"})
    yield exporter
    exporter.shutdown()


@pytest.fixture
def client(claude: SimulatedClaude) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=claude.base_url, api_key=API_KEY, max_retries=0) as client:
        yield client


def ask(client: anthropic.Anthropic, model: str, tenant: str) -> None:
    token = context.attach(baggage.set_baggage("tenant", tenant))
    try:
        client.messages.create(model=model, **ASK)
    finally:
        context.detach(token)


def read_a_batch(client: anthropic.Anthropic, claude: SimulatedClaude) -> None:
    claude.will(Batch([IN_BATCH, IN_BATCH]))
    params = {"model": "claude-sonnet-5-5", **ASK}
    requests: Any = [{"custom_id": name, "params": params} for name in ("one", "two")]
    batch = client.messages.batches.create(requests=requests)
    client.messages.batches.retrieve(batch.id)
    list(client.messages.batches.results(batch.id))


def exported(claude: SimulatedClaude, client: anthropic.Anthropic, exporter: Exporter) -> list[str]:
    """Lines of three looks at the metrics of calls."""
    claude.will(OPUS, SONNET, SONNET)
    ask(client, "claude-opus-5-5", "acme")
    ask(client, "claude-sonnet-5-5", "acme")
    lines = [exporter.line()]
    ask(client, "claude-sonnet-5-5", "globex")
    read_a_batch(client, claude)
    lines.append(exporter.line())
    claude.will(UNKNOWN)
    ask(client, "claude-of-tomorrow", "globex")
    return [*lines, exporter.line()]


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["costs", *arguments, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def by_label(report: dict[str, Any], label: str) -> dict[str | None, dict[str, Any]]:
    return {group["labels"].get(label): group for group in report["groups"]}


@pytest.fixture
def lines(
    claude: SimulatedClaude, client: anthropic.Anthropic, exporter: Exporter, instrument: Instrument
) -> list[str]:
    instrument({"meter_provider": exporter.meter_provider}, baggage=("tenant",))
    return exported(claude, client, exporter)


def test_the_sums_are_what_the_price_list_makes_of_the_tokens(
    lines: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    report = told(capsys, written(tmp_path / "metrics.json", lines))
    models = by_label(report, "model")
    opus, sonnet, unknown = models["claude-opus-5-5"], models["claude-sonnet-5-5"], models["claude-of-tomorrow"]

    assert report["source"] == "metrics"
    assert opus["calls"] == 1
    assert opus["tokens"] == {
        "input": 1_000,
        "output": 2_000,
        "cache_read": 30_000,
        "cache_write_5m": 400,
        "cache_write_1h": 500,
    }
    assert opus["usd"] == pytest.approx({**OPUS_USD, "total": sum(OPUS_USD.values())})
    # reads save 4 - 0.20, writes cost 5 - 4 and 8 - 4 more
    assert opus["saved_usd"] == pytest.approx({"cache": (30_000 * 3.80 - 400 * 1 - 500 * 4) / MILLION})
    assert sonnet["calls"] == 2
    assert sonnet["tokens"] == {"input": 2 * 700 + 2 * 10_000, "output": 2 * 900 + 2 * 5_000}
    assert sonnet["usd"] == pytest.approx({**SONNET_USD, "total": sum(SONNET_USD.values())})
    assert sonnet["saved_usd"] == pytest.approx({"batch": 2 * (10_000 * 1 + 5_000 * 5) / MILLION})
    assert unknown == {
        "labels": {"model": "claude-of-tomorrow"},
        "calls": 1,
        "unpriced_calls": 1,
        "tokens": {"input": 11, "output": 13},
    }
    assert report["total"]["usd"]["total"] == pytest.approx(sum(OPUS_USD.values()) + sum(SONNET_USD.values()))
    assert report["notes"][0] == "Calls without a price: 1. The sums are without them."


def test_the_sums_are_those_of_the_metrics(
    lines: list[str], exporter: Exporter, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    total = told(capsys, written(tmp_path / "metrics.json", lines))["total"]
    assert total["usd"]["total"] == pytest.approx(exporter.total("claude.cost"))
    assert sum(total["tokens"].values()) == exporter.total("claude.token.usage")
    assert sum(total["saved_usd"].values()) == pytest.approx(exporter.total("claude.cost.savings"))
    assert total["unpriced_calls"] == exporter.total("claude.cost.unpriced")


def test_what_the_same_tokens_would_have_cost(lines: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    report = told(capsys, written(tmp_path / "metrics.json", lines))
    models = by_label(report, "model")
    opus, sonnet = models["claude-opus-5-5"]["what_if_usd"], models["claude-sonnet-5-5"]["what_if_usd"]
    searches = OPUS_USD["server_tools"]

    on_sonnet = 1_000 * 2 + 2_000 * 10 + 30_000 * 0.10 + 400 * 2.5 + 500 * 4
    assert opus["smaller_model"] == pytest.approx(on_sonnet / MILLION + searches)
    assert opus["batch"] == pytest.approx((sum(OPUS_USD.values()) - searches) / 2 + searches)
    # 100 of the 1,000 tokens of input at 0.20 instead of 4
    assert opus["tenth_cached"] == pytest.approx(sum(OPUS_USD.values()) - 100 * (4 - 0.20) / MILLION)
    # What was in a batch stays in one: Haiku 5.5 costs 0.05 and 0.25 there.
    on_haiku = 2 * (700 * 0.10 + 900 * 0.50) + 2 * (10_000 * 0.05 + 5_000 * 0.25)
    assert sonnet["smaller_model"] == pytest.approx(on_haiku / MILLION)
    assert sonnet["batch"] == pytest.approx((2 * (700 * 1 + 900 * 5) + 2 * (10_000 * 1 + 5_000 * 5)) / MILLION)
    assert report["smaller_models"] == {
        "claude-opus-5-5": "claude-sonnet-5-5",
        "claude-sonnet-5-5": "claude-haiku-5-5",
    }
    assert report["notes"][1] == (
        "claude-haiku-5-5 is counted at its price for prompts of up to 100,000 tokens: sums do not tell how long a "
        "prompt was."
    )


@pytest.mark.parametrize("label", ["model", "tenant", "operation", "service", "gen_ai.request.model", "server.port"])
def test_the_groups_of_any_label_add_up_to_the_total(
    label: str, lines: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    report = told(capsys, written(tmp_path / "metrics.json", lines), "--by", label)
    assert sum(group["usd"]["total"] for group in report["groups"] if "usd" in group) == pytest.approx(
        sum(OPUS_USD.values()) + sum(SONNET_USD.values())
    )


def test_a_tenant_is_an_entry_of_the_baggage(lines: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    report = told(capsys, written(tmp_path / "metrics.json", lines), "--by", "tenant", "--by", "model")
    spent = {tuple(group["labels"].values()): group["usd"]["total"] for group in report["groups"] if "usd" in group}
    sonnet = (700 * 2 + 900 * 10) / MILLION
    assert spent == pytest.approx(
        {
            ("acme", "claude-opus-5-5"): sum(OPUS_USD.values()),
            ("acme", "claude-sonnet-5-5"): sonnet,
            ("globex", "claude-sonnet-5-5"): sonnet,
            ("claude-sonnet-5-5",): 2 * (10_000 * 1 + 5_000 * 5) / MILLION,
        }
    )


def test_the_lines_may_come_twice_and_in_any_order(
    lines: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    once = told(capsys, written(tmp_path / "once.json", lines))
    again = told(capsys, written(tmp_path / "again.json", [*reversed(lines), *lines]))
    assert again == once


def test_a_csv_has_a_line_for_each_group(lines: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["costs", written(tmp_path / "metrics.json", lines), "--format", "csv"]) == 0
    shown = capsys.readouterr()
    found = {line["model"]: line for line in csv.DictReader(io.StringIO(shown.out))}
    # 0.11 USD for Opus, 0.0908 for Sonnet
    assert list(found) == ["claude-sonnet-5-5", "claude-opus-5-5", "claude-of-tomorrow"]
    assert float(found["claude-opus-5-5"]["usd.total"]) == pytest.approx(sum(OPUS_USD.values()))
    assert found["claude-opus-5-5"]["tokens.cache_read"] == "30000"
    assert found["claude-of-tomorrow"]["usd.total"] == ""
    assert "Calls without a price: 1." in shown.err


def test_both_names_of_the_metric_of_calls_count_each_call_once(
    claude: SimulatedClaude,
    client: anthropic.Anthropic,
    exporter: Exporter,
    instrument: Instrument,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
):
    instrument({"meter_provider": exporter.meter_provider}, metric_names="both")
    lines = exported(claude, client, exporter)
    assert told(capsys, written(tmp_path / "metrics.json", lines))["total"]["calls"] == 4


def test_without_metrics_the_spans_say_the_same(
    claude: SimulatedClaude,
    client: anthropic.Anthropic,
    exporter: Exporter,
    instrument: Instrument,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
):
    telemetry = instrument({"meter_provider": exporter.meter_provider}, baggage=("tenant",))
    metrics = exported(claude, client, exporter)
    spans = line_of_spans(telemetry.spans)
    path = written(tmp_path / "spans.json", [spans, spans])
    of_metrics = told(capsys, written(tmp_path / "metrics.json", metrics))
    of_spans = told(capsys, path)
    both = told(capsys, written(tmp_path / "both.json", [spans, *metrics, spans]))

    assert of_spans["source"] == "spans"
    assert both == of_metrics
    assert told(capsys, str(tmp_path / "both.json"), "--from", "spans") == of_spans
    opus, others = (by_label(report, "model") for report in (of_spans, of_metrics))
    assert opus["claude-opus-5-5"] == others["claude-opus-5-5"]
    assert opus["claude-of-tomorrow"] == others["claude-of-tomorrow"]
    # The span of a batch tells neither its models nor the parts of its cost.
    assert opus[None]["usd"] == pytest.approx({"unsplit": 0.07, "total": 2 * (10_000 * 1 + 5_000 * 5) / MILLION})
    assert of_spans["total"]["usd"]["total"] == pytest.approx(of_metrics["total"]["usd"]["total"])


def test_a_stream_that_was_cut_costs_its_input_by_metrics_and_spans(
    claude: SimulatedClaude,
    client: anthropic.Anthropic,
    exporter: Exporter,
    instrument: Instrument,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
):
    telemetry = instrument({"meter_provider": exporter.meter_provider})
    claude.will(ErrorEvent("overloaded_error", after_events=4, then=SONNET))
    with pytest.raises(anthropic.APIStatusError):
        list(client.messages.create(model="claude-sonnet-5-5", stream=True, **ASK))
    for name, line in (("metrics", exporter.line()), ("spans", line_of_spans(telemetry.spans))):
        report = told(capsys, written(tmp_path / f"{name}.json", [line]))
        assert report["source"] == name
        assert report["total"]["usd"] == pytest.approx({"input": 700 * 2 / MILLION, "total": 700 * 2 / MILLION})
