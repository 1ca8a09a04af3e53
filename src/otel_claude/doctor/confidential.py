"""What must not be shown: keys, values of headers, passwords in addresses.

In: the environment. Out: texts without what is confidential in it. Pure.
"""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from urllib.parse import quote, unquote

HIDDEN = "…"
SURE_LENGTH = 8
"""A text so long is taken out of any other that has it; a shorter one only where it stands alone."""

LONG_SEGMENT = re.compile(r"[^/]{16,}")
"""A part of a path that may be a key."""

HEADERS = re.compile(r"OTEL_EXPORTER_OTLP_(?:\w+_)?HEADERS", re.IGNORECASE)
ENDPOINT = re.compile(r"OTEL_\w*ENDPOINT", re.IGNORECASE)
PROXY = re.compile(r"\w+_PROXY", re.IGNORECASE)
SECRET_NAME = re.compile(
    r"(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|_PASS|_PWD)$",
    re.IGNORECASE,
)
PATHS = re.compile(r"OTEL_EXPORTER_OTLP_(?:\w+_)?CLIENT_KEY")
"""Variables with such a name whose values are paths of files."""

KNOWN_HEADERS = frozenset(
    {
        "api-key",
        "authorization",
        "content-type",
        "dd-api-key",
        "dd-otlp-source",
        "signoz-access-token",
        "signoz-ingestion-key",
        "uptrace-dsn",
        "x-api-key",
        "x-bt-parent",
        "x-dash0-dataset",
        "x-honeycomb-dataset",
        "x-honeycomb-team",
        "x-langfuse-ingestion-version",
        "x-mlflow-experiment-id",
        "x-scope-orgid",
        "x-sf-token",
    }
)
"""Names of headers that backends have in their manuals. Any other may be the second half of a value with a comma."""

USER = re.compile(r"(?<=://)(?:[^/?#\s:@]*:(?!\d*[/?#])\S*|[^/?#\s]*)@")
"""The user and password of an address, up to its last `@`: a password may have one, or even a `/`."""

QUERY = re.compile(r"(/[^\s?'\"(]*)\?[^\s'\")>]+")
API_KEY = re.compile(r"\bsk-[\w-]{8,}")
SCHEMES = frozenset({"basic", "bearer", "api-key", "apikey", "token"})
URL_SAFE = str.maketrans("+/", "-_")
"""https://www.rfc-editor.org/rfc/rfc4648#section-5."""

SHORTEST_PIECE = 4
"""How long a piece of a password is at least, where some library may cut it up."""


class Confidential:
    """All that the values of an environment have of it."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        found = {each for name, value in environ.items() for each in _secrets(name, value)}
        self._secrets = sorted(found, key=len, reverse=True)

    def without(self, text: str, *, shortest: int = 1) -> str:
        """A text of somebody else without what is confidential. What is shorter than `shortest` stays."""
        for pattern, instead in ((USER, f"{HIDDEN}@"), (QUERY, rf"\1?{HIDDEN}"), (API_KEY, HIDDEN)):
            text = pattern.sub(instead, text)
        for secret in self._secrets:
            if len(secret) >= SURE_LENGTH:
                text = text.replace(secret, HIDDEN)
            elif len(secret) >= shortest:
                text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", HIDDEN, text)
        return text


def _secrets(name: str, value: str) -> Iterator[str]:
    if HEADERS.fullmatch(name):
        yield from _of_headers(value)
    elif SECRET_NAME.search(name) and not PATHS.fullmatch(name) and len(value) >= SURE_LENGTH:
        yield from _forms(value)
    if ENDPOINT.fullmatch(name):
        yield from _of_endpoint(value)
    if "://" not in value and "@" in value and (ENDPOINT.fullmatch(name) or PROXY.fullmatch(name)):
        # As gRPC takes it, and a proxy may be written: without a scheme.
        yield from _of_user(value.rpartition("@")[0])
    for found in USER.finditer(value):
        yield from _of_user(found[0].removesuffix("@"))


def _of_headers(value: str) -> Iterator[str]:
    for entry in value.split(","):
        header, _, content = entry.partition("=")
        # What is no entry may be a value that somebody has forgotten the name of.
        yield from _forms(content or entry)
        if len(header.strip()) >= SURE_LENGTH and header.strip().lower() not in KNOWN_HEADERS:
            yield from _forms(header)


def _of_endpoint(value: str) -> Iterator[str]:
    address, _, query = value.partition("?")
    _, _, behind_scheme = address.rpartition("://")
    for segment in LONG_SEGMENT.findall(behind_scheme.partition("/")[2]):
        yield from _forms(segment)
    for entry in re.split(r"[&;#]", query):
        yield from _forms(entry.partition("=")[2] or entry)


def _of_user(user: str) -> Iterator[str]:
    password = user.partition(":")[2]
    yield from _forms(user)
    for each, encoding in product({user, unquote(user)} if password else (), ("utf-8", "latin-1")):
        # As HTTP's scheme Basic has it, in a header.
        encoded = b64encode(each.encode(encoding, "replace")).decode()
        yield from _forms(encoded)
        yield from _forms(encoded.translate(URL_SAFE))
    if password:
        yield from _forms(password)
        yield from (each for each in re.split(r"[@/:?#]", password) if len(each) >= SHORTEST_PIECE)


def _forms(value: str) -> Iterable[str]:
    """A value as it may turn up: as written, decoded, encoded, in JSON, and without the scheme of a credential."""
    written = {value.strip(), unquote(value).strip()}
    words = {word for each in written for word in each.split() if word.lower() not in SCHEMES}
    found = written | words | {quote(each, safe="") for each in written}
    found |= {json.dumps(each)[1:-1] for each in written | words}
    found |= {each.rstrip("=") for each in found} | {part for each in words for part in _decoded(each)}
    return {each for each in found if each.strip("=")}


def _decoded(word: str) -> Iterator[str]:
    """A credential of HTTP's scheme Basic, as it is before it is encoded, and its password."""
    bare = word.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        credential = b64decode(bare + "=" * (-len(bare) % 4), validate=True).decode("ascii")
    except ValueError:
        return
    user, _, password = credential.partition(":")
    if credential.isprintable() and len(password) >= SHORTEST_PIECE:
        yield from (credential, password)
        if len(user) >= SURE_LENGTH:
            # A public key, of which some backends tell.
            yield user
