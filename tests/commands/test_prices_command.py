"""`otel-claude prices` shows the rate cards that calls are priced by."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from otel_claude.commands import main
from otel_claude.version import __version__


def cards(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, dict[str, Any]]:
    assert main(["prices", *arguments, "--format", "json"]) == 0
    return {card["model"]: card for card in json.loads(capsys.readouterr().out)["models"]}


def test_a_card_has_each_kind_of_token_and_way_of_processing(capsys: pytest.CaptureFixture[str]):
    """4, 20, 5, 8 and 0.20 USD per million tokens, half of it in batches and twice of it in fast mode.

    https://platform.claude.com/docs/en/about-claude/pricing
    """
    card = cards(capsys, "claude-opus-5-5", "--day", "2026-11-22")["claude-opus-5-5"]
    standard = {"input": 4, "output": 20, "cache_read": 0.20, "cache_write_5m": 5, "cache_write_1h": 8}
    prices = card["usd_per_million_tokens"]
    assert prices["standard"] == [{"prompts_above": 0, **standard}]
    assert prices["batch"] == [{"prompts_above": 0, **{kind: price / 2 for kind, price in standard.items()}}]
    assert prices["fast"] == [{"prompts_above": 0, **{kind: price * 2 for kind, price in standard.items()}}]
    assert card["usd_per_thousand_web_searches"] == 10
    assert card["context_window"] == 1_000_000
    assert card["inference_geo_us_factor"] == 1.1
    assert card["source"].startswith("genai-prices ")


def test_a_price_that_depends_on_the_prompt_has_a_line_for_each_size(capsys: pytest.CaptureFixture[str]):
    assert main(["prices", "claude-haiku-5-5"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if " standard " in line]
    assert lines == [
        ["claude-haiku-5-5", "standard", "0.10", "0.50", "0.01", "0.125", "0.20"],
        ["claude-haiku-5-5", "standard", "100,000", "0.50", "2.50", "0.05", "0.625", "1.00"],
    ]


def test_a_region_costs_ten_percent_more(capsys: pytest.CaptureFixture[str]):
    for location, price in (("global", 5), ("us-east5", 5.5)):
        card = cards(capsys, "claude-opus-5", "--platform", "vertex", "--location", location)["claude-opus-5"]
        assert card["usd_per_million_tokens"]["standard"][0]["input"] == price
        assert "estimated" not in card


def test_what_is_not_known_is_left_out_and_an_estimate_says_so(capsys: pytest.CaptureFixture[str]):
    card = cards(capsys, "claude-opus-5", "--platform", "bedrock")["claude-opus-5"]
    assert "usd_per_thousand_web_searches" not in card
    assert card["estimated"] == ["endpoint_unknown"]
    assert main(["prices", "claude-opus-5", "--platform", "bedrock"]) == 0
    assert "claude-opus-5 is an estimate: endpoint_unknown\n" in capsys.readouterr().out


def test_without_a_name_all_models_are_shown(capsys: pytest.CaptureFixture[str]):
    shown = cards(capsys)
    assert {"claude-opus-5-5", "claude-haiku-4-5", "claude-mythos-5"} <= shown.keys()


def test_prices_of_your_own_go_first(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    own = {"my-model": {"input": 6, "output": 30.125}, "claude-opus-*": {"input": 1, "output": 2}}
    monkeypatch.setenv("OTEL_CLAUDE_PRICES", json.dumps(own))
    shown = cards(capsys)
    assert shown["my-model"]["source"] == "override"
    assert shown["my-model"]["usd_per_million_tokens"]["standard"] == [
        {"prompts_above": 0, "input": 6, "output": 30.125}
    ]
    assert "context_window" not in shown["my-model"]
    assert shown["claude-opus-5"]["usd_per_million_tokens"]["standard"][0]["output"] == 2
    assert "claude-opus-*" not in shown
    assert main(["prices", "my-model"]) == 0
    assert "30.125" in capsys.readouterr().out


def test_an_unknown_model_is_named_with_those_like_it(capsys: pytest.CaptureFixture[str]):
    assert main(["prices", "claude-opus-5.5", "claude-opus-5"]) == 1
    shown = capsys.readouterr()
    assert "claude-opus-5 " in shown.out
    assert shown.err == (
        "otel-claude prices: 'claude-opus-5.5' has no price on anthropic; names like it: claude-opus-5-5, "
        "claude-opus-5, claude-opus-4-5\n"
    )


def test_an_unknown_model_that_is_like_no_other_is_told_too(capsys: pytest.CaptureFixture[str]):
    assert main(["prices", "xyz"]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "lists all that have one" in shown.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--platform", "azure"], "argument --platform: invalid choice: 'azure' (choose from "),
        (["--day", "now"], "argument --day: 'now' is no day; expected YYYY-MM-DD"),
        (["--format", "csv"], "argument --format: invalid choice: 'csv' (choose from "),
    ],
)
def test_a_wrong_argument_of_prices_is_named_with_what_is_accepted(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit) as stopped:
        main(["prices", *arguments])
    assert stopped.value.code == 2
    assert told in capsys.readouterr().err


def test_a_command_is_needed(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as stopped:
        main([])
    assert stopped.value.code == 2
    assert "the following arguments are required: {costs,prices,dashboards,alerts,doctor}" in capsys.readouterr().err


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out == f"otel-claude {__version__}\n"


def test_prices_whose_beginning_is_not_known_are_told_of_for_an_earlier_day(capsys: pytest.CaptureFixture[str]):
    """Claude Opus 5 was not there in 2020; the list has one price of it, for all days."""
    assert main(["prices", "claude-opus-5", "--day", "2020-01-01"]) == 0
    assert capsys.readouterr().err == (
        "otel-claude prices: since when these prices hold, the list does not tell, so on 2020-01-01 they may have been "
        "others: claude-opus-5\n"
    )
    assert main(["prices", "claude-opus-5"]) == 0
    assert capsys.readouterr().err == ""


def test_prices_have_the_day_of_their_beginning_where_the_list_tells_it(capsys: pytest.CaptureFixture[str]):
    """On 2026-03-13 prompts above 200,000 tokens of Opus 4.6 became as cheap as others.

    https://platform.claude.com/docs/en/release-notes/overview
    """
    assert main(["prices", "claude-opus-4-6", "--day", "2026-11-22", "--format", "json"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["models"][0]["since"] == "2026-03-13"
    assert shown.err == ""
    assert "since" not in cards(capsys, "claude-opus-4-6", "--day", "2026-03-12")["claude-opus-4-6"]


def test_a_list_has_the_day_of_its_newest_price(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    assert main(["prices", "claude-opus-5", "--format", "json"]) == 0
    newest = json.loads(capsys.readouterr().out)["newest_price_of_list_since"]
    assert "2026-03-13" <= newest <= datetime.now(UTC).date().isoformat()
    assert main(["prices", "claude-opus-5"]) == 0
    assert capsys.readouterr().out.endswith(f"The newest price of the list, of whatever model, holds since {newest}.\n")

    monkeypatch.setenv("OTEL_CLAUDE_PRICES", '{"my-model": {"input": 1, "output": 2}}')
    assert main(["prices", "my-model", "--day", "2020-01-01"]) == 0
    shown = capsys.readouterr()
    assert "newest" not in shown.out
    assert shown.err == ""


def test_a_model_in_other_letters_is_named_with_those_like_it(capsys: pytest.CaptureFixture[str]):
    assert main(["prices", "CLAUDE-OPUS-5"]) == 1
    assert "names like it: claude-opus-5, " in capsys.readouterr().err
