"""The rows on spend and tokens. Pure."""

from otel_claude import names
from otel_claude.dashboards.conditions import BUDGET, BUDGET_OR_SHARE, CUT, answers, cost, spent, used
from otel_claude.dashboards.measures import TENANT, Measure, Where, one
from otel_claude.dashboards.panel import Panel, Query, Row, by_minute, quantile, share
from otel_claude.emitting import instruments
from otel_claude.emitting.instruments import Instrument

ANSWERING = (names.RESPONSE_MODEL,)
HIT = Where(names.CLAUDE_TOKEN_TYPE, "in", ("cache_read",))
PROMPT = Where(names.CLAUDE_TOKEN_TYPE, "in", ("input", "cache_read", "cache_write_5m", "cache_write_1h"))


def tokens(*where: Where) -> Measure:
    """Tokens, of these types."""
    return Measure(instruments.CLAUDE_TOKENS, "grown", where)


def budget(instrument: Instrument, *by: str) -> Measure:
    """What is said of budgets: of those that are per tenant, the most."""
    return Measure(instrument, "most", by=by)


SPEND_AND_TOKENS = (
    Row(
        "Spend",
        (
            Panel(
                "Spend today",
                "What all calls have cost since midnight.",
                "number",
                "USD",
                (Query("USD", one(cost("grown"))),),
                today=True,
            ),
            Panel(
                "Budgets",
                "The spent part of each budget in its period, by service; of one that is per tenant, the fullest one.",
                "bars",
                "share",
                (Query("spent", spent(BUDGET)),),
                (0.8, 1),
            ),
            Panel(
                "Spend today by model",
                "Since midnight, by the model that answered.",
                "bars",
                "USD",
                (Query("USD", one(cost("grown", by=ANSWERING))),),
                today=True,
            ),
            Panel(
                "Spend today by tenant",
                "Since midnight, by the entry `tenant` of the baggage, with OTEL_CLAUDE_BAGGAGE=tenant.",
                "bars",
                "USD",
                (Query("USD", one(cost("grown", by=(TENANT,)))),),
                today=True,
            ),
            Panel(
                "Spend by model",
                "By the model that answered.",
                "lines",
                "USD/h",
                (Query("USD", one(cost("per_second", by=ANSWERING), "{it} * 3600")),),
            ),
            Panel(
                "Spend by what was paid for",
                "Input, output, the cache and server tools.",
                "lines",
                "USD/h",
                (Query("USD", one(cost("per_second", by=(names.COST_TYPE,)), "{it} * 3600")),),
            ),
            Panel(
                "Spent of each budget",
                "In its period, as its ledger says, which is each process's own if none is named; and what it has.",
                "lines",
                "USD",
                (
                    Query("spent", one(budget(instruments.BUDGET_SPENT, *BUDGET_OR_SHARE))),
                    Query("limit", one(budget(instruments.BUDGET_LIMIT, *BUDGET))),
                ),
            ),
            Panel(
                "Calls without a price",
                "Their cost is in no sum.",
                "lines",
                "/min",
                (Query("calls", by_minute(instruments.UNPRICED, names.RESPONSE_MODEL)),),
            ),
        ),
    ),
    Row(
        "Tokens",
        (
            Panel(
                "Tokens by type",
                "`reasoning` is a part of `output`, and left out.",
                "lines",
                "/min",
                (Query("tokens", one(used("per_second", by=(names.CLAUDE_TOKEN_TYPE,)), "{it} * 60")),),
            ),
            Panel(
                "Cache hit rate",
                "The share of input tokens that came from the cache.",
                "lines",
                "share",
                (Query("from the cache", share(tokens(HIT), tokens(PROMPT))),),
            ),
            Panel(
                "Context utilization",
                "How much of the context window prompts fill. Above three quarters answers get slow.",
                "lines",
                "share",
                (
                    Query("median", quantile(instruments.UTILIZATION, 0.5)),
                    Query("fullest of a hundred", quantile(instruments.UTILIZATION, 0.99)),
                ),
                (0.75,),
            ),
            Panel(
                "Answers that were cut",
                "The share that max_tokens or the context window has ended.",
                "lines",
                "share",
                (Query("cut", share(answers(CUT), answers())),),
                (0.02,),
            ),
        ),
    ),
)
