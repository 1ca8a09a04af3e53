"""What the simulated Claude says to the applications: the numbers and the words of the demo.

One outcome for each request, in the order in which an application makes them. Prompts are in three parts, as the API
counts them: what is new, what is written to the cache, and what is read from it. `HANDBOOK` is the size of the part
that is cached for the support assistant, the handbook with the tools.
"""

from otel_claude.testing import Answer, Hang, NotFound, Outcome, Overloaded, RateLimited, Raw, Slow, ToolUse, usage

HANDBOOK = 1684
TYPO = "claude-opus-5.5"
"""A model that there is not: the id has a dot where `claude-opus-5-5` has a dash."""

_ROUND = usage(input_tokens=300, cache_read=12_000, output_tokens=60)
_SHORT_WAIT = 0.01
_GAP = 0.018
_THINKING_TIME = 0.25


def _sorted(word: str, *, prompt: int) -> Outcome:
    return Hang(0.15, then=Answer(word, usage=usage(input_tokens=prompt, output_tokens=4)))


def _turn(
    text: str | None = None, *tools: ToolUse, new: int, written: int = 0, read: int = HANDBOOK, output: int
) -> Outcome:
    counted = usage(input_tokens=new, cache_write_5m=written, cache_read=read, output_tokens=output)
    return Hang(_THINKING_TIME, then=Slow(_GAP, then=Answer(text, tool_uses=tools, usage=counted)))


def _finding(order: str) -> ToolUse:
    return ToolUse("find_order", {"order": order})


def support() -> tuple[Outcome, ...]:
    """What comes of the support assistant's requests."""
    return (
        Raw(body={"input_tokens": HANDBOOK + 8}),
        # Where is my order 4711?
        _sorted("question", prompt=43),
        _turn(None, _finding("4711"), new=24, written=HANDBOOK, read=0, output=38),
        _turn(
            "Your F2 coffee machine will be with you on Friday. It is late on its way with the carrier,\n"
            "and I am sorry for that: we refund the shipping.",
            new=121,
            output=47,
        ),
        # The grinder from order 4689 does not start.
        _sorted("return", prompt=50),
        RateLimited(retry_after=0.4),
        _turn(None, _finding("4689"), new=31, output=38),
        _turn(None, ToolUse("start_return", {"order": "4689", "broken": True}), new=117, output=61),
        _turn(
            "The label for the return is on its way to you by e-mail, and we pay for the shipping.\n"
            "Your money comes back within five working days of the arrival of the parcel.",
            new=215,
            output=52,
        ),
        # You booked order 4650 twice!
        _sorted("complaint", prompt=49),
        NotFound(f"model: {TYPO}"),
        _turn(None, _finding("4650"), new=30, output=38),
        _turn(
            "I am sorry that nobody has answered you. You have paid once: the second entry is a reservation,\n"
            "which disappears within three working days. The code THANKS15 takes EUR 15 off your next order.",
            new=129,
            output=64,
        ),
    )


def research() -> tuple[Outcome, ...]:
    """What comes of the research agent's requests, in 260 rounds: the same search in all but three."""
    searching = Answer(tool_uses=[ToolUse("search", {"query": "shore power cruise berths Baltic"})], usage=_ROUND)
    return (
        *[searching] * 100,
        RateLimited(retry_after=_SHORT_WAIT),
        *[searching] * 50,
        # One round, as the SDK tries three times.
        *[Overloaded(retry_after=_SHORT_WAIT)] * 3,
        *[searching] * 99,
        Answer(tool_uses=[ToolUse("ask_expert", {"question": "What is missing in these notes?"})], usage=_ROUND),
        Answer("Search for it once more.", usage=usage(input_tokens=180_000, output_tokens=4_000)),
        *[searching] * 8,
        Answer("I am sorry, the search does not come to an end.", usage=_ROUND),
    )
