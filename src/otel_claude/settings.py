"""What a user can set: one frozen object, made from keyword arguments over environment variables.

In: keyword arguments of `AnthropicInstrumentor.instrument` and the environment. Out: `Settings`, read once when the
instrumentation is switched on. The fields below are the table from which the settings' reference in `docs/` is made.
"""

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from typing import Any

from otel_claude import readers
from otel_claude.budgets.plan import Plan, daily
from otel_claude.content.limit import Redact
from otel_claude.emitting.compatibility import CONVENTIONS
from otel_claude.values import known

_log = logging.getLogger("otel_claude")


class SettingError(ValueError):
    """A setting has a value that is not accepted. The message names the setting and the accepted values."""


def _setting(default: Any, read: Callable[[object], Any], accepts: str, env: str | None, *, shown: bool = True) -> Any:
    return field(default=default, repr=shown, metadata={"read": read, "accepts": accepts, "env": env})


def _choice(env: str, *accepted: str) -> Any:
    """A setting that is one of some words, the first by default."""
    return _setting(accepted[0], readers.choice(*accepted), ", ".join(f"`{word}`" for word in accepted), env)


def _switch(env: str) -> Any:
    """A setting that is off by default."""
    return _setting(False, readers.switch, "`true`, `false`", env)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of one instrumentation, checked.

    Raises:
        SettingError: a value is not accepted; the message names the setting, its value and the accepted ones.
    """

    native_spans: str = _choice("OTEL_CLAUDE_NATIVE_SPANS", "replace", "enrich", "keep")
    """What becomes of the spans that the SDK itself makes from 1.14 on.

    `replace`: ours take their place. `enrich`: the SDK's stay and get our attributes. `keep`: the SDK's stay as they
    are, and only metrics and events are ours. On older SDKs, which make none, all three give our spans.
    """

    metric_names: str = _choice("OTEL_CLAUDE_METRIC_NAMES", "legacy", "latest", "both")
    """Which names of the GenAI conventions the metrics of calls and tokens have.

    `legacy`: `gen_ai.client.operation.*` and `gen_ai.client.token.usage`, which today's dashboards read. `latest`:
    `gen_ai.client.inference.*`, which the conventions have put in their place.
    """

    chunk_metrics: bool = _switch("OTEL_CLAUDE_CHUNK_METRICS")
    """Whether each chunk of a stream adds a point to the histogram of the time between chunks."""

    compatibility: str = _choice("OTEL_CLAUDE_COMPATIBILITY", *CONVENTIONS)
    """Attributes that are added to spans for a backend that reads other names than those of OpenTelemetry.

    `openinference` is for Phoenix, `langfuse` for Langfuse, `mlflow` for MLflow. What each shows with them and without,
    [Backends](backends.md) says. With `openinference`, content that is recorded stands on a span twice.
    """

    content: str = _choice(
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "NO_CONTENT", "SPAN_ONLY", "EVENT_ONLY", "SPAN_AND_EVENT"
    )
    """Where prompts, answers and tool definitions are recorded. By default nowhere.

    Of long prompts that used no cache a hash is kept in memory, to find those that repeat. It goes nowhere.
    """

    content_max_bytes: int = _setting(65_536, readers.byte_count, "a number of bytes", "OTEL_CLAUDE_CONTENT_MAX_BYTES")
    """The most content that one span or event carries, in bytes of JSON. What is over goes, the oldest first."""

    redact: Redact | None = _setting(None, readers.redact, "a function", None)
    """Changes or removes parts of the content before it is recorded. In code only."""

    prices: Mapping[str, Mapping[str, float]] | None = _setting(
        None, readers.prices, "a mapping, a path to a TOML or JSON file, or JSON", "OTEL_CLAUDE_PRICES"
    )
    """Prices that go before the built-in ones: by model, in USD per million tokens."""

    max_spans_per_trace: int = _setting(
        1_000, readers.most_spans, "0 for no cap, or a whole number from 2", "OTEL_CLAUDE_MAX_SPANS_PER_TRACE"
    )
    """How many spans of a trace may be exported, whatever library makes them: see [the span cap](span_cap.md)."""

    context_threshold: float = _setting(
        0.75, readers.share, "a number above 0, up to 1", "OTEL_CLAUDE_CONTEXT_THRESHOLD"
    )
    """How much of the context window a prompt may fill before the event `claude.context.high` tells of it.

    More than 150,000 tokens of a window of 200,000 are told of whatever this is, also where it is above 0.75.
    """

    check_tools: bool = _switch("OTEL_CLAUDE_CHECK_TOOLS")
    """Whether the schemas of tools are checked when they are first sent, and not only when the API refuses them.

    A schema takes 2 to 3 ms, once in a process, and the first of all 0.1 s, before the request is sent.
    """

    baggage: tuple[str, ...] = _setting(
        (), readers.baggage_keys, "up to 5 names, comma-separated", "OTEL_CLAUDE_BAGGAGE"
    )
    """Entries of OpenTelemetry's baggage that become attributes of spans, metrics and events, such as `tenant`.

    Metrics tell 200 combinations of values apart, such as 100 tenants with two features each; in those that come after,
    each value is `_OTHER`. A counter has up to 10,000 series: room for 8 models and 6 types of tokens with each of the
    combinations. Spans and events have all values.
    """

    user_id: str = _choice("OTEL_CLAUDE_USER_ID", "off", "hashed")
    """Whether a hash of the request's `metadata.user_id` goes on spans and events, as `enduser.pseudo.id`.

    It is a SHA-256 without salt: whoever can guess the id, such as an e-mail address, can tell whose hash it is. Give
    the API ids that mean nothing outside, as it asks for itself.
    """

    audit: bool = _switch("OTEL_CLAUDE_AUDIT")
    """Whether each API call is told by an event `claude.audit`: what was called, for whom, and how it ended."""

    budgets: Plan | None = _setting(
        None, readers.plan, "a path to a TOML or YAML file, or a mapping", "OTEL_CLAUDE_BUDGETS"
    )
    """What may be spent, and what becomes of calls when it is: see [budgets](budgets.md)."""

    daily_budget_usd: Decimal | None = _setting(None, readers.usd, "US dollars", "OTEL_CLAUDE_DAILY_BUDGET_USD")
    """A budget for all calls of a day in UTC, of which an event tells when half, four fifths or all of it is spent."""

    budget_ledger: str | None = _setting(
        None,
        readers.ledger,
        "`memory`, `sqlite:///absolute/path`, `redis://host:port/number`",
        "OTEL_CLAUDE_BUDGET_LEDGER",
        shown=False,
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
    if about["read"] is readers.plan and isinstance(value, Mapping):
        return "a mapping"
    if about["read"] is readers.ledger or (about["read"] is readers.plan and "@" in str(value)):
        return "not shown, as it may have a password in it"
    return repr(value)
