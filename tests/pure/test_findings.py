"""What there is to say of calls that have ended, from their records."""

import io
from pathlib import Path
from typing import Any

import pytest

from otel_claude.anthropic.uploads import size_of
from otel_claude.batches import Filled
from otel_claude.call import Call, Endpoint, Request, Server
from otel_claude.diagnosis import findings
from otel_claude.diagnosis.findings import Ended, Findings
from otel_claude.settings import Settings

SERVER = Server("anthropic", "anthropic", "api.anthropic.com", 443)


def ended(kind: Any, *, seconds: float = 0.0, conversation: str | None = None, **facts: Any) -> Call:
    request = Request("POST", {}, None, stream=False, conversation=conversation)
    call = Call(Endpoint("anthropic.files.upload", kind), SERVER, request, 0, 0, **facts)
    call.ended_at = round(seconds * 1e9)
    return call


def told(call: Call) -> list[dict[str, Any]]:
    ending = Ended(call, None, None, None)
    return [dict(found.attributes) for found in Findings(Settings()).of_ending(ending, None)]


@pytest.mark.parametrize(("size", "is_large"), [(100_000_000, False), (100_000_001, True)])
def test_more_than_a_hundred_megabytes_are_a_large_file(size: int, is_large: bool):
    answered, failed = ended("upload"), ended("upload", file_bytes=size)
    answered.response.fields = {"size_bytes": size}
    for call in (answered, failed):
        assert [each["claude.file.size_bytes"] for each in told(call)] == [size] * is_large
    sizes = [each["claude.request.size_bytes"] for each in told(ended("upload", sent_bytes=size))]
    assert sizes == [size] * is_large


@pytest.mark.parametrize(("seconds", "is_long"), [(25.0, False), (25.1, True)])
def test_an_upload_of_more_than_25_seconds_is_told(seconds: float, is_long: bool):
    assert told(ended("upload", seconds=seconds)) == [{"claude.call.duration_s": seconds}] * is_long


def test_a_long_call_is_no_upload():
    assert told(ended("chat", seconds=600.0, sent_bytes=200_000_000)) == []


def test_a_full_window_is_told_once_for_each_conversation():
    looking, full = Findings(Settings()), Filled(0.95, 200_000)
    said = [
        len(list(looking.of_ending(Ended(ended("chat", conversation=name), None, None, full), None)))
        for name in ("one", "one", "other", "one", None, None)
    ]
    assert said == [1, 0, 1, 0, 1, 0]


def test_messages_are_gone_through_only_where_there_is_something_to_say(monkeypatch: pytest.MonkeyPatch):
    looked: list[object] = []
    monkeypatch.setattr(findings, "_has_base64", looked.append)
    looking = Findings(Settings())
    for count in (49, 50, 51, 52, 99, 100, 101):
        call = ended("chat", conversation="one", sent_bytes=100 * count)
        call.sent_body = {"messages": [{"role": "user", "content": "Hi"}] * count}
        list(looking.of_request(call))
    assert len(looked) == 2


def test_the_size_of_a_file_is_known_without_reading_it(tmp_path: Path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"x" * 300)
    with path.open("rb") as file:
        file.seek(100)
        assert size_of([("file", ("a.bin", file, "text/plain"))]) == 300
        assert file.tell() == 100
    assert size_of({"file": b"x" * 7, "other": ("a", io.BytesIO(b"xy"))}) == 9
    assert size_of({"file": "\u00e4"}) == 2


def test_a_file_whose_size_nobody_knows_has_none():
    assert size_of([("file", io.BytesIO(b"x")), ("other", io.RawIOBase())]) is None
    assert size_of([("file", iter([b"x"]))]) is None
