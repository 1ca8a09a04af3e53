"""The outputs in `docs/costs.md` are those of the commands."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import pytest
from exporting import Exporter, written
from opentelemetry import baggage, context
from opentelemetry.sdk.metrics.export import AggregationTemporality

from fixture_types import API_KEY, Instrument
from otel_claude.budgets.ledgers import Line
from otel_claude.budgets.ledgers.sqlite import SqliteLedger
from otel_claude.budgets.money import picodollars
from otel_claude.commands import main
from otel_claude.testing import Answer, Batch, SimulatedClaude, usage

PAGE = Path(__file__).parents[2] / "docs" / "costs.md"
BLOCK = re.compile(r"^    \$ otel-claude (?P<command>.+)\n(?P<output>(?:(?:    .*)?\n)+)", re.MULTILINE)
OF_THE_LIST = re.compile(r"(genai-prices |holds since )[\d.-]+")
"""What a newer list, or a later day, may change."""

CALLS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("acme", "claude-opus-5-5", usage(input_tokens=900_000, output_tokens=250_000, cache_read=8_000_000)),
    ("acme", "claude-opus-5-5", usage(input_tokens=300_000, output_tokens=90_000, cache_write_5m=400_000)),
    ("acme", "claude-haiku-4-5", usage(input_tokens=2_000_000, output_tokens=150_000)),
    ("globex", "claude-sonnet-5-5", usage(input_tokens=700_000, output_tokens=200_000, cache_read=1_000_000)),
    ("globex", "claude-of-tomorrow", usage(input_tokens=20_000, output_tokens=5_000)),
)
IN_BATCH = Answer("Sorted.", model="claude-sonnet-5-5", usage=usage(input_tokens=5_000_000, output_tokens=600_000))

SPENT = (
    ("daily/2026-11-21", "one", 400.0),
    ("daily/2026-11-21", "other", 12.25),
    ("daily/2026-11-22", "one", 96.5),
    ("tenant/acme/2026-11-22", "one", 60.25),
    ("tenant/globex/2026-11-22", "one", 36.25),
)


def blocks() -> Iterator[tuple[str, str]]:
    """The commands of the page, each with what it prints."""
    for block in BLOCK.finditer(PAGE.read_text("utf-8")):
        yield block["command"], "".join(f"{line[4:]}\n" for line in block["output"].rstrip().splitlines())


@pytest.fixture
def metrics(claude: SimulatedClaude, instrument: Instrument, tmp_path: Path) -> str:
    """The path of the metrics of the calls."""
    exporter = Exporter(AggregationTemporality.CUMULATIVE, **{"service.name": "support"})
    instrument({"meter_provider": exporter.meter_provider}, baggage=("tenant",))
    with anthropic.Anthropic(base_url=claude.base_url, api_key=API_KEY, max_retries=0) as client:
        for tenant, model, used in CALLS:
            claude.will(Answer("Hello", model=model, usage=used))
            ask(client, tenant, model)
        claude.will(Batch([IN_BATCH]))
        token = context.attach(baggage.set_baggage("tenant", "globex"))
        params: Any = {"model": "claude-sonnet-5-5", "max_tokens": 64, "messages": []}
        batch = client.messages.batches.create(requests=[{"custom_id": "one", "params": params}])
        client.messages.batches.retrieve(batch.id)
        list(client.messages.batches.results(batch.id))
        context.detach(token)
    path = written(tmp_path / "metrics.json", [exporter.line()])
    exporter.shutdown()
    return path


def ask(client: anthropic.Anthropic, tenant: str, model: str) -> None:
    token = context.attach(baggage.set_baggage("tenant", tenant))
    client.messages.create(model=model, max_tokens=64, messages=[{"role": "user", "content": "Hello"}])
    context.detach(token)


@pytest.fixture
def ledger(tmp_path: Path) -> str:
    """The address of a ledger."""
    ledger = SqliteLedger(tmp_path / "budgets.db")
    later = time.time() + 3_600
    ledger.write([Line(slot, writer, picodollars(usd), later) for slot, writer, usd in SPENT])
    ledger.close()
    return f"sqlite://{tmp_path}/budgets.db"


def test_the_outputs_of_the_page_are_current(metrics: str, ledger: str, capsys: pytest.CaptureFixture[str]):
    here = {"metrics.json": metrics, "sqlite:///var/lib/app/budgets.db": ledger}
    found = list(blocks())
    assert [command.split()[0] for command, _ in found] == ["costs", "costs", "costs", "prices"]
    for command, output in found:
        assert main([here.get(word, word) for word in command.split()]) == 0
        assert OF_THE_LIST.sub(r"\1…", capsys.readouterr().out) == OF_THE_LIST.sub(r"\1…", output)
