"""Batches, files and models of the simulated API, and the queue's rule for them."""

import io
from typing import Any

import anthropic
import pytest

from otel_claude.testing import Answer, BadRequest, Batch, Overloaded, RateLimited, SimulatedClaude, usage

PARAMS: dict[str, Any] = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 64,
    "messages": [{"role": "user", "content": "Hello"}],
}


def requests(count: int) -> list[Any]:
    return [{"custom_id": f"request-{number}", "params": PARAMS} for number in range(count)]


def files_of(client: Any) -> Any:
    """The Files API where this SDK has it: general from 0.124 on, beta from 0.52."""
    for namespace in (client, client.beta):
        if hasattr(namespace, "files"):
            return getattr(namespace, "files")  # noqa: B009 - not in all SDKs
    return pytest.skip("this SDK has no Files API")


def test_a_batch_ends_with_the_results_that_were_queued(claude: SimulatedClaude, client: Any):
    answer = Answer("Hello", usage=usage(input_tokens=9, output_tokens=4))
    claude.will(Batch([answer, BadRequest("no such tool"), "canceled", "expired"]))
    created = client.messages.batches.create(requests=requests(5))
    assert created.id == "msgbatch_sim_0001"
    assert created.processing_status == "in_progress"
    assert created.request_counts.processing == 5
    assert created.results_url is None

    ended = client.messages.batches.retrieve(created.id)
    assert ended.processing_status == "ended"
    assert ended.request_counts.to_dict() == {
        "processing": 0,
        "succeeded": 2,
        "errored": 1,
        "canceled": 1,
        "expired": 1,
    }
    assert ended.results_url == f"{claude.base_url}/v1/messages/batches/msgbatch_sim_0001/results"

    results = list(client.messages.batches.results(created.id))
    assert [line.custom_id for line in results] == [f"request-{number}" for number in range(5)]
    kinds = [line.result.type for line in results]
    assert kinds == ["succeeded", "errored", "canceled", "expired", "succeeded"]
    succeeded: Any = results[0].result
    assert succeeded.message.content[0].text == "Hello"
    assert succeeded.message.usage.input_tokens == 9
    assert succeeded.message.usage.service_tier == "batch"
    errored: Any = results[1].result
    assert errored.error.error.to_dict() == {"type": "invalid_request_error", "message": "no such tool"}


def test_a_batch_can_take_its_time(claude: SimulatedClaude, client: Any):
    claude.will(Batch(polls=2))
    created = client.messages.batches.create(requests=requests(1))
    statuses = [client.messages.batches.retrieve(created.id).processing_status for _ in range(3)]
    assert statuses == ["in_progress", "in_progress", "ended"]


def test_a_cancelled_batch_ends_without_results(claude: SimulatedClaude, client: Any):
    claude.will(Batch(polls=2))
    created = client.messages.batches.create(requests=requests(2))
    assert client.messages.batches.cancel(created.id).processing_status == "canceling"
    assert client.messages.batches.retrieve(created.id).request_counts.canceled == 2
    assert {line.result.type for line in client.messages.batches.results(created.id)} == {"canceled"}


def test_a_batch_that_has_ended_cannot_be_cancelled(client: Any):
    created = client.messages.batches.create(requests=requests(1))
    client.messages.batches.retrieve(created.id)
    assert client.messages.batches.cancel(created.id).request_counts.succeeded == 1


def test_results_are_there_only_after_the_end(client: Any):
    created = client.messages.batches.create(requests=requests(1))
    with pytest.raises(anthropic.NotFoundError):
        client.get(f"/v1/messages/batches/{created.id}/results", cast_to=object)


def test_batches_are_listed_newest_first_and_can_be_deleted(client: Any):
    for _ in range(3):
        client.messages.batches.create(requests=requests(1))
    deleted: Any = client.delete("/v1/messages/batches/msgbatch_sim_0002", cast_to=object)
    assert deleted == {"id": "msgbatch_sim_0002", "type": "message_batch_deleted"}
    ids = [batch.id for batch in client.messages.batches.list(limit=1)]
    assert ids == ["msgbatch_sim_0003", "msgbatch_sim_0001"]
    with pytest.raises(anthropic.NotFoundError):
        client.messages.batches.retrieve("msgbatch_sim_0002")


def test_a_file_is_kept_as_it_was_uploaded(client: Any):
    files = files_of(client)
    content = b"a,b\r\n1,2\r\n--3\r\n"
    metadata = files.upload(file=("data.csv", io.BytesIO(content), "text/csv"))
    assert metadata.id == "file_sim_0001"
    assert (metadata.filename, metadata.mime_type) == ("data.csv", "text/csv")
    assert metadata.size_bytes == len(content)
    assert files.retrieve_metadata(metadata.id).filename == "data.csv"
    assert [file.id for file in files.list()] == ["file_sim_0001"]
    assert files.download(metadata.id).read() == content
    assert files.delete(metadata.id).type == "file_deleted"
    with pytest.raises(anthropic.NotFoundError):
        files.retrieve_metadata(metadata.id)


def test_an_upload_without_a_file_is_refused(client: Any):
    with pytest.raises(anthropic.BadRequestError, match="file: Field required"):
        client.post("/v1/files", cast_to=object, body={})


@pytest.mark.parametrize("limit", [1, 2, 20])
def test_models_are_listed_page_by_page(limit: int, claude: SimulatedClaude, client: Any):
    models = [model.id for model in client.models.list(limit=limit)]
    assert len(models) == len(set(models))
    assert "claude-haiku-4-5-20251001" in models
    assert len(claude.requests) == -(-len(models) // limit)


def test_a_page_before_a_model_ends_there(client: Any):
    models = [model.id for model in client.models.list()]
    page = client.models.list(before_id=models[3], limit=2)
    assert [model.id for model in page.data] == models[1:3]
    assert page.has_more
    assert not client.models.list(before_id=models[2], limit=2).has_more


def test_a_model_can_be_retrieved(client: Any):
    model = client.models.retrieve("claude-haiku-4-5-20251001")
    assert model.display_name == "Claude Haiku 4.5"
    assert f"{model.created_at:%Y%m%d}" == "20251001"
    with pytest.raises(anthropic.NotFoundError, match="model: claude-0"):
        client.models.retrieve("claude-0")


def test_answers_wait_for_a_model_call_and_batches_for_a_batch(claude: SimulatedClaude, client: Any):
    claude.will(Batch(["expired"]), Answer("Hello"))
    assert client.models.list().data
    client.messages.create(**PARAMS)
    created = client.messages.batches.create(requests=requests(1))
    assert client.messages.create(**PARAMS).content[0].to_dict()["text"] == "Hello"
    assert client.messages.batches.retrieve(created.id).request_counts.expired == 1


def test_errors_come_of_any_request(claude: SimulatedClaude, client: Any):
    claude.will(RateLimited(), Overloaded())
    with pytest.raises(anthropic.RateLimitError):
        client.models.list()
    with pytest.raises(anthropic.APIStatusError, match="Overloaded"):
        client.messages.batches.create(requests=requests(1))


def test_what_the_api_does_not_have_is_not_found(client: Any):
    with pytest.raises(anthropic.NotFoundError) as raised:
        client.post("/v1/nothing", cast_to=object)
    body: Any = raised.value.body
    assert body["error"]["type"] == "not_found_error"


@pytest.mark.parametrize(("body", "complaint"), [({"messages": []}, "model: Field required"), (None, "not valid JSON")])
def test_a_message_request_needs_json_with_a_model(body: object, complaint: str, client: Any):
    with pytest.raises(anthropic.BadRequestError, match=complaint):
        client.post("/v1/messages", cast_to=object, body=body)
