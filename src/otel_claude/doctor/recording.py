"""What is recorded of calls, by the settings that hold.

In: settings and variables. Out: checks, and one paragraph that says it all.
"""

from collections.abc import Iterator, Mapping

from otel_claude.doctor.check import Check
from otel_claude.doctor.exporters import PROMETHEUS, chosen
from otel_claude.doctor.remedies import to_export
from otel_claude.doctor.sampler import sampler_of
from otel_claude.doctor.sdk import config_file
from otel_claude.doctor.signals import LOGS, METRICS, SIGNALS, TRACES, Signal, listed
from otel_claude.doctor.variables import Variables
from otel_claude.settings import Settings

CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
WHERE: Mapping[str, tuple[Signal, ...]] = {
    "NO_CONTENT": (),
    "SPAN_ONLY": (TRACES,),
    "EVENT_ONLY": (LOGS,),
    "SPAN_AND_EVENT": (TRACES, LOGS),
}
"""The signals that content is recorded on, by mode."""

SPANS: Mapping[str, str] = {
    "replace": "a span of ours",
    "enrich": "a span, which is the SDK's with our attributes where the SDK makes one",
    "keep": "a span, which is the SDK's where it makes one",
}
"""The span of a call, by the setting `native_spans`."""

ALWAYS = "metrics of its tokens and cost, and events when something is wrong"
NO_SPAN = "As the sampler is set, it has no span."

INTERVAL, INTERVAL_MS = "OTEL_METRIC_EXPORT_INTERVAL", 60_000
"""https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#periodic-exporting-metricreader."""


def recording_checks(variables: Variables, settings: Settings) -> Iterator[Check]:
    """What the content mode, the cap, the budgets and the prices do."""
    signals = WHERE[settings.content]
    if signals:
        carries = " and ".join(signal.carries for signal in signals)
        yield Check(
            "note",
            "content",
            f"{settings.content}: prompts, answers and tools are recorded on {carries}, up to"
            f" {settings.content_max_bytes:,} bytes each. Whether code redacts them cannot be seen from here",
            f"if nobody may read them, {CONTENT}=NO_CONTENT, or a function `redact` in code",
        )
    else:
        yield Check("ok", "content", "NO_CONTENT: no prompt, answer or tool definition is recorded")
    for signal in signals:
        if config_file(variables) is None and not chosen(variables, signal):
            yield Check(
                "problem",
                "content",
                f"is recorded on {signal.carries}, which are not exported",
                to_export(variables, [signal]),
            )
    most = settings.max_spans_per_trace
    if most:
        yield Check("ok", "span cap", f"at most {most:,} spans of a trace are exported")
    else:
        yield Check(
            "note",
            "span cap",
            "is off: an agent that loops exports all of its spans",
            "unset OTEL_CLAUDE_MAX_SPANS_PER_TRACE, whose default is 1000",
        )
    yield from _budget_checks(settings)


def _budget_checks(settings: Settings) -> Iterator[Check]:
    plan = settings.plan
    if plan.budgets:
        blocking = [budget.name for budget in plan.budgets if budget.action == "block"]
        refused = f"; calls are refused when spent: {', '.join(blocking)}" if blocking else "; none refuses calls"
        yield Check("ok", "budgets", f"{', '.join(budget.name for budget in plan.budgets)}{refused}")
        missing = sorted(plan.keys - set(settings.baggage))
        if missing:
            yield Check(
                "note",
                "budgets",
                f"are per {', '.join(missing)}, which the application sets in the baggage; metrics do not have it",
                f"for metrics by it, OTEL_CLAUDE_BAGGAGE={','.join((*settings.baggage, *missing))}",
            )
    elif settings.budgets is not None:
        yield Check("note", "budgets", "the file has none", "give it a table [budgets.NAME]: see docs/budgets.md")
    else:
        yield Check("ok", "budgets", "none")
    own = settings.prices
    yield Check(
        "ok", "prices", "of the list" if not own else f"{', '.join(own)} by OTEL_CLAUDE_PRICES, others of the list"
    )


def paragraph(variables: Variables, settings: Settings) -> str:
    """What is recorded of a call, and which signals are exported."""
    is_in_file = config_file(variables) is not None
    exported = {signal: [each.component for each in chosen(variables, signal)] for signal in SIGNALS}
    gone = [signal.carries for signal in SIGNALS if exported[signal]]
    kept = [signal.carries for signal in SIGNALS if not exported[signal]]
    seconds = _interval_s(variables)
    most, on = settings.max_spans_per_trace, [signal.carries for signal in WHERE[settings.content]]
    sentences = {
        _of_a_call(variables, SPANS[settings.native_spans]): True,
        "An event claude.audit tells of each call.": settings.audit,
        "What is exported is what the file of OTEL_CONFIG_FILE says.": is_in_file,
        f"{listed(gone or ['nothing']).capitalize()} {'are' if gone else 'is'} exported.": not is_in_file,
        f"{listed(kept or ['nothing']).capitalize()} are not.": not is_in_file and bool(kept and gone),
        f"Metrics come every {seconds:g} s and at the end of the process.": not is_in_file
        and seconds > 0
        and bool(set(exported[METRICS]) - {PROMETHEUS}),
        f"A trace has at most {most:,} spans.": most > 0,
        "No trace is capped.": most == 0,
        f"Prompts and answers are {f'recorded on {listed(on)}' if on else 'not recorded'}.": True,
    }
    return " ".join(sentence for sentence, is_so in sentences.items() if is_so)


def _of_a_call(variables: Variables, span: str) -> str:
    """What each call has. A sampler decides on spans alone."""
    sampler = None if config_file(variables) is not None else sampler_of(variables)
    if sampler is None or sampler.share == 1:
        return f"each call has {span}, {ALWAYS}."
    whose = " that begin here" if sampler.is_of_callers else ""
    traces = [f"{sampler.shown} of the traces{whose}"] if sampler.share else []
    traces += [f"{'those' if traces else 'traces'} that a caller records"] if sampler.is_of_callers else []
    return f"each call has {ALWAYS}. " + (f"In {', and in '.join(traces)}, it has {span}." if traces else NO_SPAN)


def _interval_s(variables: Variables) -> float:
    """How often metrics come. With nothing above 0, OpenTelemetry is not set up."""
    try:
        return float(variables.read(INTERVAL) or INTERVAL_MS) / 1000
    except ValueError:
        return INTERVAL_MS / 1000
