"""Pictures of Phoenix for `docs/pictures`, taken with Chromium.

    python tests/backends/pictures.py

Phoenix gets one round of `apps/calls.py`, with content, and the agent that has run away, with the span cap and without
it, all with the attributes of OpenInference, as its page says. Takes some minutes, as Phoenix files some hundred spans
a second.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

# Neither the tests nor the examples are packages.
sys.path += [str(Path(__file__).parents[1]), str(Path(__file__).parents[2] / "examples")]

import subprocess

from phoenix_server import COMPATIBLE, FILED_TIMEOUT_S, WITHOUT_CAP, phoenix, spans_of, totals_of, variables
from program import RUNAWAY, ran, rounds
from run import BACKENDS
from script import research
from servers import Server, settled

from venvs import PROJECT

PICTURES = PROJECT / "docs" / "pictures"
CONTENT = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY"}
SIZE = "1500,950"
LOADING_MS = 60_000
TIMEOUT_S = 300


class Picture(NamedTuple):
    """A picture: of the trace of a project, with the first span selected whose name begins so."""

    project: str
    selected: str


WANTED = (Picture("calls", "chat"), Picture("capped", "chat claude-sonnet-5-5 ×"), Picture("uncapped", "invoke_agent"))  # noqa: RUF001  # the sign is what the cap writes


def main() -> None:
    """Starts Phoenix, has programs run, and takes the pictures."""
    with tempfile.TemporaryDirectory() as home, phoenix(BACKENDS["phoenix"].commands(), Path(home)) as running:
        fill(running)
        for picture in WANTED:
            take(running, picture)


def fill(running: Server) -> None:
    """Has the programs run, and waits until all their spans are filed."""
    with rounds(running.url, **variables("calls", **CONTENT, **COMPATIBLE)) as program:
        program.next()
    ran(RUNAWAY, research(), running.url, **variables("capped", **COMPATIBLE))
    said = ran(RUNAWAY, research(), running.url, **variables("uncapped", **COMPATIBLE, **WITHOUT_CAP))
    prompts = sum(call.prompt for call in said.calls)

    def filed(totals: Any) -> bool:
        return totals is not None and totals["tokenCountPrompt"] >= prompts

    settled(lambda: totals_of(running, "uncapped"), filed, FILED_TIMEOUT_S)


def take(running: Server, picture: Picture) -> None:
    """Takes a picture, into a file with the name of its project.

    Raises:
        subprocess.SubprocessError: Chromium fails.
    """
    span = next(
        span for span in reversed(spans_of(running, picture.project)) if span["name"].startswith(picture.selected)
    )
    project = totals_of(running, picture.project)["id"]
    url = f"{running.url}/projects/{project}/traces/{span['context']['trace_id']}?selectedSpanNodeId={span['id']}"
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        subprocess.run(  # a program of the system, on a page that was made here
            (  # noqa: S607  # where it is depends on the system
                "chromium",
                *("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={home}"),
                *(f"--window-size={SIZE}", f"--virtual-time-budget={LOADING_MS}"),
                *(f"--screenshot={PICTURES / f'phoenix_{picture.project}.png'}", url),
            ),
            check=True,
            capture_output=True,
            timeout=TIMEOUT_S,
        )


if __name__ == "__main__":
    main()
