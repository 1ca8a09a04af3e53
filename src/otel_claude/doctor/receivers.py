"""What receivers are asked by: endpoints, headers, timeouts, and how metrics add up.

In: variables. Out: checks. Nothing is sent.
"""

import re
from collections.abc import Iterator, Sequence

from otel_claude.doctor.check import Check
from otel_claude.doctor.endpoints import Endpoint, UnusableEndpoint, endpoint_of, remarks
from otel_claude.doctor.exporters import chosen
from otel_claude.doctor.headers import headers_in
from otel_claude.doctor.signals import METRICS, OTLP, SIGNALS, listed
from otel_claude.doctor.variables import Variables

TEMPORALITY = f"{OTLP}METRICS_TEMPORALITY_PREFERENCE"
TEMPORALITIES = ("cumulative", "delta", "lowmemory")
WANT_DELTA = re.compile(r"(?:^|\.)(?:datadoghq\.(?:com|eu)|ddog-gov\.com|nr-data\.net)$")
"""Receivers that take cumulative sums badly or not at all.

https://docs.datadoghq.com/opentelemetry/reference/otlp_metric_types/,
https://docs.newrelic.com/docs/opentelemetry/best-practices/opentelemetry-best-practices-metrics/
"""

ENCODE = (
    "write name=value, comma-separated, with what is special in values as in an address: %20 for a space, %2C for a"
    " comma, %22 for a quotation mark, %3B for a semicolon"
)

LONG_TIMEOUT_S = 120
"""A timeout of an export that is longer is meant in milliseconds, as the specification has it."""


def endpoints(variables: Variables) -> list[Endpoint]:
    """The endpoints that are sent to, without those that are none."""
    found: list[Endpoint] = []
    for signal in SIGNALS:
        for exporter in chosen(variables, signal):
            if exporter.protocol is not None:
                try:
                    found.append(endpoint_of(variables, signal, exporter.protocol))
                except UnusableEndpoint:
                    continue
    return found


def endpoint_checks(variables: Variables) -> Iterator[Check]:
    """What looks wrong with the endpoints, their headers and their timeouts."""
    seen = dict.fromkeys(remark for endpoint in endpoints(variables) for remark in remarks(endpoint))
    for remark in seen:
        yield Check("problem" if remark.is_wrong else "note", "endpoint", remark.says, remark.mend)
    for name in dict.fromkeys(endpoint.variable for endpoint in endpoints(variables)):
        if name is not None and (value := variables.values[name]) != value.strip():
            says = f"{name} has blanks at its ends, which exporters take for a part of the address"
            yield Check("note", "endpoint", says, "write it without")
    yield from _header_checks(variables)
    names = dict.fromkeys(
        found[0] for endpoint in endpoints(variables) if (found := variables.of_signal(endpoint.signal, "TIMEOUT"))
    )
    for name in names:
        yield from _timeout_check(name, variables.read(name) or "")


def _timeout_check(name: str, value: str) -> Iterator[Check]:
    try:
        seconds = float(value)
    except ValueError:
        yield Check("problem", "timeout", f"{name} is {value!r}; accepted: seconds, such as 10", f"unset {name}")
        return
    if seconds > LONG_TIMEOUT_S:
        yield Check(
            "note",
            "timeout",
            f"{name}={value}: Python reads seconds, so an export may take {seconds:,.0f} s",
            f"if milliseconds were meant, {name}={seconds / 1000:g}",
        )


def _header_checks(variables: Variables) -> Iterator[Check]:
    sent = endpoints(variables)
    names = dict.fromkeys(
        found[0] if (found := variables.of_signal(endpoint.signal, "HEADERS")) else None for endpoint in sent
    )
    for name in names:
        if name is None:
            yield Check("ok", "headers", f"none are sent ({OTLP}HEADERS is not set)")
            continue
        headers = headers_in(variables.read(name) or "")
        yield from (
            Check("problem", "headers", f"{name}: {says.format(listed(entries), _are(entries))}", mend)
            for entries, says, mend in (
                (headers.wrong, "{} {} not name=value, and not sent", ENCODE),
                (headers.unread, "{} {} not sent, as OpenTelemetry does not accept what is in the value", ENCODE),
                (headers.empty, "the value of {} is empty, and sent so", "look whether what it is made of is set"),
            )
            if entries
        )
        if headers.names or headers.others:
            yield Check("ok", "headers", f"{headers.shown} ({name}; values are not shown)")


def _are(entries: Sequence[str]) -> str:
    return "is" if len(entries) == 1 else "are"


def temporality_checks(variables: Variables) -> Iterator[Check]:
    """Whether metrics are sent as their backend takes them."""
    ends = [each for each in endpoints(variables) if each.signal == METRICS]
    if not ends:
        return
    value = (variables.read(TEMPORALITY) or "cumulative").lower()
    wants = [each.host for each in ends if WANT_DELTA.search(each.host)]
    if value not in TEMPORALITIES:
        yield Check(
            "problem",
            "temporality",
            f"{TEMPORALITY} is {value!r}; accepted: {', '.join(TEMPORALITIES)}. cumulative is used",
            f"{TEMPORALITY}=delta, or unset it",
        )
    elif wants and value == "cumulative":
        yield Check(
            "problem",
            "temporality",
            f"metrics are cumulative, and {wants[0]} wants deltas",
            f"{TEMPORALITY}=delta",
        )
    else:
        hint = "; Datadog and New Relic want delta" if value == "cumulative" else ""
        yield Check("ok", "temporality", f"metrics are {value}{hint} ({TEMPORALITY})")
