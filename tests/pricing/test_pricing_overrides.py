"""Prices that the user gives: what is accepted, what is refused and how, and what comes of them."""

import json
from pathlib import Path
from typing import Any

import pytest

from otel_claude.pricing import Cost, Prices, read_overrides
from otel_claude.usage import Usage

ACCEPTED = "input, output, cache_read, cache_write_5m, cache_write_1h, web_search, context_window"
NEGOTIATED = {
    "input": 4,
    "output": 18,
    "cache_read": 0.4,
    "cache_write_5m": 5,
    "cache_write_1h": 8,
    "web_search": 9,
    "context_window": 500_000,
}


def cost(prices: Prices, usage: Usage, model: str, platform: str = "anthropic") -> Cost | None:
    return prices.cost(usage, model=model, platform=platform)


def test_a_mapping_a_json_text_a_json_file_and_a_toml_file_say_the_same(tmp_path: Path):
    given = {"claude-opus-5": NEGOTIATED, "my-*": {"input": 6, "output": 30}}
    as_json = tmp_path / "prices.json"
    as_json.write_text(json.dumps(given))
    as_toml = tmp_path / "prices.toml"
    lines = ["['claude-opus-5']", *(f"{key} = {value}" for key, value in NEGOTIATED.items())]
    as_toml.write_text("\n".join([*lines, "['my-*']", "input = 6", "output = 30"]))
    for source in (given, json.dumps(given), f"\n {json.dumps(given)}", str(as_json), as_json, as_toml):
        assert read_overrides(source) == given


@pytest.mark.parametrize(
    ("prices", "message"),
    [
        ({"m": {"output": 1}}, "prices: 'm': 'input' is missing; input and output are required"),
        ({"m": {"input": 1}}, "prices: 'm': 'output' is missing"),
        ({"m": {"input": 1, "output": 1, "inptu": 1}}, f"'m': unknown key 'inptu'; accepted are {ACCEPTED}"),
        ({"m": 3}, f"prices: 'm': expected a table, not 3; a model has {ACCEPTED}"),
        (
            {"m": {"input": "5", "output": 1}},
            "'m': 'input': expected USD per million tokens, a number of 0 or more",
        ),
        ({"m": {"input": -5, "output": 1}}, "a number of 0 or more, not -5"),
        ({"m": {"input": True, "output": 1}}, "a number of 0 or more, not True"),
        ({"m": {"input": 1, "output": float("nan")}}, "a number of 0 or more, not nan"),
        ({"m": {"input": 1, "output": float("inf")}}, "a number of 0 or more, not inf"),
        (
            {"m": {"input": 1, "output": 1, "web_search": None}},
            "'web_search': expected USD per 1,000 searches",
        ),
        ({"m": {"input": 1, "output": 1, "context_window": 0.5}}, "a whole number above 0, not 0.5"),
        ({"m": {"input": 1, "output": 1, "context_window": 0}}, "a whole number above 0, not 0"),
        ({"m": {"input": 1, "output": 1, "context_window": True}}, "a whole number above 0, not True"),
    ],
)
def test_a_refused_price_is_named_with_what_is_accepted(prices: dict[str, Any], message: str):
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the whole message is what is tested
        read_overrides(prices)
    assert message in str(refused.value)


@pytest.mark.parametrize("source", [5, ["claude-opus-5-5"], None])
def test_a_source_of_another_kind_is_refused_with_what_is_accepted(source: Any):
    with pytest.raises(ValueError, match="expected a mapping, JSON text or the path of a JSON or TOML file, not"):
        read_overrides(source)


def test_errors_name_the_file(tmp_path: Path):
    missing = tmp_path / "missing.json"
    with pytest.raises(ValueError, match=r"prices file '.*missing\.json': cannot be read"):
        read_overrides(str(missing))
    for name in ("broken.json", "broken.toml"):
        broken = tmp_path / name
        broken.write_text("prices?")
        with pytest.raises(ValueError, match=rf"prices file '.*{name}': expected JSON text, or the path of a"):
            read_overrides(broken)
    listed = tmp_path / "list.json"
    listed.write_text("[]")
    with pytest.raises(ValueError, match=r"prices file '.*list\.json': expected a table, not \[\]"):
        read_overrides(listed)
    with pytest.raises(ValueError, match=r"prices \(JSON\): expected JSON text"):
        read_overrides("{]")


def test_an_override_goes_before_the_list_for_every_kind_of_token():
    prices = Prices(read_overrides({"claude-opus-5": NEGOTIATED}))
    usage = Usage(input=100, output=200, cache_read=300, cache_write=900, cache_write_1h=500, web_searches=1)
    priced = cost(prices, usage, "claude-opus-5")
    assert priced is not None
    dollars = (100 * 4 + 200 * 18 + 300 * 0.4 + 400 * 5 + 500 * 8) / 1e6 + 9 / 1000
    assert priced.total == pytest.approx(dollars)
    assert priced.source == "override"
    assert prices.context_window("claude-opus-5", "anthropic") == 500_000


def test_batch_halves_and_us_raises_an_overridden_price():
    prices = Prices({"claude-opus-5": {"input": 4, "output": 18}})
    priced = cost(prices, Usage(1_000, 0, service_tier="batch", inference_geo="us"), "claude-opus-5")
    assert priced is not None
    assert priced.total == pytest.approx(1_000 * 4 * 0.5 * 1.1 / 1e6)


@pytest.mark.parametrize("used", [{"cache_read": 1}, {"cache_write": 1}, {"web_searches": 1}, {"speed": "fast"}])
def test_a_price_that_the_override_leaves_out_is_not_known(used: dict[str, Any]):
    prices = Prices({"claude-opus-5": {"input": 4, "output": 18}})
    assert cost(prices, Usage(1, 1), "claude-opus-5") is not None
    assert cost(prices, Usage(1, 1)._replace(**used), "claude-opus-5") is None


@pytest.mark.parametrize(
    ("model", "price"),
    [
        ("claude-opus-5-20260801", 1),  # its own name
        ("claude-opus-5-20260901", 2),  # without its date
        ("us.anthropic.claude-opus-5", 2),
        ("claude-opus-4-8", 3),  # the first pattern that fits
        ("house-model", 4),  # one that no list has
    ],
)
def test_the_nearest_name_decides(model: str, price: float):
    given = {
        "claude-opus-*": {"input": 3, "output": 0},
        "claude-*": {"input": 9, "output": 0},
        "claude-opus-5": {"input": 2, "output": 0},
        "claude-opus-5-20260801": {"input": 1, "output": 0},
        "house-*": {"input": 4, "output": 0},
    }
    priced = cost(Prices(given), Usage(1_000_000, 0), model, "bedrock")
    assert priced is not None
    assert priced.total == pytest.approx(price)


def test_a_window_that_the_override_leaves_out_is_the_listed_one():
    prices = Prices({"*": {"input": 1, "output": 1}})
    assert prices.context_window("claude-opus-4-5", "anthropic") == 200_000
    assert prices.context_window("house-model", "anthropic") is None
