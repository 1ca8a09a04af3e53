"""The guide to what breaks in production: the simulated API breaks in each way, and what the guide says is seen."""

import contextlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import anthropic
import pytest
from driver import ASK, read, settled
from failing import VALUES, WAYS, Event, Span, Sum

from fixture_types import API_KEY, Instrument, Make
from otel_claude.testing import Batch, SimulatedClaude, Telemetry
from promql import SECTIONS, queries, selectors, series

NAME = re.compile(r"`((?:claude|gen_ai|anthropic)\.[a-z0-9_.]+)`")


def wrong(telemetry: Telemetry, row: Span | Event | Sum) -> Mapping[str, Any]:
    """What is not as the row says."""
    match row:
        case Span(expected):
            found: Mapping[str, Any] = telemetry.spans[-1].attributes or {}
        case Event(name, expected, at):
            found = [event.attributes for event in telemetry.events if event.name == name][at]
        case Sum(name, value, labels, counts):
            expected = {name: value}
            found = {name: (telemetry.count if counts else telemetry.total)(name, labels)}

    def fits(value: Any, actual: Any) -> bool:
        return bool(value(actual) if callable(value) else value == actual)

    return {name: found.get(name) for name, value in expected.items() if not fits(value, found.get(name))}


def told(telemetry: Telemetry) -> set[str]:
    """Every name in every signal."""
    metrics = telemetry.metrics
    return {
        *(name for span in telemetry.spans for name in span.attributes or {}),
        *(name for event in telemetry.events for name in (event.name, *event.attributes)),
        *metrics,
        *(name for points in metrics.values() for point in points for name in point["attributes"]),
    }


def test_every_section_has_a_way_to_fail():
    assert WAYS.keys() == SECTIONS.keys()


@pytest.mark.parametrize("heading", WAYS)
async def test_what_the_guide_says_is_seen(heading: str, instrument: Instrument, make: Make, claude: SimulatedClaude):
    way = WAYS[heading]
    telemetry = instrument(**way.settings)
    client = make(api_key=API_KEY, max_retries=way.retries)
    if way.batch:
        claude.will(Batch(way.batch))
        await read_batch(client, [{**ASK, **way.ask}] * len(way.batch))
    claude.will(*way.outcomes)
    agent = telemetry.tracer_provider.get_tracer("agent").start_as_current_span("agent")
    with agent if heading == "Breaking points" else contextlib.nullcontext():
        for _ in range(way.calls):
            with contextlib.suppress(Exception):
                answer = await settled(client.messages.create(**{**ASK, **way.ask}))
                if way.ask.get("stream"):
                    await read(answer)
    if heading == "File processing":
        await upload(client)

    seen = re.findall(r"\*\*You see\*\*(.*?)- \*\*Do\*\*", SECTIONS[heading], re.DOTALL)
    names = set(NAME.findall(seen[0]))
    assert names
    assert names - told(telemetry) == set()
    assert [found for row in VALUES[heading] if (found := wrong(telemetry, row))] == []
    # Backends that do not know names of events show the body.
    assert [event.body for event in telemetry.events] == [event.name for event in telemetry.events]
    there = series(telemetry)
    assert any(
        all(any(map(each.selects, there[each.metric])) for each in selectors(query))
        for query in queries(SECTIONS[heading])
    )
    said = f"{telemetry.tree(masked=lambda _: False)} {telemetry.events} {telemetry.metrics}"
    assert [secret for secret in (API_KEY, "Jane") if secret in said] == []


async def read_batch(client: Any, asked: Sequence[Mapping[str, Any]]) -> None:
    requests = [{"custom_id": f"request-{number}", "params": params} for number, params in enumerate(asked)]
    batch = await settled(client.messages.batches.create(requests=requests))
    await settled(client.messages.batches.retrieve(batch.id))
    await read(await settled(client.messages.batches.results(batch.id)))


async def upload(client: Any) -> None:
    if not hasattr(client.beta, "files"):
        pytest.skip(f"anthropic {anthropic.__version__} has no files")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("otel_claude.diagnosis.findings.LARGE_FILE", 100)
        with contextlib.suppress(anthropic.APIStatusError):
            await settled(client.beta.files.upload(file=("notes.txt", b"x" * 100, "text/plain")))
        await settled(client.beta.files.upload(file=("notes.txt", b"x" * 200, "text/plain")))
