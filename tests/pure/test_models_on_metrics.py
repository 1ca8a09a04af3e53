"""Which names of models stand on metrics."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_claude.call import Call, Endpoint, Request, Response, Server
from otel_claude.emitting import points
from otel_claude.emitting.models import MOST_MODELS, Models

TEXTS = ["What is the capital of France?", "sk-ant-api03-secret", "", "n" * 129, "modèle", "a\nb", "{model}"]
NAMES = [
    "claude-sonnet-5",
    "anthropic.claude-3-5-haiku-20241022-v1:0",
    "claude-haiku-4-5@20251001",
    "openrouter/anthropic/claude-opus-5",
    "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abcdefghijkl",
]


@pytest.fixture(autouse=True)
def models(monkeypatch: pytest.MonkeyPatch) -> Iterator[Models]:
    """Nothing is remembered of other tests, nor by them of these."""
    monkeypatch.setattr(points, "MODELS", Models())
    remembered: Any = vars(points)["_labels"]
    remembered.cache_clear()
    yield points.MODELS
    remembered.cache_clear()


def label(asked: str | None, answered: str | None = None) -> tuple[object, object]:
    call = Call(
        Endpoint("anthropic.messages.create", "chat"),
        Server("anthropic", "anthropic", None, None),
        Request("POST", {}, asked, stream=False),
        0,
        0,
        response=Response(model=answered),
    )
    labels = points.labels_of(call)
    return labels.get("gen_ai.request.model"), labels.get("gen_ai.response.model")


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_a_model_stands_there_though_none_has_answered(name: str):
    assert label(name) == (name, None)


@pytest.mark.parametrize("text", TEXTS)
def test_another_text_does_not(text: str):
    assert label(text) == ("_OTHER", None)


@pytest.mark.parametrize("text", TEXTS)
def test_any_name_that_a_model_answers_to_stands_there_from_then_on(text: str):
    assert label(text, "claude-sonnet-5") == (text, "claude-sonnet-5")
    assert label(text) == (text, None)


def test_a_call_without_a_model_has_none():
    assert label(None) == (None, None)
    assert label(None, "claude-sonnet-5") == (None, "claude-sonnet-5")


def test_there_are_so_many_names_that_nobody_answers_to_and_no_more():
    found = [label(f"model-{number}")[0] for number in range(300)]
    assert found == [f"model-{number}" for number in range(200)] + ["_OTHER"] * 100
    assert MOST_MODELS == 200
    assert label("model-7") == ("model-7", None)
    # The names that are in use do not suffer from it.
    assert label("claude-sonnet-5") == ("_OTHER", None)
    assert label("claude-sonnet-5", "claude-sonnet-5") == ("claude-sonnet-5", "claude-sonnet-5")
    assert label("claude-sonnet-5") == ("claude-sonnet-5", None)


def test_so_it_is_where_a_gateway_answers_to_anything():
    found = {label(text, text) for text in (f"user text {number}" for number in range(300))}
    assert len(found) == 201
    assert ("_OTHER", "_OTHER") in found


@given(st.lists(st.tuples(st.text() | st.sampled_from(NAMES), st.booleans()), max_size=30))
def test_a_name_is_itself_or_other(seen: list[tuple[str, bool]]):
    models = Models()
    for name, answered in seen:
        told = models.answered(name) if answered else models.asked(name)
        assert told in (name, "_OTHER")
        if answered:
            assert models.asked(name) == models.answered(name) == name
