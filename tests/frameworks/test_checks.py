"""The checks of frameworks find what is wrong: each is shown a run in which one thing is."""

from collections.abc import Callable
from typing import Any

import pytest
from answers import Said
from checks import ON_POINTS, complaints
from programs import Point, Run, Span
from table import Framework

from otel_claude.testing import Request

FRAMEWORK = Framework("one", "one.py", "2.12.0", (), "ws", ("step",))
SAID = (Said("msg_01", 11, 21, 1_000, 100), Said("msg_02", 12, 22, 2_000, 200))
SENT = [Request("POST", "/v1/messages", {}, {}, b'{"stream": %s}' % streamed) for streamed in (b"false", b"true")]
STEP = Span("step", b"t", b"s", b"", 0, 9, {}, None, "framework")


def chat(said: Said, parent: bytes = b"s", scope: str = "otel_claude", error: str | None = None) -> Span:
    attributes = {
        "gen_ai.response.id": said.id,
        "gen_ai.usage.input_tokens": said.input + said.cache_read + said.cache_write,
        "gen_ai.usage.output_tokens": said.output,
        "gen_ai.usage.cache_read.input_tokens": said.cache_read,
        "gen_ai.usage.cache_write.input_tokens": said.cache_write,
    }
    return Span("chat m", b"t", said.id.encode(), parent, 1, 2, attributes, error, scope)


CHATS = [chat(said) for said in SAID]
POINTS = [
    Point(metric, "{token}", {attribute: value}, sum(getattr(said, field) for said in SAID), None, "otel_claude")
    for (metric, attribute, value), field in ON_POINTS.items()
]
PLAIN = Run(0, "sunny", "", SENT, SAID, [STEP], [])
TRACED = PLAIN._replace(spans=[STEP, *CHATS], points=POINTS)


def but(**fields: Any) -> Callable[[Run], Run]:
    return lambda run: run._replace(**fields)


def test_nothing_is_said_of_a_run_in_which_all_is_well():
    assert list(complaints(FRAMEWORK, PLAIN, TRACED)) == []


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (but(status=1), "ended with 1"),
        (but(printed="rainy"), "printed"),
        (but(errors="WARNING otel_claude: this version has no ..."), "complained"),
        (but(requests=SENT[::-1]), "other requests"),
        (but(requests=SENT[::-1]), "the requests were sw"),
        (but(spans=[*CHATS]), "own spans"),
        (but(spans=[STEP, CHATS[0]]), "2 requests have 1 spans"),
        (but(spans=[STEP, *CHATS, CHATS[1]._replace(id=b"again")]), "2 requests have 3 spans"),
        (but(spans=[STEP, CHATS[0], CHATS[0]]), "the answers were"),
        (but(spans=[STEP, CHATS[0], chat(SAID[1]._replace(output=1))]), "output_tokens of msg_02 is 1, not 22"),
        (but(spans=[STEP, CHATS[0], chat(SAID[1], error="")]), "failed spans"),
        (but(spans=[STEP, CHATS[0], chat(SAID[1], parent=b"")]), "under no span"),
        (but(spans=[STEP, CHATS[0], chat(SAID[1], parent=b"lost")]), "did not come in"),
        (but(spans=[STEP, *CHATS, chat(SAID[0], scope="com.anthropic.sdk.python")]), "beside ours"),
        (but(points=POINTS[1:]), "gen_ai.client.token.usage of input is 0, not 3323"),
        (but(points=[point._replace(count=3) for point in POINTS]), "has 3 values"),
        (
            but(points=[*POINTS, Point("claude.retries", "", {"error.type": "x"}, 1, None, "otel_claude")]),
            "with an error",
        ),
    ],
)
def test_what_is_wrong_is_said(spoil: Callable[[Run], Run], said: str):
    assert said in "\n".join(complaints(FRAMEWORK, PLAIN, spoil(TRACED)))
