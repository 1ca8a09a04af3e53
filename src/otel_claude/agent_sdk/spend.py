"""What a turn has spent, as the CLI says it in a `result` frame. Pure.

In: the `result` frames of one connection, in their order. Out: a `Spend` for each, or `None` where it is not known.

`total_cost_usd` and `modelUsage` are sums since the conversation began, those of an earlier process included where it
was resumed. Newer CLIs say what has come since the last result, in `model_usage_since_last_result`. Of others it is the
difference to the last sums that were said, and of their first result the whole only if that is no more than the turn's
own `usage`, or if it is known that the conversation is a new one.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from otel_claude.agent_sdk.providers import PROVIDER, provider_said
from otel_claude.budgets.money import MOST_USD, dollars, picodollars
from otel_claude.usage import Usage, read
from otel_claude.values import NO_FIELDS, Fields, fields, is_object, number, whole

MOST_TOKENS = 2**63 - 1
"""More than that no number of OpenTelemetry's can say."""


class ModelSpend(NamedTuple):
    """What one model was used for, in tokens and US dollars. The CLI computes the cost, from its own price list."""

    model: str
    provider: str
    usage: Usage
    cost: float | None


class Spend(NamedTuple):
    """What a turn has spent, model by model, subagents and the CLI's own small requests included."""

    models: tuple[ModelSpend, ...]

    @property
    def input(self) -> int | None:
        """All input tokens, cached ones included."""
        return _sum(each.usage.prompt for each in self.models)

    @property
    def output(self) -> int | None:
        """All output tokens."""
        return _sum(each.usage.output for each in self.models)

    @property
    def cost(self) -> float | None:
        """US dollars."""
        costs = [each.cost for each in self.models]
        return None if None in costs else dollars(sum(picodollars(cost) for cost in costs if cost is not None))


class Totals:
    """The sums of a connection so far. `new`: it is known that the conversation begins with it.

    `provider` is who answers, where the CLI does not say it.
    """

    def __init__(self, *, new: bool, provider: str = PROVIDER) -> None:
        self._before: Mapping[str, Fields] | None = {} if new else None
        self._provider = provider

    def reset(self) -> None:
        """The conversation begins anew, and with it the sums."""
        self._before = {}

    def spent(self, result: Fields) -> Spend | None:
        """What has been spent since the result before this one."""
        totals = _by_model(result.get("modelUsage"))
        before = self._before
        if totals:
            self._before = totals
        since = _by_model(result.get("model_usage_since_last_result"))
        if since is not None:
            return Spend(tuple(self._spent(model, said) for model, said in since.items()))
        if totals is None:
            return None
        if before is None:
            whole_sum = Spend(tuple(self._spent(model, said) for model, said in totals.items()))
            return whole_sum if (whole_sum.input, whole_sum.output) == _own(result) else None
        changed = {model: said for model, said in totals.items() if said != before.get(model)}
        found = tuple(self._spent(model, said, before.get(model, NO_FIELDS)) for model, said in changed.items())
        return Spend(found) if all(map(_is_possible, found)) and before.keys() <= totals.keys() else None

    def _spent(self, model: str, said: Fields, before: Fields = NO_FIELDS) -> ModelSpend:
        def count(name: str) -> int | None:
            total = _tokens(said, name)
            return None if total is None else total - (_tokens(before, name) or 0)

        total = _cost(said)
        usage = Usage(
            input=count("inputTokens"),
            output=count("outputTokens"),
            cache_read=count("cacheReadInputTokens"),
            cache_write=count("cacheCreationInputTokens"),
            cache_write_1h=count("cacheCreationEphemeral1hInputTokens") or 0,
            thinking=count("thinkingTokens"),
            web_searches=count("webSearchRequests") or 0,
        )
        cost = None if total is None else dollars(picodollars(total) - picodollars(_cost(before) or 0))
        return ModelSpend(model, provider_said(said.get("provider"), self._provider), usage, cost)


def _by_model(said: object) -> Mapping[str, Fields] | None:
    if not is_object(said):
        return None
    found = {model: usage for model, usage in said.items() if is_object(usage)}
    return found if len(found) == len(said) else None


def _tokens(said: Fields, name: str) -> int | None:
    count = whole(said.get(name))
    return count if count is not None and 0 <= count <= MOST_TOKENS else None


def _cost(said: Fields) -> float | None:
    """US dollars. What is none, or more than anybody can have spent, is not known."""
    cost = number(said.get("costUSD"))
    return cost if cost is not None and 0 <= cost <= MOST_USD else None


def _is_possible(spent: ModelSpend) -> bool:
    """Whether nothing has become less. Where something has, the CLI has begun to count anew."""
    usage = spent.usage
    counts = (usage.input, usage.output, usage.cache_read, usage.cache_write, spent.cost)
    return all(count is None or count >= 0 for count in counts)


def _own(result: Fields) -> tuple[int | None, int | None]:
    """The tokens of the turn's own answers, in and out."""
    usage = read(fields(result.get("usage")))
    return usage.prompt, usage.output


def _sum(values: Iterable[int | None]) -> int | None:
    known = list(values)
    return None if None in known else sum(value for value in known if value is not None)
