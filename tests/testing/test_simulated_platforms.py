"""The simulated API under the addresses, and in the framings, of the other platforms."""

from typing import Any

import anthropic
import pytest
from anthropic import Anthropic, APIStatusError
from anthropic.lib.bedrock import AnthropicBedrock
from anthropic.lib.vertex import AnthropicVertex

from otel_claude.testing import Answer, ErrorEvent, RateLimited, SimulatedClaude, ToolUse
from otel_claude.testing.models import model_name

ASK: dict[str, Any] = {"max_tokens": 64, "messages": [{"role": "user", "content": "Hello"}]}
BEDROCK: dict[str, Any] = {**ASK, "model": "us.anthropic.claude-sonnet-4-5-20250929-v1:0"}
VERTEX: dict[str, Any] = {**ASK, "model": "claude-sonnet-4-5@20250929"}
MODEL = "claude-sonnet-4-5-20250929"


@pytest.fixture
def bedrock(claude: SimulatedClaude) -> AnthropicBedrock:
    return AnthropicBedrock(
        aws_access_key="x",
        aws_secret_key="y",
        aws_region="us-east-1",
        base_url=claude.base_url,
        max_retries=0,
    )


@pytest.fixture
def vertex(claude: SimulatedClaude) -> AnthropicVertex:
    return AnthropicVertex(
        region="us-east5",
        project_id="project",
        access_token="x",
        base_url=f"{claude.base_url}/v1",
        max_retries=0,
    )


def test_bedrock_answers(claude: SimulatedClaude, bedrock: Any):
    message = bedrock.messages.create(**BEDROCK)
    assert message.model == MODEL
    assert claude.requests[0].path.endswith("/invoke")
    assert bedrock.messages.with_raw_response.create(**BEDROCK).headers["x-amzn-requestid"] == "req_sim_0002"


def test_bedrock_streams_in_frames_that_the_sdk_can_read(claude: SimulatedClaude, bedrock: Any):
    """botocore, which the SDK reads the frames with, checks both checksums of each."""
    claude.will(Answer("Größe: 1 m", tool_uses=[ToolUse("get_weather", {"city": "Paris"})]))
    with bedrock.messages.stream(**BEDROCK) as stream:
        message = stream.get_final_message()
    assert stream.response.headers["content-type"] == "application/vnd.amazon.eventstream"
    assert [block.type for block in message.content] == ["text", "tool_use"]
    assert message.content[0].to_dict()["text"] == "Größe: 1 m"
    assert message.content[1].to_dict()["input"] == {"city": "Paris"}
    assert message.stop_reason == "tool_use"


def test_bedrock_reports_errors_in_its_own_shape(claude: SimulatedClaude, bedrock: Any):
    claude.will(RateLimited("Too many requests"))
    with pytest.raises(anthropic.RateLimitError) as raised:
        bedrock.messages.create(**BEDROCK)
    assert raised.value.body == {"message": "Too many requests"}
    assert raised.value.response.headers["x-amzn-errortype"] == "ThrottlingException"


def test_an_error_in_a_bedrock_stream_is_an_exception_frame(claude: SimulatedClaude, bedrock: Any):
    """Newer SDKs make an API error of the frame, older ones a ValueError that quotes it."""
    claude.will(ErrorEvent("rate_limit_error", after_events=4))
    stream = bedrock.messages.create(**BEDROCK, stream=True)
    with pytest.raises((APIStatusError, ValueError), match="throttlingException"):
        list(stream)


@pytest.mark.parametrize("stream", [False, True])
def test_vertex_answers_at_the_paths_of_its_own(stream: bool, claude: SimulatedClaude, vertex: Any):
    claude.reply("Hello there")
    if stream:
        with vertex.messages.stream(**VERTEX) as answer:
            assert "".join(answer.text_stream) == "Hello there"
    else:
        assert vertex.messages.create(**VERTEX).model == MODEL
    prefix = "/v1/projects/project/locations/us-east5/publishers/anthropic/models/claude-sonnet-4-5@20250929:"
    assert claude.requests[0].path == prefix + ("streamRawPredict" if stream else "rawPredict")


def test_vertex_counts_tokens(claude: SimulatedClaude, vertex: Any):
    counted = vertex.messages.count_tokens(model=VERTEX["model"], messages=VERTEX["messages"])
    assert counted.input_tokens == vertex.messages.create(**VERTEX).usage.input_tokens
    assert claude.requests[0].path.endswith("/count-tokens:rawPredict")


def test_a_prefix_before_the_path_is_of_no_matter(claude: SimulatedClaude):
    """As on Foundry, https://learn.microsoft.com/azure/ai-foundry, and behind gateways."""
    claude.reply("Hello there")
    foundry: Any = Anthropic(base_url=f"{claude.base_url}/anthropic/", api_key="x")
    with foundry as client:
        assert client.messages.create(**ASK, model="claude-opus-5-5").content[0].to_dict()["text"] == "Hello there"
        created = client.messages.batches.create(requests=[])
        client.messages.batches.retrieve(created.id)
        assert list(client.messages.batches.results(created.id)) == []
    assert {request.path.split("/")[1] for request in claude.requests} == {"anthropic"}


@pytest.mark.parametrize(
    ("requested", "named"),
    [
        ("claude-opus-5-5", "claude-opus-5-5"),
        ("claude-3-5-haiku-latest", "claude-3-5-haiku-latest"),
        ("anthropic.claude-opus-5-5", "claude-opus-5-5"),
        ("global.anthropic.claude-haiku-4-5-20251001-v1:0", "claude-haiku-4-5-20251001"),
        ("claude-opus-4-1@20250805", "claude-opus-4-1-20250805"),
        ("arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-opus-4-6-v1", "claude-opus-4-6"),
        ("not a model", "not a model"),
    ],
)
def test_responses_name_models_as_anthropic_does(requested: str, named: str):
    assert model_name(requested) == named
