"""What the record of a call means: how it failed, what it cost, and how large the window was.

In: a record, whether the call has ended or the SDK only ends its own span. Out: `Known`. Pure but for the price list,
and no method raises: what cannot be found out is left out.
"""

from http import HTTPStatus
from typing import NamedTuple

from otel_claude.call import Call
from otel_claude.diagnosis.answers import no_message
from otel_claude.failsafe import guarded
from otel_claude.outcome import Failure, describe, request_behind
from otel_claude.pricing import Cost, Prices, together
from otel_claude.rate_limits import exhausted, retry_after
from otel_claude.usage import Usage
from otel_claude.values import fields, number, whole


class Known(NamedTuple):
    """What is known of a call. `window` is the context window of its model, in tokens.

    `hint` says what to do about an answer that is no message, and that nobody calls a failure.
    """

    failure: Failure | None
    cost: Cost | None
    window: int | None
    hint: str | None = None


TIMEOUTS = {"ConnectTimeout": "connect", "PoolTimeout": "pool", "WriteTimeout": "write"}
"""The entries of the HTTP library's timeout: https://www.python-httpx.org/advanced/timeouts/. All others are `read`."""


def _said(failure: Failure, cause: BaseException | None, status: int | None) -> str | None:
    """What is read of a failure, and not repeated: what the HTTP library says, else what the exception does.

    Nothing is blanked in it: a key such as `token` is in words that tell what went wrong. After an answer has come, an
    exception that may quote it is not read.
    """
    if cause is not None:
        return f"{type(cause).__name__}: {cause}"
    return None if status is not None and failure.message is None else str(failure.exception)


def _waited_s(call: Call, failure: Failure, cause: BaseException | None) -> float | None:
    """The timeout that has run out, in seconds."""
    entry = TIMEOUTS.get(type(cause).__name__)
    if entry is None:
        return call.timeout_s
    timeouts = fields(getattr(request_behind(failure.exception), "extensions", None)).get("timeout")
    return number(fields(timeouts).get(entry))


class Knowledge:
    """Finds out with the prices of `prices`."""

    def __init__(self, prices: Prices) -> None:
        self._prices = prices

    def of(self, call: Call, error: BaseException | None) -> Known:
        """What is known of a call that ends with `error`, or with none."""
        hint = None if error is not None else self._hint(call)
        return Known(self._failure(call, error), self._cost(call), self._window(call), hint)

    @guarded(None)
    def price(self, call: Call, model: str, usage: Usage) -> Cost | None:
        """What an answer of a model costs."""
        server = call.server
        return self._prices.cost(
            usage,
            model=model,
            platform=server.platform,
            location=server.location,
            long_context=call.request.long_context,
        )

    def window(self, call: Call, model: str) -> int | None:
        """The context window of an answer's model, in tokens."""
        return self._prices.context_window(model, call.server.platform, long_context=call.request.long_context)

    @guarded(None)
    def _failure(self, call: Call, error: BaseException | None) -> Failure | None:
        if error is None:
            return None
        in_stream = call.stream is not None and call.progress.handed_over
        failure = describe(error, in_stream=in_stream, secrets=call.secrets)
        return None if failure is None else self._diagnosed(call, failure) or failure

    @guarded(None)
    def _diagnosed(self, call: Call, failure: Failure) -> Failure:
        # Its table is not needed before something fails.
        from otel_claude.diagnosis.failures import Refused, diagnose

        response, body = call.response, call.request.body
        is_own = failure.type in ("timeout", "connection_error")
        cause = failure.exception.__cause__ if is_own or failure.category == "connection" else None
        # An earlier attempt may have had a response.
        status = None if is_own and not call.progress.handed_over else response.status_code
        found = diagnose(
            Refused(
                failure.type,
                status=status,
                message=_said(failure, cause, status),
                model=call.request.model,
                max_tokens=whole(body.get("max_tokens")),
                is_inference=call.endpoint.is_inference,
                retry_after_s=retry_after(response.headers),
                exhausted=exhausted(response.headers),
                timeout_s=_waited_s(call, failure, cause),
                has_tools=bool(body.get("tools")),
                sent_bytes=call.sent_bytes,
                platform=call.server.platform,
                headers=response.headers,
                known_models=self._prices.models,
            )
        )
        tokens, limit = found.numbers.get("tokens"), found.numbers.get("limit")
        return failure._replace(category=found.category, hint=found.hint, tokens=tokens, limit=limit)

    @guarded(None)
    def _hint(self, call: Call) -> str | None:
        response = call.response
        if response.model is not None or response.usage is not None or response.status_code != HTTPStatus.OK:
            return None
        # What the application has yet to read is no message yet.
        if call.progress.handed_over or call.request.stream or not call.endpoint.is_inference:
            return None
        return no_message(response.header(b"content-type"))

    @guarded(None)
    def _cost(self, call: Call) -> Cost | None:
        if call.response.usage is None or not call.endpoint.is_inference:
            return None
        total: Cost | None = None
        for answer in (*call.earlier, call.response):
            model = call.request.model if call.server.platform == "bedrock" else answer.model or call.request.model
            cost = None if model is None or answer.usage is None else self.price(call, model, answer.usage)
            if cost is None:
                return None
            total = cost if total is None else together(total, cost)
        return total

    @guarded(None)
    def _window(self, call: Call) -> int | None:
        model = call.response.model or call.request.model
        if call.response.usage is None or model is None or not call.endpoint.is_inference:
            return None
        return self.window(call, model)
