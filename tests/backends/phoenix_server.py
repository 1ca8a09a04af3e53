"""Phoenix of Arize: traces over OTLP, read back over its REST and GraphQL interfaces.

A *project* is where it files traces, by an attribute of the resource. Phoenix takes neither metrics nor log records.

https://arize.com/docs/phoenix
"""

import tempfile
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import phoenix_page
from facts import (
    CHATS,
    FAILED,
    OF_TRACES,
    OF_TREES,
    SPAN_INPUT,
    SPAN_OUTPUT,
    SPAN_READ,
    SPAN_USD,
    SPAN_WRITTEN,
    Facts,
    expected,
    of_nodes,
)
from program import OFF, RUNAWAY, SUPPORT, ran, rounds
from results import Shown, Unlike
from said import RUNAWAY_SAYS, Said
from script import TYPO, support
from servers import HOST, Server, free_ports, server, settled
from trees import Node, misplaced

from pricing.listed_prices import LISTED

PAGE = 1_000
CAP = 1_000
TOKENS: Mapping[str, str] = {
    SPAN_INPUT: "llm.token_count.prompt",
    SPAN_OUTPUT: "llm.token_count.completion",
    SPAN_READ: "llm.token_count.prompt_details.cache_read",
    SPAN_WRITTEN: "llm.token_count.prompt_details.cache_write",
}
TOTALS = "{ projects { edges { node { id name tokenCountPrompt costSummary { total { cost } } } } } }"
FILED_TIMEOUT_S = 300
"""Phoenix files some hundred spans a second."""
WITHOUT_CAP = {"OTEL_CLAUDE_MAX_SPANS_PER_TRACE": "0", "OTEL_BSP_MAX_QUEUE_SIZE": "65536"}
"""All spans of an agent that has run away, and room for them before the exporter."""
COMPATIBLE = {"OTEL_CLAUDE_COMPATIBILITY": "openinference"}

OWN_PRICES = "prices of its own: for cache writes of an hour those of five minutes, and the prompt of a broken answer"
COUNTED = "a span of `count_tokens` is one of a model, too, as it names one"


@contextmanager
def phoenix(commands: Path, home: Path) -> Generator[Server]:
    """Runs Phoenix, which keeps everything in `home` and asks nobody for anything."""
    port, grpc = free_ports(2)
    environment = {
        "PHOENIX_WORKING_DIR": str(home),
        "PHOENIX_HOST": HOST,
        "PHOENIX_PORT": str(port),
        "PHOENIX_GRPC_PORT": str(grpc),
        "PHOENIX_TELEMETRY_ENABLED": "false",
        "PHOENIX_ALLOW_EXTERNAL_RESOURCES": "false",
    }
    with server((commands / "phoenix", "serve"), home, port, "/healthz", environment) as started:
        yield started


def spans_of(running: Server, project: str) -> list[Any]:
    """All spans of a project."""
    spans: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        page = running.get(f"/v1/projects/{project}/spans", limit=PAGE, **cursor)
        spans += page["data"]
        if not page["next_cursor"]:
            return spans
        cursor = {"cursor": page["next_cursor"]}


def nodes_of(spans: Iterable[Any]) -> Sequence[Node]:
    """Spans of Phoenix, as nodes."""
    return [
        Node(
            span["name"],
            span["context"]["trace_id"],
            span["context"]["span_id"],
            span["parent_id"] or "",
            *(datetime.fromisoformat(span[time]).timestamp() for time in ("start_time", "end_time")),
        )
        for span in spans
    ]


def totals_of(running: Server, project: str) -> Any:
    """The sums of a project. `None`: there is no such project yet."""
    projects = running.post("/graphql", {"query": TOTALS})["data"]["projects"]["edges"]
    return next((each["node"] for each in projects if each["node"]["name"] == project), None)


def facts_of(running: Server, project: str) -> Facts:
    """What Phoenix shows of a project."""
    spans, totals = spans_of(running, project), totals_of(running, project)
    models = [span for span in spans if span["span_kind"] == "LLM"]
    return {
        CHATS: len(models),
        FAILED: sum(span["status_code"] == "ERROR" for span in models),
        **of_nodes(nodes_of(spans)),
        **{fact: sum(span["attributes"].get(name, 0) for span in models) for fact, name in TOKENS.items()},
        SPAN_USD: totals["costSummary"]["total"]["cost"],
    }


def variables(project: str, **more: str) -> dict[str, str]:
    """What makes a program send its traces to a project."""
    resource = f"openinference.project.name={project}"
    return {**OFF, "OTEL_TRACES_EXPORTER": "otlp", "OTEL_RESOURCE_ATTRIBUTES": resource, **more}


def check(commands: Path) -> Iterator[Shown]:
    """Runs programs, and tells what Phoenix shows of each."""
    with tempfile.TemporaryDirectory() as home, phoenix(commands, Path(home)) as running:
        yield _of_calls(running)
        yield from _of_the_demo(running)
        yield from _of_an_agent(running)


def _of_calls(running: Server) -> Shown:
    with rounds(running.url, **variables("calls")) as program:
        program.next()
        said = program.next()
    unlike = {SPAN_USD: Unlike(sum(_price(said)), OWN_PRICES)}
    return _shown(running, "calls", said, OF_TRACES, unlike)


def _price(said: Said) -> Iterator[float]:
    for call in said.alone:
        listed = LISTED[call.model]
        yield call.at(listed._replace(write_1h=listed.write_5m))


def _of_the_demo(running: Server) -> Iterator[Shown]:
    given = {"SUPPORT_COMPLAINTS_MODEL": TYPO, "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY"}
    plainly = ran(SUPPORT, support(), running.url, **variables("demo", **given))
    yield _shown(running, "demo", plainly, OF_TRACES, {CHATS: Unlike(expected(plainly)[CHATS] + 1, COUNTED)})
    again = ran(SUPPORT, support(), running.url, **variables("demo-openinference", **given, **COMPATIBLE))
    shown = _shown(running, "demo-openinference", again, OF_TRACES)
    named = "demo-openinference"
    asked = phoenix_page.wrong(running, named, totals_of(running, named)["id"], again)
    yield shown.but(*_without_messages(spans_of(running, named)), *asked)


def _without_messages(spans: Sequence[Any]) -> Iterator[str]:
    for span in spans:
        told = span["attributes"]
        if span["name"].startswith("chat ") and not told.get("input.value"):
            yield f"{span['name']} has no input"
        answered = span["name"].startswith("chat ") and span["status_code"] != "ERROR"
        if answered and "parts" not in str(told.get("output.value")):
            yield f"{span['name']} has no answer"


def _of_an_agent(running: Server) -> Iterator[Shown]:
    """An agent that has run away: without the span cap, and with it and the sums that its summaries have."""
    tokens = (*OF_TREES, *TOKENS)
    uncapped = ran(RUNAWAY, RUNAWAY_SAYS, running.url, **variables("uncapped", **WITHOUT_CAP))
    yield _shown(running, "uncapped", uncapped, (*tokens, CHATS, FAILED, SPAN_USD))
    capped = ran(RUNAWAY, RUNAWAY_SAYS, running.url, **variables("capped-openinference", **COMPATIBLE))
    shown = _shown(running, "capped-openinference", capped, tokens)
    count = len(spans_of(running, "capped-openinference"))
    yield shown.but(*(() if count <= CAP else (f"{count} spans came of a trace that has a cap of {CAP}",)))


def _shown(
    running: Server, project: str, said: Said, wanted: Sequence[str], unlike: Mapping[str, Unlike] | None = None
) -> Shown:
    told = expected(said)

    def of(facts: Facts) -> Shown:
        return Shown(project, told, facts, wanted, unlike or {})

    def filed(totals: Any) -> bool:
        return totals is not None and totals["tokenCountPrompt"] >= told[SPAN_INPUT]

    settled(lambda: totals_of(running, project), filed, FILED_TIMEOUT_S)
    shown = settled(lambda: of(facts_of(running, project)), lambda shown: not [*shown.failures])
    nodes = nodes_of(spans_of(running, project))
    return shown.but(*misplaced(nodes, said.done.tree, said.began, said.ended, said.paused))
