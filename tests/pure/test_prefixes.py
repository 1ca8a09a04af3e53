"""When a prefix counts as sent again without caching."""

from collections.abc import Sequence
from itertools import count
from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_claude.diagnosis.prefixes import (
    LIFETIME_S,
    MINIMUM,
    MOST_CHARACTERS,
    MOST_PREFIXES,
    Cache,
    Prefixes,
    Sighting,
)
from otel_claude.pricing.catalog import family

MODEL = "claude-sonnet-4-5"
"""It caches prefixes of 1,024 tokens or more, which is about 4,096 characters."""

LONG = "Be brief. " * 500
"""5,000 characters, about 1,250 tokens."""

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=30,
)


SECONDS = count(1_000)
"""When the next call is sent, where a test does not say."""


def body(question: Any = "Why?", **fields: Any) -> dict[str, Any]:
    return {"model": MODEL, "max_tokens": 100, "messages": [{"role": "user", "content": question}], **fields}


def seen(
    prefixes: Prefixes, sent: dict[str, Any], prompt_tokens: int = 10_000, cached: int = 0, model: str | None = MODEL
) -> Sighting | None:
    """The sighting of a call that takes half a second and comes after all before."""
    now = next(SECONDS)
    return prefixes.seen(sent, prompt_tokens, cached, Cache(model), sent_s=now, ended_s=now + 0.5)


def times(prefixes: Prefixes, *bodies: dict[str, Any], model: str | None = MODEL) -> list[int]:
    """How often the prefix of each body had been sent by then; 0 for one that does not count."""
    sightings = [seen(prefixes, sent, model=model) for sent in bodies]
    return [sighting.repeats if sighting else 0 for sighting in sightings]


def the_sighting(prefixes: Prefixes, *bodies: dict[str, Any], prompt_tokens: int = 10_000) -> Sighting:
    """The sighting of the last of the bodies."""
    last = None
    for sent in bodies:
        last = seen(prefixes, sent, prompt_tokens)
    assert last is not None
    return last


def tool(name: str, description: str = LONG) -> dict[str, Any]:
    return {"name": name, "description": description, "input_schema": {"type": "object", "properties": {}}}


def test_a_system_prompt_that_is_sent_again_counts_whatever_is_asked():
    bodies = [body(f"Question {number}", system=LONG) for number in range(4)]
    assert times(Prefixes(), *bodies) == [0, 2, 3, 4]


def test_it_is_said_at_each_doubling():
    prefixes = Prefixes()
    said: list[object] = []
    for _ in range(20):
        sighting = seen(prefixes, body(system=LONG), 1_300)
        if sighting is not None and sighting.finding is not None:
            assert sighting.finding.event == "claude.cache.unused"
            assert sighting.finding.severity == "INFO"
            said.append(sighting.finding.attributes["claude.cache.repeats"])
    assert said == [2, 4, 8, 16]


def test_the_event_says_what_is_repeated_and_how_long_it_is():
    sighting = the_sighting(Prefixes(), body(system=LONG), body(system=LONG))
    assert sighting.finding is not None
    assert sighting.finding.attributes == {
        "claude.cache.repeats": 2,
        "claude.cache.prefix_tokens": 5_000 // 4,
        "claude.cache.prefix": "system",
    }


def test_a_prefix_has_no_more_tokens_than_the_api_counted_for_the_whole_prompt():
    sighting = the_sighting(Prefixes(), body(system=LONG), body(system=LONG), prompt_tokens=1_100)
    assert sighting.finding is not None
    assert sighting.finding.attributes["claude.cache.prefix_tokens"] == 1_100


@pytest.mark.parametrize(
    ("sent", "parts"),
    [
        (body(system=LONG), "system"),
        (body(system=[{"type": "text", "text": LONG}]), "system"),
        (body(tools=[tool("one")]), "tools"),
        (body(tools=[tool("one")], system="Be brief."), "tools"),
        (body(tools=[tool("one")], system=LONG), "tools+system"),
        (body(tools=[tool("one", "Short.")], system=LONG), "tools+system"),
        (body(LONG, tools=[tool("one")], system=LONG), "tools+system+message"),
        (body(LONG), "message"),
        (body([{"type": "text", "text": LONG}]), "message"),
        (body(LONG, system="Be brief."), "system+message"),
    ],
)
def test_the_prefix_ends_with_the_last_part_that_is_long_enough_by_itself(sent: dict[str, Any], parts: str):
    sighting = the_sighting(Prefixes(), sent, sent)
    assert sighting.finding is not None
    assert sighting.finding.attributes["claude.cache.prefix"] == parts


def test_tools_that_are_sent_again_count_under_a_system_prompt_with_the_time_of_day():
    bodies = [body(tools=[tool("one")], system=f"It is {hour} o'clock. {LONG}") for hour in range(3)]
    assert times(Prefixes(), *bodies) == [0, 2, 3]


def test_of_two_prefixes_that_are_sent_again_the_longer_one_is_said():
    prefixes = Prefixes()
    assert times(prefixes, body("one", system=LONG), body(LONG, system=LONG)) == [0, 2]
    sighting = the_sighting(prefixes, body(LONG, system=LONG))
    assert sighting.finding is not None
    assert sighting.finding.attributes["claude.cache.prefix"] == "system+message"
    assert sighting.repeats == 2


def test_a_shorter_prefix_is_said_where_the_longer_one_has_nothing_to_say():
    """The system prompt comes for the fourth time, and the message with it for the third."""
    prefixes = Prefixes()
    again = body(LONG, system=LONG)
    sighting = the_sighting(prefixes, body("one", system=LONG), again, again, again)
    assert sighting.repeats == 3
    assert sighting.finding is not None
    assert sighting.finding.attributes["claude.cache.prefix"] == "system"
    assert sighting.finding.attributes["claude.cache.repeats"] == 4


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (body(system=LONG), body(system=LONG + ".")),
        (body(system=LONG), body(system=[{"type": "text", "text": LONG}])),
        (body(tools=[tool("one")]), body(tools=[tool("other")])),
        (body(tools=[tool("one"), tool("other")]), body(tools=[tool("other"), tool("one")])),
        (body(tools=[tool("one")], system=""), body(tools=[tool("one"), tool("two", "Short.")], system="")),
        (body([LONG, 1]), body([LONG, True])),
        (body([LONG, 1]), body([LONG, 1.0])),
        (body([LONG, 1]), body([LONG, "1"])),
        (body([LONG, -1]), body([LONG, -2])),
        (body([LONG, None]), body([LONG, "None"])),
        (body([LONG, []]), body([LONG, {}])),
        (body([LONG, ["a"], "b"]), body([LONG, ["a", "b"]])),
        (body([LONG, {"a": {"b": 1}}]), body([LONG, {"a": {}, "b": 1}])),
        (body([LONG, {"a": "x", "b": "y"}]), body([LONG, {"b": "y", "a": "x"}])),
    ],
)
def test_what_is_not_the_same_is_not_taken_for_it(one: dict[str, Any], other: dict[str, Any]):
    """Neither is the order of the fields: the API caches the text that was sent."""
    assert times(Prefixes(), one, other) == [0, 0]


def test_a_short_system_prompt_does_not_count_however_long_the_rest_is():
    history = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": LONG}]
    sent = {**body(system="Be brief."), "messages": history}
    assert times(Prefixes(), sent, sent) == [0, 0]


def test_a_prompt_that_the_api_counts_as_too_short_does_not_count():
    prefixes = Prefixes()
    assert [seen(prefixes, body(system=LONG), 1_023) for _ in range(3)] == [None] * 3


def test_a_prompt_that_is_cached_does_not_count():
    prefixes = Prefixes()
    assert [seen(prefixes, body(system=LONG), 1_300, 1_250) for _ in range(3)] == [None] * 3
    automatic = body(system=LONG, cache_control={"type": "ephemeral"})
    assert times(prefixes, automatic, automatic) == [0, 0]
    marked = body(system=[{"type": "text", "text": LONG, "cache_control": {"type": "ephemeral"}}])
    assert times(prefixes, marked, marked) == [0, 0]


def repeats(spans: Sequence[tuple[float, float]]) -> list[int]:
    """How often the prefix had been sent by then, of calls that were sent and have ended at these seconds."""
    prefixes = Prefixes()
    found = [
        prefixes.seen(body(system=LONG), 10_000, 0, Cache(MODEL), sent_s=sent_s, ended_s=ended_s)
        for sent_s, ended_s in spans
    ]
    return [sighting.repeats if sighting else 0 for sighting in found]


def test_a_repetition_later_than_the_cache_lives_does_not_count():
    """Five minutes: https://platform.claude.com/docs/en/build-with-claude/prompt-caching."""
    assert LIFETIME_S == 5 * 60
    assert repeats([(0, 1), (301, 302), (602, 603), (904, 905), (906, 907)]) == [0, 2, 3, 0, 2]


def test_calls_that_run_at_the_same_time_repeat_nothing():
    assert repeats([(0, 10), (5, 11), (9.9, 12)]) == [0, 0, 0]
    assert repeats([(0, 10), (5, 11), (10, 12), (10.5, 13)]) == [0, 0, 2, 3]


def test_a_call_that_began_in_time_counts_although_others_end_before_it():
    """The second one was sent before the first had ended, and ends long after; the third was sent in time."""
    assert repeats([(0, 1), (-10, 302), (300, 303)]) == [0, 0, 2]


def test_two_threads_may_tell_in_another_order_than_their_calls_have_ended_in():
    assert repeats([(0, 10), (0, 9.9), (9.95, 12)]) == [0, 0, 2]


@given(
    st.lists(
        st.tuples(st.integers(0, 1_500), st.integers(0, 300)).map(lambda span: (span[0], sum(span))), max_size=12
    ).map(lambda spans: sorted(spans, key=lambda span: span[1]))
)
def test_a_call_repeats_a_prefix_if_one_had_ended_when_it_was_sent(spans: list[tuple[int, int]]):
    """Held against all ends, for calls that take no longer than the lifetime."""
    expected = [
        any(ended <= sent <= ended + LIFETIME_S for _, ended in spans[:number])
        for number, (sent, _) in enumerate(spans)
    ]
    assert [bool(found) for found in repeats(spans)] == expected


HERE = Cache(MODEL, "api.anthropic.com", "org-1", "wrkspc_1")


@pytest.mark.parametrize(
    "other",
    [
        HERE._replace(model="claude-sonnet-5"),
        HERE._replace(server="bedrock-runtime.us-east-1.amazonaws.com"),
        HERE._replace(organization="org-2"),
        HERE._replace(organization=None),
        HERE._replace(workspace="wrkspc_2"),
        HERE._replace(organization="wrkspc_1", workspace="org-1"),
    ],
)
def test_what_another_cache_has_is_not_repeated(other: Cache):
    prefixes = Prefixes()
    found = [
        prefixes.seen(body(system=LONG), 10_000, 0, cache, sent_s=at, ended_s=at)
        for at, cache in enumerate((HERE, other, HERE, other))
    ]
    assert [sighting.repeats if sighting else 0 for sighting in found] == [0, 0, 2, 2]


@pytest.mark.parametrize(
    ("model", "minimum"),
    [
        ("claude-opus-5", 512),
        ("claude-fable-5-1", 512),
        ("claude-sonnet-5", 1_024),
        ("claude-sonnet-4-5-20250929", 1_024),
        ("anthropic.claude-sonnet-4-5-20250929-v1:0", 1_024),
        ("claude-sonnet-4-5@20250929", 1_024),
        ("claude-opus-4-7", 2_048),
        ("claude-haiku-4-5", 4_096),
        ("claude-opus-4-6", 4_096),
        ("claude-of-tomorrow", 4_096),
        ("", 4_096),
        (None, 4_096),
    ],
)
def test_the_minimum_is_that_of_the_model(model: str | None, minimum: int):
    """https://platform.claude.com/docs/en/build-with-claude/prompt-caching#cache-limitations."""
    prefixes = Prefixes()
    enough, short = "x" * (4 * minimum), "y" * (4 * minimum - 1)
    assert times(prefixes, body("one", system=enough), body("other", system=enough), model=model) == [0, 2]
    assert times(prefixes, body("one", system=short), body("other", system=short), model=model) == [0, 0]


def test_the_table_of_minimums_names_models_as_the_price_list_does():
    assert all(family(name) == name for name in MINIMUM)


def image(data: str) -> dict[str, Any]:
    return {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}


def test_the_characters_of_an_image_are_no_text():
    question = [image("A" * 100_000), {"type": "text", "text": "What is this?"}]
    assert times(Prefixes(), body(question), body(question)) == [0, 0]


def test_a_text_document_is_text():
    question = [{"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": LONG}}]
    assert times(Prefixes(), body(question), body(question)) == [0, 2]


def test_an_image_is_part_of_the_prefix():
    one, other = ([{"type": "text", "text": LONG}, image(data)] for data in ("AAAA", "AAAB"))
    assert times(Prefixes(), body(one), body(other), body(one)) == [0, 0, 2]


def test_what_comes_before_an_image_that_is_too_large_is_a_prefix():
    one, other = (
        body([{"type": "text", "text": "What is this?"}, image(end * (MOST_CHARACTERS + 1))], system=LONG)
        for end in ("A", "B")
    )
    assert times(Prefixes(), one, other) == [0, 2]


class UnreadArray(list[int]):
    """An array of which only the length may be looked at."""

    def __iter__(self) -> NoReturn:
        raise AssertionError

    def __getitem__(self, index: object) -> NoReturn:
        raise AssertionError


class UnreadObject(dict[str, int]):
    """An object of which only the size may be looked at."""

    def __iter__(self) -> NoReturn:
        raise AssertionError

    def values(self) -> NoReturn:
        raise AssertionError


@pytest.mark.parametrize("many", [UnreadArray([0] * 100_000), UnreadObject.fromkeys(map(str, range(100_000)), 0)])
def test_too_many_values_are_not_read_and_what_comes_before_them_is_a_prefix(many: object):
    bodies = [body([many, end], system=LONG) for end in ("A", "B")]
    assert times(Prefixes(), *bodies) == [0, 2]


def test_so_many_prefixes_are_remembered_and_no_more():
    prefixes = Prefixes()
    for number in range(3 * MOST_PREFIXES):
        seen(prefixes, body(system=f"{number} {LONG}"))
    assert len(prefixes._seen) <= MOST_PREFIXES  # pyright: ignore[reportPrivateUsage]
    assert times(prefixes, body(system=f"{3 * MOST_PREFIXES - 1} {LONG}")) == [2]
    assert times(prefixes, body(system=f"0 {LONG}")) == [0]


def test_nothing_of_a_prompt_is_kept():
    prefixes = Prefixes()
    seen(prefixes, body(LONG, system=LONG, tools=[tool("one")]))
    kept = repr(vars(prefixes._seen))  # pyright: ignore[reportPrivateUsage]
    assert "brief" not in kept


def test_two_processes_take_different_hashes():
    """So that a hash in a core dump cannot be looked up."""

    def digests(prefixes: Prefixes) -> list[bytes]:
        seen(prefixes, body(system=LONG))
        return list(prefixes._seen._young)  # pyright: ignore[reportPrivateUsage]

    assert digests(Prefixes()) != digests(Prefixes())


@given(st.dictionaries(st.sampled_from(["tools", "system", "messages", "cache_control", "prompt"]), JSON), st.text())
def test_no_json_makes_it_raise(sent: dict[str, Any], model: str):
    prefixes = Prefixes()
    seen(prefixes, sent, model=model)
    seen(prefixes, sent, model=None)


def test_neither_does_json_that_is_deep_or_no_text_that_can_be_encoded():
    deep: Any = LONG
    for _ in range(20_000):
        deep = [deep]
    sent = body(system=deep)
    assert times(Prefixes(), sent, sent) == [0, 0]
    odd = body(system=LONG + "\ud800")
    assert times(Prefixes(), odd, odd, model="\ud800") == [0, 0]
    assert times(Prefixes(), odd, odd) == [0, 2]


@given(JSON, JSON)
def test_two_prefixes_are_the_same_if_their_json_is(one: Any, other: Any):
    """Compared by `repr`, which tells 1 from 1.0 and from true, as the text of JSON does."""
    same = repr(one) == repr(other)
    assert times(Prefixes(), body(system=[LONG, one]), body(system=[LONG, other])) == [0, 2 if same else 0]
