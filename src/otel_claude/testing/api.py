"""The simulated API without its server: a `Request` goes in, a `Response` comes out.

The *queue* holds what is to come of the next requests. Each request takes the first outcome of the queue if
that can be an outcome of it, else it gets what is usual for its route: an `Answer` waits for a model call, a
`Batch` for the creation of one, and everything else comes of any request. Requests without a valid key are
refused before that.
"""

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from otel_claude.testing import routes, wire
from otel_claude.testing.batches import Batch
from otel_claude.testing.errors import ServerError, Unauthorized
from otel_claude.testing.exchange import Headers, Request, Response
from otel_claude.testing.faults import Outcome
from otel_claude.testing.messages import Answer, Call
from otel_claude.testing.routes import Route

Default = Outcome | Callable[[Request], Outcome]
_LIMITS = {"requests": 4000, "tokens": 480_000, "input-tokens": 400_000, "output-tokens": 80_000}
_INVALID_KEY = "sk-ant-invalid"


class Api:
    """The simulated API. `default` is what comes of a model call for which nothing is queued."""

    def __init__(self, default: Default) -> None:
        self.default = default
        self.queue: deque[Outcome] = deque()
        self.requests: list[Request] = []
        self.state = routes.State()

    def respond(self, request: Request) -> Response:
        """The response to `request`. Requests come here one after the other."""
        self.requests.append(request)
        route, path = routes.find(request)
        visit = routes.Visit(request, path, None, self.state)
        request_id = self.state.ids.new("req")
        call = Call(
            lambda queued: _under(route.respond(visit._replace(queued=queued)), _headers(route, request_id)),
            lambda error: _under(
                route.platform.failed(error, request_id),
                _headers(route, request_id, known=error["type"] != "authentication_error"),
            ),
            route.platform.error_event,
        )
        if _unauthorized(request):
            return Unauthorized().respond(call)
        try:
            return self._outcome(route, request).respond(call)
        except routes.RefusedError as refused:
            return refused.error.respond(call)
        except Exception as error:
            return ServerError(f"The simulated API failed: {error!r}").respond(call)

    def _outcome(self, route: Route, request: Request) -> Outcome:
        if self.queue and _can_come_of(route, self.queue[0]):
            return self.queue.popleft()
        if route.takes is not Answer:
            return Answer()
        return self.default(request) if callable(self.default) else self.default


def _can_come_of(route: Route, outcome: Outcome) -> bool:
    return type(outcome) is route.takes or not isinstance(outcome, Answer | Batch)


def _unauthorized(request: Request) -> bool:
    key = request.headers.get("x-api-key") or request.headers.get("authorization", "")
    return not key or key.removeprefix("Bearer ").startswith(_INVALID_KEY)


def _headers(route: Route, request_id: str, *, known: bool = True) -> Headers:
    """The headers that the API adds to its responses.

    The organization's name and limits are told if it is `known` who asks, limits by model calls only.
    """
    if route.platform is wire.BEDROCK:
        return {"x-amzn-requestid": request_id}
    if not known:
        return {"request-id": request_id}
    identity = {"request-id": request_id, "anthropic-organization-id": "org-simulated"}
    if route.takes is not Answer:
        return identity
    reset = (datetime.now(UTC) + timedelta(seconds=60)).strftime("%Y-%m-%dT%H:%M:%SZ")
    limits: dict[str, str] = {}
    for name, limit in _LIMITS.items():
        limits[f"anthropic-ratelimit-{name}-limit"] = str(limit)
        limits[f"anthropic-ratelimit-{name}-remaining"] = str(limit - 1 if name == "requests" else limit)
        limits[f"anthropic-ratelimit-{name}-reset"] = reset
    return identity | limits


def _under(response: Response, headers: Headers) -> Response:
    """`response`, its own headers over `headers`."""
    return response.with_headers({**headers, **response.headers})
