"""The alerts on limits, prompts, streams and calls that fail, in the order of the guide. Pure."""

from otel_claude import names
from otel_claude.dashboards.alert import Alert, Few
from otel_claude.dashboards.conditions import (
    ALONE,
    CALL,
    CUT,
    LIMITS,
    MODEL,
    OF_METHODS,
    OF_MODELS,
    SENT,
    answers,
    broken,
    calls,
    failed,
    left,
    prompts,
)
from otel_claude.dashboards.measures import Formula, Measure, Where, one, ratio
from otel_claude.emitting import instruments

PROMPTS = Few(200, 2_000)
"""Sizes of prompts are spread far, such as by a factor of 2.7 (lognormally, with a deviation of 1).

Means of two hours then differ by half, with nothing changed, in one hour of five where there are 12 calls an hour, in
one of 90 where there are 100, and in one of 600 where there are 200; the wait is for the rest.
"""

ALERTS_OF_CALLS = (
    Alert(
        "ClaudeRateLimitLow",
        "Rate limits",
        "Less than a tenth of a rate limit is left. Spread the work, cache prompts, or ask for a higher tier.",
        "warning",
        left(OF_MODELS, tuple(each for each in LIMITS if each != names.CALL_NAME)),
        "<",
        0.1,
    ),
    Alert(
        "ClaudeMethodLimitLow",
        "Rate limits",
        "Less than a tenth of the rate limit of a method is left, such as of files, batches or the counting of tokens.",
        "warning",
        left(OF_METHODS),
        "<",
        0.1,
    ),
    Alert(
        "ClaudeRateLimited",
        "Rate limits",
        "Calls fail for a rate limit, after all retries.",
        "critical",
        one(failed("rate_limited", by=MODEL, window="15m")),
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
        one(Measure(instruments.UTILIZATION, "quantile", by=ALONE, window="15m", quantile=0.99)),
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
        f"Prompts are half as large again as at this hour yesterday, in more than {PROMPTS.calls} calls each. "
        "Conversations may grow without end.",
        "info",
        ratio(prompts("sum"), prompts("count")),
        bound=1.5,
        wait="15m",
        past="1d",
        few=PROMPTS,
    ),
    Alert(
        "ClaudeStreamsBreak",
        "Streaming",
        "Streams break. The event claude.stream.interrupted tells how long nothing came, and the likely cause.",
        "warning",
        one(broken(by=(*ALONE, names.ERROR_TYPE), window="15m")),
    ),
    Alert(
        "ClaudeFirstContentSlow",
        "Streaming and tool integration",
        "One stream in twenty begins after more than ten seconds.",
        "warning",
        one(Measure(instruments.FIRST_CHUNK, "quantile", by=ALONE, window="15m", quantile=0.95)),
        bound=10.24,
        wait="5m",
    ),
    Alert(
        "ClaudeStreamsStall",
        "Streaming and tool integration",
        "One event of streams in a thousand comes after more than ten seconds. Needs the setting chunk_metrics.",
        "warning",
        one(Measure(instruments.CHUNK, "quantile", by=ALONE, window="15m", quantile=0.999)),
        bound=10.24,
        wait="5m",
    ),
    Alert(
        "ClaudeAuthentication",
        "Authentication",
        "The key is missing, wrong or revoked. claude.error.hint on the span tells which.",
        "critical",
        one(failed("authentication", by=(names.ERROR_TYPE,), window="15m")),
    ),
    Alert(
        "ClaudeBilling",
        "Billing and permissions",
        "The account cannot pay, or may not use the model. All calls fail until that is changed.",
        "critical",
        one(failed("billing", "permission", by=(names.ERROR_CATEGORY,), window="15m")),
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
        ratio(answers(CUT, window="1h", by=ALONE), answers(window="1h", by=ALONE)),
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
                (*ALONE, names.ERROR_CATEGORY),
                "1h",
            )
        ),
    ),
)
