"""When a conversation is called long, and how often."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_claude.diagnosis.conversations import MOST_CONVERSATIONS, QUIET_S, Conversations
from otel_claude.diagnosis.estimates import estimated_tokens


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def said(conversations: Conversations, sizes: "range | list[int]", conversation: str | None = "conv_1") -> list[int]:
    """The numbers of messages at which something was said."""
    return [messages for messages in sizes if conversations.grown(conversation, messages, 0) is not None]


def test_a_conversation_is_long_at_50_messages_and_at_each_doubling():
    assert said(Conversations(), range(1, 801)) == [50, 100, 200, 400, 800]


def test_the_event_says_how_long_it_is():
    finding = Conversations().grown("conv_1", 51, 3, lambda: 12_000)
    assert finding is not None
    assert finding.event == "claude.conversation.long"
    assert finding.severity == "INFO"
    assert finding.attributes == {
        "claude.request.messages": 51,
        "claude.request.tools": 3,
        "claude.request.estimated_tokens": 12_000,
        "gen_ai.conversation.id": "conv_1",
    }


def test_what_is_not_known_is_left_out():
    finding = Conversations().grown(None, 51, 0)
    assert finding is not None
    assert finding.attributes == {"claude.request.messages": 51, "claude.request.tools": 0}


def test_a_conversation_that_starts_long_is_said_once():
    assert said(Conversations(), [130, 132, 134]) == [130]


def test_tokens_are_not_estimated_where_there_is_nothing_to_say():
    """The estimate goes through all messages, and most calls of a long conversation are worth no word."""
    asked: list[int] = []
    conversations = Conversations()
    for messages in (10, 49, 50, 51, 99, 100):
        conversations.grown("conv_1", messages, 0, lambda messages=messages: asked.append(messages))
    assert asked == [50, 100]


def test_a_full_window_is_news_once_for_a_conversation():
    conversations = Conversations()
    assert [conversations.fills(name) for name in ("one", "one", "other", "one", "other")] == [
        True,
        False,
        True,
        False,
        False,
    ]


def test_a_full_window_is_news_once_in_ten_minutes_without_an_id():
    clock = Clock()
    conversations = Conversations(clock)
    heard: list[float] = []
    for second in range(0, 1801, 100):
        clock.now = float(second)
        if conversations.fills(None):
            heard.append(second)
    assert heard == [0, 600, 1200, 1800]


def test_a_full_window_and_a_long_conversation_are_said_apart():
    conversations = Conversations(Clock())
    assert conversations.fills(None)
    assert said(conversations, [60], None) == [60]
    assert said(conversations, [60], "one") == [60]
    assert conversations.fills("one")


def test_each_conversation_counts_for_itself():
    conversations = Conversations()
    assert said(conversations, [60], "one") == [60]
    assert said(conversations, [60], "other") == [60]
    assert said(conversations, [60, 99], "one") == []


def test_a_conversation_that_was_pruned_and_grows_again_is_said_again():
    assert said(Conversations(), [*range(1, 61), 8, *range(10, 61)]) == [50, 50]


def test_a_conversation_that_was_pruned_within_the_long_ones_is_said_at_the_next_level():
    assert said(Conversations(), [220, 100, 150, 199, 200]) == [220, 200]


def test_a_conversation_that_is_held_at_a_level_is_said_once():
    """One that drops its two oldest messages whenever it has 50 goes back and forth between 48 and 50."""
    assert said(Conversations(), [50, 48, 50] * 100) == [50]


def test_without_ids_a_service_of_long_requests_is_said_once_in_ten_minutes():
    clock = Clock()
    conversations = Conversations(clock)
    heard: list[float] = []
    for second in range(3600):
        clock.now = float(second)
        if conversations.grown(None, 60, 0) is not None:
            heard.append(second)
    assert heard == [0, 600, 1200, 1800, 2400, 3000]


def test_without_ids_each_level_is_said():
    clock = Clock()
    conversations = Conversations(clock)
    assert said(conversations, [10, 49, 50, 60, 100, 70, 120, 400], None) == [50, 100, 400]
    clock.now += QUIET_S
    assert said(conversations, [60, 60, 120], None) == [60, 120]


def test_requests_without_an_id_are_none_of_those_with_one():
    conversations = Conversations(Clock())
    assert said(conversations, [60], None) == [60]
    assert said(conversations, [60], "conv_1") == [60]


def test_so_many_conversations_are_remembered_and_no_more():
    conversations = Conversations()
    for number in range(3 * MOST_CONVERSATIONS):
        conversations.grown(f"conv_{number}", 60, 0)
    assert len(conversations._levels) <= MOST_CONVERSATIONS  # pyright: ignore[reportPrivateUsage]
    newest = f"conv_{3 * MOST_CONVERSATIONS - 1}"
    assert said(conversations, [61], newest) == []
    assert said(conversations, [61], "conv_0") == [61]


def test_a_conversation_that_goes_on_is_remembered_among_many_that_do_not():
    conversations = Conversations()
    conversations.grown("steady", 60, 0)
    for number in range(3 * MOST_CONVERSATIONS):
        conversations.grown(f"conv_{number}", 60, 0)
        if number % 1000 == 0:
            assert said(conversations, [60], "steady") == []


def test_short_conversations_take_no_memory():
    conversations = Conversations()
    for number in range(1000):
        conversations.grown(f"conv_{number}", 10, 0)
    assert len(conversations._levels) == 0  # pyright: ignore[reportPrivateUsage]


def test_the_ids_of_conversations_are_not_kept():
    conversations = Conversations()
    conversations.grown("conv_secret", 60, 0)
    assert "conv_secret" not in repr(vars(conversations._levels))  # pyright: ignore[reportPrivateUsage]


def test_threads_that_share_a_conversation_do_no_harm():
    conversations = Conversations()
    heard: list[int] = []
    start = threading.Barrier(8)

    def talk() -> None:
        start.wait()
        heard.extend(said(conversations, range(1, 401)))

    threads = [threading.Thread(target=talk) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(heard) >= {50, 100, 200, 400}


@given(st.lists(st.integers(0, 100_000)), st.sampled_from([None, "conv_1"]))
def test_nothing_is_ever_said_of_a_short_request(sizes: list[int], conversation: str | None):
    assert all(messages >= 50 for messages in said(Conversations(), sizes, conversation))


@pytest.mark.parametrize(("size", "tokens"), [(0, 0), (3, 0), (4_000, 1_000), (2_097_152, 524_288)])
def test_four_characters_are_about_a_token(size: int, tokens: int):
    assert estimated_tokens(size) == tokens
