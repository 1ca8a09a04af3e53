"""Whether a receiver can be reached: its name, its port, its certificate.

In: endpoints. Out: checks. Nothing of OTLP is sent.
"""

import socket
import ssl
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from otel_claude.doctor.causes import CLOSED, FILES, NAMED, OF_TLS, Cause, cause_of
from otel_claude.doctor.check import Check
from otel_claude.doctor.deadline import Work
from otel_claude.doctor.endpoints import Endpoint
from otel_claude.doctor.exporters import GRPC, HTTP
from otel_claude.doctor.proxies import Proxy, proxy_of
from otel_claude.doctor.signals import OTLP
from otel_claude.doctor.variables import Variables

BUNDLES: Mapping[str, tuple[str, ...]] = {
    HTTP: ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    GRPC: ("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",),
}
"""Variables of authorities that are not OpenTelemetry's own. Some versions of the exporters over HTTP go by them first.

https://requests.readthedocs.io/en/latest/user/advanced/#ssl-cert-verification,
https://grpc.github.io/grpc/cpp/md_doc_environment_variables.html
"""

ALERT_S = 1.0
"""How long to wait for what a receiver of TLS 1.3 says of the certificate of the client: it does so afterwards."""


class Connection(NamedTuple):
    """Where a connection goes, by what, and, where it is encrypted, whom it trusts and who it says it is.

    `authorities` are files, or folders over HTTP.
    """

    host: str
    port: int
    is_encrypted: bool
    protocol: str
    authorities: tuple[str, ...] = ()
    certificate: str | None = None
    key: str | None = None

    @property
    def name(self) -> str:
        """It for people."""
        return f"{self.host}:{self.port}"


class UnusableFile(Exception):
    """A file of certificates cannot be used."""

    def __init__(self, path: str, error: Exception) -> None:
        super().__init__(f"{path} {FILE_ERRORS.get(type(error)) or f'has not what is expected ({_reason(error)})'}")


class UnreachableProxy(Exception):
    """The proxy that is asked in the place of a receiver cannot be reached."""

    def __init__(self, proxy: Proxy, error: Exception) -> None:
        super().__init__(
            f"is asked through a proxy ({proxy.variable}), which cannot be reached ({type(error).__name__})"
        )


FILE_ERRORS: Mapping[type[Exception], str] = {
    FileNotFoundError: "is not there",
    PermissionError: "cannot be read by this user",
    IsADirectoryError: "is a folder",
}


class Reached(NamedTuple):
    """A check, and whether it is worthwhile to send something. `problem` is what the check says of TLS that is sure."""

    check: Check
    is_open: bool
    problem: Cause | None = None


def connection_of(variables: Variables, endpoint: Endpoint) -> Connection:
    """The connection of an endpoint."""
    plain = Connection(endpoint.host, endpoint.port, endpoint.is_encrypted, endpoint.protocol)
    if not endpoint.is_encrypted:
        return plain
    bundles = [variables.read(name) for name in BUNDLES[endpoint.protocol]]
    own, certificate, key = (
        None if found is None else found[1]
        for found in (
            variables.of_signal(endpoint.signal, what) for what in ("CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY")
        )
    )
    # gRPC's exporter goes by its own variable alone where that is set.
    named = [own] if endpoint.protocol == GRPC and own is not None else [*bundles, own]
    authorities = tuple(dict.fromkeys(each for each in named if each is not None))
    return plain._replace(authorities=authorities, certificate=certificate, key=key)


def reach(connections: Iterable[Connection], seconds: float) -> Mapping[Connection, Reached]:
    """Tries all connections at once."""
    at_work = {each: Work(lambda each=each: _tried(each, seconds), seconds) for each in dict.fromkeys(connections)}
    return {connection: _reached(connection, work, seconds) for connection, work in at_work.items()}


def _reached(connection: Connection, work: Work[str], seconds: float) -> Reached:
    try:
        return Reached(Check("ok", connection.name, work.result()), is_open=True)
    except Exception as error:
        return _unreached(connection, error, seconds)


def _tried(connection: Connection, seconds: float) -> str:
    """What was reached.

    Raises:
        UnusableFile: certificates cannot be read, so nothing was tried.
        UnreachableProxy: there is a proxy, which was not reached.
        OSError: the receiver was not.
    """
    trust = _trust(connection) if connection.is_encrypted else None
    if (proxy := proxy_to(connection)) is not None:
        try:
            socket.create_connection(proxy.address, timeout=seconds).close()
        except (OSError, ValueError) as error:
            raise UnreachableProxy(proxy, error) from error
        return f"is asked through a proxy ({proxy.variable}), so it is not tried on its own"
    addresses = list(dict.fromkeys(str(found[4][0]) for found in socket.getaddrinfo(connection.host, connection.port)))
    with closing(socket.create_connection((connection.host, connection.port), timeout=seconds)) as plain:
        address = str(plain.getpeername()[0])
        of_many = f", one of {len(addresses)} addresses" if len(addresses) > 1 else ""
        said = "accepts connections" if address == connection.host else f"accepts connections ({address}{of_many})"
        if trust is None:
            return said
        with closing(trust.wrap_socket(plain, server_hostname=connection.host)) as encrypted:
            encrypted.settimeout(min(ALERT_S, seconds / 2))
            with suppress(TimeoutError):
                if not encrypted.recv(1):
                    raise ssl.SSLEOFError(CLOSED)
            return f"{said}, with {encrypted.version()} and a certificate that is trusted"


def proxy_to(connection: Connection) -> Proxy | None:
    """The proxy that is asked in the place of a receiver, if there is one."""
    return proxy_of(connection.host, connection.port, connection.protocol, is_encrypted=connection.is_encrypted)


def speaking_tls(connections: Iterable[Connection], seconds: float) -> Collection[Connection]:
    """Those at which TLS is spoken, by whomever. All are tried at once."""
    at_work = {each: Work(lambda each=each: _speaks_tls(each, seconds), seconds) for each in set(connections)}
    speaking: list[Connection] = []
    for connection, work in at_work.items():
        with suppress(TimeoutError):
            speaking += [connection] if work.result() else []
    return speaking


def _speaks_tls(connection: Connection, seconds: float) -> bool:
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.check_hostname = False
    anybody.verify_mode = ssl.CERT_NONE  # nothing is sent that anybody might not read
    try:
        with closing(socket.create_connection((connection.host, connection.port), timeout=seconds)) as plain:
            anybody.wrap_socket(plain, server_hostname=connection.host).close()
    except OSError as error:
        return "ALERT" in _reason(error)
    return True


def _trust(connection: Connection) -> ssl.SSLContext:
    """As the exporters do it: the authorities of files, or else those of certifi where that is installed.

    Raises:
        UnusableFile: one of them cannot be used.
    """
    authorities = connection.authorities
    if not authorities and find_spec("certifi") is not None:
        authorities = (import_module("certifi").where(),)
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for path in authorities:
        try:
            is_folder = connection.protocol == HTTP and Path(path).is_dir()
            trust.load_verify_locations(**{"capath" if is_folder else "cafile": path})
        except (OSError, ValueError) as error:
            raise UnusableFile(path, error) from error
    if not authorities:
        trust.load_default_certs()
    trust.set_alpn_protocols(["h2", "http/1.1"])
    if connection.certificate:
        try:
            # With a password, that is none, nobody is asked for one.
            trust.load_cert_chain(connection.certificate, connection.key, "")
        except (OSError, ValueError) as error:
            pair = [path for path in (connection.certificate, connection.key) if path is not None]
            missing = [path for path in pair if not Path(path).exists()]
            raise UnusableFile(" with ".join(missing or pair), error) from error
    return trust


def _reason(error: Exception) -> str:
    return getattr(error, "reason", None) or type(error).__name__


def _unreached(connection: Connection, error: Exception, seconds: float) -> Reached:
    says, mend, is_open = next(found for kind, found in _causes(error, seconds) if isinstance(error, kind))
    # Of the authorities that gRPC brings along, it alone knows.
    is_sure = not (isinstance(error, ssl.SSLCertVerificationError) and _has_own_authorities(connection))
    if not is_sure:
        says = f"{says}. gRPC has authorities of its own, so what is sent decides"
        return Reached(Check("note", connection.name, says), is_open)
    names = {what: f"{OTLP}{what}" for what in NAMED}
    problem = _cause_of_tls(error) if isinstance(error, ssl.SSLError) else None
    return Reached(Check("problem", connection.name, says, mend.format(**names)), is_open, problem)


def _has_own_authorities(connection: Connection) -> bool:
    return connection.protocol == GRPC and not connection.authorities


Meaning = tuple[str, str, bool]
"""What is said, what would mend it, and whether something may be sent all the same."""


def _cause_of_tls(error: Exception) -> Cause:
    # A reason of which nothing is known is one of TLS all the same.
    return cause_of(f"{_reason(error)} {error}", OF_TLS) or OF_TLS[-1]


def _of_tls(error: Exception) -> Meaning:
    why = getattr(error, "verify_message", None) or _reason(error)
    cause = _cause_of_tls(error)
    return f"accepts connections, but {cause.says} ({why})", cause.mend, not cause.is_final


def _causes(error: Exception, seconds: float) -> Iterator[tuple[type[Exception], Meaning]]:
    """What an exception means, the more special ones first."""
    yield UnusableFile, (f"is not tried, as a file of certificates cannot be used: {error}", FILES, False)
    yield UnreachableProxy, (f"{error}", "correct that variable, or set no_proxy to the host of the receiver", False)
    yield ssl.SSLError, _of_tls(error)
    yield (
        socket.gaierror,
        ("no name server knows this host", f"correct the host in {OTLP}ENDPOINT; in a container, names differ", False),
    )
    yield (
        ConnectionRefusedError,
        (
            "nothing listens there",
            f"start the collector or agent, or set {OTLP}ENDPOINT to its address (in a container, not localhost)",
            False,
        ),
    )
    yield (
        TimeoutError,
        (
            f"did not answer within {seconds:g} s",
            "a firewall may be in between; correct the host and port, or allow the connection",
            False,
        ),
    )
    yield ConnectionError, ("closes connections at once", "look at what the receiver logs", True)
    yield Exception, (f"cannot be reached ({type(error).__name__})", f"correct {OTLP}ENDPOINT", False)
