"""The resources of the simulated API, and the response of each when nothing goes wrong.

Routes are matched by how a path ends, as every platform and proxy has a prefix of its own.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar, cast
from urllib.parse import unquote

from otel_claude.testing import batches, completions, files, messages, tokens, wire
from otel_claude.testing.batches import Batch
from otel_claude.testing.errors import BadRequest, ErrorResponse, NotFound
from otel_claude.testing.exchange import Json, Request, Response, chunked_response, json_response
from otel_claude.testing.messages import Answer, Ids
from otel_claude.testing.models import MODELS, model_name

_STREAMS = {"streamRawPredict", "invoke-with-response-stream"}
_PAGE = 20
Stored = TypeVar("Stored")


class RefusedError(Exception):
    """The API answers the request with `error`."""

    def __init__(self, error: ErrorResponse) -> None:
        super().__init__(error.message)
        self.error = error


class State:
    """What the simulated API remembers: the ids that it gave out, the batches, the files."""

    def __init__(self) -> None:
        self.ids = Ids()
        self.batches: dict[str, batches.Running] = {}
        self.files: dict[str, files.File] = {}


class Visit(NamedTuple):
    """A request at its route: the named parts of its path, and what was queued for it."""

    request: Request
    path: Mapping[str, Any]
    queued: object
    state: State

    @property
    def document(self) -> Mapping[str, Any]:
        """The JSON object that the request brings."""
        document = self.request.json
        if not isinstance(document, dict):
            raise RefusedError(BadRequest("The request body is not valid JSON"))
        return cast("dict[str, Any]", document)

    @property
    def answer(self) -> Answer:
        """The queued answer, or a plain one."""
        return self.queued if isinstance(self.queued, Answer) else Answer()

    @property
    def model(self) -> str:
        """The model that the path or the body asks for."""
        model = self.path.get("model") or self.document.get("model")
        if not isinstance(model, str):
            raise RefusedError(BadRequest("model: Field required"))
        return model_name(unquote(model))

    @property
    def stream(self) -> bool:
        """Whether the path or the body asks for a stream."""
        return self.path.get("how") in _STREAMS or self.document.get("stream") is True


class Route(NamedTuple):
    """A resource of the API. `takes` is the kind of outcome that waits in the queue for this route."""

    method: str
    path: re.Pattern[str]
    respond: Callable[[Visit], Response]
    takes: type[Answer | Batch] | None = None
    platform: wire.Platform = wire.ANTHROPIC


def find(request: Request) -> tuple[Route, Mapping[str, Any]]:
    """The route of `request`, and the named parts of its path."""
    for route in ROUTES:
        match = route.path.search(request.path)
        if match and route.method == request.method:
            return route, match.groupdict()
    return _NOWHERE, {}


def _message(visit: Visit, platform: wire.Platform) -> Response:
    answer = visit.answer
    message = answer.message(visit.state.ids, visit.model, visit.document)
    if visit.stream:
        events = messages.events(message, answer.first_usage)
        return chunked_response(map(platform.event, events), platform.media_type)
    return json_response(message)


def _completion(visit: Visit) -> Response:
    completion = completions.completion(visit.answer, visit.state.ids, visit.model)
    if visit.stream:
        events = map(wire.ANTHROPIC.event, completions.events(completion))
        return chunked_response(events, wire.ANTHROPIC.media_type)
    return json_response(completion)


def _count_tokens(visit: Visit) -> Response:
    return json_response({"input_tokens": tokens.prompt_tokens(visit.document)})


def _batch_create(visit: Visit) -> Response:
    batch = visit.queued if isinstance(visit.queued, Batch) else Batch()
    url = f"http://{visit.request.headers['host']}{visit.request.path}"
    running = batches.create(batch, visit.document["requests"], visit.state.ids, url)
    visit.state.batches[running.id] = running
    return json_response(running.document())


def _batch_list(visit: Visit) -> Response:
    newest_first = list(visit.state.batches.values())[::-1]
    return _page([batch.document() for batch in newest_first], visit)


def _batch_retrieve(visit: Visit) -> Response:
    return json_response(_stored(visit.state.batches, visit).polled().document())


def _batch_cancel(visit: Visit) -> Response:
    return json_response(_stored(visit.state.batches, visit).cancel().document())


def _batch_delete(visit: Visit) -> Response:
    batch = _stored(visit.state.batches, visit)
    del visit.state.batches[batch.id]
    return json_response({"id": batch.id, "type": "message_batch_deleted"})


def _batch_results(visit: Visit) -> Response:
    batch = _stored(visit.state.batches, visit)
    if batch.ended is None:
        raise RefusedError(NotFound())
    return chunked_response(batch.lines(), "application/x-jsonl")


def _file_upload(visit: Visit) -> Response:
    file = files.uploaded(visit.request, visit.state.ids)
    if file is None:
        raise RefusedError(BadRequest("file: Field required"))
    visit.state.files[file.id] = file
    return json_response(file.document())


def _file_list(visit: Visit) -> Response:
    newest_first = list(visit.state.files.values())[::-1]
    return _page([file.document() for file in newest_first], visit)


def _file_metadata(visit: Visit) -> Response:
    return json_response(_stored(visit.state.files, visit).document())


def _file_content(visit: Visit) -> Response:
    file = _stored(visit.state.files, visit)
    return Response(200, {"content-type": file.media_type}, [file.content])


def _file_delete(visit: Visit) -> Response:
    file = _stored(visit.state.files, visit)
    del visit.state.files[file.id]
    return json_response({"id": file.id, "type": "file_deleted"})


def _model_list(visit: Visit) -> Response:
    return _page(list(MODELS.values()), visit)


def _model_retrieve(visit: Visit) -> Response:
    model = visit.path["id"]
    if model not in MODELS:
        raise RefusedError(NotFound(f"model: {model}"))
    return json_response(MODELS[model])


def _nothing(_visit: Visit) -> Response:
    raise RefusedError(NotFound())


def _stored(store: Mapping[str, Stored], visit: Visit) -> Stored:
    if visit.path["id"] not in store:
        raise RefusedError(NotFound())
    return store[visit.path["id"]]


def _page(items: Sequence[Json], visit: Visit) -> Response:
    """The page of `items` that the query asks for.

    https://platform.claude.com/docs/en/api/models/list
    """
    query = visit.request.query
    ids = [item["id"] for item in items]
    limit = int(query.get("limit", _PAGE))
    if "before_id" in query:
        end = ids.index(query["before_id"])
        start, more = max(0, end - limit), end > limit
    else:
        start = ids.index(query["after_id"]) + 1 if "after_id" in query else 0
        end, more = start + limit, start + limit < len(ids)
    page = items[start:end]
    first, last = (page[0]["id"], page[-1]["id"]) if page else (None, None)
    return json_response({"data": page, "has_more": more, "first_id": first, "last_id": last})


def _path(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.replace("{id}", "(?P<id>[^/]+)") + "$")


_VERTEX = r"/publishers/anthropic/models/"
_message_of_anthropic = partial(_message, platform=wire.ANTHROPIC)
_message_of_bedrock = partial(_message, platform=wire.BEDROCK)

ROUTES: Sequence[Route] = (
    Route("POST", _path("/v1/messages"), _message_of_anthropic, Answer),
    Route("POST", _path("/v1/complete"), _completion, Answer),
    Route("POST", _path("/v1/messages/count_tokens"), _count_tokens),
    Route("POST", _path(_VERTEX + "count-tokens:rawPredict"), _count_tokens),
    Route(
        "POST",
        _path(_VERTEX + "(?P<model>[^/:]+):(?P<how>rawPredict|streamRawPredict)"),
        _message_of_anthropic,
        Answer,
    ),
    Route(
        "POST",
        _path("/model/(?P<model>[^/]+)/(?P<how>invoke|invoke-with-response-stream)"),
        _message_of_bedrock,
        Answer,
        wire.BEDROCK,
    ),
    Route("POST", _path("/v1/messages/batches"), _batch_create, Batch),
    Route("GET", _path("/v1/messages/batches"), _batch_list),
    Route("GET", _path("/v1/messages/batches/{id}"), _batch_retrieve),
    Route("GET", _path("/v1/messages/batches/{id}/results"), _batch_results),
    Route("POST", _path("/v1/messages/batches/{id}/cancel"), _batch_cancel),
    Route("DELETE", _path("/v1/messages/batches/{id}"), _batch_delete),
    Route("POST", _path("/v1/files"), _file_upload),
    Route("GET", _path("/v1/files"), _file_list),
    Route("GET", _path("/v1/files/{id}"), _file_metadata),
    Route("GET", _path("/v1/files/{id}/content"), _file_content),
    Route("DELETE", _path("/v1/files/{id}"), _file_delete),
    Route("GET", _path("/v1/models"), _model_list),
    Route("GET", _path("/v1/models/{id}"), _model_retrieve),
)
_NOWHERE = Route("", _path(""), _nothing)
