"""Where settings come from, and what becomes of a bad one."""

import logging
from dataclasses import FrozenInstanceError, fields
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from apps import HELLO, MODEL, SPAN, SwitchOn

from otel_claude import SettingError, Settings
from otel_claude.budgets.plan import read_plan
from otel_claude.testing import SimulatedClaude, Telemetry

OWN_PRICES = {MODEL: {"input": 1.0, "output": 2.0}}
BUDGETS = {"budgets": {"all": {"usd": 500, "period": "day"}}}
READ_PRICES = Settings(prices=OWN_PRICES).prices


def shorten(kind: str, part: Any) -> Any:
    return part


GOOD: tuple[tuple[str, Any, str | None, Any], ...] = (
    ("native_spans", "enrich", "enrich", "enrich"),
    ("native_spans", "KEEP", " Keep ", "keep"),
    ("metric_names", "latest", "latest", "latest"),
    ("chunk_metrics", True, "true", True),
    ("chunk_metrics", "1", "1", True),
    ("chunk_metrics", False, "False", False),
    ("compatibility", "openinference", " OpenInference", "openinference"),
    ("content", "SPAN_ONLY", "span_only", "SPAN_ONLY"),
    ("content_max_bytes", 1000, "1000", 1000),
    ("redact", shorten, None, shorten),
    ("max_spans_per_trace", 500, "500", 500),
    ("max_spans_per_trace", 0, "0", 0),
    ("context_threshold", 0.9, "0.9", 0.9),
    ("context_threshold", 1, "1", 1.0),
    ("check_tools", True, "true", True),
    ("baggage", ("tenant", "feature"), " tenant, feature,tenant,", ("tenant", "feature")),
    ("baggage", ["tenant"], "tenant", ("tenant",)),
    ("user_id", "hashed", "HASHED", "hashed"),
    ("audit", True, "1", True),
    ("budgets", BUDGETS, None, read_plan(BUDGETS)),
    ("daily_budget_usd", 500, "500", Decimal(500)),
    ("daily_budget_usd", 0.5, " 0.5 ", Decimal("0.5")),
    ("budget_ledger", "sqlite:///var/ledger.db", "sqlite:///var/ledger.db", "sqlite:///var/ledger.db"),
    ("prices", OWN_PRICES, '{"claude-sonnet-5-5": {"input": 1.0, "output": 2.0}}', READ_PRICES),
)
"""Setting, its value in code, the same in the environment, and what is read."""

BAD: tuple[tuple[str, Any, str | None, tuple[str, ...]], ...] = (
    ("native_spans", "remove", "remove", ("replace", "enrich", "keep")),
    ("native_spans", 1, None, ("replace", "enrich", "keep")),
    ("metric_names", "newest", "newest", ("legacy", "latest", "both")),
    ("chunk_metrics", "yes please", "yes please", ("true", "false")),
    ("compatibility", "phoenix", "phoenix", ("off", "openinference", "langfuse", "mlflow")),
    ("content", "ALL", "ALL", ("NO_CONTENT", "SPAN_ONLY", "EVENT_ONLY", "SPAN_AND_EVENT")),
    ("content", True, None, ("NO_CONTENT", "SPAN_ONLY", "EVENT_ONLY", "SPAN_AND_EVENT")),
    ("content_max_bytes", 0, "0", ("bytes",)),
    ("content_max_bytes", -5, "-5", ("bytes",)),
    ("content_max_bytes", True, "64kB", ("bytes",)),
    ("redact", "no function", None, ("function",)),
    ("max_spans_per_trace", 1, "1", ("0", "2")),
    ("max_spans_per_trace", -5, "-5", ("0", "2")),
    ("max_spans_per_trace", True, "many", ("0", "2")),
    ("context_threshold", 0, "0", ("above 0", "up to 1")),
    ("context_threshold", 75, "75%", ("above 0", "up to 1")),
    ("context_threshold", True, "nan", ("above 0", "up to 1")),
    ("check_tools", "yes", "yes", ("true", "false")),
    ("baggage", ("a", "b", "c", "d", "e", "f"), "a,b,c,d,e,f", ("up to 5",)),
    ("baggage", ("ten ant",), "ten ant", ("letters",)),
    ("baggage", ("claude.tenant",), "gen_ai.tenant", ("claude.",)),
    ("baggage", 7, "server", ("comma-separated",)),
    ("user_id", "plain", "plain", ("off", "hashed")),
    ("audit", 2, "on", ("true", "false")),
    ("budgets", "/no/such/file.toml", "/no/such/file.toml", ("path", "TOML", "YAML")),
    ("budgets", "budgets.json", "budgets.json", (".toml",)),
    ("budgets", 5, None, ("path", "TOML", "mapping")),
    ("daily_budget_usd", 0, "-5", ("above 0",)),
    ("daily_budget_usd", True, "a lot", ("above 0",)),
    ("budget_ledger", "nowhere", "sqlite:", ("memory", "sqlite:///absolute/path", "redis://")),
    ("prices", "/no/such/file.toml", "/no/such/file.toml", ()),
    ("prices", {MODEL: {"input": "cheap"}}, '{"claude-sonnet-5-5": {"input": "cheap"}}', ()),
    ("prices", 5, None, ("mapping", "JSON", "TOML")),
    ("prices", {MODEL: 3}, "{not json", ()),
)
"""Setting, a value in code, one in the environment, and what the message says is accepted."""

SECRET = {"budget_ledger"}
"""Settings whose values no message has."""


def shown(name: str, value: Any) -> str:
    return "not shown" if name in SECRET else repr(value)


VARIABLES = {setting.name: setting.metadata["env"] for setting in fields(Settings)}


def ids(table: tuple[tuple[Any, ...], ...]) -> list[str]:
    return [f"{name}={getattr(value, '__name__', None) or repr(value)}" for name, value, *_ in table]


def test_every_setting_is_tested_here():
    assert {name for name, *_ in GOOD} == {name for name, *_ in BAD} == {setting.name for setting in fields(Settings)}


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch):
    for variable in VARIABLES.values():
        if variable is not None:
            monkeypatch.delenv(variable, raising=False)


@pytest.mark.parametrize(("name", "given", "_env", "read"), GOOD, ids=ids(GOOD))
def test_a_setting_takes_its_values_in_code(name: str, given: Any, _env: str | None, read: Any):
    assert getattr(Settings(**{name: given}), name) == read
    assert getattr(Settings.from_environment(**{name: given}), name) == read


@pytest.mark.parametrize(("name", "_given", "value", "read"), GOOD, ids=ids(GOOD))
def test_a_setting_takes_its_values_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, name: str, _given: Any, value: str | None, read: Any
):
    if value is None:
        pytest.skip("in code only")
    monkeypatch.setenv(VARIABLES[name], value)

    assert getattr(Settings.from_environment(), name) == read


def test_prices_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "prices.toml"
    file.write_text('["claude-sonnet-5-5"]\ninput = 1.0\noutput = 2.0\n')
    monkeypatch.setenv("OTEL_CLAUDE_PRICES", str(file))

    assert Settings.from_environment().prices == READ_PRICES


@pytest.mark.parametrize(("name", "given", "_env", "accepted"), BAD, ids=ids(BAD))
def test_a_bad_value_in_code_is_an_error_that_says_what_is_accepted(
    name: str, given: Any, _env: str | None, accepted: tuple[str, ...]
):
    with pytest.raises(SettingError) as raised:
        Settings(**{name: given})

    message = str(raised.value)
    assert name in message
    assert VARIABLES[name] is None or VARIABLES[name] in message
    assert shown(name, given) in message
    assert [word for word in accepted if word not in message] == []


@pytest.mark.parametrize(("name", "_given", "value", "accepted"), BAD, ids=ids(BAD))
def test_a_bad_value_in_the_environment_is_an_error_that_says_what_is_accepted(
    monkeypatch: pytest.MonkeyPatch, name: str, _given: Any, value: str | None, accepted: tuple[str, ...]
):
    if value is None:
        pytest.skip("in code only")
    monkeypatch.setenv(VARIABLES[name], value)
    with pytest.raises(SettingError) as raised:
        Settings.from_environment()

    message = str(raised.value)
    assert [word for word in (name, VARIABLES[name], shown(name, value), *accepted) if word not in message] == []


@pytest.mark.parametrize(("name", "_given", "value", "accepted"), BAD, ids=ids(BAD))
def test_a_bad_value_in_the_environment_of_a_running_program_is_logged_and_its_default_used(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    client: Any,
    switch_on: SwitchOn,
    telemetry: Telemetry,
    name: str,
    _given: Any,
    value: str | None,
    accepted: tuple[str, ...],
):
    if value is None:
        pytest.skip("in code only")
    monkeypatch.setenv(VARIABLES[name], value)
    with caplog.at_level(logging.WARNING, "otel_claude"):
        switch_on()
    client.messages.create(**HELLO)

    (warning,) = [record.getMessage() for record in caplog.records]
    assert [word for word in (VARIABLES[name], shown(name, value), *accepted, "default") if word not in warning] == []
    assert [span.name for span in telemetry.spans] == [SPAN]


@pytest.mark.parametrize(("name", "given", "_env", "_accepted"), BAD, ids=ids(BAD))
def test_a_bad_keyword_of_instrument_is_logged_and_its_default_used(
    caplog: pytest.LogCaptureFixture,
    client: Any,
    switch_on: SwitchOn,
    telemetry: Telemetry,
    name: str,
    given: Any,
    _env: str | None,
    _accepted: tuple[str, ...],
):
    with caplog.at_level(logging.WARNING, "otel_claude"):
        switch_on(**{name: given})
    client.messages.create(**HELLO)

    (warning,) = [record.getMessage() for record in caplog.records]
    assert name in warning
    assert [span.name for span in telemetry.spans] == [SPAN]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OTEL_CLAUDE_BUDGET_LEDGER", "redis:/:hunter2@host:6379/0"),
        ("OTEL_CLAUDE_BUDGET_LEDGER", ":hunter2@host:6379/0"),
        ("OTEL_CLAUDE_BUDGET_LEDGER", "redis//:hunter2@host"),
        ("OTEL_CLAUDE_BUDGET_LEDGER", "redis ://:hunter2@host"),
        ("OTEL_CLAUDE_BUDGET_LEDGER", "redis+tls://:hunter2@host"),
        ("OTEL_CLAUDE_BUDGETS", "redis://:hunter2@host:6379/0"),
    ],
)
def test_the_password_of_a_mistyped_address_is_not_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, switch_on: SwitchOn, variable: str, value: str
):
    monkeypatch.setenv(variable, value)
    with caplog.at_level(logging.DEBUG, "otel_claude"):
        switch_on()

    assert variable in caplog.text
    assert "hunter2" not in caplog.text


def test_budgets_that_are_none_are_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, switch_on: SwitchOn
):
    with caplog.at_level(logging.WARNING, "otel_claude"):
        switch_on(budgets={"ledger": "memory"})

    assert [record.getMessage() for record in caplog.records] == [
        "otel_claude: budgets (OTEL_CLAUDE_BUDGETS) has no budget, and there is no daily one"
    ]


def test_a_daily_budget_has_the_ledger_of_the_file(
    caplog: pytest.LogCaptureFixture, switch_on: SwitchOn, tmp_path: Path
):
    (tmp_path / "budgets.toml").write_text(f'ledger = "sqlite://{tmp_path}/ledger.db"\ninterval_s = 2\n')
    options: dict[str, Any] = {"budgets": str(tmp_path / "budgets.toml"), "daily_budget_usd": 500}
    with caplog.at_level(logging.WARNING, "otel_claude"):
        switch_on(**options)

    plan = Settings(**options).plan
    assert ([budget.name for budget in plan.budgets], plan.ledger, plan.interval_s) == (
        ["daily_budget_usd"],
        f"sqlite://{tmp_path}/ledger.db",
        2.0,
    )
    assert caplog.text == ""


def test_a_bad_value_does_not_take_the_good_ones_with_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OTEL_CLAUDE_NATIVE_SPANS", "remove")
    monkeypatch.setenv("OTEL_CLAUDE_METRIC_NAMES", "both")

    assert Settings.from_environment(lenient=True) == Settings(metric_names="both")


def test_code_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OTEL_CLAUDE_METRIC_NAMES", "both")

    assert Settings.from_environment(metric_names="latest").metric_names == "latest"
    assert Settings.from_environment(metric_names=None).metric_names == "both"
    assert Settings(metric_names="latest").metric_names == "latest"


def test_a_good_keyword_goes_before_a_bad_variable(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OTEL_CLAUDE_METRIC_NAMES", "newest")

    assert Settings.from_environment(metric_names="latest").metric_names == "latest"


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch):
    """As the specification says.

    https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#parsing-empty-value
    """
    for variable in VARIABLES.values():
        if variable is not None:
            monkeypatch.setenv(variable, "")

    assert Settings.from_environment() == Settings()


def test_an_unknown_name_is_an_error_that_lists_the_known_ones():
    with pytest.raises(SettingError, match="native_span is no setting") as raised:
        Settings.from_environment(native_span="keep")

    assert [setting.name for setting in fields(Settings) if setting.name not in str(raised.value)] == []


def test_an_unknown_keyword_of_instrument_is_logged_and_the_rest_works(
    caplog: pytest.LogCaptureFixture, client: Any, switch_on: SwitchOn, telemetry: Telemetry
):
    with caplog.at_level(logging.WARNING, "otel_claude"):
        switch_on(native_span="keep", metric_names="latest")
    client.messages.create(**HELLO)

    (warning,) = [record.getMessage() for record in caplog.records]
    assert "native_span is no setting" in warning
    assert [span.name for span in telemetry.spans] == [SPAN]
    assert "gen_ai.client.inference.duration" in telemetry.metrics


def test_keywords_of_instrument_go_over_the_environment(
    monkeypatch: pytest.MonkeyPatch, client: Any, switch_on: SwitchOn, telemetry: Telemetry
):
    monkeypatch.setenv("OTEL_CLAUDE_METRIC_NAMES", "both")
    switch_on(metric_names="latest")
    client.messages.create(**HELLO)

    assert "gen_ai.client.operation.duration" not in telemetry.metrics


def test_keywords_beside_a_settings_object_are_not_lost_without_a_word(
    caplog: pytest.LogCaptureFixture, client: Any, switch_on: SwitchOn, telemetry: Telemetry
):
    with caplog.at_level(logging.WARNING, "otel_claude"):
        switch_on(settings=Settings(), metric_names="latest")
    client.messages.create(**HELLO)

    assert "gen_ai.client.inference.duration" in telemetry.metrics or "metric_names" in caplog.text


def test_settings_of_another_kind_are_named_and_the_environment_is_read(
    caplog: pytest.LogCaptureFixture, client: Any, switch_on: SwitchOn, telemetry: Telemetry
):
    with caplog.at_level(logging.WARNING, "otel_claude"):
        switch_on(settings={"metric_names": "latest"})
    client.messages.create(**HELLO)

    (warning,) = [record for record in caplog.records if record.name == "otel_claude"]
    assert "settings is {'metric_names': 'latest'}; accepted: an object of Settings" in warning.getMessage()
    assert warning.exc_info is None
    assert [span.name for span in telemetry.spans] == [SPAN]


def test_the_settings_are_frozen():
    settings = Settings()
    with pytest.raises(FrozenInstanceError):
        settings.content = "SPAN_ONLY"  # pyright: ignore[reportAttributeAccessIssue]  # that is what is tested


def test_prices_that_are_given_are_charged(
    claude: SimulatedClaude, client: Any, switch_on: SwitchOn, telemetry: Telemetry
):
    claude.reply("Hello", usage={"input_tokens": 1_000, "output_tokens": 500})
    switch_on(prices=OWN_PRICES)
    client.messages.create(**HELLO)

    # 1,000 tokens at 1 USD and 500 tokens at 2 USD per million.
    attributes = telemetry.span(SPAN).attributes
    assert attributes
    assert attributes["claude.cost.usd"] == pytest.approx(0.001 + 0.001)
    assert attributes["claude.cost.source"] == "override"
