"""A Redis of the test's own on the loopback interface, which can be killed and started again."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest


class RedisServer:
    """Keeps its data in `folder`, as a file that each command is appended to before it is answered."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("redis-server") or shutil.which("valkey-server")
        if program is None:
            if os.environ.get("CI"):
                pytest.fail("redis-server is not installed: apt-get install redis-server")
            pytest.skip("redis-server is not installed")
        self._folder = folder
        self._program = program
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        arguments = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder)]
        arguments += ["--appendonly", "yes", "--appendfsync", "always", "--save", "", "--daemonize", "no"]
        self._process = subprocess.Popen([self._program, *arguments], stdout=subprocess.DEVNULL)
        for _ in range(500):
            with socket.socket() as knock:
                if knock.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        pytest.fail("redis-server does not start")

    def kill(self, *, lose: bool = False) -> None:
        """At once, as when the machine is switched off. With `lose`, its data is gone as well."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        if lose:
            shutil.rmtree(self._folder / "appendonlydir", ignore_errors=True)
