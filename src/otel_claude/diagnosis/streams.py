"""What probably broke a stream, in one sentence for whoever is on call.

In: the exception and what it means, and how long nothing had come and all had lasted when it broke. Out: the cause and
what to do about it. Pure.

The API says why it ends a stream, and the client's HTTP library that it was the one who gave up. Proxies say nothing:
they close the connection. But they do so by the clock, and most run with the default of their kind, so that the time
gives them away. The API sends pings while a model is silent, so a silence that ends a stream is rarely the model's.
https://platform.claude.com/docs/en/build-with-claude/streaming#ping-events
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from otel_claude.diagnosis.codes import TYPES, Category, category_of
from otel_claude.values import is_object

TOLERANCE_S = 1.0
"""How far from a limit a time may be: the limits are whole seconds, and what is added is the way to the proxy."""

AWAY_S = 1.0
"""How long nobody may have read before the times say nothing of the connection, in seconds: it may have ended then."""

MOST_NAME = 64
"""The most of an error's name that is quoted, in characters."""

MOST_LINKS = 10
"""How many exceptions of a chain are looked at."""


class Limit(NamedTuple):
    """After how many seconds `who` gives up, unless it is told otherwise, and what to do about it."""

    after_s: float
    who: str
    advice: str = "raise it there"


SILENCES: tuple[Limit, ...] = (
    # https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesOrigin.html
    # https://gcore.com/docs/cdn/getting-started/cdn-timeouts
    Limit(30, "CloudFront (origin response timeout) and other CDNs"),
    # https://sources.debian.org/src/haproxy/sid/debian/haproxy.cfg/
    Limit(50, "HAProxy on Debian and Ubuntu (timeout server)"),
    # https://devcenter.heroku.com/articles/http-routing#timeouts
    Limit(55, "Heroku's router", "it is fixed, so let the API's pings through"),
    # https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_read_timeout
    # https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html
    # https://docs.redhat.com/en/documentation/red_hat_enterprise_linux/7/html/load_balancer_administration/s1-haproxy-setup-defaults
    Limit(60, "nginx (proxy_read_timeout), AWS ALB (idle timeout), HAProxy (timeout server)"),
    # https://developers.cloudflare.com/fundamentals/reference/connection-limits/ says 120, and used to say 100.
    Limit(100, "Cloudflare (proxy read timeout)", "raise it, or let the API's pings through"),
    Limit(120, "Cloudflare (proxy read timeout)", "raise it, or let the API's pings through"),
    # https://learn.microsoft.com/azure/load-balancer/load-balancer-tcp-reset
    # https://learn.microsoft.com/azure/nat-gateway/nat-gateway-resource#tcp-idle-timeout
    Limit(240, "Azure's load balancer and NAT gateway (idle timeout)"),
    # https://www.envoyproxy.io/docs/envoy/latest/faq/configuration/timeouts
    Limit(300, "Envoy (stream_idle_timeout)"),
    # https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html
    Limit(350, "AWS NAT gateways and NLB (idle timeout)"),
)
"""Who closes a connection on which nothing comes."""

TOTALS: tuple[Limit, ...] = (
    # https://www.envoyproxy.io/docs/envoy/latest/faq/configuration/timeouts
    Limit(15, "Envoy (route timeout)"),
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
    Limit(29, "AWS API Gateway (integration timeout)"),
    # https://cloud.google.com/load-balancing/docs/https#timeout-bes
    Limit(30, "Google Cloud's load balancers (backend service timeout)"),
)
"""Who ends a response that is not whole by then, however busily it comes."""

SAID: Mapping[str, str] = {
    "overloaded": "The API was overloaded and ended the stream: try again, after a pause that grows with each failure.",
    "rate_limited": "A rate limit ended the stream: send fewer requests and tokens a minute; try again after a pause.",
    "server": "The API failed inside and ended the stream: try again, and tell Anthropic the request id if it stays.",
    "timeout": "The API took too long and ended the stream: ask for less in one request, or send it in a batch.",
}
"""What the API means by an `error` event, by the category of its type."""

BROKEN: Mapping[str, str] = {
    "RemoteProtocolError": "The other side closed the connection before the body was whole: look for a proxy that was"
    " restarted or reached a limit; try again.",
    "StreamInterrupted": "The body ended in good order, but without its last event: look for a proxy or gateway that"
    " limits time or size; try again.",
}
"""What it means that a connection ended as it did, by the name of the exception."""

LOST = "The connection was lost in the middle of the answer: look for a proxy or firewall that resets it; try again."

_GARBLED = frozenset({"DecodingError", "JSONDecodeError", "UnicodeDecodeError"})
_CONNECTION = frozenset({"stream_interrupted", "connection_error"})
_OURS = _CONNECTION | {"timeout"}
_SAID_BY_THE_API = frozenset(kind.lower() for kind in TYPES) - _OURS


class _Case(NamedTuple):
    error: BaseException | None
    names: frozenset[str]
    error_type: str
    category: Category
    silence_s: float
    total_s: float
    away_s: float
    timeout_s: float | None


def likely_cause(
    error: BaseException | None,
    error_type: str,
    *,
    silence_s: float,
    total_s: float,
    away_s: float = 0.0,
    timeout_s: float | None = None,
    category: Category | None = None,
) -> str:
    """What probably broke a stream, and what to do: a sentence of at most 160 characters, without content.

    `error` is the exception that the application got, or that it was spared, `error_type` what `outcome` makes of it,
    and `category` what else is known to say of that. `silence_s` is how long a byte had been waited for, `away_s` for
    how long nobody had read before that, `total_s` how long the last attempt had lasted, and `timeout_s` how long the
    client was to wait for a byte.
    """
    category = category or category_of(error_type, None)
    case = _Case(error, _names(error), error_type[:MOST_NAME], category, silence_s, total_s, away_s, timeout_s)
    return next(sentence for cause in _CAUSES if (sentence := cause(case)) is not None)


def _the_api(case: _Case) -> str | None:
    """What the API has said, as the exception carries it or as its type tells. It comes first, since the API knows."""
    # An exception without a type of the API's is known by its class.
    is_type = case.error_type.lower() in _SAID_BY_THE_API and case.error_type != type(case.error).__qualname__
    if not is_type and not is_object(getattr(case.error, "body", None)):
        return None
    said = SAID.get(case.category)
    return said or f"The API ended the stream with {case.error_type}: its message says why; fix that before a retry."


def _the_client(case: _Case) -> str | None:
    """The client's own timeout. It always raises, so that the time alone is no sign of it."""
    if case.error_type != "timeout" and "TimeoutException" not in case.names:
        return None
    limit = "" if case.timeout_s is None else f" of {case.timeout_s:g} s"
    return (
        f"The client's own read timeout{limit} ended it: raise `timeout`, or find what held the answer up on its way."
    )


def _the_body(case: _Case) -> str | None:
    if not case.names & _GARBLED:
        return None
    return "What came was no stream of events: look for a proxy that puts its own page or compression in the way."


def _the_reader(case: _Case) -> str | None:
    if case.error_type in _CONNECTION:
        return None
    return f"Not the connection: {case.error_type} was raised where the stream is read; its stack trace says where."


def _a_silence(case: _Case) -> str | None:
    limit = _nearest(case.silence_s, SILENCES)
    return limit and f"Nothing came for {limit.after_s:g} s, the default limit of {limit.who}: {limit.advice}."


def _an_absence(case: _Case) -> str | None:
    if case.away_s < AWAY_S:
        return None
    return (
        f"The application did not read for {case.away_s:.0f} s before it broke, so when is not known:"
        " read events as they come; try again."
    )


def _a_length(case: _Case) -> str | None:
    limit = _nearest(case.total_s, TOTALS)
    return limit and f"It was cut after {limit.after_s:g} s in all, the default limit of {limit.who}: {limit.advice}."


def _the_connection(case: _Case) -> str:
    return next((sentence for name, sentence in BROKEN.items() if name in case.names), LOST)


_CAUSES: tuple[Callable[[_Case], str | None], ...] = (
    _the_api,
    _the_client,
    _the_body,
    _the_reader,
    _a_silence,
    _an_absence,
    _a_length,
    _the_connection,
)
"""What could have been the cause, the surest first."""


def _nearest(seconds: float, limits: tuple[Limit, ...]) -> Limit | None:
    limit = min(limits, key=lambda limit: abs(limit.after_s - seconds))
    return limit if abs(limit.after_s - seconds) <= TOLERANCE_S else None


def _names(error: BaseException | None) -> frozenset[str]:
    """The names of the classes of an exception and of its causes.

    Not of its context: that is what the application was at when it asked, such as an earlier failure.
    """
    found: set[str] = set()
    for _ in range(MOST_LINKS):
        if error is None:
            break
        found.update(cls.__name__ for cls in type(error).__mro__)
        error = error.__cause__
    return frozenset(found)
