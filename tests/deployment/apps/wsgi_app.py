"""A web application of WSGI: `/work` does a piece of work, and any other path says that it is ready."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from work import work


def app(environ: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], Any]) -> Iterable[bytes]:
    status, said = "200 OK", str(os.getpid())
    if environ["PATH_INFO"] == "/work":
        try:
            work()
        except Exception as error:
            status, said = "500 Internal Server Error", f"{type(error).__name__} {os.getpid()}"
    start_response(status, [("content-type", "text/plain"), ("connection", "close")])
    return [said.encode()]
