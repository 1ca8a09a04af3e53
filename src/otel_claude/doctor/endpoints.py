"""Where an exporter of OTLP sends to.

In: variables. Out: the endpoint as the exporter takes it, and what looks wrong with it. Pure.

Over HTTP, the endpoint for all signals gets the path of the signal, and that of a signal is used as it is. Over gRPC
there is no path. https://opentelemetry.io/docs/specs/otel/protocol/exporter/#endpoint-urls-for-otlphttp
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from otel_claude.doctor.confidential import HIDDEN, LONG_SEGMENT
from otel_claude.doctor.exporters import GRPC, HTTP
from otel_claude.doctor.signals import OTLP, SIGNALS, Signal
from otel_claude.doctor.variables import Variables

DEFAULTS: Mapping[str, str] = {GRPC: "http://localhost:4317", HTTP: "http://localhost:4318"}
PORTS: Mapping[int, str] = {4317: GRPC, 4318: HTTP}
"""https://opentelemetry.io/docs/specs/otel/protocol/exporter/#configuration-options."""

PORTS_OF_SCHEMES: Mapping[str, int] = {"http": 80, "https": 443}
PATHS = tuple(signal.path for signal in SIGNALS)


class Endpoint(NamedTuple):
    """The address of a receiver, and the variable that it comes from, if it is not the default."""

    signal: Signal
    protocol: str
    variable: str | None
    host: str
    port: int
    path: str
    is_encrypted: bool

    @property
    def shown(self) -> str:
        """The address for people. Long parts of its path are hidden."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        scheme = "https" if self.is_encrypted else "http"
        return f"{scheme}://{host}:{self.port}{LONG_SEGMENT.sub(HIDDEN, self.path)}"


class Remark(NamedTuple):
    """What looks wrong with an endpoint, and what to do. With one that `is_wrong` nothing can arrive."""

    is_wrong: bool
    says: str
    mend: str


class UnusableEndpoint(ValueError):
    """No exporter can use the address. The remark says why."""

    def __init__(self, remark: Remark) -> None:
        super().__init__(remark.says)
        self.remark = remark


def endpoint_of(variables: Variables, signal: Signal, protocol: str) -> Endpoint:
    """Where an exporter of a signal sends to.

    Raises:
        UnusableEndpoint: the address is none.
    """
    variable, address = variables.of_signal(signal, "ENDPOINT") or (None, DEFAULTS[protocol])
    # gRPC takes an address without a scheme as well.
    parts = urlsplit(address if "://" in address or protocol == HTTP else f"//{address}")
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _unusable(variable, "has no such port") from None
    if protocol == HTTP and parts.scheme not in PORTS_OF_SCHEMES:
        raise _unusable(variable, "does not begin with http:// or https://")
    if not host:
        raise _unusable(variable, "has no host")
    if protocol == GRPC:
        is_encrypted = _is_encrypted(variables, signal, parts.scheme)
        return Endpoint(signal, protocol, variable, host, port or PORTS_OF_SCHEMES["https"], parts.path, is_encrypted)
    path = parts.path
    if variable != signal.own("ENDPOINT"):
        path = f"{path.removesuffix('/')}/{signal.path}"
    is_encrypted = parts.scheme == "https"
    return Endpoint(signal, protocol, variable, host, port or PORTS_OF_SCHEMES[parts.scheme], path, is_encrypted)


def _is_encrypted(variables: Variables, signal: Signal, scheme: str) -> bool:
    """Whether gRPC is spoken over TLS: also where there is no scheme, unless a variable says that it is not."""
    insecure = variables.of_signal(signal, "INSECURE")
    if insecure is None or scheme == "https":
        return scheme != "http"
    return insecure[1].lower() != "true"


def _unusable(variable: str | None, what: str) -> UnusableEndpoint:
    name = variable or f"{OTLP}ENDPOINT"
    return UnusableEndpoint(Remark(True, f"{name} {what}", f"write it as {name}=http://host:4318"))


def remarks(endpoint: Endpoint) -> Iterator[Remark]:
    """What looks wrong with an address."""
    usual = PORTS.get(endpoint.port, endpoint.protocol)
    if usual != endpoint.protocol:
        yield Remark(
            False,
            f"{endpoint.port} is the usual port of {usual}, and the protocol is {endpoint.protocol}",
            f"if nothing arrives, {OTLP}PROTOCOL={usual}, or the other port:"
            f" {next(port for port, protocol in PORTS.items() if protocol == endpoint.protocol)}",
        )
    if endpoint.protocol == GRPC:
        yield from _remarks_of_grpc(endpoint)
    else:
        yield from _remarks_of_http(endpoint)


def _remarks_of_grpc(endpoint: Endpoint) -> Iterator[Remark]:
    if endpoint.path.strip("/"):
        yield Remark(
            False,
            f"{endpoint.variable} has a path, which gRPC does not use",
            f"if the receiver is meant to be asked over HTTP, {OTLP}PROTOCOL={HTTP}",
        )


def _remarks_of_http(endpoint: Endpoint) -> Iterator[Remark]:
    own, path = endpoint.signal.own("ENDPOINT"), endpoint.path.rstrip("/")
    if endpoint.variable != own:
        before = path.removesuffix(endpoint.signal.path).rstrip("/")
        if before.endswith(PATHS):
            yield Remark(
                True,
                f"{endpoint.variable} ends with the path of a signal, and the exporter adds that path once more",
                f"leave out the path of the signal: {endpoint.variable}="
                f"{endpoint._replace(path=before.rpartition('/v1/')[0]).shown}",
            )
    elif not path:
        yield Remark(
            True,
            f"{own} is used as it is, and has no path",
            f"{own}={endpoint._replace(path=f'/{endpoint.signal.path}').shown}, or give the address without a path in "
            f"{OTLP}ENDPOINT",
        )
    elif path.endswith(PATHS) and not path.endswith(endpoint.signal.path):
        yield Remark(
            True,
            f"{own} has the path of another signal",
            f"let it end with /{endpoint.signal.path}",
        )
