"""The price list: when it is imported, what happens without it, and how its prices are kept."""

import logging
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime

import genai_prices
import pytest
from genai_prices import data_snapshot
from genai_prices.data_snapshot import DataSnapshot

from otel_claude.pricing import Cost, Prices
from otel_claude.pricing.prices import MAX_CARDS
from otel_claude.usage import Usage

USAGE = Usage(input=1_000_000, output=0)


def opus_5(prices: Prices) -> Cost | None:
    return prices.cost(USAGE, model="claude-opus-5", platform="anthropic")


def run(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_importing_the_package_does_not_import_the_price_list():
    assert run("import otel_claude.pricing, sys; print('genai_prices' in sys.modules)") == "False"


def test_the_source_names_the_price_list_and_its_version():
    found = opus_5(Prices())
    assert found is not None
    assert found.source == f"genai-prices {genai_prices.__version__}"


def test_loading_again_changes_nothing(monkeypatch: pytest.MonkeyPatch):
    loaded = Prices()
    loaded.load()
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    loaded.load()
    assert opus_5(loaded) is not None


def test_without_the_price_list_only_overrides_have_prices_and_one_warning_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    without = Prices({"mine": {"input": 2, "output": 2}})
    with caplog.at_level(logging.WARNING):
        without.load()
        assert opus_5(without) is None
        assert without.context_window("claude-opus-5", "anthropic") is None
        own = without.cost(USAGE, model="mine", platform="anthropic")
    assert own is not None
    assert own.total == pytest.approx(2)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "genai-prices" in caplog.text


def test_an_import_that_fails_for_a_moment_is_tried_again_and_nothing_is_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """As when gevent patches the process while a thread imports."""
    late = Prices()
    with monkeypatch.context() as broken:
        broken.setitem(sys.modules, "genai_prices", None)
        late.load()
        assert opus_5(late) is None
    assert opus_5(late) is not None
    assert caplog.records == []


def test_a_price_list_that_has_changed_its_form_is_no_error(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    loaded = Prices()
    loaded.load()
    monkeypatch.setattr(data_snapshot, "get_snapshot", lambda: None)
    assert opus_5(loaded) is None
    assert loaded.cost(USAGE, model="claude-opus-4-8", platform="anthropic") is None
    assert len(caplog.records) == 1


def test_prices_that_the_application_updates_are_taken_over():
    anthropic = next(provider for provider in data_snapshot.get_snapshot().providers if provider.id == "anthropic")
    others = [row for row in anthropic.models if row.id != "claude-opus-5"]
    loaded = Prices()
    loaded.load()
    data_snapshot.set_custom_snapshot(DataSnapshot([replace(anthropic, models=others)], from_auto_update=True))
    try:
        assert opus_5(loaded) is None
        assert loaded.cost(USAGE, model="claude-opus-4-8", platform="anthropic") is not None
    finally:
        data_snapshot.set_custom_snapshot(None)


@pytest.mark.parametrize(
    ("day", "per_million"), [(datetime(2026, 3, 12, tzinfo=UTC), 10), (datetime(2026, 3, 13, tzinfo=UTC), 5)]
)
def test_the_prices_of_the_day_hold(day: datetime, per_million: float):
    """On 2026-03-13 the higher price of long prompts ended. https://claude.com/blog/1m-context-ga."""
    found = Prices().cost(USAGE, model="claude-opus-4-6", platform="anthropic", long_context=True, now=day)
    assert found is not None
    assert found.total == pytest.approx(per_million)


def test_any_number_of_model_names_takes_bounded_memory():
    bounded = Prices()
    for number in range(2 * MAX_CARDS + 1):
        assert bounded.cost(USAGE, model=f"model-{number}", platform="anthropic") is None
    assert len(bounded._cards) <= MAX_CARDS  # pyright: ignore[reportPrivateUsage] - memory shows nowhere else
    assert opus_5(bounded) is not None
