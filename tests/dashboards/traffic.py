"""Calls, runs and traces in which everything happens that a dashboard shows, all the same in each round."""

import contextlib
from collections.abc import Mapping
from typing import Any

import anthropic
from opentelemetry import baggage, context
from opentelemetry.sdk.trace import TracerProvider

from fixture_types import API_KEY
from otel_claude import agent, tool
from otel_claude.testing import (
    Answer,
    BadRequest,
    EndsEarly,
    Overloaded,
    RateLimited,
    SimulatedClaude,
    ToolUse,
    usage,
)

SONNET, HAIKU, OPUS, UNPRICED = "claude-sonnet-5-5", "claude-haiku-4-5", "claude-opus-5-5", "claude-of-tomorrow-9"
SETTINGS: Mapping[str, Any] = {
    "baggage": ("tenant",),
    "max_spans_per_trace": 10,
    "budgets": {
        "budgets": {
            "everything": {"usd": 100, "period": "day", "action": "warn"},
            "each": {"usd": 10, "period": "day", "per": "tenant", "action": "warn"},
        }
    },
}

USAGE = usage(input_tokens=1_000, output_tokens=100, cache_read=3_000)
PRICE = {
    SONNET: (1_000 * 2 + 3_000 * 0.10 + 100 * 10) / 1_000_000,
    OPUS: (1_000 * 4 + 3_000 * 0.20 + 100 * 20) / 1_000_000,
}
"""What `USAGE` costs, in USD: https://platform.claude.com/docs/en/about-claude/pricing"""

LIMITS: dict[str, str | None] = {
    "anthropic-ratelimit-requests-limit": "1000",
    "anthropic-ratelimit-requests-remaining": "250",
    "anthropic-ratelimit-requests-reset": "2099-01-01T00:00:00Z",
}


class Wrong(Exception):
    """What a tool and a run raise."""


@tool(name="search")
def search(*, fails: bool) -> str:
    if fails:
        raise Wrong
    return "found"


class Traffic:
    """Makes rounds of calls."""

    def __init__(self, claude: SimulatedClaude, tracer_provider: TracerProvider) -> None:
        self._claude = claude
        self._tracer = tracer_provider.get_tracer("application")
        self._client = anthropic.Anthropic(
            base_url=claude.base_url,
            api_key=API_KEY,
            max_retries=0,
            http_client=anthropic.DefaultHttpxClient(verify=False),
        )

    def rounds_of(self, count: int) -> None:
        for _ in range(count):
            self._round()

    def of_no_model(self) -> None:
        """Calls that are refused for a rate limit of a method's own."""
        client = self._client
        requests: Any = [{"custom_id": "one", "params": {"model": SONNET, "max_tokens": 64, "messages": []}}]
        for call in (
            client.beta.files.list,
            client.messages.batches.list,
            lambda: client.messages.batches.create(requests=requests),
        ):
            self._claude.will(RateLimited(headers=LIMITS))
            with contextlib.suppress(anthropic.RateLimitError):
                call()

    def of_no_named_agent(self) -> None:
        """A run of the SDK's own tool runner, for no tenant."""
        self._claude.will(Answer(tool_uses=(ToolUse("weather", {"city": "Paris"}),), usage=USAGE), answered())
        client: Any = self._client

        @anthropic.beta_tool
        def weather(city: str) -> str:
            """The weather in a city."""
            return f"Sunny in {city}"

        messages = [{"role": "user", "content": "Is it warm in Paris?"}]
        client.beta.messages.tool_runner(model=SONNET, max_tokens=64, messages=messages, tools=[weather]).until_done()

    def close(self) -> None:
        self._client.close()

    def _round(self) -> None:
        with tenant("umbrella"):
            self._ask(SONNET, answered())
        with tenant("acme"):
            self._ask(HAIKU, answered())
            self._ask(OPUS, answered())
            self._ask(UNPRICED, answered())
            self._ask(SONNET, answered(stop_reason="max_tokens"))
            self._ask(SONNET, RateLimited(retry_after=0.01), answered(), retries=1)
            self._ask(SONNET, BadRequest("max_tokens: Field required"))
            self._ask(SONNET, Overloaded())
            self._ask(SONNET, answered("A long story"), stream=True)
            self._ask(SONNET, EndsEarly(3), stream=True)
            self._runs()
        with self._tracer.start_as_current_span("loop"):
            for _ in range(20):
                self._tracer.start_span("step").end()

    def _runs(self) -> None:
        for fails in (False, True):
            with contextlib.suppress(Wrong), agent("research"):
                self._ask(SONNET, answered())
                self._ask(SONNET, answered())
                search(fails=fails)

    def _ask(self, model: str, *outcomes: Any, retries: int = 0, stream: bool = False) -> None:
        self._claude.will(*outcomes)
        ask: dict[str, Any] = {"model": model, "max_tokens": 64, "messages": [{"role": "user", "content": "Hello"}]}
        with contextlib.suppress(anthropic.APIError):
            answer = self._client.with_options(max_retries=retries).messages.create(**ask, stream=stream)
            if stream:
                for _ in answer:
                    pass


def answered(text: str = "Hi", **more: Any) -> Answer:
    return Answer(text, usage=USAGE, headers=LIMITS, **more)


@contextlib.contextmanager
def tenant(name: str) -> Any:
    token = context.attach(baggage.set_baggage("tenant", name))
    try:
        yield
    finally:
        context.detach(token)
