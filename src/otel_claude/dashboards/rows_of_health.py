"""The rows on latency, errors, rate limits, agents and traces. Pure."""

from otel_claude import names
from otel_claude.dashboards.conditions import BROKEN, CALL, FAULTS, MODEL, SENT, calls, left, slowest
from otel_claude.dashboards.expectations import EXPECTATIONS
from otel_claude.dashboards.measures import Measure, Where, one, ratio
from otel_claude.dashboards.panel import Panel, Query, Row, by_minute, grown, quantile, share
from otel_claude.emitting import instruments

FAILED = Where(names.ERROR_TYPE, "set")

HEALTH = (
    Row(
        "Latency",
        (
            *(
                Panel(
                    f"{each.family.capitalize()}, slowest tenth",
                    f"Nine answers of ten are faster. Expected is {each.text}.",
                    "lines",
                    "s",
                    (Query("nine of ten", one(slowest(each.family))),),
                    (each.seconds,),
                )
                for each in EXPECTATIONS
            ),
            Panel(
                "First content of streams, slowest twentieth",
                "By model.",
                "lines",
                "s",
                (Query("19 of 20", quantile(instruments.FIRST_CHUNK, 0.95, *MODEL)),),
                (10.24,),
            ),
        ),
    ),
    Row(
        "Errors",
        (
            Panel(
                "Errors by category",
                "Of failed calls.",
                "lines",
                "/min",
                (Query("errors", by_minute(instruments.DURATION, names.ERROR_CATEGORY, where=(FAILED,))),),
            ),
            Panel(
                "Error rate",
                "The share of calls that fail for a cause that is none of the application's own.",
                "lines",
                "share",
                (
                    Query(
                        "failed",
                        share(calls((Where(names.ERROR_CATEGORY, "in", FAULTS),), "grown"), calls(SENT, "grown")),
                    ),
                ),
                (0.001,),
            ),
            Panel(
                "Streams that did not reach their end",
                "Broken ones, and those that the application gave up.",
                "lines",
                "/min",
                (Query("streams", by_minute(instruments.INTERRUPTIONS, names.STREAM_OUTCOME)),),
            ),
            Panel(
                "What broke streams",
                "Of the time that is looked at.",
                "bars",
                "",
                (Query("streams", grown(instruments.INTERRUPTIONS, names.ERROR_TYPE, where=(BROKEN,))),),
            ),
        ),
    ),
    Row(
        "Rate limits and retries",
        (
            Panel(
                "Left of rate limits",
                "Of each limit, as the last responses told it.",
                "lines",
                "share",
                (Query("left", left()),),
                (0.1,),
                low=True,
            ),
            Panel(
                "Calls by model",
                "Those of chats.",
                "lines",
                "/min",
                (Query("calls", one(calls(CALL, "per_second", by=MODEL), "{it} * 60")),),
            ),
            Panel(
                "Retries",
                "By what had failed.",
                "lines",
                "/min",
                (Query("retries", by_minute(instruments.RETRIES, names.ERROR_TYPE)),),
            ),
            Panel(
                "Retries for a call",
                "One for twenty is too many.",
                "lines",
                "share",
                (
                    Query(
                        "retries",
                        share(Measure(instruments.RETRIES, "grown"), calls(SENT, "grown")),
                    ),
                ),
                (0.05,),
            ),
        ),
    ),
    Row(
        "Agents, tools and traces",
        (
            Panel(
                "Runs of agents",
                "By agent.",
                "lines",
                "/min",
                (Query("runs", by_minute(instruments.AGENT_DURATION, names.AGENT_NAME)),),
            ),
            Panel(
                "Model calls of a run",
                "In the mean, by agent. It rises where an agent loops.",
                "lines",
                "",
                (
                    Query(
                        "calls",
                        ratio(
                            Measure(instruments.AGENT_INFERENCES, "per_second", by=(names.AGENT_NAME,), part="sum"),
                            Measure(instruments.AGENT_INFERENCES, "per_second", by=(names.AGENT_NAME,)),
                        ),
                    ),
                ),
            ),
            Panel(
                "Runs that failed",
                "Of the time that is looked at, by agent.",
                "bars",
                "",
                (Query("runs", grown(instruments.AGENT_DURATION, names.AGENT_NAME, where=(FAILED,))),),
            ),
            Panel(
                "Tools, slowest tenth",
                "By tool.",
                "lines",
                "s",
                (Query("nine of ten", quantile(instruments.TOOL_DURATION, 0.9, names.TOOL_NAME)),),
            ),
            Panel(
                "Tools executed",
                "By tool.",
                "lines",
                "/min",
                (Query("tools", by_minute(instruments.TOOL_DURATION, names.TOOL_NAME)),),
            ),
            Panel(
                "Tools that failed",
                "Of the time that is looked at, by tool.",
                "bars",
                "",
                (Query("tools", grown(instruments.TOOL_DURATION, names.TOOL_NAME, where=(FAILED,))),),
            ),
            Panel(
                "Traces over the span cap",
                "Of the time that is looked at. One is an agent that loops.",
                "number",
                "",
                (Query("traces", one(Measure(instruments.CAPPED, "grown", or_zero=True))),),
                (1,),
            ),
            Panel(
                "Spans by what became of them",
                "Those that are exported, and those in summaries.",
                "lines",
                "/min",
                (Query("spans", by_minute(instruments.SPANS, names.DISPOSITION)),),
            ),
        ),
    ),
)
