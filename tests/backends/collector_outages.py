"""The OpenTelemetry Collector while it is away, or has no memory left: what is lost of a program's telemetry.

A program makes three rounds of calls, and during the second one something is wrong with the Collector. What an exporter
cannot send, it sends again, as long as `OTEL_EXPORTER_OTLP_TIMEOUT` lets it. What it loses then, it counts.

https://opentelemetry.io/docs/specs/semconv/otel/sdk-metrics/
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from collector import Place, collector, miscounted, place
from datadog_agent import ALL, TEMPORALITY, agent, came
from facts import OF_EVENTS, OF_METRICS, OF_TRACES, Facts, differences, expected
from program import Rounds, rounds
from results import Shown, Unlike
from servers import ServerFailed, settled

COUNTING = {"OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED": "true"}
IMPATIENT = {"OTEL_EXPORTER_OTLP_TIMEOUT": "2"}
"""In seconds, as OpenTelemetry for Python reads it: there is a second attempt after one, and no third."""
SHORTLY_S = 2
LONG_S = 8
"""Enough for an impatient exporter to lose two batches, one after the other."""
NO_MEMORY: Mapping[str, int | str] = {"limit_mib": 1, "spike_limit_mib": 0, "check_interval": "50ms"}

CAME = "spans that came"
LOST = "spans that the program counts as lost"
EXPORTED = "otel.sdk.exporter.span.exported"

GAVE_UP = "the exporter gave up: what it had of the second round is lost"
DELTAS = "deltas are lost with their export"


class Outage(NamedTuple):
    """What is wrong, and what is lost.

    `happens` has the second round made, between two Collectors, and returns what is not as it should be. `lost` are the
    facts that miss that round, and why they do. `variables` are of the program. Whether what it sends is `counted` on
    the way makes a difference to it: it then finds somebody who listens, whatever is wrong with the Collector.
    """

    name: str
    happens: Callable[[Place, Rounds], Sequence[str]]
    lost: Mapping[str, str]
    wanted: Sequence[str]
    variables: Mapping[str, str]
    counted: bool = False


def _away(seconds: float) -> Callable[[Place, Rounds], Sequence[str]]:
    def happens(place: Place, program: Rounds) -> Sequence[str]:
        program.next()
        time.sleep(seconds)
        return ()

    return happens


def _no_memory(place: Place, program: Rounds) -> Sequence[str]:
    """Ends when something of every kind was refused at least once. What was is counted here, too."""

    def refused(*items: str) -> bool:
        return settled(lambda: all(place.relay.counts[f"refused_{item}"] for item in items), bool)

    place.relay.counts.clear()
    with collector(place, **NO_MEMORY):
        there = refused("metric_points")
        program.next()
        if not (there and refused("spans", "log_records")):
            raise ServerFailed("a Collector without memory has accepted everything")
        place.relay.held.set()
        complaints = settled(lambda: [*miscounted(place.counts, place.relay.counts)], lambda found: not found)
    place.relay.held.clear()
    return complaints


SPANS = dict.fromkeys((*OF_TRACES, *OF_EVENTS, CAME), GAVE_UP)
OUTAGES = (
    Outage("away", _away(SHORTLY_S), {}, (*ALL, CAME, LOST), {}),
    Outage("no memory", _no_memory, {}, (*ALL, CAME, LOST), {}, counted=True),
    Outage("away too long", _away(LONG_S), SPANS, (*ALL, CAME, LOST), IMPATIENT),
    # Here the count of what is lost is a delta, too.
    Outage(
        "too long, delta",
        _away(LONG_S),
        {**SPANS, **dict.fromkeys(OF_METRICS, DELTAS)},
        (*ALL, CAME),
        {**IMPATIENT, TEMPORALITY: "delta"},
    ),
)


def check(commands: Path, agents: Callable[[], Path]) -> Iterator[Shown]:
    """Runs a program through the outages, and tells what the agent behind the Collector shows in the end."""
    with tempfile.TemporaryDirectory() as home, agent(agents(), Path(home)) as (running, _):
        for outage in OUTAGES:
            with place(commands, running, outage.name) as here:
                yield _shown(here, outage)


def _shown(place: Place, outage: Outage) -> Shown:
    endpoint = place.relay.http if outage.counted else place.http
    with rounds(endpoint, **COUNTING, **outage.variables) as program:
        with collector(place):
            first = expected(program.next())
            settled(lambda: _facts(place), lambda facts: not [*differences(first, facts, ALL)])
            once = {**first, CAME: len(place.spans)}
        complaints = outage.happens(place, program)
        with collector(place):
            told = program.next()
            thrice = expected(told)
            program.end()
            said = {**thrice, CAME: once[CAME] * 3, LOST: once[CAME] if outage.lost else 0}
            unlike = {fact: Unlike(once[fact] * 2, why) for fact, why in outage.lost.items() if once[fact]}
            shown = settled(
                lambda: Shown(outage.name, said, _facts(place), outage.wanted, unlike, complaints),
                lambda shown: not [*shown.failures],
            )
            # Where something is lost, what is left leads to what is lost.
            more = () if outage.lost else came(place.agent, place.session).unlike(told)
            return shown._replace(complaints=[*complaints, *more])


def _facts(place: Place) -> Facts:
    seen = came(place.agent, place.session)
    exported = [each for each in seen.series if each.metric == EXPORTED]
    counted = {LOST: sum(each.value for each in exported if "error.type" in each.attributes)} if exported else {}
    return {**seen.facts, **counted, CAME: len(place.spans)}
