"""A vendor's page, done as it says, up to what an application sends.

In: a page of docs/vendors, and the section whose variables are to be exported. Out: what a receiver of OTLP has got,
and what the simulated API has said. Commands and programs are those of the page, word by word. In values, only the
hosts of endpoints are others.
"""

import gzip
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from receiver import Payload, Receiver

from otel_claude.testing import Answer, RateLimited, Request, SimulatedClaude, usage

PROJECT = Path(__file__).parents[2]
DOCS = PROJECT / "docs"
ANSWER = Answer("Because of Rayleigh scattering.", usage=usage(input_tokens=14, cache_read=2_000, output_tokens=23))
"""What comes of each call. The first one is tried again, which is an event."""

QUICKLY = {"PAUSE": "0"}
"""For the programs that wait between their calls."""

_SECTION = re.compile(r"^## (.+)\n((?:(?!## ).*\n)*)", re.MULTILINE)
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?:^ {4}.*\n)+", re.MULTILINE)
_HOST = re.compile(r"^https?://[^/]+")
_SHOWN = "import json, os; print(json.dumps(dict(os.environ)))"
_SIMULATED = "http://127.0.0.1:8765"
_TIMEOUT_S = 60


class Arrived(NamedTuple):
    """What has come of a page. `payloads` are as they came, `receiver` has them unpacked, at the paths of OTLP.

    `asked` are the requests that the simulated API has answered, `written` is what the commands wrote. `hosts` are
    those of the endpoints that the page exports.
    """

    payloads: Sequence[Payload]
    receiver: Receiver
    asked: Sequence[Request]
    written: str
    hosts: Collection[str]

    def of(self, kind: str) -> list[Payload]:
        """The payloads of a signal: `traces`, `metrics` or `logs`."""
        return [each for each in self.payloads if each.path.endswith(f"/v1/{kind}")]


def text(page: str) -> str:
    return (DOCS / f"{page}.md").read_text("utf-8")


def sections(page: str) -> Mapping[str, str]:
    return dict(_SECTION.findall(text(page)))


def fenced(page: str, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return [found for name, found in _FENCE.findall(text(page)) if name == language]


def indented(markdown: str) -> list[str]:
    """The blocks that are indented, up to an empty line: commands for a shell, and configurations."""
    found = _INDENTED.findall(_FENCE.sub("", markdown))
    return [re.sub("^ {4}", "", block, flags=re.MULTILINE).strip() for block in found]


def exports(page: str, section: str) -> list[str]:
    """The blocks of variables in a section."""
    return [block for block in indented(sections(page)[section]) if block.startswith("export ")]


def program(page: str) -> str:
    """`app.py`."""
    (found,) = fenced(page, "python")
    return found


def command(page: str) -> str:
    """What starts the program."""
    (found,) = {block.strip() for block in fenced(page, "sh")}
    return found


def shell(command: str, home: Path, variables: Mapping[str, str]) -> str:
    """Runs a command to its end, as one would type it in the folder `home`. What it wrote."""
    with started(command, home, variables) as process:
        written, _ = process.communicate(timeout=_TIMEOUT_S)
        assert process.returncode == 0, written
        return written


@contextmanager
def started(command: str, home: Path, variables: Mapping[str, str]) -> Generator[subprocess.Popen[str]]:
    """A command that runs until the end of the block, with nothing of our environment but where programs are."""
    commands = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    with subprocess.Popen(
        ["sh", "-euc", command],  # noqa: S607  # where it is depends on the system
        env={"PATH": commands, "HOME": str(home), **variables},
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            # The shell and what it has started, if they have not ended.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def variables(page: str, blocks: Sequence[str], keys: Mapping[str, str], home: Path) -> dict[str, str]:
    """What a page exports: for the simulated API, and in these blocks. `keys` are those that are the reader's own."""
    exported = [*exports(page, "Install"), *blocks]
    shown = shell("\n".join([*exported, shlex.join([sys.executable, "-c", _SHOWN])]), home, keys)
    found = {name: value for name, value in json.loads(shown).items() if name.startswith(("OTEL_", "ANTHROPIC_"))}
    assert found["ANTHROPIC_BASE_URL"] == _SIMULATED
    assert f"`python -m otel_claude.testing --port {_SIMULATED.rpartition(':')[2]}`" in text(page)
    return found


def followed(page: str, blocks: Sequence[str], keys: Mapping[str, str], home: Path, *more: str) -> Arrived:
    """Starts the program as the page says, and then `more` commands, and waits until each has ended."""
    (home / "app.py").write_text(program(page), "utf-8")
    with Receiver() as receiver, SimulatedClaude(default=ANSWER) as claude:
        claude.will(RateLimited(retry_after=0.01))
        hosts = {"ANTHROPIC_BASE_URL": claude.base_url}
        shown = variables(page, blocks, keys, home)
        exported = {name: _HOST.sub(hosts.get(name, receiver.endpoint), value) for name, value in shown.items()}
        sent = {found[0] for name, value in shown.items() if name not in hosts and (found := _HOST.match(value))}
        written = [shell(each, home, {**exported, **QUICKLY}) for each in (command(page), *more)]
        payloads = list(receiver.payloads)
        receiver.payloads[:] = map(_unpacked, payloads)
        return Arrived(payloads, receiver, claude.requests[1:], "".join(written), sent)


def _unpacked(payload: Payload) -> Payload:
    packed = {name.lower(): value for name, value in payload.headers.items()}.get("content-encoding") == "gzip"
    body = gzip.decompress(payload.body) if packed else payload.body
    return payload._replace(path="/v1/" + payload.path.rpartition("/v1/")[2], body=body)
