"""What panels and alerts ask of the same instruments, in the same words. Pure."""

from typing import Literal

from otel_claude import names
from otel_claude.dashboards.measures import CHATS, NO_METHOD, SERVICE, Formula, Measure, Where, ratio
from otel_claude.diagnosis.codes import Category
from otel_claude.emitting import instruments

Growth = Literal["grown", "per_second"]

MODEL = (names.REQUEST_MODEL,)
LIMITS = (names.LIMIT_TYPE, names.LIMIT_MODEL, names.ORGANIZATION, names.LIMIT_WORKSPACE, names.CALL_NAME)
OF_MODELS = (NO_METHOD,)
OF_METHODS = (Where(names.CALL_NAME, "set"),)
"""Limits of methods that no model answers, such as `count_tokens`. Of two limits, the least that is left of the one is
not to be compared with the size of the other, which it would be where an attribute that tells them apart is left out.
"""
BUDGET = (SERVICE, names.BUDGET_NAME)
"""Services have budgets of the same name, such as `daily_budget_usd`."""

BUDGET_OR_SHARE = (*BUDGET, names.BUDGET_SCOPE)
"""Of a budget that is per tenant, the share of each."""

ALONE = (SERVICE,)
"""A small service that fails is not to be lost in a large one that does not. Limits and bills are those of all."""
CALL = (CHATS,)
SENT = (Where(names.ERROR_CATEGORY, "not in", ("budget",)),)
"""Calls that a budget refuses never leave the process."""
ANSWERED = (*CALL, Where(names.ERROR_TYPE, "unset"))
CUT = Where(names.CLAUDE_STOP_REASON, "in", ("max_tokens", "model_context_window_exceeded"))
BROKEN = Where(names.STREAM_OUTCOME, "in", ("interrupted",))

FAULTS: tuple[Category, ...] = (
    "rate_limited",
    "overloaded",
    "timeout",
    "connection",
    "stream_interrupted",
    "server",
    "other",
)
"""The categories of errors that are none of the application's own, as its keys, its requests and its models are."""


def calls(where: tuple[Where, ...], what: Growth, window: str = "", by: tuple[str, ...] = ()) -> Measure:
    """How many calls there were."""
    return Measure(instruments.DURATION, what, where, by, window)


def failed(*categories: Category, by: tuple[str, ...] = (), window: str = "") -> Measure:
    """How many calls failed for one of the categories, by service."""
    return calls((Where(names.ERROR_CATEGORY, "in", categories),), "grown", window, (*ALONE, *by))


def took(part: Literal["count", "sum"]) -> Measure:
    """The answers of an hour, and how long they took, by service and model."""
    return Measure(instruments.DURATION, "per_second", ANSWERED, (*ALONE, *MODEL), "1h", part)


def slowest(family: str, window: str = "", by: tuple[str, ...] = MODEL) -> Measure:
    """How long one answer in ten takes at least, of the models of a family."""
    like = Where(names.REQUEST_MODEL, "like", (f"*{family}*",))
    return Measure(instruments.DURATION, "quantile", (*ANSWERED, like), by, window)


def prompts(part: Literal["count", "sum"]) -> Measure:
    """The calls of an hour, and their input tokens, by service."""
    where = (Where(names.TOKEN_TYPE, "in", ("input",)),)
    return Measure(instruments.TOKEN_USAGE, "per_second", where, ALONE, "1h", part)


def used(what: Growth, window: str = "", by: tuple[str, ...] = ()) -> Measure:
    """Tokens; those of `reasoning` are among those of `output`."""
    where = (Where(names.CLAUDE_TOKEN_TYPE, "not in", ("reasoning",)),)
    return Measure(instruments.CLAUDE_TOKENS, what, where, by, window)


def cost(what: Growth, window: str = "", by: tuple[str, ...] = ()) -> Measure:
    """USD."""
    return Measure(instruments.COST, what, (), by, window)


def left(where: tuple[Where, ...] = (), by: tuple[str, ...] = LIMITS) -> Formula:
    """What is left of rate limits, of 1."""
    return ratio(Measure(instruments.REMAINING, "least", where, by), Measure(instruments.LIMIT, "most", where, by))


def spent(by: tuple[str, ...]) -> Formula:
    """The spent part of budgets; of those that are per tenant, that of the fullest."""
    return ratio(
        Measure(instruments.BUDGET_SPENT, "most", by=by),
        Measure(instruments.BUDGET_LIMIT, "most", by=tuple(each for each in by if each != names.BUDGET_SCOPE)),
    )


def answers(*where: Where, window: str = "", by: tuple[str, ...] = ()) -> Measure:
    """Answers, of why they ended."""
    return Measure(instruments.RESPONSES, "grown", where, by, window)


def broken(by: tuple[str, ...] = (), window: str = "") -> Measure:
    """Streams that broke."""
    return Measure(instruments.INTERRUPTIONS, "grown", (BROKEN,), by, window)
