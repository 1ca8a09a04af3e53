"""What a call adds to the sums of the run that it is made in: tokens, and what they cost.

In: the record of a call that has ended, and what its answer cost. Out: `Sums`, in which what is not known is `None`.
"""

from functools import reduce

from otel_claude.agents.run import Sums
from otel_claude.batches import BatchResults
from otel_claude.budgets.money import picodollars
from otel_claude.call import Call
from otel_claude.pricing import Cost
from otel_claude.usage import Usage, add

REFUSED = 400
"""From this HTTP status on the API has not answered, and bills nothing."""

NOTHING = Sums(ended=1)
UNTOLD = Sums(ended=1, input_tokens=None, output_tokens=None, cost=None)


def is_paid(call: Call) -> bool:
    """Whether a call is one that costs: it asks a model, or fetches the answers that a batch has asked for."""
    return call.endpoint.is_inference or call.endpoint.kind == "batch_results"


def amounts_of(call: Call, cost: Cost | None) -> Sums:
    """What a call that costs has used, and what that did cost.

    An attempt whose answer was lost may have been billed, whatever became of the next one. One that was refused is not.
    """
    response, progress = call.response, call.progress
    if call.batch is not None:
        return _of_results(call.batch)
    if progress.lost or progress.unanswered:
        return UNTOLD
    usage = response.usage
    if usage is not None and all(earlier.usage is not None for earlier in call.earlier):
        usage = call.whole_usage(usage)
        return Sums(
            ended=1,
            input_tokens=usage.prompt,
            output_tokens=usage.output,
            cost=None if cost is None or usage.output is None else picodollars(cost.total),
        )
    is_refused = response.status_code is None or response.status_code >= REFUSED
    return NOTHING if is_refused and not call.earlier else UNTOLD


def _of_results(results: BatchResults) -> Sums:
    """Of those that this process has read for the first time. The others have been paid for before."""
    fresh = results.fresh.values()
    usage = reduce(add, (each.usage for each in fresh), Usage(0, 0))
    costs = [each.cost for each in fresh if not each.unpriced]
    known = len(costs) == len(fresh)
    return Sums(
        ended=1,
        input_tokens=usage.prompt,
        output_tokens=usage.output,
        cost=sum(picodollars(cost.total) for cost in costs if cost) if known else None,
    )
