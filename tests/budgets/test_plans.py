"""What people write about budgets, and what they are told when it is not accepted."""

import re
import sys
import traceback
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from otel_claude import SettingError, Settings
from otel_claude.budgets.budget import Budget
from otel_claude.budgets.periods import Period
from otel_claude.budgets.plan import Plan, read_plan

TOML = """\
ledger = "redis://localhost:6379/0"
interval_s = 0.5
ledger_failure = "closed"

[budgets.all]
usd = 500
period = "day"
timezone = "Europe/Berlin"

[budgets."per-tenant"]   # each
usd = 12.5
period = "rolling 24h"
models = "claude-opus-*"
per = "tenant"
thresholds = [90, 50]
action = "block"
reserve = true
"""
YAML = """\
ledger: redis://localhost:6379/0
interval_s: 0.5
ledger_failure: closed
budgets:
  all: {usd: 500, period: day, timezone: Europe/Berlin}
  per-tenant:
    usd: 12.5
    period: rolling 24h
    models: claude-opus-*
    per: tenant
    thresholds: [90, 50]
    action: block
    reserve: true
"""
PLAN = Plan(
    budgets=(
        Budget("all", 500 * 10**12, Period("day", ZoneInfo("Europe/Berlin"), written="day")),
        Budget(
            "per-tenant",
            12_500_000_000_000,
            Period("rolling", ZoneInfo("UTC"), 86_400.0, "rolling 24h"),
            "claude-opus-*",
            "tenant",
            (50.0, 90.0),
            "block",
            reserve=True,
        ),
    ),
    ledger="redis://localhost:6379/0",
    interval_s=0.5,
    ledger_failure="closed",
)


BUDGET = {"budgets": {"all": {"usd": 5, "period": "day"}}}


def told(plan: Plan) -> list[str]:
    return [
        plan.ledger,
        repr(plan).replace("datetime.timezone.utc", "UTC").replace("zoneinfo.ZoneInfo(key='UTC')", "UTC"),
    ]


@pytest.mark.parametrize(("name", "written"), [("b.toml", TOML), ("b.yaml", YAML), ("b.yml", YAML)])
def test_a_file_says_what_there_is(tmp_path: Path, name: str, written: str):
    (tmp_path / name).write_text(written)

    assert told(read_plan(str(tmp_path / name))) == told(PLAN)


def test_a_plan_has_the_entries_of_the_baggage_that_it_needs():
    assert PLAN.keys == {"tenant"}


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("usd = 500", "usd = -1", 6, "budgets.all.usd: US dollars, a number above 0 and up to 9,000,000"),
        ("usd = 500", "usd = true", 6, "budgets.all.usd: US dollars"),
        ("usd = 500\n", "", 5, "budgets.all: a table with usd and period"),
        ('"rolling 24h"', '"weekly"', 12, "budgets.per-tenant.period: hour, day, month, or rolling and a length"),
        ('"rolling 24h"', '"rolling 0h"', 12, "budgets.per-tenant.period: hour, day, month, or rolling"),
        ("Europe/Berlin", "Berlin", 8, "budgets.all.timezone: the name of a time zone, such as UTC or Europe/Berlin"),
        ('"claude-opus-*"', "5", 13, "budgets.per-tenant.models: a pattern for names of models"),
        ('"tenant"', '"my tenant"', 14, "budgets.per-tenant.per: conversation, or the name of an entry"),
        ("[90, 50]", "[0]", 15, "budgets.per-tenant.thresholds: up to 10 percents above 0"),
        ("[90, 50]", "[]", 15, "budgets.per-tenant.thresholds: up to 10 percents above 0"),
        ("[90, 50]", '["half"]', 15, "budgets.per-tenant.thresholds: up to 10 percents above 0"),
        ('"block"', '"stop"', 16, "budgets.per-tenant.action: one of warn, block"),
        ('"block"', '"warn"', 17, 'budgets.per-tenant.reserve: true only with action = "block"'),
        ("reserve = true", "reserve = 1", 17, "budgets.per-tenant.reserve: true or false"),
        ("reserve", "reserves", 17, "budgets.per-tenant.reserves: no known key; accepted: usd, period, timezone,"),
        ('"per-tenant"', '"per tenant"', 10, "budgets.per tenant: a name of up to 64 letters"),
        (
            "redis://localhost:6379/0",
            "mysql://x",
            1,
            "ledger: memory, sqlite:///absolute/path, redis://host:port/number",
        ),
        ("0.5", "0.001", 2, "interval_s: seconds from 0.05 to 60"),
        ('"closed"', '"shut"', 3, "ledger_failure: one of open, closed"),
        ("interval_s", "interval", 2, "interval: no known key; accepted: budgets, ledger, interval_s, ledger_failure"),
    ],
)
def test_what_is_not_accepted_is_named_with_its_line(tmp_path: Path, old: str, new: str, line: int, said: str):
    assert old in TOML
    file = tmp_path / "budgets.toml"
    file.write_text(TOML.replace(old, new, 1))

    with pytest.raises(ValueError) as raised:  # noqa: PT011  # the text is what is looked at
        read_plan(file)

    assert str(raised.value).startswith(f"{file}, line {line}: {said}")


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("usd: 500", "usd: many", 5, "budgets.all.usd: US dollars"),
        ("action: block", "action: stop", 12, "budgets.per-tenant.action: one of warn, block"),
        ("    per: tenant\n", "    pre: tenant\n", 10, "budgets.per-tenant.pre: no known key"),
    ],
)
def test_a_mistake_in_yaml_is_told_with_its_line(tmp_path: Path, old: str, new: str, line: int, said: str):
    file = tmp_path / "budgets.yaml"
    file.write_text(YAML.replace(old, new, 1))

    with pytest.raises(ValueError) as raised:  # noqa: PT011  # the text is what is looked at
        read_plan(file)

    assert str(raised.value).startswith(f"{file}, line {line}: {said}")


def test_a_dotted_key_has_a_line_as_well(tmp_path: Path):
    file = tmp_path / "budgets.toml"
    file.write_text('# ours\nbudgets.all.usd = 5\nbudgets.all."period" = "week"\n')

    with pytest.raises(ValueError, match=r"line 3: budgets\.all\.period: hour, day, month"):
        read_plan(file)


@pytest.mark.parametrize(
    ("name", "written", "said"),
    [
        ("b.toml", "usd = = 5", "TOML; Invalid value (at line 1, column 7)"),
        ("b.yaml", "a: [1", "line 1: YAML; expected"),
        ("b.yaml", "# ours\n- 1", "b.yaml, line 2: YAML with keys and values"),
        ("b.yaml", "budgets:", "line 1: budgets: a table with one table for each budget"),
        ("b.yaml", "budgets: 5", "line 1: budgets: a table with one table for each budget"),
        ("b.toml", "budgets.all = 5", "line 1: budgets.all: a table with usd, period, timezone"),
        ("b.toml", "[budgets]", "line 1: budgets: a table with one table for each budget, by its name"),
        ("b.toml", "[[budgets]]\nusd = 5", "line 1: budgets: a table with one table for each budget, by its name"),
        ("b.json", "{}", "the path of a file whose name ends in .toml, .yaml, .yml"),
        ("b.toml", None, "the path of a TOML or YAML file; it cannot be read"),
    ],
)
def test_a_file_that_is_none_is_named(tmp_path: Path, name: str, written: str | None, said: str):
    if written is not None:
        (tmp_path / name).write_text(written)

    with pytest.raises(ValueError) as raised:  # noqa: PT011  # the text is what is looked at
        read_plan(tmp_path / name)

    assert said in str(raised.value)


def test_a_mapping_is_read_like_a_file():
    plan = read_plan({"budgets": {"all": {"usd": 5, "period": "hour"}}})

    assert plan.budgets[0].amount == 5 * 10**12
    with pytest.raises(ValueError, match=r"^budgets.all.usd: US dollars"):
        read_plan({"budgets": {"all": {"usd": 0, "period": "hour"}}})
    with pytest.raises(ValueError, match="the path of a TOML or YAML file, or a mapping"):
        read_plan(5)
    with pytest.raises(ValueError, match=r"^budgets.5: a name of up to 64 letters"):
        read_plan({"budgets": {5: {"usd": 5, "period": "hour"}}})


def test_settings_name_themselves(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    file = tmp_path / "budgets.toml"
    file.write_text(TOML.replace("500", "0"))

    with pytest.raises(SettingError, match=r"^budgets \(OTEL_CLAUDE_BUDGETS\) is .*line 6: budgets.all.usd"):
        Settings(budgets=str(file))  # pyright: ignore[reportArgumentType]  # as a user writes it


@pytest.mark.parametrize("value", ["0", "-5", "much", "inf", "nan", "1e9", True])
def test_a_daily_budget_is_an_amount(value: Any):
    with pytest.raises(SettingError, match="accepted: US dollars, a number above 0 and up to 9,000,000"):
        Settings(daily_budget_usd=value)


def test_one_variable_makes_a_budget_of_the_day(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OTEL_CLAUDE_DAILY_BUDGET_USD", "500")
    monkeypatch.setenv("OTEL_CLAUDE_BUDGET_LEDGER", "redis://:secret@example.com/1")

    plan = Settings.from_environment().plan

    assert [(budget.name, budget.amount, str(budget.period), budget.action) for budget in plan.budgets] == [
        ("daily_budget_usd", 500 * 10**12, "day", "warn")
    ]
    assert plan.ledger == "redis://:secret@example.com/1"


def test_a_ledger_that_is_not_accepted_is_not_repeated():
    with pytest.raises(SettingError) as raised:
        Settings(budget_ledger="mysql://:secret@example.com")

    assert "secret" not in str(raised.value)
    assert "accepted: memory, sqlite:///absolute/path, redis://host:port/number" in str(raised.value)


def test_no_password_is_shown(tmp_path: Path):
    address = "redis://user:secret@host/0"
    file = tmp_path / "b.yaml"
    file.write_text(f"ledger: {address} : bad\n")
    shown = [repr(Settings(budget_ledger=address)), repr(read_plan({"ledger": address, **BUDGET}))]
    both: tuple[Any, ...] = (str(file), {"ledger": address, "budgets": {}})
    for wrong in both:
        with pytest.raises(SettingError) as raised:
            Settings(budgets=wrong)
        shown.append(str(raised.value))

    assert "secret" not in "".join(shown)
    assert f"{file}, line 1: YAML; mapping values are not allowed" in shown[2]


def test_the_name_of_the_setting_is_taken():
    with pytest.raises(ValueError, match="other than daily_budget_usd"):
        read_plan({"budgets": {"daily_budget_usd": {"usd": 5, "period": "day"}}})


def test_the_smallest_budget_is_not_nothing():
    (budget,) = read_plan({"budgets": {"all": {"usd": 1e-13, "period": "day"}}}).budgets

    assert budget.amount == 1


@pytest.mark.parametrize(
    ("name", "written", "said"),
    [
        (
            "b.yaml",
            "budgets:\n  all: {usd: 5, period: 2024-99-99}",
            "b.yaml, line 2: budgets.all.period: hour, day, month",
        ),
        ("b.yaml", "budgets:\n  all: {usd: 1:30, period: day}", "b.yaml, line 2: budgets.all.usd: US dollars"),
        ("b.yaml", "budgets:\n  all: {usd: 0500, period: day}", "b.yaml, line 2: budgets.all.usd: US dollars"),
        ("b.yaml", "budgets:\n  all: {usd: !!int 1:30, period: day}", "b.yaml, line 2: YAML; no such value"),
        ("b.yaml", "budgets:\n  all: {usd: 5, period: day, reserve: !!bool 5}", "b.yaml, line 2: YAML; no such value"),
        ("b.yaml", f"budgets:\n  all: {{usd: {'9' * 5000}}}", "b.yaml, line 2: YAML; no such value"),
        ("b.yaml", "budgets:\n  all: {usd: 5\x00}", "b.yaml, line 2: YAML; a character that it does not have"),
        ("b.yaml", f"a: {'[' * 5000}", "b.yaml: tables that are not nested so deeply"),
        ("b.toml", f"a = {'[' * 5000}", "b.toml: tables that are not nested so deeply"),
        ("b.toml", f"# ours\n[budgets.all]\nusd = {'9' * 5000}", "b.toml, line 3: TOML; a number of fewer digits"),
        ("b.toml", f"interval_s = {'9' * 400}", "b.toml, line 1: interval_s: seconds from 0.05 to 60"),
        (
            "b.toml",
            f"# ours\nbudgets.all.thresholds = [{'9' * 400}]",
            "line 2: budgets.all: a table with usd and period",
        ),
        ("b.toml", 'ledger = "memory"\n[budgets."a b".c]', "line 2: budgets.a b: a name of up to 64 letters"),
        ("b.toml", 'ledger = "memory"\n\n[budgets.team.a]\nusd = 5', "line 3: budgets.team.a: no known key"),
        ("b.toml", "\ufeff[budgets.all]\nusd = 5\nperiod = 'week'", "line 3: budgets.all.period: hour"),
    ],
)
def test_files_of_odd_forms_are_errors_with_a_place(tmp_path: Path, name: str, written: str, said: str):
    (tmp_path / name).write_text(written, "utf-8")

    with pytest.raises(ValueError, match=re.escape(said)):
        read_plan(tmp_path / name)


def test_a_file_that_is_no_text_is_told_with_its_line(tmp_path: Path):
    file = tmp_path / "b.toml"
    for written, line in (("[budgets.all]\n# für\n".encode("latin-1"), 2), ("a: 1".encode("utf-16"), 1)):
        file.write_bytes(written)

        with pytest.raises(ValueError, match=f"b.toml, line {line}: text in UTF-8$"):
            read_plan(file)


ALL_TWICE = "budgets:\n  all: {usd: 1, period: day, action: block}\n  all: {usd: 100, period: month}\n"


@pytest.mark.parametrize(
    ("written", "line", "problem"),
    [
        (ALL_TWICE, 3, "the same key stands above"),
        ("budgets:\n  all:\n    usd: 1\n    period: day\n    usd: 500\n", 5, "the same key stands above"),
        ("budgets: {}\nledger: memory\nbudgets: {}\n", 3, "the same key stands above"),
        ("budgets:\n  2026: {usd: 1, period: day}\n", 2, "a key is text; others need quotes"),
        ("budgets:\n  true: {usd: 1, period: day}\n", 2, "a key is text; others need quotes"),
        ("budgets:\n  null: {usd: 1, period: day}\n", 2, "a key is text; others need quotes"),
        ("budgets:\n  [all]: {usd: 1, period: day}\n", 2, "a key is text; others need quotes"),
    ],
)
def test_a_key_of_yaml_is_text_and_stands_once(tmp_path: Path, written: str, line: int, problem: str):
    (tmp_path / "b.yaml").write_text(written)

    with pytest.raises(ValueError, match=f"b.yaml, line {line}: YAML; {problem}$"):
        read_plan(tmp_path / "b.yaml")


def test_a_key_of_toml_stands_once(tmp_path: Path):
    (tmp_path / "b.toml").write_text("[budgets.all]\nusd = 1\nperiod = 'day'\n[budgets.all]\nusd = 2\n")

    with pytest.raises(ValueError, match=r"TOML; Cannot declare .* twice \(at line 4, column 13\)"):
        read_plan(tmp_path / "b.toml")


def test_yaml_that_looks_like_text_is_text_and_what_is_merged_is_read(tmp_path: Path):
    (tmp_path / "b.yaml").write_text(
        """\
budgets:
  on: &on {usd: 1.5, period: day, reserve: false}
  "2026": {<<: *on, usd: 7}
  no: {<<: *on, thresholds: [.5, 1.5e+1]}
"""
    )

    assert [(budget.name, budget.amount, budget.thresholds) for budget in read_plan(tmp_path / "b.yaml").budgets] == [
        ("on", 1_500_000_000_000, (50.0, 80.0, 100.0)),
        ("2026", 7_000_000_000_000, (50.0, 80.0, 100.0)),
        ("no", 1_500_000_000_000, (0.5, 15.0)),
    ]


def test_of_what_is_merged_the_own_line_is_told(tmp_path: Path):
    (tmp_path / "b.yaml").write_text(
        "budgets:\n  one: &one {usd: 1, period: day}\n  other:\n    <<: *one\n    usd: 0\n"
    )

    with pytest.raises(ValueError, match=r"b.yaml, line 5: budgets.other.usd: US dollars"):
        read_plan(tmp_path / "b.yaml")


@pytest.mark.parametrize("name", ["b.toml", "b.yaml"])
@pytest.mark.parametrize("written", ["", "# nothing yet\n"])
def test_a_file_may_have_no_budget(tmp_path: Path, name: str, written: str):
    (tmp_path / name).write_text(written)

    assert read_plan(tmp_path / name) == Plan()


SECRETS = (
    "ledger: *hunter2\n",
    "ledger: !hunter2 memory\n",
    "ledger: !hunter2!a memory\n",
    "ledger: &a x\nother: &hunter2 *hunter2\n",
    "%TAG !hunter2! a\n%TAG !hunter2! b\n---\n",
    "ledger: redis//:hunter2@host\n",
    "redis://:hunter2@host/0: memory\n",
    "redis://:hunter2@host/0\n",
    "ledger: 'redis://:hunter2@host\n",
    "ledger: @hunter2\n",
    'ledger = "redis//:hunter2@host"',
    'ledger = "redis://:hunter2@host\n',
    'ledger = redis://:hunter2@host"',
    '"redis://:hunter2@host" = 5',
    "[hunter2.'a']\n[hunter2.'a']",
    'ledger = "redis:/:hunter2@host"\nledger = "memory"',
)


@pytest.mark.parametrize("name", ["b.toml", "b.yaml"])
@pytest.mark.parametrize("written", SECRETS)
def test_no_error_has_a_text_of_the_file(tmp_path: Path, name: str, written: str):
    (tmp_path / name).write_text(written)

    with pytest.raises(ValueError) as raised:  # noqa: PT011  # the text is what is looked at
        read_plan(tmp_path / name)

    assert "hunter2" not in "".join(traceback.format_exception(raised.value))


def test_a_rolling_period_has_no_time_zone_and_is_called_as_it_is_written(tmp_path: Path):
    file = tmp_path / "b.toml"
    file.write_text('[budgets.all]\nusd = 5\nperiod = "rolling 1m"\ntimezone = "UTC"\n')
    with pytest.raises(ValueError, match=r"line 4: budgets\.all\.timezone: only with hour, day or month"):
        read_plan(file)
    file.write_text('[budgets.all]\nusd = 5\nperiod = "rolling 1m"\n')

    assert str(read_plan(file).budgets[0].period) == "rolling 1m"


def test_a_budget_is_for_the_models_of_its_pattern():
    budget = Budget("a", 1, Period("day", ZoneInfo("UTC")), models="*opus*")

    assert [budget.is_for(model) for model in ("claude-opus-5", "us.anthropic.claude-OPUS-5-v1:0", "x", None)] == [
        True,
        True,
        False,
        False,
    ]


def test_without_its_package_yaml_is_told_to_need_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "budgets.yaml").write_text(YAML)
    monkeypatch.setitem(sys.modules, "yaml", None)
    monkeypatch.delitem(sys.modules, "otel_claude.budgets.yaml_documents", raising=False)

    with pytest.raises(ValueError, match="YAML needs the package PyYAML; TOML needs none"):
        read_plan(tmp_path / "budgets.yaml")
