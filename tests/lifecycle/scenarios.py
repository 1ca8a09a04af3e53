"""A compact set of what applications do with the SDK, and what they see of it, as plain values to compare."""

import asyncio
from collections.abc import Callable
from typing import Any

from apps import HELLO, SDK_VERSION
from loopback import Loopback

from otel_claude.testing import (
    Answer,
    BadRequest,
    Batch,
    Cut,
    ErrorEvent,
    Overloaded,
    RateLimited,
    ToolUse,
)

Seen = list[Any]

REQUESTS: Any = [{"custom_id": f"request-{number}", "params": HELLO} for number in range(2)]


def shown(value: Any) -> Any:
    """What an application sees of a value: its exact type and what is in it."""
    dumped = value.to_dict() if hasattr(value, "to_dict") else value
    request_id = getattr(value, "_request_id", None)
    return type(value), dumped, request_id


def chain(error: BaseException | None) -> Any:
    """An exception with those that led to it."""
    if error is None:
        return None
    return (
        type(error),
        str(error),
        len(error.args),
        getattr(error, "status_code", None),
        getattr(error, "body", None),
        error.__suppress_context__,
        chain(error.__cause__),
        chain(error.__context__),
    )


def caught(use: Callable[[], Any]) -> Any:
    try:
        return "returned", shown(use())
    except Exception as error:
        return "raised", chain(error)


def sync_scenarios(claude: Loopback) -> Seen:
    seen: Seen = []
    with claude.connect() as client:
        messages = client.messages
        seen.append(caught(lambda: messages.create(**HELLO)))

        stream = messages.create(**HELLO, stream=True)
        seen.append((type(stream), [shown(event) for event in stream]))

        claude.will(Answer("Let me see", tool_uses=[ToolUse("add", {"one": 1})]))
        with messages.stream(**HELLO) as helper:
            seen.append((type(helper), list(helper.text_stream), shown(helper.get_final_message()), helper.request_id))

        raw = messages.with_raw_response.create(**HELLO)
        seen.append((type(raw), raw.status_code, raw.request_id, shown(raw.parse())))

        with messages.with_streaming_response.create(**HELLO, stream=True) as response:
            seen.append((type(response), b"".join(response.iter_bytes())))
        with messages.with_streaming_response.create(**HELLO) as response:
            seen.append(shown(response.parse()))

        claude.will(RateLimited(retry_after=0.001), Overloaded(retry_after=0.001))
        seen.append(caught(lambda: messages.create(**HELLO)))

        claude.will(BadRequest("max_tokens: must be positive"))
        seen.append(caught(lambda: messages.create(**HELLO)))

        claude.will(ErrorEvent("overloaded_error", after_events=3))
        seen.append(caught(lambda: [shown(event) for event in messages.create(**HELLO, stream=True)]))

        claude.will(Cut(after_events=3))
        seen.append(caught(lambda: [shown(event) for event in messages.create(**HELLO, stream=True)])[:1])

        with messages.create(**HELLO, stream=True) as left:
            seen.append(shown(next(left)))
        dropped = messages.create(**HELLO, stream=True)
        seen.append(type(dropped))
        del dropped

        claude.will(Batch(results=[Answer("one"), "expired"]))
        batch = messages.batches.create(requests=REQUESTS)
        seen.append(batch.request_counts.to_dict())
        results = messages.batches.results(batch.id)
        seen.append((type(results), [shown(result) for result in results]))

        seen.append(caught(lambda: messages.count_tokens(model=HELLO["model"], messages=HELLO["messages"])))
        seen.append([model.id for model in client.models.list()])
        if SDK_VERSION >= (0, 52):
            file = client.beta.files.upload(file=("a.txt", b"abc", "text/plain"))
            seen.append((type(file), file.size_bytes, client.beta.files.download(file.id).read()))
    return seen


async def _async_scenarios(claude: Loopback) -> Seen:
    seen: Seen = []
    async with claude.connect_async() as client:
        messages = client.messages
        seen.append(shown(await messages.create(**HELLO)))

        stream = await messages.create(**HELLO, stream=True)
        seen.append((type(stream), [shown(event) async for event in stream]))

        async with messages.stream(**HELLO) as helper:
            seen.append((type(helper), shown(await helper.get_final_message())))

        async with messages.with_streaming_response.create(**HELLO, stream=True) as response:
            seen.append((type(response), b"".join([data async for data in response.iter_bytes()])))

        claude.will(RateLimited(retry_after=0.001))
        seen.append(shown(await messages.create(**HELLO)))

        claude.will(BadRequest("no"))
        try:
            await messages.create(**HELLO)
        except Exception as error:
            seen.append(chain(error))

        async with await messages.create(**HELLO, stream=True) as left:
            seen.append(shown(await anext(left)))
    return seen


def async_scenarios(claude: Loopback) -> Seen:
    return asyncio.run(_async_scenarios(claude))


def all_scenarios() -> Seen:
    """What an application sees of all of it, from a simulated API that has just been started."""
    claude = Loopback()
    return [*sync_scenarios(claude), *async_scenarios(claude)]
