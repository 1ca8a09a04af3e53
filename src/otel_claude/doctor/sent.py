"""What has become of a probe, and how to mend it.

In: what an exporter has returned and logged, and what the receiver has answered. Out: a check. Pure.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from otel_claude.doctor.answers import Answer, short
from otel_claude.doctor.check import Check
from otel_claude.doctor.exporters import GRPC, HTTP, Exporter
from otel_claude.doctor.signals import OTLP

KEY = f"check the key, and the name of its header, in {OTLP}HEADERS, as the backend's own page has them"
BUSY = "try again later; if it stays, look at what the receiver logs, and at the limits of your plan"
OWN_FAULT = "look at what the receiver logs"
LOCAL = "correct what it names: the exporter raises it here, before anything is sent"
ELSEWHERE = (
    "{signal.exporter}=none where the backend takes no {signal.carries}, or correct the path of "
    f"{OTLP}ENDPOINT; {OTLP}PROTOCOL may be another one"
)
SIZE = "look for a limit in the receiver, or in a proxy before it"
WRONG_ADDRESS = f"it is not one of OTLP: correct {OTLP}ENDPOINT as the backend's own page has it"
REFUSED = "look at what it says, and at whether the endpoint is one of OTLP"

MENDS: Mapping[int | str, str] = {
    400: REFUSED,
    401: KEY,
    403: KEY,
    404: ELSEWHERE,
    405: ELSEWHERE,
    413: SIZE,
    415: f"{OTLP}PROTOCOL={{other}}, or look for an endpoint that takes {{protocol}}",
    429: BUSY,
    500: OWN_FAULT,
    502: BUSY,
    503: BUSY,
    504: BUSY,
    "INVALID_ARGUMENT": REFUSED,
    "UNAUTHENTICATED": KEY,
    "PERMISSION_DENIED": KEY,
    "UNIMPLEMENTED": ELSEWHERE,
    "RESOURCE_EXHAUSTED": BUSY,
    "INTERNAL": OWN_FAULT,
}
"""What to do about a status of HTTP or gRPC. https://opentelemetry.io/docs/specs/otlp/#failures-1."""

AUTHORITY = (
    f"{OTLP}CERTIFICATE=/path/to/authority.pem, or the host name that the certificate is for; over HTTP, the file of"
    " REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE may count instead where that is set"
)
CLIENT = (
    f"{OTLP}CLIENT_CERTIFICATE and {OTLP}CLIENT_KEY: files in PEM, a certificate that the receiver trusts, and its key"
)
FILES = f"correct {OTLP}CERTIFICATE, {OTLP}CLIENT_CERTIFICATE and {OTLP}CLIENT_KEY: files in PEM, the last two a pair"
UNENCRYPTED = (
    f"http:// in {OTLP}ENDPOINT in the place of https://, if the receiver is meant not to be encrypted; keys then go in"
    " clear text"
)
OTHER_TLS = (
    "look at what the receiver logs, at the versions of TLS and the ciphers that it accepts, and at whether it wants a"
    f" certificate of the client ({OTLP}CLIENT_CERTIFICATE, {OTLP}CLIENT_KEY)"
)
PROXY = "correct the variable of the proxy, such as https_proxy, or set no_proxy to the host of the receiver"
OTHER_PROTOCOL = (
    f"{OTLP}PROTOCOL={{other}} if the port is one of that protocol: 4317 is usual for grpc, 4318 for http/protobuf"
)
LATE = f"if the port is one of another protocol, {OTLP}PROTOCOL={{other}}; else look at the receiver"

NO_TLS = r"WRONG_VERSION_NUMBER|RECORD_LAYER_FAILURE|HTTP_REQUEST"
"""The reasons by which OpenSSL and BoringSSL say that the other side has answered, and not in TLS."""

WANTS_CLIENT = r"CERTIFICATE_REQUIRED|BAD_CERTIFICATE|ALERT_UNKNOWN_CA|CERTIFICATE_UNKNOWN"
"""The alerts of a receiver that has not got a certificate, or not one that it trusts."""

LOCAL_ERROR = re.compile(r"(?:Value|Type|Key|Index|Attribute|Lookup|Import|ModuleNotFound|Runtime|Unicode\w*)Error\b")
"""Exceptions that have nothing to do with a receiver."""

UNUSABLE_FILES = r"NO_CERTIFICATE_OR_CRL|KEY_VALUES_MISMATCH|PEM lib|invalid path: |Could not find the TLS"
"""What OpenSSL and the HTTP library say of files of certificates."""

CAUSES: Sequence[tuple[str, str, str]] = (
    (r"ProxyError|[Cc]annot connect to proxy|Tunnel connection failed", "the proxy does not let it through", PROXY),
    (
        r"CERTIFICATE_VERIFY_FAILED|certificate verify failed",
        "the certificate is not trusted",
        AUTHORITY,
    ),
    (UNUSABLE_FILES, "a file of certificates cannot be used", FILES),
    (rf"{NO_TLS}|wrong version number|record layer failure", "the receiver does not speak TLS there", UNENCRYPTED),
    (
        rf"{WANTS_CLIENT}|certificate required|bad certificate|alert unknown ca",
        "the receiver wants a certificate of the client, and one that it trusts",
        CLIENT,
    ),
    (
        r"SSLError|SSL_ERROR|\[SSL|TSI_PROTOCOL_FAILURE|[Ss]sl handshake",
        "no encrypted connection comes about",
        OTHER_TLS,
    ),
    (r"InvalidHeader|[Ii]llegal header|metadata was invalid|header (?:value|name)", "a header is not accepted", KEY),
    (
        r"Invalid compression|InvalidCompression",
        "the compression is none that there is",
        f"{OTLP}COMPRESSION=gzip, or unset it",
    ),
    (r"Connection refused|refused", "nothing listens there", f"start the receiver, or correct {OTLP}ENDPOINT"),
    (r"timed? ?out|[Tt]imeout|DEADLINE_EXCEEDED", "no answer came in time", LATE),
    (
        r"BadStatusLine|RemoteDisconnected|[Rr]eset|[Ss]ocket closed|http1|HTTP/1|frame|ProtocolError|GOAWAY|preface",
        "the receiver does not speak {protocol} there",
        OTHER_PROTOCOL,
    ),
    (
        r"[Nn]ame or service|NameResolution|DNS resolution|resolve",
        "no name server knows the host",
        f"correct the host in {OTLP}ENDPOINT",
    ),
)
"""What exporters log and raise, what it means, and what to do. The first that fits counts."""


class Sent(NamedTuple):
    """A probe that was sent, or was to be.

    `is_accepted` is what the exporter has returned, `None` where it has returned nothing within `seconds`. `logged` is
    what it has logged, and `raised` what it has raised, both without what is confidential.
    """

    exporter: Exporter
    is_accepted: bool | None
    seconds: float
    answers: Sequence[Answer] = ()
    logged: Sequence[str] = ()
    raised: str = ""


def check_of(sent: Sent) -> Check:
    """What is to be said of a probe."""
    name, answer = sent.exporter.signal.one, sent.answers[-1] if sent.answers else None
    if answer is not None and answer.is_redirected:
        return Check("problem", name, "the address redirects elsewhere, which exporters do not notice", WRONG_ADDRESS)
    return _accepted(name, answer) if sent.is_accepted else _not_accepted(sent, name, answer)


def _not_accepted(sent: Sent, name: str, answer: Answer | None) -> Check:
    # An exporter that tries again and again may have been told why.
    late = f", and tried again for {sent.seconds:g} s" if sent.is_accepted is None else ""
    if answer is not None and answer.status in MENDS:
        return Check("problem", name, f"refused{late}: {_said(answer)}", _filled(MENDS[answer.status], sent))
    told = " ".join(_told(sent, answer))
    for looks, says, mend in CAUSES:
        if re.search(looks, told):
            meant = f"not accepted{late}: {_filled(says, sent)} ({short(told)})"
            return Check("problem", name, meant, _filled(mend, sent))
    if told:
        is_local = answer is None and LOCAL_ERROR.match(sent.raised) is not None
        return Check("problem", name, f"not accepted{late}: {short(told)}", LOCAL if is_local else OWN_FAULT)
    if late:
        return Check("problem", name, f"no answer within {sent.seconds:g} s", _filled(LATE, sent))
    return Check("problem", name, "not accepted; the exporter does not tell why", OWN_FAULT)


def _accepted(name: str, answer: Answer | None) -> Check:
    if answer is None:
        return Check("ok", name, "accepted")
    if answer.is_page:
        says = f"the exporter takes it for accepted, but the answer is {_said(answer)}"
        return Check("problem", name, says, WRONG_ADDRESS)
    if answer.rejected:
        return Check("problem", name, f"accepted, and then rejected: {_said(answer)}", OWN_FAULT)
    if answer.is_other:
        says = f"the exporter takes it for accepted, but the answer is none of OTLP: {_said(answer)}"
        return Check("note", name, says, f"look it up in the backend; if it is not there, {WRONG_ADDRESS}")
    return Check("note" if answer.said else "ok", name, f"accepted: {answer.said}" if answer.said else "accepted")


def _told(sent: Sent, answer: Answer | None) -> Sequence[str]:
    """Why it was not accepted, by whoever knows it best."""
    if answer is not None:
        return [_said(answer)]
    if sent.raised:
        return [sent.raised]
    return list(dict.fromkeys(sent.logged))


def _said(answer: Answer) -> str:
    said = "a web page" if answer.is_page else answer.said
    status = f"HTTP {answer.status}" if isinstance(answer.status, int) else answer.status
    return f"{status}, {said}" if said else status


def _filled(text: str, sent: Sent) -> str:
    protocol = sent.exporter.protocol or HTTP
    return text.format(signal=sent.exporter.signal, protocol=protocol, other=HTTP if protocol == GRPC else GRPC)
