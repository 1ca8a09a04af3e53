"""Keys and content that errors could carry are in no signal."""

from collections.abc import Iterable
from typing import Any

import anthropic
import pytest
from anthropic.lib.bedrock import AnthropicBedrock
from anthropic.lib.vertex import AnthropicVertex
from driver import ASK, USAGE, attributes, needs, settled
from pydantic import BaseModel

from fixture_types import Instrument, Make
from otel_claude.anthropic.facts import secrets_of
from otel_claude.call import Request
from otel_claude.testing import BadRequest, Overloaded, Raw, SimulatedClaude, Telemetry

KEY = "sk-ant-api03-topsecret"


def everything(telemetry: Telemetry) -> str:
    """All that was emitted, as text."""

    def texts() -> Iterable[Any]:
        yield telemetry.tree(masked=lambda _: False)
        yield telemetry.metrics
        for span in telemetry.spans:
            yield from ((event.name, event.attributes) for event in span.events)
        yield from telemetry.events

    return "\n".join(map(str, texts()))


async def failed(client: Any) -> None:
    with pytest.raises(Exception):  # noqa: B017, PT011  # each test has one of its own
        await settled(client.messages.create(**ASK))


@pytest.mark.parametrize("key", [KEY, "no-prefix-at-all"])
@pytest.mark.parametrize("as_token", [False, True])
async def test_the_key_is_nowhere(as_token: bool, key: str, make: Make, claude: SimulatedClaude, telemetry: Telemetry):
    """The API may quote a key that it does not know."""
    credentials = {"auth_token": key, "api_key": None} if as_token else {"api_key": key}
    client = make(**credentials)
    claude.will(BadRequest(f"invalid x-api-key: {key}"))
    await failed(client)
    assert telemetry.events
    assert key not in everything(telemetry)


@pytest.mark.parametrize("key", [f"{KEY}\nsecond-line", "no-prefix\nat-all"])
async def test_a_key_that_no_header_can_hold_is_nowhere(key: str, make: Make, telemetry: Telemetry):
    """The HTTP library quotes a header that it refuses, as Python writes its bytes."""
    await failed(make(api_key=key))
    told = everything(telemetry)
    assert "LocalProtocolError" in told
    assert [line for line in key.splitlines() if line in told] == []


async def test_a_key_in_a_header_of_the_application_is_nowhere(
    make: Make, claude: SimulatedClaude, telemetry: Telemetry
):
    client = make(api_key="other", default_headers={"Authorization": f"Bearer {KEY}", "x-api-key": KEY})
    claude.will(Overloaded(f"Bearer {KEY} cannot be served"))
    await failed(client)
    assert KEY not in everything(telemetry)


async def test_a_key_for_a_gateway_is_nowhere(make: Make, claude: SimulatedClaude, telemetry: Telemetry):
    """Its header: https://developers.cloudflare.com/ai-gateway/configuration/authentication/."""
    client = make(api_key="other-key", default_headers={"cf-aig-authorization": "Bearer gateway-token-1"})
    claude.will(BadRequest("Invalid token: gateway-token-1"))
    await failed(client)
    assert telemetry.events
    assert "gateway-token-1" not in everything(telemetry)


AWS: Any = {"aws_access_key": "an-access-key", "aws_secret_key": "a-secret-key", "aws_session_token": "a-token"}


@pytest.mark.parametrize(
    ("client", "keys"),
    [
        (AnthropicBedrock(aws_region="us-east-1", **AWS), set(AWS.values())),
        (AnthropicVertex(region="us-east5", project_id="a-project", access_token="a-token"), {"a-token"}),
    ],
    ids=["Bedrock", "Vertex"],
)
def test_the_credentials_of_a_cloud_are_secrets(client: Any, keys: set[str]):
    assert set(secrets_of(client, Request("POST", {}, None, stream=False))) == keys


async def test_the_content_of_a_request_is_not_recorded_with_its_error(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    """By default, the stack trace and the message say where and what, and nothing of what was said."""
    claude.will(Overloaded())
    with pytest.raises(anthropic.APIStatusError):
        await settled(client.messages.create(**{**ASK, "messages": [{"role": "user", "content": "my diagnosis"}]}))
    assert "my diagnosis" not in everything(telemetry)


class City(BaseModel):
    name: int


@needs("messages.parse")
@pytest.mark.parametrize("content", ["NO_CONTENT", "EVENT_ONLY"])
async def test_an_answer_that_a_validator_refuses_is_not_quoted(
    content: str, client: Any, claude: SimulatedClaude, instrument: Instrument
):
    telemetry = instrument(content=content)
    claude.reply('{"name": "my diagnosis"}', usage=USAGE)
    with pytest.raises(ValueError, match="my diagnosis"):
        await settled(client.messages.parse(**ASK, output_format=City))
    told = attributes(telemetry)
    assert told["error.type"] == "ValidationError"
    assert "my diagnosis" not in str(telemetry.spans[0].status.description)
    assert "my diagnosis" not in telemetry.tree(events=False)
    exceptions = [event for event in telemetry.events if event.name.endswith("exception")]
    assert len(exceptions) == 1
    assert "my diagnosis" not in str(exceptions)


@needs("messages.parse")
async def test_an_answer_that_a_validator_refuses_is_paid_for(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.reply('{"name": "Paris"}', usage=USAGE)
    with pytest.raises(ValueError, match="Paris"):
        await settled(client.messages.parse(**ASK, output_format=City))
    assert attributes(telemetry)["gen_ai.usage.output_tokens"] == 40
    assert telemetry.total("gen_ai.client.token.usage", {"gen_ai.token.type": "output"}) == 40


async def test_the_page_of_a_proxy_is_not_recorded_with_keys(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(Raw(502, {}, f"<html>x-api-key: {KEY}</html>".encode()))
    await failed(client)
    assert KEY not in everything(telemetry)
