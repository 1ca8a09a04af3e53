"""A Prometheus of the test's own on the loopback interface, which scrapes one target."""

import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

SCRAPE_MS = 500
"""As long as a scrape may take, as well. On a busy machine a fifth of a second is too short for one."""
JOB = "claude"
"""What Prometheus calls the target, and alerts and dashboards take for the service."""
_LONGEST_WAIT_S = 60

Series = tuple[dict[str, str], float]


class PrometheusServer:
    """Keeps its data in `folder`. `port` is that of the target."""

    def __init__(self, folder: Path, port: int) -> None:
        program = shutil.which("prometheus")
        if program is None:
            if os.environ.get("CI"):
                pytest.fail("Prometheus is not installed: apt-get install prometheus")
            pytest.skip("Prometheus is not installed")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{free.getsockname()[1]}"
        scraped = {"job_name": JOB, "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}
        interval = {"scrape_interval": f"{SCRAPE_MS}ms", "scrape_timeout": f"{SCRAPE_MS}ms"}
        config = folder / "prometheus.yml"
        # JSON is YAML.
        config.write_text(json.dumps({"global": interval, "scrape_configs": [scraped]}), "utf-8")
        self._log = (folder / "log").open("wb")
        self._process = subprocess.Popen(
            [
                program,
                f"--config.file={config}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={self.url.removeprefix('http://')}",
            ],
            stdout=self._log,
            stderr=self._log,
        )
        self.until(f'up{{job="{JOB}"}} == 1')

    def query(self, query: str, at: float | None = None) -> list[Series]:
        """What the query gives now, or `at` a time. Raises `HTTPError` where Prometheus does not accept it."""
        asked = {"query": query} if at is None else {"query": query, "time": f"{at:.3f}"}
        with urlopen(f"{self.url}/api/v1/query?{urlencode(asked)}", timeout=10) as answer:  # noqa: S310  # the server above
            result: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return [(each["metric"], float(each["value"][1])) for each in result]

    def until(self, query: str) -> list[Series]:
        """What the query gives, as soon as it gives something."""
        end = time.monotonic() + _LONGEST_WAIT_S
        while time.monotonic() < end:
            try:
                if found := self.query(query):
                    return found
            except URLError:
                if self._process.poll() is not None:
                    break
            time.sleep(0.05)
        pytest.fail(f"Prometheus has nothing for {query}")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._log.close()
