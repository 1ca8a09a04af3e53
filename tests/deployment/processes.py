"""Processes of a deployment: started as one would type it, asked over HTTP, and ended as a supervisor ends them."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError

from servers import HOST, read

START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 30
POLL_S = 0.1


class DeploymentFailed(Exception):
    """A process does not start, or does not end. The message has what it wrote last."""


class Service:
    """A process with its children, which is asked at a port of the loopback interface."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path, port: int) -> None:
        self._process = process
        self._output = output
        self._port = port

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._port}"

    def get(self, path: str) -> str:
        """What it answers, whatever the status; once it does, where it restarts.

        Raises:
            DeploymentFailed: it does not.
        """
        said = ""

        def answers() -> bool:
            nonlocal said
            try:
                said = read(self.url + path).decode()
            except HTTPError as error:
                said = error.read().decode()
            except (OSError, HTTPException):
                return False
            return True

        self.until(answers, f"it does not answer {path}")
        return said

    def until(self, holds: Callable[[], bool], complaint: str) -> None:
        """Waits until something holds.

        Raises:
            DeploymentFailed: it does not for a long time, or the process has ended.
        """
        end = time.monotonic() + START_TIMEOUT_S
        while not holds():
            if time.monotonic() > end or self._process.poll() is not None:
                raise DeploymentFailed(f"{complaint}:\n{self.written}")
            time.sleep(POLL_S)

    def send(self, signal_number: int) -> None:
        """Sends a signal to the process, and not to its children."""
        self._process.send_signal(signal_number)

    def end(self, signal_number: int = signal.SIGTERM) -> int:
        """Ends it with a signal, and returns its status when it has ended.

        Raises:
            DeploymentFailed: it does not end.
        """
        self.send(signal_number)
        return self.ended()

    def ended(self) -> int:
        """Its status, when it has ended.

        Raises:
            DeploymentFailed: it does not end.
        """
        try:
            return self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired as error:
            raise DeploymentFailed(f"it does not end:\n{self.written}") from error

    @property
    def written(self) -> str:
        """The last lines that it wrote."""
        return "\n".join(self._output.read_text("utf-8", "replace").splitlines()[-30:])


def otherwise(status: int, written: str, expected: int = 0) -> list[str]:
    """A sentence if a process has ended with another status than it should, with what it wrote."""
    return [] if status == expected else [f"it ended with {status}, not {expected}:\n{written}"]


@contextmanager
def service(
    command: Sequence[str | Path], environment: Mapping[str, str], home: Path, port: int = 0
) -> Generator[Service]:
    """Runs a process in a folder. What is left of it at the end of the block is killed, its children too."""
    output = home / "output"
    with (
        output.open("wb") as written,
        subprocess.Popen(
            command, env=environment, cwd=home, stdout=written, stderr=subprocess.STDOUT, start_new_session=True
        ) as process,
    ):
        try:
            yield Service(process, output, port)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
