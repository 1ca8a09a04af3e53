"""The clients of the other platforms: who answers, at which price, and errors in the platform's own shape."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import anthropic
import pytest
from driver import ASK, attributes, items, only_span, settled

from fixture_types import Make
from otel_claude.testing import ErrorEvent, RateLimited, SimulatedClaude, Telemetry, usage

USED = usage(input_tokens=1_000, output_tokens=500)
LIST_PRICE = (1_000 * 3 + 500 * 15) / 1_000_000
"""USD for that at Anthropic's price of Sonnet 4.6. Regional endpoints of Bedrock and Vertex cost 10 % more.

https://platform.claude.com/docs/en/about-claude/pricing#third-party-platform-pricing
"""
REGIONAL = 1.1
SECRET = "secret-of-the-platform"


class Platform(NamedTuple):
    """A client, and what its calls have to say. `address` is what its base URL has behind that of the server."""

    client: str
    options: Mapping[str, Any]
    model: str
    platform: str
    provider: str
    factor: float = 1.0
    address: str = ""


AWS_KEYS = {"aws_access_key": "AKIA-simulated", "aws_secret_key": SECRET, "aws_region": "us-east-1"}
VERTEX = {"project_id": "project", "access_token": SECRET}
GOOGLE = {"project": "project", "location": "global", "workspace_id": "w", "token_provider": lambda: SECRET}
SONNET = "claude-sonnet-4-6"
BEDROCK = Platform("AnthropicBedrock", AWS_KEYS, f"us.anthropic.{SONNET}", "bedrock", "aws.bedrock", REGIONAL)
GLOBAL_VERTEX = Platform(
    "AnthropicVertex",
    {**VERTEX, "region": "global"},
    SONNET,
    "vertex",
    "gcp.vertex_ai",
    address="/v1",
)
PLATFORMS = {
    "bedrock": BEDROCK,
    "bedrock, global": BEDROCK._replace(model=f"global.anthropic.{SONNET}", factor=1.0),
    "bedrock mantle": BEDROCK._replace(
        client="AnthropicBedrockMantle",
        options={"api_key": SECRET, "aws_region": "us-east-1"},
        model=f"anthropic.{SONNET}",
    ),
    "vertex, global": GLOBAL_VERTEX,
    "vertex": GLOBAL_VERTEX._replace(options={**VERTEX, "region": "us-east5"}, factor=REGIONAL),
    "foundry": Platform("AnthropicFoundry", {"api_key": SECRET}, SONNET, "foundry", "anthropic"),
    "aws": Platform("AnthropicAWS", {**AWS_KEYS, "workspace_id": "w"}, SONNET, "aws", "anthropic"),
    "google cloud": Platform("AnthropicGoogleCloud", GOOGLE, SONNET, "google_cloud", "anthropic"),
}


@pytest.fixture(params=PLATFORMS)
def platform(request: pytest.FixtureRequest) -> Platform:
    return PLATFORMS[request.param]


@pytest.fixture
def client(platform: Platform, make: Make, claude: SimulatedClaude) -> Any:
    return make(platform.client, base_url=claude.base_url + platform.address, **platform.options)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_call_is_one_span_of_its_platform_at_its_price(
    stream: bool, platform: Platform, client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.reply(usage=USED)
    answer = await settled(client.messages.create(**{**ASK, "model": platform.model}, stream=stream))
    if stream:
        async for _ in items(answer):
            pass
    told = attributes(telemetry)
    assert only_span(telemetry).name == f"chat {platform.model}"
    assert told["claude.platform"] == platform.platform
    assert told["gen_ai.provider.name"] == platform.provider
    assert told["gen_ai.request.model"] == platform.model
    assert told["gen_ai.response.model"] == SONNET
    assert (told["gen_ai.usage.input_tokens"], told["gen_ai.usage.output_tokens"]) == (1_000, 500)
    assert told.get("gen_ai.request.stream", False) is stream
    assert told["claude.cost.usd"] == pytest.approx(LIST_PRICE * platform.factor)
    assert telemetry.total("claude.cost") == pytest.approx(LIST_PRICE * platform.factor)
    duration = telemetry.metrics["gen_ai.client.operation.duration"][0]
    assert duration["attributes"]["gen_ai.provider.name"] == platform.provider
    assert SECRET not in telemetry.tree()


async def test_beta_calls_are_covered(platform: Platform, client: Any, telemetry: Telemetry):
    await settled(client.beta.messages.create(**{**ASK, "model": platform.model}))
    assert attributes(telemetry)["claude.platform"] == platform.platform


async def test_a_refused_call_has_a_category(
    platform: Platform, client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(RateLimited())
    with pytest.raises(Exception, match="429"):
        await settled(client.messages.create(**{**ASK, "model": platform.model}))
    told = attributes(telemetry)
    assert told["claude.error.category"] == "rate_limited"
    # The runtime of Bedrock answers as services of AWS do, with no header of Anthropic's.
    by_aws = platform.client == "AnthropicBedrock"
    assert told["aws.request_id" if by_aws else "anthropic.request.id"].startswith("req_")
    assert ("aws.request_id" in told, "anthropic.request.id" in told) == (by_aws, not by_aws)
    assert SECRET not in telemetry.tree(masked=lambda _: False)


async def test_an_error_in_a_stream_has_a_category(
    platform: Platform, client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    """Old versions of the SDK make a ValueError of an error in a stream of Bedrock, whose text has the type."""
    claude.will(ErrorEvent("rate_limit_error", after_events=4))
    with pytest.raises((anthropic.APIStatusError, ValueError)):
        async for _ in items(await settled(client.messages.create(**{**ASK, "model": platform.model}, stream=True))):
            pass
    assert attributes(telemetry)["claude.error.category"] == "rate_limited"
    assert attributes(telemetry)["claude.stream.outcome"] == "interrupted"
