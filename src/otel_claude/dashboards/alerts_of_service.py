"""The alerts on what calls cost, who makes them and how well the service does, in the order of the guide. Pure."""

from otel_claude import names
from otel_claude.dashboards.alert import Alert, Few, Trend
from otel_claude.dashboards.conditions import (
    ALONE,
    BUDGET_OR_SHARE,
    FAULTS,
    MODEL,
    SENT,
    calls,
    cost,
    failed,
    slowest,
    spent,
    took,
    used,
)
from otel_claude.dashboards.expectations import EXPECTATIONS
from otel_claude.dashboards.measures import Formula, Measure, Where, one, ratio
from otel_claude.dashboards.shared_limits import BATCHES, POOLS
from otel_claude.emitting import instruments

TOKENS_OF_HALF_AN_HOUR = 100 * 1_800
"""A hundred a second, a fifth of the 30,000 a minute that the lowest tier may send of Opus or Sonnet.

https://platform.claude.com/docs/en/api/rate-limits
"""

FEW_RETRIES = 3
"""So many in an hour are those of one or two calls, which have come through: the SDK tries each again twice."""

ANSWERS = Few(100, 5)
"""Durations are spread half as far as the sizes of prompts, so that means of 100 differ by half for a reason."""

ALERTS_OF_SERVICE = (
    Alert(
        "ClaudeSpendFast",
        "Cost control",
        "Calls have cost more than 20 USD within an hour. Choose the limit that is yours.",
        "warning",
        # What is spent, and not at what pace: the results of a batch are booked at once, as they are read. What runs
        # away is told as soon as it has cost that much, however short a time that took.
        one(cost("grown", "1h")),
        bound=20,
    ),
    Alert(
        "ClaudeBudgetNearlySpent",
        "Cost control",
        "More than four fifths of a budget are spent.",
        "warning",
        spent(BUDGET_OR_SHARE),
        bound=0.8,
    ),
    Alert(
        "ClaudeBudgetOverspent",
        "Cost control",
        "More than a budget is spent. One that only warns refuses nothing.",
        "critical",
        spent(BUDGET_OR_SHARE),
        bound=1,
    ),
    Alert(
        "ClaudeBudgetRefuses",
        "Cost control",
        "A budget that blocks is spent: calls are refused, and nothing is sent.",
        "critical",
        one(failed("budget", window="15m")),
    ),
    Alert(
        "ClaudeOpusForShortAnswers",
        "Cost control",
        "Half of the answers of Opus have fewer than 256 tokens. A smaller model may do.",
        "info",
        one(
            Measure(
                instruments.TOKEN_USAGE,
                "quantile",
                (Where(names.TOKEN_TYPE, "in", ("output",)), Where(names.REQUEST_MODEL, "like", ("*opus*",))),
                (*ALONE, *MODEL),
                "1h",
                quantile=0.5,
            )
        ),
        "<",
        256,
        wait="1h",
    ),
    Alert(
        "ClaudeCacheUnused",
        "Cost control",
        "More than ten calls an hour repeat a long prefix without the cache, which would cost a tenth.",
        "info",
        one(Measure(instruments.CACHE_UNUSED, "grown", by=(*ALONE, *MODEL), window="1h")),
        bound=10,
    ),
    Alert(
        "ClaudeBatchesWouldDo",
        "Cost control",
        "Calls come at an even rate, day and night, for more than 100 USD a day. Batches cost half.",
        "info",
        None,
        promql=BATCHES,
    ),
    Alert(
        "ClaudeKeyMayBeLeaked",
        "Security",
        "Somebody else takes more than half of a rate limit on input tokens. Look at the usage page of the Console.",
        "critical",
        None,
        wait="5m",
        promql=POOLS,
    ),
    Alert(
        "ClaudeTokensSpike",
        "Security",
        "Three times as many tokens as at this hour last week: misuse, or a loop.",
        "warning",
        one(used("grown", "30m", ALONE)),
        bound=3,
        wait="15m",
        past="1w",
        floor=TOKENS_OF_HALF_AN_HOUR,
    ),
    Alert(
        "ClaudeRetries",
        "Retries",
        f"In an hour more than one retry for twenty calls, and {FEW_RETRIES} besides. "
        "The event claude.retry tells the causes.",
        "warning",
        Formula(
            f"({{retries}} - {FEW_RETRIES}) / {{calls}}",
            {
                "retries": Measure(instruments.RETRIES, "grown", by=ALONE, window="1h"),
                "calls": calls(SENT, "grown", "1h", ALONE),
            },
        ),
        bound=0.05,
        wait="5m",
    ),
    Alert(
        "ClaudeSlower",
        "Performance",
        f"Answers take half as long again as at this hour last week, in more than {ANSWERS.calls} calls each.",
        "warning",
        ratio(took("sum"), took("count")),
        bound=1.5,
        wait="15m",
        past="1w",
        few=ANSWERS,
    ),
    *(
        Alert(
            f"Claude{each.family.capitalize()}Slow",
            "Performance",
            f"One answer of {each.family.capitalize()} in ten takes longer than is expected, which is {each.text}.",
            "warning",
            one(slowest(each.family, "15m", (*ALONE, *MODEL))),
            bound=each.seconds,
            wait="5m",
        )
        for each in EXPECTATIONS
    ),
    Alert(
        "ClaudeCostUnknown",
        "Monitoring",
        "Calls have no price, so that the sum of costs is too small. Give the price with OTEL_CLAUDE_PRICES.",
        "info",
        one(Measure(instruments.UNPRICED, "grown", by=(*ALONE, names.RESPONSE_MODEL), window="1h")),
    ),
    Alert(
        "ClaudeTraceCapped",
        "Breaking points",
        "Traces have more spans than the cap: something loops. The largest summary shows what.",
        "warning",
        one(Measure(instruments.CAPPED, "grown", by=ALONE, window="1h")),
    ),
    Alert(
        "ClaudeErrors",
        "Success metrics",
        "More than one call in a thousand fails, for no fault of the application's own. Of few calls, one is enough.",
        "critical",
        ratio(
            calls((Where(names.ERROR_CATEGORY, "in", FAULTS),), "grown", "1h", ALONE),
            calls(SENT, "grown", "1h", ALONE),
        ),
        bound=0.001,
        wait="5m",
    ),
    Alert(
        "ClaudeSpendOffTrend",
        "Success metrics",
        "The cost of a day is off by more than 20 % of that of the same day a week ago, which was more than a dollar.",
        "warning",
        Formula(
            "abs({today} / ({then} > 1 and {before} > 0) - 1)",
            {
                "today": cost("grown", "1d")._replace(or_zero=True),
                "then": cost("grown", "1d")._replace(ago="1w"),
                # The first day of an application may have been half a day.
                "before": cost("grown", "168h")._replace(ago="8d"),
            },
        ),
        bound=0.2,
        wait="1h",
        trend=Trend(one(cost("grown", "1d")), 20, both=True),
    ),
)
