"""Proxies: which one is asked by which exporter, and what is said of one that is not there."""

from collections.abc import Callable

import pytest
from doctor_receivers import answering, closed_port

from otel_claude.doctor.check import Check
from otel_claude.doctor.examination import examine
from otel_claude.doctor.exporters import GRPC, HTTP
from otel_claude.doctor.proxies import Proxy, proxy_of

HOST = "collector.invalid"


@pytest.fixture(autouse=True)
def no_proxies(set_variables: Callable[..., None]) -> None:
    """There is no proxy but that of the test."""


def variable(protocol: str, *, is_encrypted: bool = False) -> str | None:
    found = proxy_of(HOST, 4318, protocol, is_encrypted=is_encrypted)
    return None if found is None else found.variable


@pytest.mark.parametrize(
    ("name", "plain", "encrypted"),
    [
        ("http_proxy", "http_proxy", None),
        ("HTTP_PROXY", "http_proxy", None),
        ("https_proxy", None, "https_proxy"),
        ("HTTPS_PROXY", None, "https_proxy"),
        ("all_proxy", "all_proxy", "all_proxy"),
        ("grpc_proxy", None, None),
    ],
)
def test_over_http_the_scheme_of_the_receiver_decides(
    name: str, plain: str | None, encrypted: str | None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(name, "http://proxy:3128")
    assert variable(HTTP) == plain
    assert variable(HTTP, is_encrypted=True) == encrypted


@pytest.mark.parametrize("is_encrypted", [False, True])
def test_grpc_goes_by_three_variables_in_small_letters(*, is_encrypted: bool, monkeypatch: pytest.MonkeyPatch):
    # https://grpc.github.io/grpc/core/md_doc_environment_variables.html
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://proxy:3128")
    assert variable(GRPC, is_encrypted=is_encrypted) is None
    for name in ("http_proxy", "https_proxy", "grpc_proxy"):
        monkeypatch.setenv(name, "http://proxy:3128")
        assert variable(GRPC, is_encrypted=is_encrypted) == name


@pytest.mark.parametrize(("protocol", "name"), [(HTTP, "no_proxy"), (GRPC, "no_proxy"), (GRPC, "no_grpc_proxy")])
def test_a_host_may_be_excepted(protocol: str, name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    monkeypatch.setenv(name, f"localhost,{HOST}")
    assert variable(protocol) is None
    monkeypatch.setenv(name, "localhost")
    assert variable(protocol) == "http_proxy"


@pytest.mark.parametrize(
    ("without", "host", "of_http", "of_grpc"),
    [
        ("127.0.0.0/8", "127.0.0.1", True, True),
        ("10.0.0.0/8, 192.168.0.0/16", "192.168.7.1", True, True),
        ("10.0.0.0/8", "127.0.0.1", False, False),
        ("127.0.0.0/8", "localhost", False, False),
        (" LOCALHOST ", "localhost", True, True),
        (".example.com", "otlp.example.com", True, True),
        ("ample.com", "example.com", False, False),
        ("::1", "::1", True, True),
        ("collector:4318", "collector", True, False),
        ("collector:1", "collector", False, False),
        ("*", "collector", True, False),
        # Ranges of IPv6 are gRPC's alone.
        ("::/64", "::1", False, True),
        ("", "collector", False, False),
    ],
)
def test_hosts_and_ranges_are_excepted_as_the_libraries_do_it(
    without: str, host: str, monkeypatch: pytest.MonkeyPatch, *, of_http: bool, of_grpc: bool
):
    """Tried out on requests 2.34 and on gRPC 1.85."""
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    monkeypatch.setenv("no_proxy", without)
    assert (proxy_of(host, 4318, HTTP, is_encrypted=False) is None) is of_http
    assert (proxy_of(host, 4318, GRPC, is_encrypted=False) is None) is of_grpc


@pytest.mark.parametrize("protocol", [HTTP, GRPC])
def test_a_receiver_in_a_range_that_is_excepted_is_tried_on_its_own(
    protocol: str, set_variables: Callable[..., None], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("http_proxy", closed_port())
    monkeypatch.setenv("NO_PROXY" if protocol == HTTP else "no_proxy", "127.0.0.0/8")
    with answering(200) as endpoint:
        set_variables(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, OTEL_EXPORTER_OTLP_PROTOCOL=protocol)
        found = arrivals(2)
    assert found[endpoint.removeprefix("http://")].says == "accepts connections"
    if protocol == HTTP:
        assert found["span, metric, event"].status == "ok"


def refusing_by_proxy(
    status: int,
    receiver: str,
    protocol: str,
    set_variables: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    timeout: str = "1",
) -> Check:
    """What is said of a span that a proxy does not let through."""
    with answering(status) as proxy:
        monkeypatch.setenv("http_proxy", proxy)
        monkeypatch.setenv("https_proxy", proxy)
        set_variables(OTEL_EXPORTER_OTLP_ENDPOINT=receiver, OTEL_EXPORTER_OTLP_PROTOCOL=protocol)
        set_variables(OTEL_METRICS_EXPORTER="none", OTEL_LOGS_EXPORTER="none", OTEL_EXPORTER_OTLP_TIMEOUT=timeout)
        return arrivals(10)["span"]


@pytest.mark.parametrize(
    ("protocol", "receiver", "name"),
    [(HTTP, f"http://{HOST}", "http_proxy"), (HTTP, f"https://{HOST}", "https_proxy"), (GRPC, HOST, "https_proxy")],
)
@pytest.mark.parametrize("timeout", ["0.7", "3"], ids=["too short to try again", "for a second try"])
def test_a_proxy_that_wants_a_password_is_told_with_its_variable(
    protocol: str,
    receiver: str,
    name: str,
    timeout: str,
    set_variables: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
):
    check = refusing_by_proxy(407, receiver, protocol, set_variables, monkeypatch, timeout)
    assert check.status == "problem"
    assert "407" in check.says
    assert f"correct {name}: the proxy may want a user and password" in check.mend


def test_a_refusal_that_may_be_that_of_a_proxy_names_the_proxy(
    set_variables: Callable[..., None], monkeypatch: pytest.MonkeyPatch
):
    check = refusing_by_proxy(403, f"http://{HOST}", HTTP, set_variables, monkeypatch)
    assert "OTEL_EXPORTER_OTLP_HEADERS" in check.mend
    assert "or look at the proxy of http_proxy, which may have refused it" in check.mend
    # A receiver alone answers so.
    check = refusing_by_proxy(401, f"http://{HOST}", HTTP, set_variables, monkeypatch)
    assert "proxy" not in check.mend


def test_the_address_of_a_proxy_has_a_port():
    assert Proxy("x", "http://me:sesame@proxy:3128/").address == ("proxy", 3128)
    assert Proxy("x", "proxy:3128").address == ("proxy", 3128)
    assert Proxy("x", "http://proxy").address == ("proxy", 80)
    assert Proxy("x", "https://proxy").address == ("proxy", 443)
    with pytest.raises(ValueError, match="https_proxy"):
        _ = Proxy("https_proxy", "http://").address


def arrivals(seconds: float) -> dict[str, Check]:
    return {check.name: check for check in examine(seconds).sections[-1].checks}


def test_a_receiver_behind_a_proxy_is_not_tried_on_its_own(
    set_variables: Callable[..., None], monkeypatch: pytest.MonkeyPatch
):
    with answering(200) as proxy:
        monkeypatch.setenv("http_proxy", proxy)
        set_variables(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://{HOST}:4318", OTEL_EXPORTER_OTLP_PROTOCOL=HTTP)
        found = arrivals(10)
    assert (found[f"{HOST}:4318"].status, "proxy" in found[f"{HOST}:4318"].says) == ("ok", True)
    assert found["span, metric, event"].status == "ok"


@pytest.mark.parametrize("protocol", [HTTP, GRPC])
def test_a_proxy_that_is_not_there_is_told_as_the_proxy(
    protocol: str, set_variables: Callable[..., None], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("http_proxy", closed_port().replace("http://", "http://me:sesame@"))
    set_variables(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://{HOST}:4318", OTEL_EXPORTER_OTLP_PROTOCOL=protocol)
    found = arrivals(5)
    check = found[f"{HOST}:4318"]
    assert check.status == "problem"
    assert "a proxy (http_proxy), which cannot be reached (ConnectionRefusedError)" in check.says
    assert "sesame" not in str(found)
    assert found["span, metric, event"].status == "note"
