"""A research agent that has run away: its search says "try again", and so it tries again.

In: a question, as an argument or the one below. Out: how far it came, printed. In each round Claude asks for a search,
which fetches the same pages and writes the same notes as the one before, until Claude gives up.

The agent makes spans of its own, with OpenTelemetry's API and no more: of itself, of its rounds and its tools. So do
its crawler and its store of notes, as instrumented libraries do. As every round would be billed, it only talks to a
simulated API on this computer, at `ANTHROPIC_BASE_URL`.
"""

import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import anthropic
from opentelemetry import trace
from opentelemetry.trace import SpanKind

MODEL = "claude-sonnet-5-5"
EXPERT_MODEL = "claude-opus-5-5"
QUESTION = "Which ports of the Baltic Sea offer shore power to cruise ships, and at which berths?"

TOOLS: list[anthropic.types.ToolParam] = [
    {
        "name": name,
        "description": description,
        "input_schema": {"type": "object", "properties": {argument: {"type": "string"}}, "required": [argument]},
    }
    for name, argument, description in (
        ("search", "query", "Searches the web, and takes notes of what is found."),
        ("ask_expert", "question", "Asks a larger model, which reads all notes."),
    )
]

PAGES = tuple(f"https://ports.example/shore-power?page={number}" for number in range(1, 26))
NO_ANSWER, EMPTY = 500, 2_900
"""Every how many visits a page does not answer, and every how many it is empty."""
SLOW = 4_321
"""Which visit takes long."""
REMEMBERED = 24
"""How many messages the agent remembers: too few to see that it has done all this before."""

tracer = trace.get_tracer(__name__)


class Crawler:
    """Fetches pages of a web that is not always well: some do not answer, some are empty, and one is slow."""

    def __init__(self) -> None:
        self.visits = 0

    def fetch(self, page: str) -> str | None:
        """The title of a page, if it has one."""
        with client_span("fetch page", {"http.request.method": "GET", "url.full": page}):
            self.visits += 1
            if self.visits % NO_ANSWER == 0:
                raise TimeoutError(f"no answer from {urlsplit(page).netloc}")
            if self.visits == SLOW:
                time.sleep(0.4)
            return None if self.visits % EMPTY == 0 else f"Shore power, berth {page.rpartition('=')[2]}"


class Notes:
    """One note for each page, in a database."""

    def __init__(self) -> None:
        self._database = sqlite3.connect(":memory:")
        self._database.execute("CREATE TABLE notes (page TEXT PRIMARY KEY, title TEXT NOT NULL)")

    def all(self) -> list[str]:
        """The titles of all pages."""
        return [title for (title,) in self._run("SELECT", "SELECT title FROM notes")]

    def of(self, page: str) -> list[str]:
        """The title of a page, if there is a note of it."""
        return [title for (title,) in self._run("SELECT", "SELECT title FROM notes WHERE page = ?", page)]

    def write(self, page: str, title: str | None) -> None:
        """Writes a note, over one that there may be."""
        self._run("INSERT", "INSERT OR REPLACE INTO notes VALUES (?, ?)", page, title)

    def _run(self, operation: str, query: str, *values: str | None) -> list[tuple[str]]:
        attributes = {"db.system.name": "sqlite", "db.operation.name": operation, "db.query.text": query}
        with client_span(f"{operation} notes", attributes):
            return self._database.execute(query, values).fetchall()


class Agent:
    """Answers a question, in as many rounds as Claude wants."""

    def __init__(self) -> None:
        self.client = anthropic.Anthropic()
        self.crawler = Crawler()
        self.notes = Notes()
        self.rounds = 0

    def answer(self, question: str) -> str:
        """What Claude says in the end."""
        attributes = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "research"}
        conversation: list[anthropic.types.MessageParam] = []
        with tracer.start_as_current_span("invoke_agent research", attributes=attributes):
            while True:
                self.rounds += 1
                with tracer.start_as_current_span("round", attributes={"research.round": self.rounds}):
                    try:
                        message = self.say(question, conversation[-REMEMBERED:])
                    except anthropic.APIStatusError:
                        continue
                    if message.stop_reason != "tool_use":
                        return "".join(block.text for block in message.content if block.type == "text")
                    conversation.append({"role": "assistant", "content": message.content})
                    conversation.append({"role": "user", "content": self.use_tools(message)})

    def say(self, question: str, conversation: list[anthropic.types.MessageParam]) -> anthropic.types.Message:
        return self.client.messages.create(
            model=MODEL, max_tokens=1024, tools=TOOLS, messages=[{"role": "user", "content": question}, *conversation]
        )

    def use_tools(self, message: anthropic.types.Message) -> list[anthropic.types.ToolResultBlockParam]:
        run = {"search": self.search, "ask_expert": self.ask_expert}
        results: list[anthropic.types.ToolResultBlockParam] = []
        for block in message.content:
            if block.type == "tool_use":
                attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": block.name}
                with tracer.start_as_current_span(f"execute_tool {block.name}", attributes=attributes):
                    results.append(
                        {"type": "tool_result", "tool_use_id": block.id, "content": run[block.name](**block.input)}
                    )
        return results

    def search(self, query: str) -> str:
        for page in PAGES:
            try:
                title = self.crawler.fetch(page)
                self.notes.of(page)
                self.notes.write(page, title)
            except (TimeoutError, sqlite3.IntegrityError):
                pass  # The next round fetches it again.
        return f"Results for {query!r} are not complete yet. Try again."

    def ask_expert(self, question: str) -> str:
        said = self.client.messages.create(
            model=EXPERT_MODEL,
            max_tokens=8192,
            messages=[{"role": "user", "content": "\n".join([question, *self.notes.all()])}],
        )
        return "".join(block.text for block in said.content if block.type == "text")


@contextmanager
def client_span(name: str, attributes: dict[str, str]) -> Iterator[None]:
    """A span as an instrumented library makes it."""
    with tracer.start_as_current_span(name, kind=SpanKind.CLIENT, attributes=attributes) as span:
        try:
            yield
        except Exception as error:
            span.set_attribute("error.type", type(error).__name__)
            raise


def main() -> None:
    if urlsplit(os.environ.get("ANTHROPIC_BASE_URL", "")).hostname not in {"127.0.0.1", "localhost"}:
        sys.exit("ANTHROPIC_BASE_URL is not that of a simulated API on this computer: every round would be billed")
    agent = Agent()
    said = agent.answer(" ".join(sys.argv[1:]) or QUESTION)
    print(f"{said}\n{agent.rounds} rounds, {agent.crawler.visits:,} pages fetched, {len(PAGES)} different ones")


if __name__ == "__main__":
    main()
