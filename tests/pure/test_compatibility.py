"""Attributes under the names of other conventions, made from ours."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from otel_claude import names
from otel_claude.emitting.compatibility import CONVENTIONS, add_compatibility, compatibility_attributes

CHAT: Mapping[str, Any] = {
    names.OPERATION: "chat",
    names.REQUEST_MODEL: "claude-sonnet-5-5",
    names.RESPONSE_MODEL: "claude-sonnet-5-5-20261001",
    # 40 tokens that were not cached, 1,000 read, 300 written: 200 for five minutes and 100 for an hour.
    names.INPUT_TOKENS: 1_340,
    names.OUTPUT_TOKENS: 20,
    names.CACHE_READ: 1_000,
    names.CACHE_WRITE: 300,
    names.CACHE_WRITE_5M: 200,
    names.CACHE_WRITE_1H: 100,
    names.COST: 0.75,
    names.COST_OUTPUT: 0.25,
}
SUMMARY: Mapping[str, Any] = {
    names.SUMMARY_COUNT: 9,
    names.SUMMARY_INPUT: 9_000,
    names.SUMMARY_OUTPUT: 90,
    names.SUMMARY_CACHE_READ: 8_000,
    names.SUMMARY_CACHE_WRITE: 600,
    names.SUMMARY_COST: 0.5,
}


@pytest.mark.parametrize(
    ("operation", "kind"),
    [("chat", "LLM"), ("text_completion", "LLM"), ("invoke_agent", "AGENT"), ("execute_tool", "TOOL")],
)
def test_operations_have_kinds_of_openinference(operation: str, kind: str):
    assert compatibility_attributes("openinference", {names.OPERATION: operation}) == {"openinference.span.kind": kind}


def test_a_call_that_no_model_answers_is_a_step_for_openinference():
    added = compatibility_attributes("openinference", {names.REQUEST_MODEL: "claude-sonnet-5-5"})
    assert added == {"openinference.span.kind": "CHAIN"}


def test_the_model_of_openinference_is_the_one_that_has_answered():
    assert compatibility_attributes("openinference", CHAT) == {
        "openinference.span.kind": "LLM",
        "llm.model_name": "claude-sonnet-5-5-20261001",
    }


def test_a_summary_of_calls_has_the_tokens_of_openinference_and_no_model():
    assert compatibility_attributes("openinference", SUMMARY) == {
        "openinference.span.kind": "LLM",
        "llm.token_count.prompt": 9_000,
        "llm.token_count.completion": 90,
        "llm.token_count.total": 9_090,
        "llm.token_count.prompt_details.cache_read": 8_000,
        "llm.token_count.prompt_details.cache_write": 600,
    }


def test_a_summary_of_other_spans_is_a_step():
    added = compatibility_attributes("openinference", {names.SUMMARY_COUNT: 9})
    assert added == {"openinference.span.kind": "CHAIN"}


@pytest.mark.parametrize(
    ("given", "answered"), [(names.INPUT_MESSAGES, names.OUTPUT_MESSAGES), (names.TOOL_ARGUMENTS, names.TOOL_RESULT)]
)
def test_content_stands_in_the_values_of_openinference_where_it_is_recorded(given: str, answered: str):
    added = compatibility_attributes("openinference", {given: '["in"]', answered: '["out"]', names.USER: "a hash"})
    assert added == {
        "openinference.span.kind": "CHAIN",
        "input.value": '["in"]',
        "input.mime_type": "application/json",
        "output.value": '["out"]',
        "output.mime_type": "application/json",
        "user.id": "a hash",
    }


def test_langfuse_has_the_cost_and_kinds_of_tokens_that_do_not_overlap():
    added = compatibility_attributes("langfuse", {**CHAT, names.USER: "a hash"})
    usage = json.loads(added.pop("langfuse.observation.usage_details"))
    cost = json.loads(added.pop("langfuse.observation.cost_details"))
    assert cost == {"total": 0.75}
    assert added == {"langfuse.user.id": "a hash"}
    assert usage == {
        "input": 40,
        "input_cached_tokens": 1_000,
        "input_cache_creation_5m": 200,
        "input_cache_creation_1h": 100,
        "output": 20,
        "total": 1_360,
    }
    assert sum(usage.values()) == 2 * usage["total"]


def test_a_call_that_costs_nothing_costs_nothing_at_langfuses_prices_either():
    added = compatibility_attributes("langfuse", {names.COST: 0.0})
    assert json.loads(added["langfuse.observation.cost_details"]) == {"total": 0}


def test_writes_to_the_cache_of_unknown_lifetime_are_a_kind_of_their_own():
    told = {names.INPUT_TOKENS: 12, names.OUTPUT_TOKENS: 1, names.CACHE_WRITE: 10}
    added = compatibility_attributes("langfuse", told)
    assert json.loads(added["langfuse.observation.usage_details"]) == {
        "input": 2,
        "input_cache_creation": 10,
        "output": 1,
        "total": 13,
    }


@pytest.mark.parametrize("missing", [names.INPUT_TOKENS, names.OUTPUT_TOKENS])
def test_usage_that_is_not_known_is_not_told_to_langfuse(missing: str):
    told = {name: value for name, value in CHAT.items() if name not in (missing, names.COST)}
    assert compatibility_attributes("langfuse", told) == {}


def test_mlflow_has_the_cost_of_a_call_in_two_parts():
    added = compatibility_attributes("mlflow", CHAT)
    assert list(added) == ["mlflow.llm.cost"]
    assert json.loads(added["mlflow.llm.cost"]) == {"input_cost": 0.5, "output_cost": 0.25, "total_cost": 0.75}


def test_a_cost_whose_parts_are_not_known_has_none_for_mlflow():
    added = compatibility_attributes("mlflow", {names.OPERATION: "messages.batches.results", names.COST: 0.75})
    assert json.loads(added["mlflow.llm.cost"]) == {"total_cost": 0.75}


def test_output_that_costs_nothing_is_a_part_for_mlflow():
    added = compatibility_attributes("mlflow", {names.COST: 0.75, names.COST_OUTPUT: 0.0})
    assert json.loads(added["mlflow.llm.cost"]) == {"input_cost": 0.75, "output_cost": 0.0, "total_cost": 0.75}


def test_mlflow_has_the_cost_and_the_tokens_of_a_summary():
    added = compatibility_attributes("mlflow", SUMMARY)
    assert json.loads(added["mlflow.llm.cost"]) == {"total_cost": 0.5}
    assert json.loads(added["mlflow.chat.tokenUsage"]) == {
        "input_tokens": 9_000,
        "output_tokens": 90,
        "total_tokens": 9_090,
        "cache_read_input_tokens": 8_000,
        "cache_creation_input_tokens": 600,
    }


@pytest.mark.parametrize("convention", ["langfuse", "mlflow"])
def test_a_span_of_which_nothing_is_known_gets_nothing(convention: str):
    assert compatibility_attributes(convention, {}) == {}


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("attributes", [CHAT, SUMMARY])
def test_no_convention_changes_an_attribute_of_ours(convention: str, attributes: Mapping[str, Any]):
    assert not compatibility_attributes(convention, attributes).keys() & attributes.keys()


def test_a_span_that_does_not_tell_its_attributes_gets_nothing():
    class Span:
        def set_attributes(self, attributes: Mapping[str, Any]) -> None:
            raise AssertionError(attributes)

    add_compatibility("openinference", Span())
