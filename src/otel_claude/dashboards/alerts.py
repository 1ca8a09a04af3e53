"""The alerts: what is watched, and from where on it is wrong.

`ALERTS` is the one table that the rules of all backends are made from. Each alert belongs to a section of the guide to
what breaks in production, where its query stands and what is to be done. Pure.
"""

from otel_claude.dashboards.alert import Alert, Trend
from otel_claude.dashboards.conditions import (
    BUDGET,
    CALL,
    CUT,
    FAULTS,
    LIMITS,
    MODEL,
    SENT,
    answers,
    broken,
    calls,
    cost,
    failed,
    prompts,
    slowest,
    took,
    used,
)
from otel_claude.dashboards.expectations import EXPECTATIONS
from otel_claude.dashboards.measures import Formula, Measure, Where, one, ratio
from otel_claude.dashboards.shared_limits import BATCHES, POOLS
from otel_claude.emitting import instruments, names

TOKENS_OF_HALF_AN_HOUR = 100 * 1_800
"""A hundred a second, a fifth of the 30,000 a minute that the lowest tier may send of Opus or Sonnet.

https://platform.claude.com/docs/en/api/rate-limits
"""

ALERTS = (
    Alert(
        "ClaudeRateLimitLow",
        "Rate limits",
        "Less than a tenth of a rate limit is left. Spread the work, cache prompts, or ask for a higher tier.",
        "warning",
        ratio(
            Measure(instruments.REMAINING, "least", by=LIMITS),
            Measure(instruments.LIMIT, "most", by=LIMITS),
        ),
        "<",
        0.1,
    ),
    Alert(
        "ClaudeRateLimited",
        "Rate limits",
        "Calls fail for a rate limit, after all retries.",
        "critical",
        one(failed("rate_limited", by=MODEL, window="5m")),
    ),
    Alert(
        "ClaudeRequestsNearLimit",
        "Scaling thresholds",
        "More than four fifths of 1,000 requests a minute. Compare with claude.rate_limit.limit.",
        "info",
        Formula(
            "{calls} + {retries}",
            {
                "calls": calls((*CALL, *SENT), "grown", "5m"),
                "retries": Measure(instruments.RETRIES, "grown", CALL, window="5m", or_zero=True),
            },
        ),
        bound=5 * 800,
        wait="5m",
    ),
    Alert(
        "ClaudeContextHigh",
        "Context window",
        "One call in a hundred fills more than three quarters of the context window. Shorten the history.",
        "warning",
        one(Measure(instruments.UTILIZATION, "quantile", window="15m", quantile=0.99)),
        bound=0.75,
        wait="5m",
    ),
    Alert(
        "ClaudeContextTooLarge",
        "Context window",
        "Prompts are larger than the context window, and fail.",
        "critical",
        one(failed("context_length", by=MODEL, window="15m")),
    ),
    Alert(
        "ClaudePromptsGrow",
        "Memory",
        "Prompts are half as large again as at this hour yesterday. Conversations may grow without end.",
        "info",
        ratio(prompts("sum"), prompts("count")),
        bound=1.5,
        wait="15m",
        past="1d",
    ),
    Alert(
        "ClaudeStreamsBreak",
        "Streaming",
        "Streams break. The event claude.stream.interrupted tells how long nothing came, and the likely cause.",
        "warning",
        one(broken(by=(names.ERROR_TYPE,), window="15m")),
    ),
    Alert(
        "ClaudeFirstContentSlow",
        "Streaming and tool integration",
        "One stream in twenty begins after more than ten seconds.",
        "warning",
        one(Measure(instruments.FIRST_CHUNK, "quantile", window="15m", quantile=0.95)),
        bound=10.24,
        wait="5m",
    ),
    Alert(
        "ClaudeStreamsStall",
        "Streaming and tool integration",
        "One event of streams in a thousand comes after more than ten seconds. Needs the setting chunk_metrics.",
        "warning",
        one(Measure(instruments.CHUNK, "quantile", window="15m", quantile=0.999)),
        bound=10.24,
        wait="5m",
    ),
    Alert(
        "ClaudeAuthentication",
        "Authentication",
        "The key is missing, wrong or revoked. claude.error.hint on the span tells which.",
        "critical",
        one(failed("authentication", by=(names.ERROR_TYPE,), window="5m")),
    ),
    Alert(
        "ClaudeBilling",
        "Billing and permissions",
        "The account cannot pay, or may not use the model. All calls fail until that is changed.",
        "critical",
        one(failed("billing", "permission", by=(names.ERROR_CATEGORY,), window="5m")),
    ),
    Alert(
        "ClaudeModelNotFound",
        "Model names",
        "A model is not there. claude.error.hint names the nearest ones that are.",
        "critical",
        one(failed("model_not_found", by=MODEL, window="15m")),
    ),
    Alert(
        "ClaudeAnswersCut",
        "Cut answers",
        "More than one answer in fifty is cut. Raise max_tokens.",
        "warning",
        ratio(answers(CUT, window="1h"), answers(window="1h")),
        bound=0.02,
    ),
    Alert(
        "ClaudeRequestsRefused",
        "Tool calling",
        "Requests are refused as wrong, for a tool or for something else. claude.error.hint tells where.",
        "warning",
        one(failed("tool_schema", "invalid_request", by=(names.ERROR_CATEGORY,), window="15m")),
    ),
    Alert(
        "ClaudeRequestTooLarge",
        "File processing",
        "Requests or files are larger than the API takes. Send documents by the Files API, in parts.",
        "warning",
        one(failed("request_too_large", by=(names.OPERATION,), window="1h")),
    ),
    Alert(
        "ClaudeUploadsFail",
        "File processing",
        "Uploads fail, as for a proxy that gives up.",
        "warning",
        one(
            Measure(
                instruments.DURATION,
                "grown",
                (Where(names.ERROR_CATEGORY, "set"), Where(names.OPERATION, "like", ("*files.upload",))),
                (names.ERROR_CATEGORY,),
                "1h",
            )
        ),
    ),
    Alert(
        "ClaudeSpendFast",
        "Cost control",
        "Calls cost more than 20 USD an hour. Choose the limit that is yours.",
        "warning",
        one(cost("grown", "10m"), "{it} * 6"),
        bound=20,
        wait="5m",
    ),
    Alert(
        "ClaudeBudgetNearlySpent",
        "Cost control",
        "More than four fifths of a budget are spent.",
        "warning",
        ratio(
            Measure(instruments.BUDGET_SPENT, "most", by=BUDGET),
            Measure(instruments.BUDGET_LIMIT, "most", by=BUDGET),
        ),
        bound=0.8,
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
                MODEL,
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
        one(Measure(instruments.CACHE_UNUSED, "grown", by=MODEL, window="1h")),
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
        one(used("grown", "30m")),
        bound=3,
        wait="15m",
        past="1w",
        floor=TOKENS_OF_HALF_AN_HOUR,
    ),
    Alert(
        "ClaudeRetries",
        "Retries",
        "More than one retry for twenty calls. The event claude.retry tells the causes.",
        "warning",
        ratio(Measure(instruments.RETRIES, "grown", window="10m"), calls(SENT, "grown", "10m")),
        bound=0.05,
        wait="5m",
    ),
    Alert(
        "ClaudeSlower",
        "Performance",
        "Answers take half as long again as at this hour last week.",
        "warning",
        ratio(took("sum"), took("count")),
        bound=1.5,
        wait="15m",
        past="1w",
    ),
    *(
        Alert(
            f"Claude{each.family.capitalize()}Slow",
            "Performance",
            f"One answer of {each.family.capitalize()} in ten takes longer than is expected, which is {each.text}.",
            "warning",
            one(slowest(each.family, "15m")),
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
        one(Measure(instruments.UNPRICED, "grown", by=(names.RESPONSE_MODEL,), window="1h")),
    ),
    Alert(
        "ClaudeTraceCapped",
        "Breaking points",
        "Traces have more spans than the cap: something loops. The largest summary shows what.",
        "warning",
        one(Measure(instruments.CAPPED, "grown", window="1h")),
    ),
    Alert(
        "ClaudeErrors",
        "Success metrics",
        "More than one call in a thousand fails for a cause that is none of the application's own.",
        "critical",
        ratio(calls((Where(names.ERROR_CATEGORY, "in", FAULTS),), "grown", "1h"), calls(SENT, "grown", "1h")),
        bound=0.001,
        wait="5m",
    ),
    Alert(
        "ClaudeSpendOffTrend",
        "Success metrics",
        "The cost of a day is off by more than 20 % of that of the same day a week ago.",
        "warning",
        Formula(
            "abs({today} / ({then} > 0 and {before} > 0) - 1)",
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
