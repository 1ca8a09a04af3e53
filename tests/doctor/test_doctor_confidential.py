"""What must not be shown is taken out of texts of others."""

import json
from base64 import standard_b64encode, urlsafe_b64encode
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_claude.doctor.confidential import Confidential

LETTERS = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=40)
HEADERS = "OTEL_EXPORTER_OTLP_HEADERS"


def without(text: str, **environ: str) -> str:
    return Confidential(environ).without(text)


@given(value=LETTERS, before=LETTERS, after=LETTERS)
def test_the_value_of_a_header_is_never_in_a_text_as_a_word(value: str, before: str, after: str):
    told = without(f"{before} {value}: {after}", **{HEADERS: f"x-key={value}"})
    assert value not in told.replace(":", " ").split()


@given(value=st.text(min_size=8, max_size=40))
def test_a_long_value_is_never_in_a_text_at_all(value: str):
    decoded = value.strip()
    if len(decoded) >= 8 and decoded.strip("="):
        assert decoded not in without(f"before{decoded}after", OTEL_EXPORTER_OTLP_LOGS_HEADERS=f"x-key={quote(value)}")


def test_a_credential_is_taken_out_without_its_scheme_too():
    told = without("no such token: sesame", **{HEADERS: "authorization=Bearer%20sesame"})
    assert told == "no such token: …"
    assert without("Bearer tokens only", **{HEADERS: "authorization=Bearer%20sesame"}) == "Bearer tokens only"


def test_an_entry_without_a_name_is_a_value():
    assert without("bad header: sesame", **{HEADERS: "sesame"}) == "bad header: …"


def test_keys_and_passwords_of_the_environment_are_taken_out():
    assert without("key=opensesame!", ANTHROPIC_API_KEY="opensesame!") == "key=…"
    assert without("got sesame", REDIS_URL="redis://me:sesame@host/0", OTHER="got") == "got …"
    assert without("got me:sesame", REDIS_URL="redis://me:sesame@host/0") == "got …"
    assert without("got sesame", REDIS_URL="redis://sesame@host/0") == "got …"
    assert without("got opensesame", DB_PASSWD="opensesame", my_api_key="x") == "got …"
    assert without("got opensesame", my_api_key="opensesame") == "got …"
    assert without("/keys/client.pem", OTEL_EXPORTER_OTLP_CLIENT_KEY="/keys/client.pem") == "/keys/client.pem"
    assert without("sk-ant-api03-abcdefgh is no key") == "… is no key"


@pytest.mark.parametrize("name", ["MY_SECRET", "MY_PASSWORD", "MY_CREDENTIALS", "MY_CREDENTIAL", "MY_TOKEN", "MY_KEY"])
def test_names_that_end_like_that_of_a_secret_are_those_of_one(name: str):
    assert without("got opensesame", **{name: "opensesame"}) == "got …"
    assert without("got opensesame", **{f"{name}_FILE": "opensesame"}) == "got opensesame"


@pytest.mark.parametrize(
    ("name", "value", "credential"),
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://me:open-sesame@host/v1", "me:open-sesame"),
        ("HTTPS_PROXY", "http://me:open-sesame@proxy:3128", "me:open-sesame"),
        ("http_proxy", "me:open-sesame@proxy:3128", "me:open-sesame"),
        ("HTTPS_PROXY", "http://me:open%21sesame@proxy:3128", "me:open!sesame"),
        ("HTTPS_PROXY", "http://me:open%21sesame@proxy:3128", "me:open%21sesame"),
        # With `+` and `/` in base64.
        ("HTTPS_PROXY", "http://me:~~~~????>>>@proxy:3128", "me:~~~~????>>>"),
    ],
)
def test_the_header_that_is_made_of_a_password_is_taken_out(name: str, value: str, credential: str):
    for encode in (standard_b64encode, urlsafe_b64encode):
        encoded = encode(credential.encode()).decode()
        for text in (encoded, encoded.rstrip("=")):
            assert without(f"got Basic {text}", **{name: value}).rstrip("=") == "got Basic …"


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8"])
def test_libraries_write_letters_of_a_password_in_one_of_two_ways(encoding: str):
    encoded = standard_b64encode("me:sésame".encode(encoding)).decode()
    assert without(f"got {encoded}", HTTPS_PROXY="http://me:s%C3%A9same@proxy:3128").rstrip("=") == "got …"


def test_a_proxy_without_a_scheme_has_a_password_too():
    assert without("no me:opensesame, opensesame", http_proxy="me:opensesame@proxy:3128") == "no …, …"


@pytest.mark.parametrize("value", ["sésame-ouvre-toi", 'open"the"sesame', "Bearer sésame-ouvre-toi"])
def test_a_value_is_taken_out_of_json_as_it_is_written_there(value: str):
    body = json.dumps({"error": f"no such key: {value.removeprefix('Bearer ')}"})
    assert without(body, **{HEADERS: f"x-key={value}"}) == '{"error": "no such key: …"}'


def test_a_password_with_an_at_sign_is_taken_out_whole_and_in_pieces():
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://me:p@ss-word1@host:4317"}
    assert without("to http://me:p@ss-word1@host:4317/v1", **environ) == "to http://…@host:4317/v1"
    assert without("resolving me:p@ss-word1@host", **environ) == "resolving …@host"
    assert without("resolving ss-word1@host", **environ) == "resolving …@host"
    assert "ss-word1" not in without("port 'p@ss-word1'", **environ)
    slash = "http://me:one/two-three@host/v1"
    assert without(slash) == "http://…@host/v1"
    assert without("two-three", OTEL_EXPORTER_OTLP_ENDPOINT=slash) == "…"


def test_a_password_without_a_scheme_before_it_is_taken_out():
    assert without("me:opensesame", OTEL_EXPORTER_OTLP_ENDPOINT="me:opensesame@host:4317") == "…"


def test_a_password_is_taken_out_decoded_too():
    environ = {"REDIS_URL": "redis://me:open%21sesame@host/0"}
    assert without("got open!sesame, open%21sesame", **environ) == "got …, …"


@pytest.mark.parametrize("padding", ["", "="])
def test_a_basic_credential_is_taken_out_with_and_without_padding_and_decoded(padding: str):
    # base64("user:open-sesame") is 16 bytes and so ends with two `=`.
    token = "dXNlcjpvcGVuLXNlc2FtZQ=="
    environ = {HEADERS: f"authorization=Basic%20{token.removesuffix('==')}{padding}"}
    for text in (token, token.rstrip("="), "user:open-sesame", "open-sesame"):
        assert without(f"got {text}", **environ).rstrip("=") == "got …"


def test_keys_in_paths_and_values_in_queries_of_endpoints_are_taken_out():
    environ = {
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://host/0123456789abcdef/v1/traces?apikey=sesame&x=two%20three"
    }
    assert without("url: /0123456789abcdef/v1/traces (", **environ) == "url: /…/v1/traces ("
    assert without("no such key: sesame", **environ) == "no such key: …"
    assert without("no such key: two three", **environ) == "no such key: …"
    # Shorter than 16 characters.
    assert without("/v1/traces", OTEL_EXPORTER_OTLP_ENDPOINT="https://host/v1/0123456789abcde") == "/v1/traces"


def test_what_is_behind_a_comma_in_a_header_is_taken_out():
    environ = {HEADERS: "authorization=Basic abc,opensesame=rest,api-key=other"}
    assert without("no header opensesame, nor api-key", **environ) == "no header …, nor api-key"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://user:pass@example.com/v1/traces", "https://…@example.com/v1/traces"),
        ("url: /v1/traces?api-key=abc (Caused by", "url: /v1/traces?… (Caused by"),
        ("http://host:4318?api-key=abc", "http://host:4318?…"),
        ("http://127.0.0.1:4318/a?b=c@d", "http://127.0.0.1:4318/a?…"),
        ("is it there?", "is it there?"),
    ],
)
def test_users_and_queries_of_addresses_are_taken_out(text: str, expected: str):
    assert without(text) == expected


def test_short_values_stay_in_texts_of_our_own():
    confidential = Confidential({HEADERS: "x-org=1,x-key=opensesame"})
    assert confidential.without("1 metric, opensesame", shortest=8) == "1 metric, …"
