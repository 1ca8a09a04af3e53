"""Our settings as the environment gives them, one by one.

In: variables. Out: each setting with its value and where that comes from, and checks of those that are not accepted.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from difflib import get_close_matches
from typing import Any, NamedTuple

from otel_claude.budgets.documents import PackageMissing
from otel_claude.budgets.plan import Plan
from otel_claude.doctor.check import Check
from otel_claude.doctor.confidential import HIDDEN
from otel_claude.doctor.variables import Variables
from otel_claude.settings import SettingError, Settings

PREFIX = "OTEL_CLAUDE_"
"""What the variables of our own begin with."""

DEFAULT = "default"


class Own(NamedTuple):
    """A setting: its value as it is shown, and where that comes from."""

    name: str
    shown: str
    source: str


class Read(NamedTuple):
    """The settings that hold, all of them for people, and what is to be said of them."""

    settings: Settings
    shown: Sequence[Own]
    checks: Sequence[Check]


def read_settings(variables: Variables) -> Read:
    """Reads each setting as `opentelemetry-instrument` does: the default in the place of what is not accepted."""
    accepted: dict[str, Any] = {}
    shown: list[Own] = []
    checks: list[Check] = []
    known: list[str] = []
    for setting in fields(Settings):
        variable: str | None = setting.metadata["env"]
        if variable is None:
            shown.append(Own(setting.name, "cannot be seen", "in code only"))
            continue
        known.append(variable)
        # As it is: a value of blanks is one.
        value = variables.values.get(variable) or None
        source = DEFAULT
        if value is not None:
            try:
                given: Any = {setting.name: value}
                accepted[setting.name] = getattr(Settings(**given), setting.name)
                source = variable
            except SettingError as error:
                source = f"{DEFAULT}, as {variable} is not accepted"
                says = _refused(f"{error}", value)
                checks.append(Check("problem", setting.name, says, _mend(variable, error)))
        shown.append(Own(setting.name, _shown(setting.name, accepted.get(setting.name, setting.default)), source))
    checks += _unknown(variables.values, known)
    if not checks:
        checks.append(Check("ok", "values", f"all that {PREFIX}… give are accepted"))
    return Read(Settings(**accepted), shown, checks)


def _mend(variable: str, error: SettingError) -> str:
    if isinstance(error.__cause__, PackageMissing):
        return f"pip install 'otel-claude[{error.__cause__.extra}]'"
    return f"correct {variable}; its default is used"


def _refused(says: str, value: str) -> str:
    """Why a value is refused. Of a file, it is what is wrong in it."""
    begin, accepted, why = says.partition("; accepted: ")
    return f"{begin}, which is not accepted: {why}" if accepted and why.startswith(value) else says


def _shown(name: str, value: Any) -> str:
    if name == "budget_ledger" and value is not None:
        return without_password(value)
    if isinstance(value, Plan):
        return _counted([budget.name for budget in value.budgets], "budget")
    if isinstance(value, Mapping):
        return _counted([str(model) for model in value], "model")  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # checked by `Settings`
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(value) or "none"  # pyright: ignore[reportUnknownArgumentType]  # checked by `Settings`
    return "none" if value is None else str(value)


def _counted(names: Sequence[str], what: str) -> str:
    return f"{len(names)} {what}{'' if len(names) == 1 else 's'}: {', '.join(names)}" if names else f"no {what}"


def without_password(address: str) -> str:
    """The address of a ledger for people: what it is, and, of a file, where."""
    kind = address.partition(":")[0]
    return address if kind in ("memory", "sqlite") else f"{kind}://{HIDDEN}"


def _unknown(values: Mapping[str, str], known: Sequence[str]) -> Iterator[Check]:
    for name in sorted(values):
        if name.startswith(PREFIX) and name not in known:
            names = [each.removeprefix(PREFIX) for each in known]
            near = [PREFIX + each for each in get_close_matches(name.removeprefix(PREFIX), names, n=2)]
            mend = f"{' or '.join(near)} may be meant" if near else "unset it; docs/settings.md has all that there are"
            yield Check("problem", "values", f"{name} is no setting, and changes nothing", mend)
