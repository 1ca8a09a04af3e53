"""One trace of 20,545 spans, as three instrumentations make them: httpx's, SQLAlchemy's and ours.

64 agents run at the same time, in threads and in tasks. Each asks a web that is not there for pages, a database in
memory for rows, and the simulated API for answers, in an order of its own. About three in a hundred of that fail.
"""

import asyncio
import inspect
import random
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any, NamedTuple

import anthropic
import pytest
from opentelemetry import context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import StatusCode
from traced import CREATED, EXPORTED, SUMMARIZED, is_summary, orphans, represented, span_id, told, total

import otel_claude
from fixture_types import API_KEY, Instrument, Steps
from otel_claude.testing import Answer, Overloaded, SimulatedClaude, Telemetry, usage
from otel_claude.testing.exchange import Json, Request
from otel_claude.testing.faults import Outcome

httpx2: Any = pytest.importorskip("httpx2")
sqlalchemy: Any = pytest.importorskip("sqlalchemy")
of_httpx: Any = pytest.importorskip("opentelemetry.instrumentation.httpx")
of_sqlalchemy: Any = pytest.importorskip("opentelemetry.instrumentation.sqlalchemy")
dependencies: Any = pytest.importorskip("opentelemetry.instrumentation.dependencies")

pytestmark = pytest.mark.skipif(
    bool(
        conflict := dependencies.get_dependency_conflicts(
            of_sqlalchemy.SQLAlchemyInstrumentor().instrumentation_dependencies()
        )
    ),
    reason=str(conflict),
)

AGENTS = 64
REQUESTS, STATEMENTS, CALLS = 150, 135, 5
ROUND = 10
"""What each agent does, in rounds of so many steps. To its database it connects once, which is a span as well."""
SPANS = 1 + AGENTS * (1 + 1 + (REQUESTS + STATEMENTS + CALLS) // ROUND + REQUESTS + STATEMENTS + CALLS)

PAGES = {"http://web/page": 97, "http://web/broken": 1, "http://web/slow": 1, "http://web/gone": 1}
QUERIES = {"SELECT 1": 98, "SELECT nothing": 2}
QUESTIONS = {"answer": 90, "fail": 10}
"""What is asked for, and how often in a hundred times."""
GOES_WELL = {"http://web/page", "SELECT 1", "answer"}
ERRORS = (httpx2.TransportError, sqlalchemy.exc.OperationalError, anthropic.APIStatusError)

TOKENS: tuple[str, ...] = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output")
"""The types that tokens are billed as."""
PRICES: dict[str, float] = dict(zip(TOKENS, (2.00, 0.10, 2.50, 4.00, 10.00), strict=True))
"""Of Sonnet 5.5, in USD per million: https://platform.claude.com/docs/en/about-claude/pricing."""


def plan(agent: int) -> list[list[tuple[str, str]]]:
    """The rounds of an agent, in this order."""
    chance = random.Random(agent)  # noqa: S311  # the same places of errors each time
    steps = [
        (kind, chosen)
        for kind, of, times in (
            ("request", PAGES, REQUESTS),
            ("statement", QUERIES, STATEMENTS),
            ("call", QUESTIONS, CALLS),
        )
        for chosen in chance.choices(list(of), list(of.values()), k=times)
    ]
    chance.shuffle(steps)
    return [steps[at : at + ROUND] for at in range(0, len(steps), ROUND)]


class Claude:
    """What comes of calls, and the usage of those that went well."""

    def __init__(self) -> None:
        self.usages: list[dict[str, int]] = []

    def __call__(self, request: Request) -> Outcome:
        question, agent = request.json["messages"][0]["content"].split()
        if question == "fail":
            return Overloaded()
        used = dict(zip(TOKENS, (12 + int(agent), 1_000, 300, 100, 40 + len(self.usages) % 7), strict=True))
        self.usages.append(used)
        return Answer(usage=_as_sent(used))

    def tokens(self, kind: str) -> int:
        """How many tokens of a type the API said that calls used."""
        return sum(used[kind] for used in self.usages)


def _as_sent(used: dict[str, int]) -> Json:
    return usage(
        input_tokens=used["input"],
        cache_read=used["cache_read"],
        cache_write_5m=used["cache_write_5m"],
        cache_write_1h=used["cache_write_1h"],
        output_tokens=used["output"],
    )


def page(request: Any) -> Any:
    """A web."""
    match request.url.path:
        case "/slow":
            raise httpx2.ReadTimeout("no answer", request=request)
        case "/gone":
            raise httpx2.ConnectError("no such host", request=request)
        case "/broken":
            return httpx2.Response(500)
        case _:
            return httpx2.Response(204)


async def page_later(request: Any) -> Any:
    """The same, which lets other tasks go on first."""
    await asyncio.sleep(0)
    return page(request)


class Witness(SpanProcessor):
    """Notes each span that was started, when it ends: not the copies of held spans, and not the summaries."""

    def __init__(self) -> None:
        self.ended: list[ReadableSpan] = []
        self._open: dict[int, None] = {}

    def on_start(self, span: Span, parent_context: context.Context | None = None) -> None:
        self._open[span_id(span)] = None

    def on_end(self, span: ReadableSpan) -> None:
        if self._open.pop(span_id(span), self) is None:
            self.ended.append(span)

    @property
    def beyond(self) -> list[ReadableSpan]:
        """Those that were not live, which no exporter takes."""
        return [span for span in self.ended if span.context and not span.context.trace_flags.sampled]


class World(NamedTuple):
    """What agents have in common. `failing` is held while something fails."""

    tracer: Any
    engine: Any
    web: Any
    claude: Any
    failing: AbstractContextManager[object]

    async def run(self, agent: int) -> None:
        """One agent."""
        with otel_claude.agent("agent"), self.engine.connect() as connection:
            do: dict[str, Callable[[str], Any]] = {
                "request": self.web.get,
                "statement": lambda query: connection.execute(sqlalchemy.text(query)),
                "call": lambda question: self.claude.messages.create(
                    model="claude-sonnet-5-5",
                    max_tokens=64,
                    messages=[{"role": "user", "content": f"{question} {agent}"}],
                ),
            }
            for steps in plan(agent):
                with self.tracer.start_as_current_span("round"):
                    for kind, chosen in steps:
                        with nullcontext() if chosen in GOES_WELL else self.failing, suppress(*ERRORS):
                            doing = do[kind](chosen)
                            if inspect.isawaitable(doing):
                                await doing


def in_threads(tracer: Any, engine: Any, address: str, provider: Any) -> None:
    """Each agent has a thread, to which the context is handed over.

    Failures come one after the other, so that there is only one order in which they end.
    """
    web = httpx2.Client(transport=httpx2.MockTransport(page))
    claude = anthropic.Anthropic(
        base_url=address, api_key=API_KEY, max_retries=0, http_client=anthropic.DefaultHttpxClient(verify=False)
    )
    of_httpx.HTTPX2ClientInstrumentor.instrument_client(web, tracer_provider=provider)
    world = World(tracer, engine, web, claude, threading.Lock())
    together = threading.Barrier(AGENTS, timeout=30)

    def run(agent: int, here: context.Context) -> None:
        together.wait()
        token = context.attach(here)
        try:
            Steps().run(world.run(agent))
        finally:
            context.detach(token)

    with web, claude, tracer.start_as_current_span("root"), ThreadPoolExecutor(AGENTS) as pool:
        list(pool.map(run, range(AGENTS), [context.get_current()] * AGENTS))


def in_tasks(tracer: Any, engine: Any, address: str, provider: Any) -> None:
    """Each agent has a task."""

    async def run() -> None:
        web = httpx2.AsyncClient(transport=httpx2.MockTransport(page_later))
        claude = anthropic.AsyncAnthropic(
            base_url=address,
            api_key=API_KEY,
            max_retries=0,
            http_client=anthropic.DefaultAsyncHttpxClient(verify=False),
        )
        of_httpx.HTTPX2ClientInstrumentor.instrument_client(web, tracer_provider=provider)
        world = World(tracer, engine, web, claude, nullcontext())
        async with web, claude:
            with tracer.start_as_current_span("root"):
                await asyncio.gather(*(world.run(agent) for agent in range(AGENTS)))

    asyncio.run(run())


@pytest.fixture
def telemetry(instrument: Instrument) -> Telemetry:
    """That of everything: `instrument` has put the cap on its provider."""
    return instrument()


@pytest.fixture
def engine(telemetry: Telemetry) -> Iterator[Any]:
    """A database for each connection."""
    engine = sqlalchemy.create_engine("sqlite://", poolclass=sqlalchemy.pool.NullPool)
    instrumentor = of_sqlalchemy.SQLAlchemyInstrumentor()
    instrumentor.instrument(engine=engine, tracer_provider=telemetry.tracer_provider)
    yield engine
    instrumentor.uninstrument()
    engine.dispose()


def failure(span: ReadableSpan) -> str | None:
    """What a span has failed of: its `error.type`, or its exception's."""
    if span.status.status_code is not StatusCode.ERROR:
        return None
    types = [str(event.attributes["exception.type"]) for event in span.events if event.attributes]
    return str(told(span).get("error.type", types[-1] if types else "neither"))


@pytest.mark.parametrize("agents", [in_threads, in_tasks], ids=["threads", "tasks"])
def test_a_trace_of_twenty_thousand_spans(agents: Callable[..., None], telemetry: Telemetry, engine: Any):
    witness, answers = Witness(), Claude()
    telemetry.tracer_provider.add_span_processor(witness)
    tracer = telemetry.tracer_provider.get_tracer("app")
    with SimulatedClaude(default=answers) as claude:
        agents(tracer, engine, claude.base_url, telemetry.tracer_provider)
    spans = telemetry.spans

    assert len(spans) == 1_000
    assert len({span.context.trace_id for span in spans if span.context}) == 1
    assert orphans(spans) == []

    assert len(witness.ended) == represented(spans) == SPANS == 20_545
    root = told(telemetry.span("root"))
    assert (root[CREATED], root[EXPORTED]) == (SPANS, sum(not is_summary(span) for span in spans))
    assert root[EXPORTED] + root[SUMMARIZED] == root[CREATED]

    kept = {span_id(span) for span in spans}
    failed = defaultdict[str, list[int]](list)
    for span in witness.beyond:
        if (error := failure(span)) is not None:
            failed[error].append(span_id(span))
    # Statements that fail, and answers with a status of 500, have neither.
    assert set(failed) == {"httpx2.ConnectError", "httpx2.ReadTimeout", "overloaded_error", "neither"}
    for identities in failed.values():
        assert len(identities) > 2
        assert {identities[0], identities[-1]} <= kept

    billed = {kind: telemetry.total("claude.token.usage", {"claude.token.type": kind}) for kind in TOKENS}
    assert billed == {kind: answers.tokens(kind) for kind in TOKENS}
    written = total(spans, "gen_ai.usage.cache_write.input_tokens", "claude.summary.cache_write.input_tokens")
    read = total(spans, "gen_ai.usage.cache_read.input_tokens", "claude.summary.cache_read.input_tokens")
    assert written == billed["cache_write_5m"] + billed["cache_write_1h"]
    assert read == billed["cache_read"]
    assert total(spans, "gen_ai.usage.input_tokens", "claude.summary.input_tokens") == billed["input"] + written + read
    assert total(spans, "gen_ai.usage.output_tokens", "claude.summary.output_tokens") == billed["output"]

    cost = telemetry.total("claude.cost")
    assert cost == pytest.approx(sum(billed[kind] * PRICES[kind] for kind in TOKENS) / 1_000_000, abs=1e-9)
    assert total(spans, "claude.cost.usd", "claude.summary.cost_usd") == pytest.approx(cost, abs=1e-9)

    runs = [told(span) for span in spans if span.name == "invoke_agent agent"]
    assert len(runs) == AGENTS
    assert sum(run["claude.agent.iterations"] for run in runs) == AGENTS * CALLS
    assert sum(run["claude.agent.input_tokens"] for run in runs) == billed["input"] + written + read
    assert sum(run["claude.agent.output_tokens"] for run in runs) == billed["output"]
    assert sum(run["claude.agent.cost_usd"] for run in runs) == pytest.approx(cost, abs=1e-9)
