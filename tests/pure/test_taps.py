"""What bytes say as they pass, however they are cut."""

import gzip
import json
import zlib
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_claude.anthropic.taps import MOST_JSON, Tap, Value, tap_for

EVENTS = [
    ("message_start", {"type": "message_start", "message": {"usage": {"input_tokens": 9}}}),
    ("content_block_delta", {"type": "content_block_delta", "delta": {"text": "a\nb: ü"}}),
    ("message_stop", {"type": "message_stop"}),
]
STREAM = "".join(f"event: {name}\r\ndata: {json.dumps(data)}\r\n\r\n" for name, data in EVENTS).encode()
PING = b'event: ping\ndata: {"type": "ping"}\n\n: a comment\n\n'


def heard(media_type: str, encoding: str, data: bytes, cuts: list[int]) -> list[tuple[str, Any]]:
    items: list[tuple[str, Any]] = []
    tap = tap_for(media_type, encoding, lambda kind, item: items.append((kind, item)))
    assert tap is not None
    feed(tap, data, cuts)
    return items


def feed(tap: Tap, data: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    for start, end in pairwise(edges):
        tap.feed(data[start:end])
    tap.end()


CUTS = st.lists(st.integers(0, 10_000), max_size=12)


@given(CUTS)
def test_events_are_heard_wherever_the_stream_is_cut(cuts: list[int]):
    assert heard("text/event-stream; charset=utf-8", "", PING + STREAM, cuts) == EVENTS


@given(CUTS, st.sampled_from(["gzip", "deflate"]))
def test_compressed_bodies_are_heard_like_others(cuts: list[int], encoding: str):
    """RFC 9110 has `deflate` as the zlib format."""
    body = gzip.compress(STREAM) if encoding == "gzip" else zlib.compress(STREAM)
    assert heard("text/event-stream", encoding, body, cuts) == EVENTS


@given(CUTS, st.booleans())
def test_each_line_is_an_item(cuts: list[int], ended: bool):
    lines = [{"custom_id": "a"}, {"custom_id": "b\n"}]
    body = b"\n".join(json.dumps(line).encode() for line in lines) + (b"\n\n" if ended else b"")
    for media_type in ("application/x-jsonl", "application/binary"):
        assert heard(media_type, "identity", body, cuts) == [("", line) for line in lines]


@given(CUTS)
def test_a_json_body_is_one_item(cuts: list[int]):
    value = {"usage": {"input_tokens": 9}, "text": "ü"}
    assert heard("application/json", "", json.dumps(value).encode(), cuts) == [("", value)]


def test_an_event_of_several_data_lines_is_joined():
    assert heard("text/event-stream", "", b'event: x\ndata: {"a":\ndata:1}\n\n', []) == [("x", {"a": 1})]


def test_an_event_that_is_not_ended_is_none():
    assert heard("text/event-stream", "", b"event: x\ndata: {}", []) == []


def test_an_empty_body_says_nothing():
    assert heard("application/json", "", b"", []) == []
    assert heard("application/json", "gzip", gzip.compress(b""), []) == []


def test_a_json_body_beyond_the_limit_is_not_kept():
    items: list[Any] = []
    tap = Value(lambda kind, item: items.append(item))
    tap.feed(b"[" + b" " * MOST_JSON)
    tap.feed(b"]")
    tap.end()
    assert items == []


@pytest.mark.parametrize(
    ("media_type", "encoding"),
    [
        ("application/octet-stream", ""),
        ("", ""),
        ("application/vnd.amazon.eventstream", ""),
        ("application/json", "br"),
    ],
)
def test_bodies_that_say_nothing_to_us_have_no_tap(media_type: str, encoding: str):
    assert tap_for(media_type, encoding, lambda kind, item: None) is None
