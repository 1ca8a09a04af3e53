"""Endpoints by their paths, against the names that the SDK itself gives its methods from 1.14 on."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import anthropic
import pytest

from otel_claude.anthropic.endpoints import batch_of, endpoint_of

METHODS = {"_post": "post", "_get": "get", "_delete": "delete", "_get_api_list": "get"}


def named_by_the_sdk() -> Iterator[tuple[str, str, str]]:
    """Method, path and name of each call in the SDK's resources, read from their source."""
    for source in (Path(anthropic.__file__).parent / "resources").rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
                path, name = _path(node.args), _span_name(node)
                if path is not None and name is not None:
                    yield METHODS[node.func.attr], path, name


def _path(args: list[ast.expr]) -> str | None:
    """The first argument: a literal, or `path_template("/v1/…/{id}", …)`."""
    argument = args[0] if args else None
    if isinstance(argument, ast.Call) and argument.args:
        argument = argument.args[0]
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        return re.sub(r"\{\w+\}", "obj_0123", argument.value)
    return None


def _span_name(call: ast.Call) -> str | None:
    for node in ast.walk(call):
        if isinstance(node, ast.keyword) and node.arg == "span_name" and isinstance(node.value, ast.Constant):
            return str(node.value.value)
    return None


@pytest.mark.skipif(not list(named_by_the_sdk()), reason="this SDK does not name its methods")
def test_paths_give_the_names_that_the_sdk_gives():
    """The endpoints for organizations came after the names, so no SDK needs them from the path."""
    named = {entry for entry in named_by_the_sdk() if "/organizations/" not in entry[1]}
    assert len(named) > 80
    wrong = {(method, path): name for method, path, name in named if endpoint_of(method, path, None).name != name}
    assert wrong == {}


@pytest.mark.parametrize(
    ("method", "url", "name", "kind"),
    [
        ("post", "/v1/messages?beta=true", "anthropic.messages.create", "chat"),
        ("post", "/v1/complete", "anthropic.completions.create", "text_completion"),
        ("post", "/v1/messages/count_tokens", "anthropic.messages.count_tokens", "count_tokens"),
        (
            "get",
            "https://x.example/v1/messages/batches/b_1/results",
            "anthropic.messages.batches.results",
            "batch_results",
        ),
        (
            "get",
            "https://x.example:8/p/messages/batches/b_1/results",
            "anthropic.messages.batches.results",
            "batch_results",
        ),
        ("post", "/v1/files", "anthropic.files.upload", "upload"),
        ("post", "/my/own", "anthropic.post", "other"),
        ("get", "/v1", "anthropic.get", "other"),
        ("patch", "/v1/things/thing_1", "anthropic.things.patch", "other"),
    ],
)
def test_endpoints_are_told_by_method_and_path(method: str, url: str, name: str, kind: str):
    assert endpoint_of(method, url, None) == (name, kind)


def test_the_sdks_own_name_goes_first():
    assert endpoint_of("post", "/v1/messages", "anthropic.messages.count_tokens").kind == "count_tokens"
    assert endpoint_of("post", "/v1/messages", "anthropic.new.thing") == ("anthropic.new.thing", "other")


def test_only_inferences_are_answered_by_a_model():
    assert endpoint_of("post", "/v1/messages", None).is_inference
    assert not endpoint_of("post", "/v1/messages/batches", None).is_inference


@pytest.mark.parametrize(
    ("url", "batch"),
    [("/v1/messages/batches/msgbatch_01/results?beta=true", "msgbatch_01"), ("/v1/messages/batches", None)],
)
def test_a_batch_is_known_by_the_url_of_its_results(url: str, batch: str | None):
    assert batch_of(url) == batch
