"""A middleware may ask the API more than once in one call. Each answer is billed."""

from typing import Any

import anthropic
import pytest
from driver import ASK, MODEL, attributes, only_sync, read, settled

from fixture_types import API_KEY, Make
from otel_claude.testing import Answer, SimulatedClaude, Telemetry, usage

middleware = pytest.importorskip("anthropic._middleware", reason="this SDK has no middleware")

FIRST = usage(input_tokens=100, output_tokens=5)
SECOND = usage(input_tokens=200, output_tokens=7)
COST = (100 * 2 + 5 * 10 + 200 * 2 + 7 * 10) / 1_000_000
"""In USD, at the prices of Sonnet 5.5: https://platform.claude.com/docs/en/about-claude/pricing."""


def twice(request: Any, call_next: Any) -> Any:
    call_next(request)
    return call_next(request)


async def twice_async(request: Any, call_next: Any) -> Any:
    await call_next(request)
    return await call_next(request)


async def test_each_answer_counts(make: Make, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(Answer("No", usage=FIRST), Answer("Yes", usage=SECOND))
    is_async = isinstance(make(api_key=API_KEY), anthropic.AsyncAnthropic)
    client = make(api_key=API_KEY, middleware=[twice_async if is_async else twice])
    message = await settled(client.messages.create(**ASK))
    assert message.content[0].text == "Yes"
    told = attributes(telemetry)
    assert (told["gen_ai.usage.input_tokens"], told["gen_ai.usage.output_tokens"]) == (300, 12)
    assert told["claude.cost.usd"] == pytest.approx(COST)
    assert telemetry.total("claude.cost") == pytest.approx(COST)
    assert telemetry.total("claude.token.usage", {"claude.token.type": "input"}) == 300
    assert telemetry.total("gen_ai.client.token.usage", {"gen_ai.token.type": "output"}) == 12
    assert telemetry.count("gen_ai.client.token.usage", {"gen_ai.token.type": "output"}) == 2


@only_sync
async def test_an_answer_that_no_request_has_brought_is_not_billed(
    make: Make, claude: SimulatedClaude, telemetry: Telemetry
):
    """An application's cache gives what was paid for before."""
    plain = make(api_key=API_KEY)
    claude.will(Answer("Kept", usage=FIRST))
    kept = plain.messages.create(**ASK)
    telemetry.clear()

    def from_cache(request: Any, call_next: Any) -> Any:
        return kept

    client = make(api_key=API_KEY, middleware=[from_cache])
    assert client.messages.create(**ASK) is kept
    told = attributes(telemetry)
    assert told["gen_ai.request.model"] == MODEL
    assert not [name for name in told if name.startswith(("gen_ai.usage", "claude.cost"))]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_fallback_is_paid_for_with_what_was_refused(
    stream: bool, make: Make, claude: SimulatedClaude, telemetry: Telemetry
):
    """The SDK's own middleware puts one stream together from those of two models. Opus 4.6 is 5 and 25 USD."""
    middlewares = pytest.importorskip("anthropic.lib.middleware")
    refused = {"type": "refusal", "category": "cyber", "fallback_credit_token": "token"}
    claude.will(
        Answer(
            "No",
            stop_reason="refusal",
            usage=usage(input_tokens=1_000, output_tokens=7),
            more={"stop_details": refused},
        ),
        Answer("Yes", usage=usage(input_tokens=1_000, output_tokens=15)),
    )
    fallback = middlewares.BetaRefusalFallbackMiddleware(fallbacks=[{"model": "claude-sonnet-4-6"}])
    client = make(api_key=API_KEY, middleware=[fallback])
    with middlewares.BetaFallbackState():
        answer = await settled(client.beta.messages.create(**{**ASK, "model": "claude-opus-4-6"}, stream=stream))
        if stream:
            await read(answer)
    cost = (1_000 * 5 + 7 * 25 + 1_000 * 3 + 15 * 15) / 1_000_000
    told = attributes(telemetry)
    assert told["gen_ai.response.finish_reasons"] == ("end_turn",)
    assert told["claude.cost.usd"] == pytest.approx(cost)
    assert telemetry.total("claude.cost") == pytest.approx(cost)
    assert telemetry.total("claude.token.usage", {"claude.token.type": "output"}) == 22
    assert telemetry.count("gen_ai.client.operation.duration") == 1
