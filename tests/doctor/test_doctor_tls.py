"""Connections that are encrypted: what is trusted, which files cannot be used, and what is never advised."""

import socket
import ssl
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import pytest
from doctor_receivers import answering, black_hole, closed_port, encrypted

from otel_claude.doctor import connections, examination
from otel_claude.doctor.causes import OF_TLS
from otel_claude.doctor.check import Check
from otel_claude.doctor.connections import Connection, Reached, connection_of, reach, speaking_tls
from otel_claude.doctor.endpoints import endpoint_of
from otel_claude.doctor.examination import examine
from otel_claude.doctor.exporters import GRPC, HTTP, Exporter
from otel_claude.doctor.sent import Sent, check_of
from otel_claude.doctor.signals import TRACES
from otel_claude.doctor.variables import Variables

pytest.importorskip("cryptography")
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
CERTIFICATE = "OTEL_EXPORTER_OTLP_CERTIFICATE"
CLIENT_CERTIFICATE, CLIENT_KEY = "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "OTEL_EXPORTER_OTLP_CLIENT_KEY"

HASH = "2101a20a"
"""What `openssl x509 -subject_hash` prints for the subject CN=loopback, by which a folder has its authorities.

https://docs.openssl.org/3.0/man1/openssl-rehash/
"""


class Files(NamedTuple):
    """Two certificates with their keys, and files that have none in PEM."""

    own: Path
    other: Path
    folder: Path
    der: Path
    empty: Path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    def made() -> Path:
        return encrypted(tmp_path_factory.mktemp("tls"))

    own, folder = made(), tmp_path_factory.mktemp("authorities")
    certificate = own.read_text().partition("-----BEGIN CERT")
    der, empty = folder.parent / "own.der", folder.parent / "empty.pem"
    der.write_bytes(ssl.PEM_cert_to_DER_cert("".join(certificate[1:])))
    empty.touch()
    (folder / f"{HASH}.0").write_text("".join(certificate[1:]))
    return Files(own, made(), folder, der, empty)


def server(files: Files, **options: object) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.own)
    for name, value in options.items():
        setattr(context, name, value)
    return context


def connection(endpoint: str, protocol: str = HTTP, **values: str) -> Connection:
    variables = Variables({ENDPOINT: endpoint, **values})
    return connection_of(variables, endpoint_of(variables, TRACES, protocol))


def reached(endpoint: str, protocol: str = HTTP, **values: str) -> Reached:
    (found,) = reach([connection(endpoint, protocol, **values)], 5).values()
    return found


def assert_never_unencrypted(check: Check) -> None:
    assert "http://" not in check.mend


@pytest.mark.parametrize("name", ["der", "empty"])
@pytest.mark.parametrize("protocol", [HTTP, GRPC])
def test_a_file_of_authorities_that_has_none_is_told_as_such(name: str, protocol: str, files: Files):
    path = str(getattr(files, name))
    with answering(200, tls=server(files)) as endpoint:
        found = reached(endpoint, protocol, **{CERTIFICATE: path})
    assert (found.check.status, found.is_open) == ("problem", False)
    assert f"cannot be used: {path} " in found.check.says
    assert CERTIFICATE in found.check.mend
    assert_never_unencrypted(found.check)


def test_a_key_that_is_of_another_certificate_is_told_as_such(files: Files):
    with answering(200, tls=server(files)) as endpoint:
        values = {CERTIFICATE: str(files.own), CLIENT_CERTIFICATE: str(files.own), CLIENT_KEY: str(files.other)}
        found = reached(endpoint, **values)
    assert (found.check.status, found.is_open) == ("problem", False)
    assert f"{files.own} with {files.other} " in found.check.says
    assert CLIENT_KEY in found.check.mend
    assert_never_unencrypted(found.check)


@pytest.mark.parametrize(
    ("path", "why"), [("/no/such/file", "is not there"), ("folder", "is a folder"), ("der", "has not what is expected")]
)
def test_a_certificate_of_the_client_that_cannot_be_read_is_told(path: str, why: str, files: Files):
    told = str(getattr(files, path, path))
    with answering(200, tls=server(files)) as endpoint:
        found = reached(endpoint, **{CERTIFICATE: str(files.own), CLIENT_CERTIFICATE: told})
    assert f"{told} {why}" in found.check.says
    assert_never_unencrypted(found.check)


def test_a_key_with_a_password_asks_nobody_for_it(files: Files, tmp_path: Path):
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(files.own.read_bytes(), None)
    locked = tmp_path / "locked.pem"
    locked.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"sesame"),
        )
    )
    with answering(200, tls=server(files)) as endpoint:
        values = {CERTIFICATE: str(files.own), CLIENT_CERTIFICATE: str(files.own), CLIENT_KEY: str(locked)}
        assert "cannot be used" in reached(endpoint, **values).check.says


def test_a_receiver_of_other_ciphers_is_not_said_to_be_unencrypted(files: Files):
    context = server(files, maximum_version=ssl.TLSVersion.TLSv1_2)
    # The certificate is one of ECDSA.
    context.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")
    with answering(200, tls=context) as endpoint:
        found = reached(endpoint, **{CERTIFICATE: str(files.own)})
    assert found.check.status == "problem"
    assert "no encrypted connection comes about (" in found.check.says
    assert "ciphers" in found.check.mend
    assert_never_unencrypted(found.check)


def test_what_answers_without_tls_is_said_to_be_unencrypted():
    with answering(200) as endpoint:
        found = reached(endpoint.replace("http://", "https://"))
    assert (found.check.status, found.is_open) == ("problem", False)
    assert "does not speak TLS" in found.check.says
    assert "keys then go in clear text" in found.check.mend


@pytest.mark.parametrize(
    ("reason", "is_unencrypted"),
    [
        # What versions of OpenSSL say of an answer in HTTP: https://github.com/openssl/openssl/tree/master/ssl/record
        ("WRONG_VERSION_NUMBER", True),
        ("RECORD_LAYER_FAILURE", True),
        ("HTTP_REQUEST", True),
        ("NO_PROTOCOLS_AVAILABLE", False),
        ("UNEXPECTED_EOF_WHILE_READING", False),
        ("DH_KEY_TOO_SMALL", False),
        ("TLSV1_ALERT_PROTOCOL_VERSION", False),
    ],
)
def test_only_three_reasons_mean_that_it_is_unencrypted(
    reason: str,
    is_unencrypted: bool,
    monkeypatch: pytest.MonkeyPatch,  # a parameter of the test
):
    def create_connection(*_args: object, **_kwargs: object) -> NoReturn:
        error = ssl.SSLError(1, f"[SSL: {reason}]")
        error.reason = reason
        raise error

    monkeypatch.setattr(socket, "create_connection", create_connection)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args: [(0, 0, 0, "", ("127.0.0.1", 1))])  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]  # as it is called
    check = reached("https://127.0.0.1:1").check
    assert ("http://" in check.mend) is is_unencrypted
    by_probe = check_of(Sent(Exporter(TRACES, "otlp_proto_http"), False, 0.0, raised=f"SSLError: [SSL: {reason}]"))
    assert ("http://" in by_probe.mend) is is_unencrypted


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_folder_of_authorities_is_one(variable: str, files: Files):
    with answering(200, tls=server(files)) as endpoint:
        assert reached(endpoint, **{variable: str(files.folder)}).check.status == "ok"
        assert reached(endpoint).check.status == "problem"


def test_grpc_takes_no_folder_of_authorities(files: Files):
    with answering(200, tls=server(files)) as endpoint:
        assert "is a folder" in reached(endpoint, GRPC, **{CERTIFICATE: str(files.folder)}).check.says


def test_grpc_goes_by_its_own_variable_of_authorities_and_not_by_that_of_http(files: Files):
    with answering(200, tls=server(files)) as endpoint:
        assert reached(endpoint, GRPC, GRPC_DEFAULT_SSL_ROOTS_FILE_PATH=str(files.own)).check.status == "ok"
        own = {CERTIFICATE: str(files.own), "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(files.other)}
        assert reached(endpoint, GRPC, **own).check.status == "ok"
        assert connection(endpoint, GRPC, REQUESTS_CA_BUNDLE=str(files.own)).authorities == ()


def test_of_the_authorities_that_grpc_brings_along_the_test_itself_decides(files: Files):
    with answering(200, tls=server(files)) as endpoint:
        found = reached(endpoint, GRPC)
        named = reached(endpoint, GRPC, **{CERTIFICATE: str(files.other)})
    assert (found.check.status, found.is_open) == ("note", True)
    assert (named.check.status, named.is_open) == ("problem", True)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits for as long as a loaded machine may need."""
    monkeypatch.setattr(connections, "ALERT_S", 20.0)


def arriving(set_variables: Callable[..., None], endpoint: str, protocol: str, **values: str) -> Sequence[Check]:
    signals = {f"OTEL_{name}_EXPORTER": "none" for name in ("METRICS", "LOGS")}
    set_variables(OTEL_EXPORTER_OTLP_PROTOCOL=protocol, **{ENDPOINT: endpoint}, **signals, **values)
    return examine(40).sections[-1].checks


def assert_wants_a_certificate(checks: Sequence[Check]) -> None:
    """It is told once, by the connection, and nothing is said of protocols."""
    assert [check.status for check in checks] == ["problem", "note"]
    assert "a certificate of the client" in checks[0].says
    assert CLIENT_CERTIFICATE in checks[0].mend
    assert CLIENT_KEY in checks[0].mend
    assert_never_unencrypted(checks[0])


@pytest.mark.parametrize("own", [{}, {CLIENT_CERTIFICATE: "other"}])
@pytest.mark.parametrize("protocol", [HTTP, GRPC])
def test_a_receiver_that_wants_a_certificate_of_the_client_says_so_after_the_handshake(
    protocol: str, own: dict[str, str], patient: None, files: Files, set_variables: Callable[..., None]
):
    context = server(files, verify_mode=ssl.CERT_REQUIRED, minimum_version=ssl.TLSVersion.TLSv1_3)
    context.load_verify_locations(files.own)
    values = {name: str(getattr(files, value)) for name, value in own.items()}
    with answering(200, tls=context) as endpoint:
        checks = arriving(set_variables, endpoint, protocol, **{CERTIFICATE: str(files.own)}, **values)
    assert_wants_a_certificate(checks)


def test_a_receiver_of_grpc_that_wants_a_certificate_of_the_client_closes_without_a_word(
    patient: None, files: Files, set_variables: Callable[..., None]
):
    grpc: Any = pytest.importorskip("grpc", reason="grpcio is not installed")
    pytest.importorskip("opentelemetry.exporter.otlp.proto.grpc", reason="the exporter is not installed")
    key, _, certificate = files.own.read_bytes().partition(b"-----BEGIN CERT")
    authority = b"-----BEGIN CERT" + certificate
    credentials = grpc.ssl_server_credentials([(key, authority)], authority, require_client_auth=True)
    receiver = grpc.server(ThreadPoolExecutor(1))
    port = receiver.add_secure_port("127.0.0.1:0", credentials)
    receiver.start()
    try:
        values = {CERTIFICATE: str(files.own)}
        checks = arriving(set_variables, f"https://127.0.0.1:{port}", GRPC, **values)
    finally:
        receiver.stop(0).wait()
    assert_wants_a_certificate(checks)


def test_a_receiver_that_wants_a_certificate_of_the_client_gets_it(files: Files, set_variables: Callable[..., None]):
    context = server(files, verify_mode=ssl.CERT_REQUIRED)
    context.load_verify_locations(files.own)
    own = {CERTIFICATE: str(files.own), CLIENT_CERTIFICATE: str(files.own), CLIENT_KEY: str(files.own)}
    with answering(200, tls=context) as endpoint:
        accepted = arriving(set_variables, endpoint, HTTP, **own)
    assert [check.status for check in accepted] == ["ok", "ok"]


@pytest.mark.parametrize("protocol", [HTTP, GRPC])
def test_a_receiver_of_tls_that_is_asked_without_is_told_as_one(
    protocol: str, files: Files, set_variables: Callable[..., None], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(examination, "TLS_S", 20.0)
    with answering(200, tls=server(files)) as endpoint:
        plain = endpoint.replace("https://", "http://")
        values = {"OTEL_EXPORTER_OTLP_TIMEOUT": "1", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{plain}/v1/traces"}
        checks = arriving(set_variables, "http://unused.invalid", protocol, **values)
    assert "the receiver speaks TLS there" in checks[-1].says
    assert checks[-1].mend == "let OTEL_EXPORTER_OTLP_TRACES_ENDPOINT begin with https://"


def test_a_receiver_that_answers_to_those_who_speak_no_tls_is_told_as_one_of_tls(
    set_variables: Callable[..., None], monkeypatch: pytest.MonkeyPatch
):
    """As servers in Go and nginx do it: https://nginx.org/en/docs/http/ngx_http_ssl_module.html#errors."""
    monkeypatch.setattr(examination, "speaking_tls", lambda each, _seconds: each)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]  # as it is called
    with answering(400, b"Client sent an HTTP request to an HTTPS server.", content_type="text/plain") as endpoint:
        refused = arriving(set_variables, endpoint, HTTP)[-1]
    assert "the receiver speaks TLS there" in refused.says
    assert "Client sent an HTTP request to an HTTPS server." in refused.says
    with answering(401) as endpoint:
        assert "TLS" not in arriving(set_variables, endpoint, HTTP)[-1].says


@pytest.mark.parametrize(("protocol", "statuses"), [(HTTP, ["problem", "note"]), (GRPC, ["note", "problem"])])
def test_a_certificate_that_nobody_trusts_is_one_problem_with_one_mend(
    protocol: str,
    statuses: list[str],
    files: Files,
    set_variables: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
):
    """Of what gRPC trusts, it decides itself."""
    monkeypatch.delenv("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", raising=False)
    with answering(200, tls=server(files)) as endpoint:
        checks = arriving(set_variables, endpoint, protocol, OTEL_EXPORTER_OTLP_TIMEOUT="2")
    assert [check.status for check in checks] == statuses
    (mend,) = [check.mend for check in checks if check.mend]
    assert mend.startswith(f"{CERTIFICATE}=")
    assert all("the certificate is not trusted" in check.says for check in checks)


def test_what_else_becomes_of_a_probe_is_told_beside_the_certificate():
    """As where the exporter trusts what the doctor does not."""
    probe = Sent(Exporter(TRACES, "otlp_proto_http"), False, 0.0, raised="SSLError: [SSL: DH_KEY_TOO_SMALL]")
    untrusted = next(cause for cause in OF_TLS if "not trusted" in cause.says)
    assert check_of(probe._replace(told=untrusted)).status == "problem"
    assert check_of(probe._replace(told=untrusted, raised="certificate verify failed")).status == "note"


def test_a_receiver_of_grpc_without_tls_is_not_said_to_have_a_scheme_that_it_has_not(
    set_variables: Callable[..., None],
):
    with answering(200) as endpoint:
        (check, _) = arriving(set_variables, endpoint.removeprefix("http://"), GRPC)
    assert (check.status, "does not speak TLS" in check.says) == ("problem", True)
    assert check.mend.startswith(f"let {ENDPOINT} begin with http://")
    assert "https://" not in check.mend


def test_a_receiver_without_tls_is_none_of_tls():
    with answering(400) as endpoint, black_hole() as hole:
        to = [connection(endpoint), connection(hole), connection(closed_port())]
        assert speaking_tls(to, 1) == []


def test_a_receiver_that_refuses_the_handshake_speaks_tls(files: Files):
    context = server(files, maximum_version=ssl.TLSVersion.TLSv1_2)
    context.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")
    with answering(200, tls=context) as endpoint:
        to = connection(endpoint.replace("https://", "http://"))
        assert speaking_tls([to, to], 20) == [to]


def test_the_certificate_of_the_client_is_shown_to_a_receiver_of_an_older_tls(files: Files):
    """There the receiver refuses while hands are shaken, and not only afterwards."""
    context = server(files, verify_mode=ssl.CERT_REQUIRED, maximum_version=ssl.TLSVersion.TLSv1_2)
    context.load_verify_locations(files.own)
    with answering(200, tls=context) as endpoint:
        own = {CERTIFICATE: str(files.own)}
        without = reached(endpoint, **own)
        with_one = reached(endpoint, **own, **{CLIENT_CERTIFICATE: str(files.own)})
    assert (without.check.status, CLIENT_CERTIFICATE in without.check.mend) == ("problem", True)
    assert with_one.check.status == "ok"


@contextmanager
def asking_for_a_protocol(context: ssl.SSLContext) -> Generator[tuple[str, list[str | None]]]:
    """A server that notes the protocol which is agreed upon. Its endpoint, and those."""
    agreed: list[str | None] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept() -> None:
            with context.wrap_socket(listening.accept()[0], server_side=True) as taken:
                agreed.append(taken.selected_alpn_protocol())
                # Until the other side leaves.
                taken.recv(1)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{listening.getsockname()[1]}", agreed
        thread.join(5)


def test_a_receiver_that_asks_for_http_2_is_offered_it(files: Files):
    # gRPC refuses others: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
    context = server(files)
    context.set_alpn_protocols(["h2"])
    with asking_for_a_protocol(context) as (endpoint, agreed):
        assert reached(endpoint, GRPC, **{CERTIFICATE: str(files.own)}).check.status == "ok"
    assert agreed == ["h2"]
