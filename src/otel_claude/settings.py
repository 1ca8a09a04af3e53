"""What a user can set: one frozen object, made from keyword arguments over environment variables.

In: keyword arguments of `AnthropicInstrumentor.instrument` and the environment. Out: `Settings`, read once when the
instrumentation is switched on. The fields below are the table from which the settings' reference in `docs/` is made.
"""

import logging
import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from otel_claude.budgets.ledgers.address import ACCEPTED, is_address
from otel_claude.budgets.money import MOST_USD
from otel_claude.budgets.plan import Plan, daily, read_plan
from otel_claude.emitting.compatibility import CONVENTIONS, OFF
from otel_claude.pricing import read_overrides
from otel_claude.span_cap.shares import FEWEST
from otel_claude.values import known, texts

_log = logging.getLogger("otel_claude")

Redact = Callable[[str, Any], Any]
"""Called with the kind of content (an attribute's name) and one part of it, as the conventions' schemas have it.

Returns the part to record, as it is or changed, or `None` to leave it out. A part for which it raises is left out.
"""


MOST_KEYS = 5
"""How many entries of the baggage may become attributes: each multiplies the time series of all metrics."""


class SettingError(ValueError):
    """A setting has a value that is not accepted. The message names the setting and the accepted values."""


def _choice(*accepted: str) -> Callable[[object], str]:
    folded = {value.lower(): value for value in accepted}

    def read(value: object) -> str:
        if isinstance(value, str) and value.strip().lower() in folded:
            return folded[value.strip().lower()]
        raise ValueError(f"one of {', '.join(accepted)}")

    return read


def _switch(value: object) -> bool:
    words = {"true": True, "1": True, "false": False, "0": False}
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in words:
        return words[value.strip().lower()]
    raise ValueError("true or false")


def _bytes(value: object) -> int:
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    raise ValueError("a whole number of bytes above 0")


def _share(value: object) -> float:
    try:
        share = float(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else math.nan
    except ValueError:
        share = math.nan
    if 0 < share <= 1:
        return share
    raise ValueError("a number above 0, up to 1")


_KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_TAKEN = ("gen_ai", "claude", "anthropic", "error", "http", "server", "exception", "enduser", "aws", "otel")


def _is_taken(key: str) -> bool:
    """Whether a name of ours begins like this one, also where dots are underscores, as in Prometheus."""
    return f"{key.replace('.', '_')}_".startswith(tuple(f"{name}_" for name in _TAKEN))


def _keys(value: object) -> tuple[str, ...]:
    names = texts(value.split(",") if isinstance(value, str) else value)
    if names is not None:
        keys = tuple(dict.fromkeys(name.strip() for name in names if name.strip()))
        if len(keys) <= MOST_KEYS and all(_KEY.fullmatch(key) and not _is_taken(key) for key in keys):
            return keys
    raise ValueError(
        f"up to {MOST_KEYS} names of baggage entries, comma-separated, of letters, digits, `_`, `.`, `-`,"
        f" none of which begins with {', '.join(f'{name}.' for name in _TAKEN)}"
    )


def most_spans(value: object) -> int:
    """A number of spans, if the cap can keep traces under it. 0 stands for no cap.

    Raises:
        ValueError: it cannot; the message says what is accepted.
    """
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and (value == 0 or value >= FEWEST):
        return value
    raise ValueError(f"a whole number of spans from {FEWEST}, or 0 for no cap")


def _redact(value: object) -> Redact | None:
    if value is None or callable(value):
        return value
    raise ValueError("a function of the kind and the part, or None")


def _prices(value: object) -> Mapping[str, Mapping[str, float]] | None:
    return read_overrides(value) if value else None  # pyright: ignore[reportArgumentType]  # it checks what it is given


def _plan(value: object) -> Plan:
    return value if isinstance(value, Plan) else read_plan(value)


def _usd(value: object) -> Decimal:
    try:
        usd = Decimal(str(value).strip()) if isinstance(value, (str, int, float, Decimal)) else Decimal("nan")
    except InvalidOperation:
        usd = Decimal("nan")
    if not isinstance(value, bool) and usd.is_finite() and 0 < usd <= MOST_USD:
        return usd
    raise ValueError(f"US dollars, a number above 0 and up to {MOST_USD:,}")


def _ledger(value: object) -> str:
    if is_address(value):
        return value
    raise ValueError(ACCEPTED)


def _setting(default: Any, read: Callable[[object], Any], accepts: str, env: str | None, *, told: bool = True) -> Any:
    return field(default=default, repr=told, metadata={"read": read, "accepts": accepts, "env": env})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of one instrumentation, checked.

    Raises:
        SettingError: a value is not accepted; the message names the setting, its value and the accepted ones.
    """

    native_spans: str = _setting(
        "replace",
        _choice("replace", "enrich", "keep"),
        "`replace`, `enrich`, `keep`",
        "OTEL_CLAUDE_NATIVE_SPANS",
    )
    """What becomes of the spans that the SDK itself makes from 1.14 on.

    `replace`: ours take their place. `enrich`: the SDK's stay and get our attributes. `keep`: the SDK's stay as they
    are, and only metrics and events are ours. On older SDKs, which make none, all three give our spans.
    """

    metric_names: str = _setting(
        "legacy",
        _choice("legacy", "latest", "both"),
        "`legacy`, `latest`, `both`",
        "OTEL_CLAUDE_METRIC_NAMES",
    )
    """Which names of the GenAI conventions the metrics of calls and tokens have.

    `legacy`: `gen_ai.client.operation.*` and `gen_ai.client.token.usage`, which today's dashboards read. `latest`:
    `gen_ai.client.inference.*`, which the conventions have put in their place.
    """

    chunk_metrics: bool = _setting(False, _switch, "`true`, `false`", "OTEL_CLAUDE_CHUNK_METRICS")
    """Whether each chunk of a stream adds a point to the histogram of the time between chunks."""

    compatibility: str = _setting(
        OFF, _choice(*CONVENTIONS), ", ".join(f"`{name}`" for name in CONVENTIONS), "OTEL_CLAUDE_COMPATIBILITY"
    )
    """Attributes that are added to spans for a backend that reads other names than those of OpenTelemetry.

    `openinference` is for Phoenix, `langfuse` for Langfuse, `mlflow` for MLflow. What each shows with them and without,
    [Backends](backends.md) says. With `openinference`, content that is recorded stands on a span twice.
    """

    content: str = _setting(
        "NO_CONTENT",
        _choice("NO_CONTENT", "SPAN_ONLY", "EVENT_ONLY", "SPAN_AND_EVENT"),
        "`NO_CONTENT`, `SPAN_ONLY`, `EVENT_ONLY`, `SPAN_AND_EVENT`",
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",
    )
    """Where prompts, answers and tool definitions are recorded. By default nowhere.

    Of long prompts that used no cache a hash is kept in memory, to find those that repeat. It goes nowhere.
    """

    content_max_bytes: int = _setting(65_536, _bytes, "a number of bytes", "OTEL_CLAUDE_CONTENT_MAX_BYTES")
    """The most content that one span or event carries, in bytes of JSON. What is over goes, the oldest first."""

    redact: Redact | None = _setting(None, _redact, "a function", None)
    """Changes or removes parts of the content before it is recorded. In code only."""

    prices: Mapping[str, Mapping[str, float]] | None = _setting(
        None, _prices, "a mapping, a path to a TOML or JSON file, or JSON", "OTEL_CLAUDE_PRICES"
    )
    """Prices that go before the built-in ones: by model, in USD per million tokens."""

    max_spans_per_trace: int = _setting(
        1_000, most_spans, "0 for no cap, or a whole number from 2", "OTEL_CLAUDE_MAX_SPANS_PER_TRACE"
    )
    """How many spans of a trace may be exported, whatever library makes them: see [the span cap](span_cap.md)."""

    context_threshold: float = _setting(0.75, _share, "a number above 0, up to 1", "OTEL_CLAUDE_CONTEXT_THRESHOLD")
    """How much of the context window a prompt may fill before the event `claude.context.high` tells of it.

    More than 150,000 tokens of a window of 200,000 are told of whatever this is, also where it is above 0.75.
    """

    check_tools: bool = _setting(False, _switch, "`true`, `false`", "OTEL_CLAUDE_CHECK_TOOLS")
    """Whether the schemas of tools are checked when they are first sent, and not only when the API refuses them.

    A schema takes 2 to 3 ms, once in a process, and the first of all 0.1 s, before the request is sent.
    """

    baggage: tuple[str, ...] = _setting((), _keys, "up to 5 names, comma-separated", "OTEL_CLAUDE_BAGGAGE")
    """Entries of OpenTelemetry's baggage that become attributes of spans, metrics and events, such as `tenant`.

    Metrics tell 200 combinations of values apart, such as 100 tenants with two features each; in those that come after,
    each value is `_OTHER`. A counter has up to 10,000 series: room for 8 models and 6 types of tokens with each of the
    combinations. Spans and events have all values.
    """

    user_id: str = _setting("off", _choice("off", "hashed"), "`off`, `hashed`", "OTEL_CLAUDE_USER_ID")
    """Whether a hash of the request's `metadata.user_id` goes on spans and events, as `enduser.pseudo.id`.

    It is a SHA-256 without salt: whoever can guess the id, such as an e-mail address, can tell whose hash it is. Give
    the API ids that mean nothing outside, as it asks for itself.
    """

    audit: bool = _setting(False, _switch, "`true`, `false`", "OTEL_CLAUDE_AUDIT")
    """Whether each API call is told by an event `claude.audit`: what was called, for whom, and how it ended."""

    budgets: Plan | None = _setting(None, _plan, "a path to a TOML or YAML file, or a mapping", "OTEL_CLAUDE_BUDGETS")
    """What may be spent, and what becomes of calls when it is: see [budgets](budgets.md)."""

    daily_budget_usd: Decimal | None = _setting(None, _usd, "US dollars", "OTEL_CLAUDE_DAILY_BUDGET_USD")
    """A budget for all calls of a day in UTC, of which an event tells when half, four fifths or all of it is spent."""

    budget_ledger: str | None = _setting(
        None,
        _ledger,
        "`memory`, `sqlite:///absolute/path`, `redis://host:port/number`",
        "OTEL_CLAUDE_BUDGET_LEDGER",
        told=False,
    )
    """Where processes add up what they spend, in place of the `ledger` that the file names."""

    @property
    def plan(self) -> Plan:
        """All budgets together."""
        plan = self.budgets or Plan()
        if self.daily_budget_usd is not None:
            plan = replace(plan, budgets=(*plan.budgets, daily(self.daily_budget_usd)))
        return plan if self.budget_ledger is None else replace(plan, ledger=self.budget_ledger)

    def __post_init__(self) -> None:
        for setting in fields(self):
            value = getattr(self, setting.name)
            if value is not setting.default:
                object.__setattr__(self, setting.name, _read(setting.name, setting.metadata, value))

    @classmethod
    def from_environment(cls, *, lenient: bool = False, quiet: bool = False, **given: Any) -> "Settings":
        """The settings that `given` has, then those of the environment, then the defaults.

        Args:
            lenient: Log a value that is not accepted, and use the default in its place. For a program that was
                switched on from outside, which has to run on.
            quiet: Do not log it. For whoever knows that somebody else does.
            given: Fields of this class. `None` counts as not given.

        Raises:
            SettingError: a value is not accepted, or `given` has a name that is no setting (not when `lenient`).
        """
        environment = {name: os.environ.get(about["env"]) or None for name, about in _table().items() if about["env"]}
        level = logging.DEBUG if quiet else logging.WARNING
        return cls(**_accepted({**environment, **known(given)}, "its default is used" if lenient else None, level))

    def changed(self, *, lenient: bool = False, **given: Any) -> "Settings":
        """These settings with those that are `given` in their places, as `from_environment` takes them."""
        return replace(self, **_accepted(known(given), "it stays as it is" if lenient else None))


def _table() -> dict[str, Mapping[str, Any]]:
    return {setting.name: setting.metadata for setting in fields(Settings)}


def _accepted(offered: Mapping[str, Any], otherwise: str | None, level: int = logging.WARNING) -> dict[str, Any]:
    """What is accepted of the values `offered`. `otherwise` tells, for the log, what becomes of the rest."""
    accepted: dict[str, Any] = {}
    for name, value in known(offered).items():
        try:
            accepted[name] = _read(name, _table().get(name), value)
        except SettingError as error:
            if otherwise is None:
                raise
            _log.log(level, "otel_claude: %s; %s", error, otherwise)
    return accepted


def _read(name: str, about: Mapping[str, Any] | None, value: object) -> Any:
    if about is None:
        raise SettingError(f"{name} is no setting; there are {', '.join(_table())}")
    try:
        return about["read"](value)
    except (ValueError, TypeError, OSError) as error:
        known_as = f"{name} ({about['env']})" if about["env"] else name
        raise SettingError(f"{known_as} is {_shown(value, about)}; accepted: {error}") from error


def _shown(value: object, about: Mapping[str, Any]) -> str:
    """A value as it may be shown. The address of a ledger may have a password in it, also where a file should stand."""
    if about["read"] is _plan and isinstance(value, Mapping):
        return "a mapping"
    if about["read"] is _ledger or (about["read"] is _plan and "@" in str(value)):
        return "not shown, as it may have a password in it"
    return repr(value)
