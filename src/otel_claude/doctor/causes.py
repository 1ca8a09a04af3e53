"""What exceptions and logs of exporters, of TLS and of gRPC mean.

In: their whole text. Out: what it means, and how to mend it, with places in braces for the variables that count. Pure.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple


class Cause(NamedTuple):
    """What texts that `looks` finds mean. Where `is_final`, it is so for whatever else is sent there."""

    looks: str
    says: str
    mend: str
    is_final: bool = False


NAMED = ("ENDPOINT", "HEADERS", "PROTOCOL", "COMPRESSION", "CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY")
"""The variables of OTLP that have places in what would mend something."""

KEY = "check the key, and the name of its header, in {HEADERS}, as the backend's own page has them"
AUTHORITY = (
    "{CERTIFICATE}=/path/to/authority.pem, or the host name that the certificate is for; over HTTP, the file of"
    " REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE may count instead where that is set"
)
CLIENT = "{CLIENT_CERTIFICATE} and {CLIENT_KEY}: files in PEM, a certificate that the receiver trusts, and its key"
FILES = "correct {CERTIFICATE}, {CLIENT_CERTIFICATE} and {CLIENT_KEY}: files in PEM, the last two a pair"
UNENCRYPTED = (
    "let {ENDPOINT} begin with http://, if the receiver is meant not to be encrypted (gRPC encrypts also where there is"
    " no scheme); keys then go in clear text"
)
OTHER_TLS = (
    "look at what the receiver logs, at the versions of TLS and the ciphers that it accepts, and at whether it wants a"
    " certificate of the client ({CLIENT_CERTIFICATE}, {CLIENT_KEY})"
)
PROXY = (
    "correct {proxy}: the proxy may want a user and password in it; or set no_proxy to the host of the receiver, if it"
    " can be reached without"
)
OTHER_PROTOCOL = (
    "{PROTOCOL}={other} if the port is one of that protocol: 4317 is usual for grpc, 4318 for http/protobuf"
)
LATE = "if the port is one of another protocol, {PROTOCOL}={other}; else look at the receiver"

CLOSED = "closed once hands were shaken"
"""What is said here of a receiver that does so. Those that are built on gRPC's own library give no alert."""

OF_TLS: Sequence[Cause] = (
    Cause(
        r"CERTIFICATE_VERIFY_FAILED|certificate verify failed|Hostname Verification Check failed",
        "the certificate is not trusted",
        AUTHORITY,
    ),
    Cause(
        r"NO_CERTIFICATE_OR_CRL|KEY_VALUES_MISMATCH|PEM lib|invalid path: |Could not find the TLS",
        "a file of certificates cannot be used",
        FILES,
    ),
    # By these, OpenSSL and BoringSSL say that the other side has answered, and not in TLS.
    Cause(
        r"WRONG_VERSION_NUMBER|RECORD_LAYER_FAILURE|HTTP_REQUEST|wrong version number|record layer failure",
        "the receiver does not speak TLS there",
        UNENCRYPTED,
        is_final=True,
    ),
    # The alerts of a receiver that has not got a certificate, or not one that it trusts.
    Cause(
        r"CERTIFICATE_REQUIRED|BAD_CERTIFICATE|ALERT_UNKNOWN_CA|CERTIFICATE_UNKNOWN|certificate required"
        "|bad certificate|alert unknown ca",
        "the receiver wants a certificate of the client, and one that it trusts",
        CLIENT,
        is_final=True,
    ),
    Cause(
        CLOSED,
        "the receiver closes those that are encrypted at once, as one does that wants a certificate of the client",
        CLIENT,
        is_final=True,
    ),
    Cause(
        r"SSL\w*Error|SSL_ERROR|\[SSL|TSI_PROTOCOL_FAILURE|TSI_DATA_CORRUPTED|[Ss]sl handshake",
        "no encrypted connection comes about",
        OTHER_TLS,
    ),
)

CAUSES: Sequence[Cause] = (
    Cause(
        r"ProxyError|[Cc]annot connect to proxy|Tunnel connection failed|HTTP proxy returned|proxy handshake",
        "the proxy does not let it through",
        PROXY,
    ),
    *OF_TLS,
    Cause(
        r"InvalidHeader|[Ii]llegal header|metadata was invalid|header (?:value|name)", "a header is not accepted", KEY
    ),
    Cause(
        r"Invalid compression|InvalidCompression",
        "the compression is none that there is",
        "{COMPRESSION}=gzip, or unset it",
    ),
    Cause(r"refused", "nothing listens there", "start the receiver, or correct {ENDPOINT}"),
    Cause(
        r"[Nn]ame or service|NameResolution|DNS resolution|resolve",
        "no name server knows the host",
        "correct the host in {ENDPOINT}",
    ),
    Cause(
        r"BadStatusLine|RemoteDisconnected|[Rr]eset|[Ss]ocket closed|http1|HTTP/1|frame|ProtocolError|GOAWAY|preface"
        "|missing selected ALPN",
        "the receiver does not speak {protocol} there",
        OTHER_PROTOCOL,
    ),
    # Exporters that have given up talk of time as well, whatever has kept them from sending.
    Cause(r"timed? ?out|[Tt]imeout|DEADLINE_EXCEEDED", "no answer came in time", LATE),
)
"""What exporters log and raise. The first that fits counts."""


def cause_of(text: str, causes: Sequence[Cause] = CAUSES) -> Cause | None:
    """What a text means, if that is known."""
    return next((cause for cause in causes if re.search(cause.looks, text)), None)
