"""What receivers answer, which exporters look at only in part.

In: the HTTP library and the stubs of gRPC that exporters use, which are watched while a probe is on its way. Out: the
status of each answer, what it says, and how much of it was rejected; and why no answer came, which exporters leave out
when their time is over. OTLP's partial success: "accepted, but for these".
https://opentelemetry.io/docs/specs/otlp/#partial-success-1
"""

import functools
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from typing import Any, NamedTuple

from otel_claude.doctor.signals import LOGS, METRICS, SIGNALS, TRACES, Signal

MOST_SAID, MOST_READ = 200, 10_000
"""How many characters of an answer are shown, and how many bytes of it are looked at."""

SERVICES: Mapping[Signal, tuple[str, str, str]] = {
    TRACES: ("trace", "Trace", "rejected_spans"),
    METRICS: ("metrics", "Metrics", "rejected_data_points"),
    LOGS: ("logs", "Logs", "rejected_log_records"),
}
"""The parts of names in OTLP's protobuf, and the field of what was rejected."""

HTTP_REDIRECTION, HTTP_ERROR = 300, 400


class Answer(NamedTuple):
    """An answer. `status` is a number of HTTP or a name of gRPC. `rejected` is how many were, of the one that was sent.

    `said` is as it came. A `page` is HTML, which no receiver of OTLP answers with, nor does one send exporters
    elsewhere. An answer of success is another one where it is not what OTLP has for that.
    """

    status: int | str
    said: str = ""
    rejected: int = 0
    is_page: bool = False
    is_redirected: bool = False
    is_other: bool = False


class Listening(NamedTuple):
    """What is being sent in this context, what was answered so far, and what the HTTP library has raised instead."""

    signal: Signal
    answers: list[Answer]
    failures: list[str]


_listening: ContextVar[Listening | None] = ContextVar("otel_claude_doctor_answers", default=None)


def listen(signal: Signal) -> Listening:
    """What comes in the context of the caller from now on."""
    listening = Listening(signal, [], [])
    _listening.set(listening)
    return listening


@contextmanager
def watched() -> Generator[None]:
    """Watches answers for as long as it is entered, where the packages that send are installed."""
    watches = [(_session(), "send", _watched_send), *((stub, "__init__", _watched_stub) for stub in _stubs())]
    before: list[tuple[Any, str, Any]] = []
    try:
        for owner, name, watch in watches:
            if owner is not None:
                function = getattr(owner, name)
                before.append((owner, name, function))
                setattr(owner, name, watch(function))
        yield
    finally:
        for owner, name, function in before:
            setattr(owner, name, function)


def _session() -> Any:
    try:
        return import_module("requests").Session
    except ImportError:
        return None


def _stubs() -> Iterator[Any]:
    for signal in SIGNALS:
        module, name, _ = SERVICES[signal]
        try:
            import_module("grpc")
            yield getattr(_proto(module, "_service_pb2_grpc"), f"{name}ServiceStub")
        except ImportError:
            return


def _proto(module: str, kind: str) -> Any:
    return import_module(f"opentelemetry.proto.collector.{module}.v1.{module}{kind}")


def _watched_send(send: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(send)
    def watching(*args: Any, **kwargs: Any) -> Any:
        listening = _listening.get()
        try:
            response = send(*args, **kwargs)
        except Exception as error:
            if listening is not None:
                listening.failures.append(str(error))
            raise
        if listening is not None:
            listening.answers.append(answer_of_http(listening.signal, response))
        return response

    return watching


def _watched_stub(make: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(make)
    def watching(stub: Any, *args: Any, **kwargs: Any) -> None:
        make(stub, *args, **kwargs)
        stub.Export = _watched_export(stub.Export)

    return watching


def _watched_export(export: Callable[..., Any]) -> Callable[..., Any]:
    def watching(*args: Any, **kwargs: Any) -> Any:
        listening = _listening.get()
        try:
            response = export(*args, **kwargs)
        except Exception as error:
            code: Any = getattr(error, "code", None)
            if listening is not None and callable(code):
                failure: Any = error
                listening.answers.append(Answer(failure.code().name, str(failure.details() or "")))
            raise
        if listening is not None:
            listening.answers.append(_accepted("OK", listening.signal, response))
        return response

    return watching


def answer_of_http(signal: Signal, response: Any) -> Answer:
    """The answer that a response of the HTTP library `requests` is."""
    status: int = response.status_code
    if response.history or HTTP_REDIRECTION <= status < HTTP_ERROR:
        return Answer(status, is_redirected=True)
    kind = str(response.headers.get("content-type", "")).partition(";")[0].strip().lower()
    if kind == "text/html":
        return Answer(status, is_page=True)
    body: bytes = response.content
    text = body[:MOST_READ].decode("utf-8", "replace")
    try:
        if kind == "application/x-protobuf":
            if status >= HTTP_ERROR:
                return Answer(status, import_module("google.rpc.status_pb2").Status.FromString(body).message)
            return _accepted(status, signal, _response(signal).FromString(body))
        if kind == "application/json" and status < HTTP_ERROR:
            parse = import_module("google.protobuf.json_format").Parse
            return _accepted(status, signal, parse(body or b"{}", _response(signal)()))
    except Exception:  # noqa: S110  # what cannot be read as what it says it is is shown as text
        pass
    return Answer(status, text, is_other=bool(body) and status < HTTP_ERROR)


def _response(signal: Signal) -> Any:
    module, name, _ = SERVICES[signal]
    return getattr(_proto(module, "_service_pb2"), f"Export{name}ServiceResponse")


def _accepted(status: int | str, signal: Signal, response: Any) -> Answer:
    partial = response.partial_success
    return Answer(status, partial.error_message, getattr(partial, SERVICES[signal][2]))


def short(text: str) -> str:
    """The beginning of a text, on one line."""
    line = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return line if len(line) <= MOST_SAID else f"{line[:MOST_SAID]}…"
