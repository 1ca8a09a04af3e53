"""The guide to what breaks in production: the simulated API breaks in each way, and what the guide says is seen."""

import contextlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import anthropic
import pytest
from driver import ASK, items, settled

from fixture_types import API_KEY, Instrument, Make
from otel_claude.testing import (
    Answer,
    BadRequest,
    Hang,
    NotFound,
    Overloaded,
    RateLimited,
    RequestTooLarge,
    SimulatedClaude,
    Telemetry,
    Unauthorized,
    usage,
)

GUIDE = Path(__file__).parents[2] / "docs" / "production.md"
SECTIONS = dict(re.findall(r"^## (.+)\n((?:(?!## ).*\n)*)", GUIDE.read_text("utf-8"), re.MULTILINE))
NAME = re.compile(r"`((?:claude|gen_ai|anthropic)\.[a-z0-9_.]+)`")
HAIKU = {"model": "claude-haiku-4-5"}
"""Has a window of 200,000 tokens."""

LIMITS: dict[str, str | None] = {
    "anthropic-ratelimit-requests-limit": "1000",
    "anthropic-ratelimit-requests-remaining": "0",
    "anthropic-ratelimit-requests-reset": "2099-01-01T00:00:00Z",
}
LONG_PROMPT = "You are a helpful assistant who knows the handbook by heart. " * 400
"""24,400 characters: more than the 4,096 tokens that any model asks for."""

BAD_TOOL = {"name": "get_user", "input_schema": {"type": "object", "properties": {"user_id": {"type": "str"}}}}


class Failing(NamedTuple):
    """What goes wrong, and what is asked: one answer for each call, or for each attempt."""

    outcomes: Sequence[Any]
    ask: Mapping[str, Any] = {}
    settings: Mapping[str, Any] = {}
    calls: int = 1
    retries: int = 0


def refusal(message: str) -> BadRequest:
    return BadRequest(message)


WAYS: Mapping[str, Failing] = {
    "Rate limits": Failing([RateLimited(retry_after=0.01, headers=LIMITS)] * 3, retries=2),
    "Scaling thresholds": Failing([RateLimited(retry_after=0.01, headers=LIMITS), Answer("Hi")], retries=2),
    "Context window": Failing(
        [
            Answer("Hi", usage=usage(input_tokens=190_000, output_tokens=1)),
            refusal("prompt is too long: 208310 tokens > 200000 maximum"),
        ],
        HAIKU,
        calls=2,
    ),
    "Memory": Failing(
        [Answer("Hi")], {"messages": [{"role": role, "content": "Hi"} for role in ("user", "assistant") * 30]}
    ),
    "Streaming": Failing([Hang(5, after_events=3)], {"stream": True, "timeout": 0.5}),
    "Streaming and tool integration": Failing([Answer("Hi")], {"stream": True}),
    "Authentication": Failing([Unauthorized("invalid x-api-key")]),
    "Model names": Failing([NotFound("model: claude-sonet-5")], {"model": "claude-sonet-5"}),
    "Cut answers": Failing([Answer("Hi", stop_reason="max_tokens")]),
    "Tool calling": Failing(
        [
            refusal(
                "tools.0.custom.input_schema: JSON schema is invalid. It must match JSON Schema draft 2020-12"
                " (https://json-schema.org/draft/2020-12)."
            )
        ],
        {"tools": [BAD_TOOL]},
    ),
    "File processing": Failing([RequestTooLarge()]),
    "Cost control": Failing(
        [
            *[Answer("Hi", usage=usage(input_tokens=6_000, output_tokens=5))] * 2,
            Answer("Hi", usage=usage(input_tokens=10, output_tokens=5, cache_read=5_990)),
        ],
        {"system": LONG_PROMPT},
        calls=3,
    ),
    "Security": Failing([Answer("Hi", headers={"anthropic-workspace-id": "wrkspc_1"})], settings={"audit": True}),
    "Retries": Failing([Overloaded(retry_after=0.01), Answer("Hi")], retries=2),
    "Performance": Failing([Overloaded(retry_after=0.01), Answer("Hi")], {"stream": True}, retries=2),
    "Monitoring": Failing([Answer("Hi", headers=LIMITS), Answer("Hi", model="claude-of-tomorrow-9")], calls=2),
    "Success metrics": Failing([Answer("Hi"), Overloaded()], calls=2),
}
"""By the heading of the section. The runaway trace under "Breaking points" is that of `tests/span_cap`."""


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
    assert SECTIONS.keys() - WAYS.keys() == {"Breaking points"}
    assert WAYS.keys() <= SECTIONS.keys()


@pytest.mark.parametrize("heading", WAYS)
async def test_what_the_guide_says_is_seen(heading: str, instrument: Instrument, make: Make, claude: SimulatedClaude):
    way = WAYS[heading]
    telemetry = instrument(**way.settings)
    client = make(api_key=API_KEY, max_retries=way.retries)
    claude.will(*way.outcomes)
    for _ in range(way.calls):
        with contextlib.suppress(Exception):
            answer = await settled(client.messages.create(**{**ASK, **way.ask}))
            if way.ask.get("stream"):
                async for _ in items(answer):
                    pass
    if heading == "File processing":
        await upload(client)

    seen = re.findall(r"\*\*You see\*\*(.*?)- \*\*Do\*\*", SECTIONS[heading], re.DOTALL)
    names = set(NAME.findall(seen[0]))
    assert names
    assert names - told(telemetry) == set()


async def upload(client: Any) -> None:
    if not hasattr(client.beta, "files"):
        pytest.skip(f"anthropic {anthropic.__version__} has no files")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("otel_claude.diagnosis.findings.LARGE_FILE", 100)
        await settled(client.beta.files.upload(file=("notes.txt", b"x" * 200, "text/plain")))
