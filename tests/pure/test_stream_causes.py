"""The likely cause of a stream that broke, with the exceptions of the SDK and its HTTP library."""

import anthropic
import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_claude.anthropic.listeners import ErrorEvent
from otel_claude.diagnosis.codes import TYPES
from otel_claude.diagnosis.streams import SILENCES, TOTALS, likely_cause
from otel_claude.outcome import StreamInterrupted, error_type

REQUEST = httpx2.Request("POST", "https://api.anthropic.com/v1/messages")
CUT = StreamInterrupted("The stream ended before its end event.")
CLOSED = httpx2.RemoteProtocolError("peer closed connection without sending complete message body")
RESET = httpx2.ReadError("[Errno 104] Connection reset by peer")


def cause(
    error: BaseException,
    *,
    silence_s: float = 0.2,
    total_s: float = 7.3,
    away_s: float = 0.0,
    timeout_s: float | None = 600.0,
) -> str:
    kind = error_type(error, in_stream=True)
    return likely_cause(error, kind, silence_s=silence_s, total_s=total_s, away_s=away_s, timeout_s=timeout_s)


def event(code: str) -> ErrorEvent:
    return ErrorEvent({"type": "error", "error": {"type": code, "message": "no"}})


def caused(error: Exception, by: Exception) -> Exception:
    error.__cause__ = by
    return error


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("overloaded_error", "overloaded"),
        ("rate_limit_error", "rate limit"),
        ("api_error", "failed inside"),
        ("timeout_error", "took too long"),
        ("invalid_request_error", "with invalid_request_error"),
        ("modelStreamErrorException", "failed inside"),
    ],
)
def test_what_the_api_says_goes_before_what_the_clock_says(code: str, says: str):
    assert says in cause(event(code), silence_s=60.0, total_s=60.0)


def test_an_error_event_that_the_sdk_raises_counts_like_one_that_is_read_as_bytes():
    body = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    raised = anthropic.APIStatusError("Overloaded", response=httpx2.Response(200, request=REQUEST), body=body)
    assert cause(raised) == cause(event("overloaded_error"))


@pytest.mark.parametrize("code", ["throttlingException", "ThrottlingException", "rate_limit_error"])
def test_what_the_api_said_counts_also_where_the_exception_does_not_carry_it(code: str):
    """Some versions of the SDK raise a `ValueError` for an error in Bedrock's stream: only its text has the type."""
    says = likely_cause(ValueError("Bad response code"), code, silence_s=60.0, total_s=60.0)
    assert says.startswith("A rate limit ended the stream")


def test_an_exception_that_is_known_by_its_class_is_nothing_that_the_api_has_said():
    gone = type("NoCredentialsError", (Exception,), {})()
    assert cause(gone).startswith("Not the connection: NoCredentialsError")


@pytest.mark.parametrize("ours", ["timeout", "connection_error", "stream_interrupted"])
def test_a_type_that_is_our_own_is_nothing_that_the_api_has_said(ours: str):
    assert "ended the stream" not in likely_cause(CLOSED, ours, silence_s=0.1, total_s=5.0)


def test_the_cause_agrees_with_the_category_that_the_hint_is_for():
    """An `api_error` whose message is "Overloaded" is of the category `overloaded`."""
    error = event("api_error")
    assert "failed inside" in likely_cause(error, "api_error", silence_s=0.1, total_s=5.0)
    assert "was overloaded" in likely_cause(error, "api_error", silence_s=0.1, total_s=5.0, category="overloaded")


@pytest.mark.parametrize("error", [CUT, CLOSED, RESET])
@pytest.mark.parametrize("total_s", [15.0, 29.0, 63.0])
def test_who_had_not_read_learns_no_limit_of_a_proxy(error: Exception, total_s: float):
    """The connection may have been gone for long, so neither time is that of its end."""
    says = cause(error, silence_s=0.0, total_s=total_s, away_s=9.2)
    assert says.startswith("The application did not read for 9 s")


def test_a_moment_without_reading_is_no_absence():
    assert "did not read" not in cause(CLOSED, away_s=0.9)


def test_a_silence_that_was_waited_for_counts_after_an_absence_too():
    assert "Nothing came for 60 s" in cause(CLOSED, silence_s=60.0, away_s=9.2)


@pytest.mark.parametrize(
    "error",
    [
        httpx2.ReadTimeout("timed out"),
        anthropic.APITimeoutError(request=REQUEST),
        caused(anthropic.APIConnectionError(request=REQUEST), httpx2.ReadTimeout("timed out")),
    ],
)
def test_the_clients_own_timeout_is_told_from_a_proxys(error: Exception):
    assert "client's own read timeout of 60 s" in cause(error, silence_s=60.0, timeout_s=60.0)


def test_a_timeout_that_nobody_has_told_us_is_not_made_up():
    assert "client's own read timeout ended it" in cause(httpx2.ReadTimeout("timed out"), timeout_s=None)


def test_an_earlier_timeout_that_was_dealt_with_is_not_the_cause():
    """An application that falls back to another model does so in an `except` block: the context of all that follows."""
    later = httpx2.RemoteProtocolError("closed")
    later.__context__ = httpx2.ReadTimeout("timed out")
    assert "timeout" not in cause(later)


@pytest.mark.parametrize(
    ("seconds", "who"),
    [
        (30, "CloudFront"),
        (50, "HAProxy on Debian"),
        (55, "Heroku"),
        (60, "nginx (proxy_read_timeout), AWS ALB"),
        (100, "Cloudflare"),
        (120, "Cloudflare"),
        (240, "Azure"),
        (300, "Envoy"),
        (350, "AWS NAT"),
    ],
)
@pytest.mark.parametrize("error", [CUT, CLOSED, RESET, anthropic.APIConnectionError(request=REQUEST)])
@pytest.mark.parametrize("late", [0.0, 0.4, -0.3])
def test_a_silence_as_long_as_a_proxys_default_names_the_proxy(error: Exception, seconds: int, who: str, late: float):
    """The defaults are in the documentation of each proxy, which the table names."""
    says = cause(error, silence_s=seconds + late, total_s=1000.0)
    assert says.startswith(f"Nothing came for {seconds} s")
    assert who in says


@pytest.mark.parametrize(("seconds", "who"), [(15, "Envoy"), (29, "AWS API Gateway"), (30, "Google Cloud")])
def test_a_stream_that_was_busy_until_a_limit_on_whole_responses_names_who_has_it(seconds: int, who: str):
    says = cause(CLOSED, silence_s=0.1, total_s=seconds + 0.3)
    assert says.startswith(f"It was cut after {seconds} s in all")
    assert who in says


def test_a_silence_says_more_than_a_length():
    assert "Nothing came for 60 s" in cause(CLOSED, silence_s=60.1, total_s=30.0)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (CUT, "in good order, but without its last event"),
        (CLOSED, "before the body was whole"),
        (caused(anthropic.APIConnectionError(request=REQUEST), CLOSED), "before the body was whole"),
        (RESET, "connection was lost"),
        (anthropic.APIConnectionError(request=REQUEST), "connection was lost"),
        (httpx2.DecodingError("incorrect header check"), "no stream of events"),
        (ValueError("mine"), "Not the connection: ValueError"),
    ],
)
def test_where_the_clock_says_nothing_the_exception_does(error: Exception, says: str):
    assert says in cause(error)


@pytest.mark.parametrize("error", [ValueError("mine"), httpx2.DecodingError("incorrect header check")])
def test_a_proxy_is_not_blamed_for_what_the_reader_raises(error: Exception):
    assert "Nothing came" not in cause(error, silence_s=60.0)


def test_a_stream_of_which_no_exception_is_known_has_a_cause_too():
    assert "connection was lost" in likely_cause(None, "stream_interrupted", silence_s=0.0, total_s=1.0)


def test_exceptions_that_cause_each_other_are_no_endless_loop():
    one, other = httpx2.ReadError("one"), httpx2.ReadError("other")
    one.__cause__, other.__cause__ = other, one
    assert "connection was lost" in cause(one)


@given(
    error=st.one_of(
        st.sampled_from([CUT, CLOSED, RESET, httpx2.ReadTimeout("")]),
        st.sampled_from(sorted(TYPES)).map(event),
        st.from_regex(r"[A-Za-z][A-Za-z_]{0,63}", fullmatch=True).map(event),
        st.text("ABCdef_", min_size=1, max_size=300).map(lambda name: type(name, (Exception,), {})()),
    ),
    silence_s=st.one_of(st.floats(0, 1e6), st.sampled_from([limit.after_s for limit in SILENCES])),
    total_s=st.one_of(st.floats(0, 1e6), st.sampled_from([limit.after_s for limit in TOTALS])),
    away_s=st.floats(0, 1e6),
    timeout_s=st.one_of(st.none(), st.floats(0, 1e9)),
)
def test_the_cause_is_always_one_sentence_of_at_most_160_characters(
    error: Exception, silence_s: float, total_s: float, away_s: float, timeout_s: float | None
):
    says = cause(error, silence_s=silence_s, total_s=total_s, away_s=away_s, timeout_s=timeout_s)
    assert 0 < len(says) <= 160
    assert says.endswith(".")
    assert ". " not in says
    assert "\n" not in says
