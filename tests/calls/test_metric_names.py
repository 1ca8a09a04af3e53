"""The names of the metrics of calls: the conventions' older ones, their newest, or both."""

from collections.abc import Collection
from typing import Any

import pytest
from driver import ASK, USAGE, items, settled
from stepwise import stepwise, streamed

from fixture_types import Instrument, Make
from otel_claude.testing import Answer

LEGACY = {
    "gen_ai.client.operation.duration",
    "gen_ai.client.operation.time_per_output_chunk",
    "gen_ai.client.operation.time_to_first_chunk",
    "gen_ai.client.token.usage",
}
LATEST = {
    "gen_ai.client.inference.duration",
    "gen_ai.client.inference.operation.input_tokens",
    "gen_ai.client.inference.operation.output_tokens",
    "gen_ai.client.inference.time_per_output_chunk",
    "gen_ai.client.inference.time_to_first_chunk",
    "gen_ai.client.inference.usage.cache_read.input_tokens",
    "gen_ai.client.inference.usage.cache_write.input_tokens",
    "gen_ai.client.inference.usage.input_tokens",
    "gen_ai.client.inference.usage.output_tokens",
    "gen_ai.client.inference.usage.reasoning.output_tokens",
}
"""https://github.com/open-telemetry/semantic-conventions-genai/tree/main/model/gen-ai."""


@pytest.mark.parametrize(
    ("metric_names", "expected"),
    [("legacy", LEGACY), ("latest", LATEST), ("both", LEGACY | LATEST)],
    ids=["legacy", "latest", "both"],
)
async def test_metrics_have_the_names_that_were_asked_for(
    metric_names: str, expected: Collection[str], make: Make, instrument: Instrument
):
    telemetry = instrument(metric_names=metric_names, chunk_metrics=True)
    client, _ = stepwise(make, streamed(Answer("Hello", usage=USAGE)))
    async for _ in items(await settled(client.messages.create(**ASK, stream=True))):
        pass
    assert {name for name in telemetry.metrics if name.startswith("gen_ai.")} == expected


async def test_the_newest_metrics_have_the_numbers_of_the_call(make: Make, instrument: Instrument):
    telemetry = instrument(metric_names="latest")
    client, _ = stepwise(make, streamed(Answer("Hello", usage=USAGE)))
    async for _ in items(await settled(client.messages.create(**ASK, stream=True))):
        pass
    sums: dict[str, Any] = {
        "operation.input_tokens": 1_412,
        "operation.output_tokens": 40,
        "usage.input_tokens": 1_412,
        "usage.output_tokens": 40,
        "usage.cache_read.input_tokens": 1_000,
        "usage.cache_write.input_tokens": 400,
        "usage.reasoning.output_tokens": 17,
    }
    assert {name: telemetry.total(f"gen_ai.client.inference.{name}") for name in sums} == sums


async def test_calls_that_no_model_answers_are_no_inferences(client: Any, instrument: Instrument):
    telemetry = instrument(metric_names="latest")
    await settled(client.models.retrieve("claude-opus-5-5"))
    assert [name for name in telemetry.metrics if "inference" in name] == []
