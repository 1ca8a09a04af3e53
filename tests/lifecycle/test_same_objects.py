"""What the application holds and sees is the SDK's own, as without us."""

import asyncio
import copy
import inspect
import pickle
import warnings
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, cast

import anthropic
import pytest
from anthropic import Anthropic, AsyncStream, Stream
from anthropic._base_client import AsyncAPIClient, BaseClient, SyncAPIClient
from anthropic.lib.streaming import AsyncMessageStream, MessageStream
from anthropic.resources.messages.messages import DEPRECATED_MODELS
from anthropic.types import Message
from apps import HELLO, SDK_MAKES_SPANS, SwitchOn
from loopback import Loopback, http
from scenarios import REQUESTS, chain

from otel_claude.testing import BadRequest, Batch, Cut, ErrorEvent

decoders: Any = import_module("anthropic._decoders.jsonl")
AsyncJSONLDecoder, JSONLDecoder = decoders.AsyncJSONLDecoder, decoders.JSONLDecoder
DEPRECATED = next(iter(DEPRECATED_MODELS))
PATCHED: tuple[tuple[type, str], ...] = (
    (SyncAPIClient, "request"),
    (AsyncAPIClient, "request"),
    (BaseClient, "_build_request"),
    (SyncAPIClient, "_process_response"),
    (AsyncAPIClient, "_process_response"),
    (SyncAPIClient, "_sleep_for_retry"),
    (AsyncAPIClient, "_sleep_for_retry"),
    (BaseClient, "_calculate_retry_timeout"),
    (Stream, "__stream__"),
    (AsyncStream, "__stream__"),
    (JSONLDecoder, "__decode__"),
    (AsyncJSONLDecoder, "__decode__"),
)


def public_methods(client: Any) -> Iterator[tuple[str, Callable[..., Any]]]:
    holders = {
        "client": client,
        "messages": client.messages,
        "raw": client.messages.with_raw_response,
        "streaming": client.messages.with_streaming_response,
        "batches": client.messages.batches,
        "models": client.models,
        "beta.messages": client.beta.messages,
    }
    for holder_name, holder in holders.items():
        for name in dir(holder.__class__):
            if not name.startswith("_") and callable(getattr(holder, name, None)):
                yield f"{holder_name}.{name}", getattr(holder, name)


def looks(method: Any) -> Any:
    try:
        signature = str(inspect.signature(method))
    except (TypeError, ValueError):
        signature = None
    return (
        type(method),
        getattr(method, "__name__", None),
        getattr(method, "__qualname__", None),
        getattr(method, "__module__", None),
        getattr(method, "__doc__", None),
        signature,
        inspect.iscoroutinefunction(method),
        inspect.isfunction(method),
        inspect.ismethod(method),
    )


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_public_methods_look_as_before(switch_on: SwitchOn, kind: str):
    claude = Loopback()
    client = claude.connect() if kind == "sync" else claude.connect_async()
    request = {"client.request"}
    before = {name: looks(method) for name, method in public_methods(client)}
    switch_on()
    after = {name: looks(method) for name, method in public_methods(client)}

    assert {name for name in before if before[name] != after[name]} - request == set()
    # `request` is patched: all but the type of the object is as before.
    assert before["client.request"][1:-2] == after["client.request"][1:-2]
    assert callable(client.request)


@pytest.mark.parametrize(("owner", "name"), PATCHED, ids=lambda value: str(getattr(value, "__name__", value)))
def test_patched_functions_look_as_before(switch_on: SwitchOn, owner: type, name: str):
    def seen() -> Any:
        function = getattr(owner, name)
        return (
            function.__name__,
            function.__qualname__,
            function.__module__,
            function.__doc__,
            inspect.signature(function),
            inspect.iscoroutinefunction(function),
            inspect.isgeneratorfunction(function),
            inspect.isasyncgenfunction(function),
            inspect.getsource(function),
        )

    before = seen()
    switch_on()

    assert seen() == before


def test_types_of_what_is_returned(switch_on: SwitchOn):
    switch_on()
    claude = Loopback()
    with claude.connect() as client:
        messages = client.messages
        assert type(messages.create(**HELLO)) is Message
        with messages.create(**HELLO, stream=True) as stream:
            assert type(stream) is Stream
            assert isinstance(stream.response, http.Response)
            assert type(stream.response) is http.Response
        with messages.stream(**HELLO) as helper:
            assert type(helper) is MessageStream
            assert type(helper.response) is http.Response
        raw = messages.with_raw_response.create(**HELLO)
        assert type(raw.http_response) is http.Response
        with messages.with_streaming_response.create(**HELLO) as response:
            assert isinstance(response, anthropic.APIResponse)
            assert isinstance(response.http_response.stream, http.SyncByteStream)
        claude.will(Batch())
        batch = messages.batches.create(requests=REQUESTS)
        assert type(messages.batches.results(batch.id)) is JSONLDecoder
        assert isinstance(client, anthropic.Anthropic)


def test_types_of_what_is_returned_async(switch_on: SwitchOn):
    switch_on()

    async def main() -> None:
        claude = Loopback()
        async with claude.connect_async() as client:
            messages = client.messages
            assert type(await messages.create(**HELLO)) is Message
            async with await messages.create(**HELLO, stream=True) as stream:
                assert type(stream) is AsyncStream
            async with messages.stream(**HELLO) as helper:
                assert type(helper) is AsyncMessageStream
            async with messages.with_streaming_response.create(**HELLO) as response:
                assert isinstance(response, anthropic.AsyncAPIResponse)
                assert isinstance(response.http_response.stream, http.AsyncByteStream)
            claude.will(Batch())
            batch = await messages.batches.create(requests=REQUESTS)
            assert type(await messages.batches.results(batch.id)) is AsyncJSONLDecoder

    asyncio.run(main())


def test_a_call_of_an_async_client_is_a_plain_coroutine(switch_on: SwitchOn):
    switch_on()
    client = Loopback().connect_async()
    call = client.messages.create(**HELLO)

    assert inspect.iscoroutine(call)
    call.close()


def test_a_streams_iterator_is_a_generator(switch_on: SwitchOn):
    """The SDK's tool runner asks for the state of its generators."""
    switch_on()
    with Loopback().connect() as client:
        stream = client.messages.create(**HELLO, stream=True)
        assert inspect.isgenerator(stream._iterator)  # pyright: ignore[reportPrivateUsage]
        stream.close()


FAILURES = {
    "an error of the API": (BadRequest("no"), False),
    "an error event": (ErrorEvent("overloaded_error", after_events=3), True),
    "a cut": (Cut(after_events=3), True),
}


@pytest.mark.parametrize("name", FAILURES)
def test_exceptions_are_as_before(switch_on: SwitchOn, name: str):
    outcome, stream = FAILURES[name]

    def fail() -> BaseException:
        claude = Loopback()
        claude.will(outcome)
        with claude.connect(max_retries=0) as client, pytest.raises(Exception) as raised:  # noqa: PT011, PT012 - any
            answer: Any = client.messages.create(**HELLO, stream=stream)
            list(answer)
        return raised.value

    before = fail()
    switch_on()
    after = fail()

    assert chain(after) == chain(before)
    assert vars(after).keys() == vars(before).keys()
    assert getattr(after, "__notes__", None) is None


def test_the_applications_own_exception_passes_as_the_same_object(switch_on: SwitchOn):
    class Stop(BaseException):
        pass

    stop = Stop()

    def hook(request: Any) -> None:
        raise stop

    switch_on()
    client = Anthropic(
        base_url="http://simulated",
        api_key="sk-ant-simulated",
        http_client=http.Client(transport=Loopback(), event_hooks={"request": [hook]}),
    )
    with client, pytest.raises(Stop) as raised:
        client.messages.create(**HELLO)

    assert raised.value is stop
    assert stop.__cause__ is None
    assert stop.__context__ is None


def test_an_exception_in_the_applications_loop_is_not_touched(switch_on: SwitchOn):
    error = ValueError("of the application")

    def read() -> None:
        with Loopback().connect() as client:
            for _ in client.messages.create(**HELLO, stream=True):
                raise error

    switch_on()
    with pytest.raises(ValueError, match="of the application") as raised:
        read()

    assert raised.value is error
    assert error.__context__ is None


def test_a_call_within_an_except_block_does_not_change_the_exception(switch_on: SwitchOn):
    switch_on()
    first = ValueError("first")
    claude = Loopback()
    claude.will(BadRequest("no"))
    with claude.connect(max_retries=0) as client:
        try:
            raise first
        except ValueError:
            with pytest.raises(anthropic.BadRequestError) as raised:
                client.messages.create(**HELLO)

    links: list[BaseException] = []
    link: BaseException | None = raised.value
    while link is not None:
        links.append(link)
        link = link.__cause__ or link.__context__
    assert links[-1] is first


def warned(use: Callable[[], Any]) -> list[tuple[type, str, str, int]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        use()
    return [(each.category, str(each.message), each.filename, each.lineno) for each in caught]


@pytest.mark.parametrize("how", ["create", "stream", "with_raw_response", "beta"])
def test_the_warning_of_a_deprecated_model_points_to_the_caller(switch_on: SwitchOn, how: str):
    with Loopback().connect() as client:

        def use() -> None:
            arguments: Any = {**HELLO, "model": DEPRECATED}
            messages: Any = client.beta.messages if how == "beta" else client.messages
            if how == "stream":
                messages.stream(**arguments)
            elif how == "with_raw_response":
                messages.with_raw_response.create(**arguments)
            else:
                messages.create(**arguments)

        before = warned(use)
        switch_on()
        after = warned(use)

    assert after == before
    assert before
    assert before[0][0] is DeprecationWarning
    if how in ("create", "beta"):
        assert before[0][2] == __file__


def test_copies_of_clients_work_as_before(switch_on: SwitchOn):
    switch_on()
    with Loopback().connect() as client:
        client.messages.create(**HELLO)
        copies: tuple[Any, ...] = (
            client.copy(),
            client.with_options(max_retries=0),
            copy.copy(client),
        )
        for each in copies:
            assert each.__class__ is Anthropic
            assert each.messages.create(**HELLO).type == "message"


@pytest.mark.parametrize("use", [pickle.dumps, copy.deepcopy], ids=["pickle", "deepcopy"])
def test_what_cannot_be_copied_cannot_be_copied_for_the_same_reason(switch_on: SwitchOn, use: Any):
    client = Loopback().connect()

    def reason() -> Any:
        try:
            use(client)
        except Exception as error:
            return type(error), str(error)
        return None

    before = reason()
    switch_on()
    client.messages.create(**HELLO)

    assert reason() == before


def test_answers_can_be_pickled_and_copied(switch_on: SwitchOn):
    switch_on()
    with Loopback().connect() as client:
        message = client.messages.create(**HELLO)

    assert pickle.loads(pickle.dumps(message)) == message  # noqa: S301 - made here
    assert copy.deepcopy(message) == message


def test_nothing_is_left_in_clients_and_answers(switch_on: SwitchOn):
    def attributes() -> list[set[str]]:
        with Loopback().connect() as client:
            message = client.messages.create(**HELLO)
            stream = client.messages.create(**HELLO, stream=True)
            events = list(stream)
        kept: tuple[Any, ...] = (client, client.messages, message, stream, events[0])
        return [set(cast("dict[str, object]", value.__dict__)) for value in kept]

    before = attributes()
    switch_on()

    assert attributes() == before


@pytest.mark.skipif(not SDK_MAKES_SPANS, reason="the SDK makes no spans")
def test_the_clients_tracer_looks_like_the_sdks(switch_on: SwitchOn):
    client: Any = Loopback().connect()
    before = client._tracer
    doc = BaseClient._tracer.__doc__  # pyright: ignore[reportPrivateUsage, reportFunctionMemberAccess]
    switch_on()

    assert isinstance(client._tracer, type(before))
    assert BaseClient._tracer.__doc__ == doc  # pyright: ignore[reportPrivateUsage, reportFunctionMemberAccess]


def test_the_options_of_a_request_are_not_changed(switch_on: SwitchOn):
    arguments: dict[str, Any] = copy.deepcopy({**HELLO, "extra_body": {"a": 1}, "extra_headers": {"x-app": "1"}})
    before = copy.deepcopy(arguments)
    switch_on(content="SPAN_AND_EVENT")
    claude = Loopback()
    with claude.connect() as client:
        client.messages.create(**arguments)

    assert arguments == before
    (request,) = claude.requests
    assert request.json == {**HELLO, "a": 1}


def test_requests_are_as_before_but_for_traceparent(switch_on: SwitchOn):
    def sent() -> list[Any]:
        claude = Loopback()
        claude.will(BadRequest("no"))
        with claude.connect() as client:
            with pytest.raises(anthropic.BadRequestError):
                client.messages.create(**HELLO)
            client.messages.create(**HELLO, stream=True).close()
            client.models.list()
        # Each call has an idempotency key of its own on some versions, which is random.
        own = {"traceparent", "tracestate", "baggage", "idempotency-key"}
        return [
            (each.method, each.path, each.query, each.body, {k: v for k, v in each.headers.items() if k not in own})
            for each in claude.requests
        ]

    before = sent()
    switch_on()

    assert sent() == before
