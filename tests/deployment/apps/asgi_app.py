"""A web application of ASGI: `/work` does a piece of work, and any other path says that it is ready.

With `CLOSES` in the environment it leaves nothing behind when it is told that it ends.
"""

import asyncio
import os
from typing import Any

from anthropic import AsyncAnthropic
from closing import close
from work import work_async

client = AsyncAnthropic(max_retries=0)


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await (_lifespan(receive, send) if scope["type"] == "lifespan" else _answer(scope["path"], send))


async def _lifespan(receive: Any, send: Any) -> None:
    while (await receive())["type"] == "lifespan.startup":
        await send({"type": "lifespan.startup.complete"})
    if "CLOSES" in os.environ:
        await asyncio.to_thread(close)
    await send({"type": "lifespan.shutdown.complete"})


async def _answer(path: str, send: Any) -> None:
    status, said = 200, str(os.getpid())
    if path == "/work":
        try:
            await work_async(client)
        except Exception as error:
            status, said = 500, f"{type(error).__name__} {os.getpid()}"
    headers = [(b"content-type", b"text/plain"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": said.encode()})
