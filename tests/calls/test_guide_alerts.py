"""The alerts of the guide on failed calls: each failure that a section speaks of is one that its alert selects.

How a failure is said differs by platform: by code, status and words. The alerts select by `claude.error.category`.
"""

import contextlib
from collections.abc import Mapping
from typing import Any, NamedTuple, get_args

import pytest
from driver import ASK, needs, read, settled
from failing import BAD_TOOL, NO_CREDITS

from fixture_types import API_KEY, Instrument, Make
from otel_claude.diagnosis.codes import Category
from otel_claude.testing import (
    Answer,
    BadRequest,
    BillingError,
    Cut,
    EndsEarly,
    ErrorEvent,
    GatewayTimeout,
    Hang,
    NotFound,
    Overloaded,
    PermissionDenied,
    RateLimited,
    Raw,
    RequestTooLarge,
    ServerError,
    SimulatedClaude,
    Telemetry,
    Unauthorized,
)
from promql import SECTIONS, Case, Labels, Recorded, Selector, check, needs_promtool, queries, selectors, series

CALLS = "gen_ai_client_operation_duration_seconds_count"
CATEGORY = "claude_error_category"
SENT = ("!=", "budget")


class Failing(NamedTuple):
    """A call that fails: by what the server does, or before anything is sent. `method` is that of the client."""

    heading: str
    outcome: Any = None
    ask: Mapping[str, Any] = {}
    method: str = "messages.create"
    client: Mapping[str, Any] = {}
    settings: Mapping[str, Any] = {}


def of_bedrock(code: str, message: str, status: int = 400) -> Raw:
    """As https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html has it."""
    return Raw(status, {"x-amzn-errortype": code}, {"message": message})


def of_azure(status: int, code: str, message: str) -> Raw:
    """As in https://github.com/NousResearch/hermes-agent/issues/47812."""
    return Raw(status, {}, {"error": {"type": "invalid_request_error", "code": code, "message": message}})


UPLOAD = "beta.files.upload"
COUNT = "messages.count_tokens"
GATEWAY_TIMEOUT = Raw(504, {}, b"<html><head><title>504 Gateway Time-out</title></head></html>")
SPENT = {"budgets": {"budgets": {"all": {"usd": 1e-9, "period": "day", "action": "block"}}}}

FAILING: Mapping[str, Failing] = {
    "a rate limit": Failing("Rate limits", RateLimited()),
    "a rate limit of Bedrock": Failing("Rate limits", of_bedrock("ThrottlingException", "Too many tokens", 429)),
    "too long a prompt": Failing(
        "Context window", BadRequest("prompt is too long: 208310 tokens > 200000 maximum")
    ),
    "too long a prompt on Bedrock": Failing(
        "Context window", of_bedrock("ValidationException", "Input is too long for requested model.")
    ),
    "a wrong key": Failing("Authentication", Unauthorized()),
    "no key": Failing("Authentication", client={"api_key": None}),
    "a signature": Failing(
        "Authentication",
        of_bedrock("InvalidSignatureException", "The request signature we calculated does not match", 403),
    ),
    "no credits": Failing("Billing and permissions", BadRequest(NO_CREDITS)),
    "a spend limit": Failing(
        "Billing and permissions",
        BadRequest(
            "You have reached your specified API usage limits. You will regain access on 2026-11-01 at 00:00 UTC."
        ),
    ),
    "an organization that is disabled": Failing(
        "Billing and permissions", BadRequest("This organization has been disabled.")
    ),
    "billing": Failing("Billing and permissions", BillingError()),
    "a permission": Failing("Billing and permissions", PermissionDenied()),
    "a model": Failing("Model names", NotFound("model: claude-sonet-5"), {"model": "claude-sonet-5"}),
    "a model, for its tokens": Failing("Model names", NotFound("model: claude-sonet-5"), method=COUNT),
    "a model of Azure": Failing(
        "Model names",
        of_azure(404, "DeploymentNotFound", "The API deployment for this resource does not exist."),
    ),
    "a model of Bedrock": Failing(
        "Model names", of_bedrock("ValidationException", "The provided model identifier is invalid.")
    ),
    "a tool": Failing(
        "Tool calling",
        BadRequest("tools.0.custom.input_schema: JSON schema is invalid. It must match JSON Schema draft 2020-12"),
        {"tools": [BAD_TOOL]},
    ),
    "a request": Failing("Tool calling", BadRequest("max_tokens: Field required")),
    "too large a request": Failing("File processing", RequestTooLarge()),
    "too large a file": Failing("File processing", BadRequest("File too large: exceeds 500 MB"), method=UPLOAD),
    "too large a file for a proxy": Failing("File processing", Raw(413, {}, b"<html>413</html>"), method=UPLOAD),
    "an upload that a proxy gave up": Failing("File processing", GATEWAY_TIMEOUT, method=UPLOAD),
    "an upload that took too long": Failing("File processing", Hang(5), method=UPLOAD, client={"timeout": 0.2}),
    "an upload that broke": Failing("File processing", Cut(0), method=UPLOAD),
    "a budget": Failing("Cost control", Answer("Hi"), settings=SPENT),
    "overload": Failing("Success metrics", Overloaded()),
    "overload in a stream": Failing(
        "Success metrics", ErrorEvent("overloaded_error", after_events=3), {"stream": True}
    ),
    "a fault of the API": Failing("Success metrics", ServerError()),
    "a timeout of the API": Failing("Success metrics", GatewayTimeout()),
    "a timeout of the client": Failing("Success metrics", Hang(5), client={"timeout": 0.2}),
    "a connection": Failing("Success metrics", Cut(0)),
    "a stream": Failing("Success metrics", EndsEarly(3), {"stream": True}),
    "a status that nobody knows": Failing("Success metrics", Raw(418, {}, b"<html>teapot</html>")),
}  # fmt: skip


def alerts(heading: str) -> list[tuple[str, Selector]]:
    """The queries of a section on failed calls, with what they ask of the category: other than that all were sent."""
    return [
        (query, each)
        for query in queries(SECTIONS[heading])
        for each in dict.fromkeys(selectors(query))
        if any(label == CATEGORY and (operator, value) != SENT for label, operator, value in each.matchers)
    ]


def selected_by(labels: Labels, heading: str) -> set[str]:
    return {query for query, each in alerts(heading) if each.selects(labels)}


async def fail(telemetry: Telemetry, client: Any, claude: SimulatedClaude, way: Failing) -> list[Labels]:
    """The series of the calls that have failed."""
    ask = {**ASK, **way.ask}
    if way.method == UPLOAD:
        ask = {"file": ("notes.txt", b"x", "text/plain")}
    elif way.method == COUNT:
        ask.pop("max_tokens")
    # A budget has to be spent first.
    for _ in range(2 if way.settings else 1):
        if way.outcome is not None:
            claude.will(way.outcome)
        with contextlib.suppress(Exception):
            method = client
            for name in way.method.split("."):
                method = getattr(method, name)
            answer = await settled(method(**ask))
            if "stream" in ask:
                await read(answer)
    return [labels for labels in series(telemetry)[CALLS] if CATEGORY in labels]


@pytest.fixture(autouse=True)
def no_keys_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("what", [pytest.param(what, marks=needs(way.method)) for what, way in FAILING.items()])
async def test_a_failure_is_selected_by_the_alert_of_its_section(
    what: str, instrument: Instrument, make: Make, claude: SimulatedClaude
):
    way = FAILING[what]
    telemetry = instrument(**way.settings)
    client = make(**{"api_key": API_KEY, "max_retries": 0, **way.client})
    found = await fail(telemetry, client, claude, way)
    assert len(found) == 1
    assert selected_by(found[0], way.heading), found[0][CATEGORY]


@pytest.mark.parametrize("category", get_args(Category))
def test_each_category_has_an_alert(category: str):
    labels = {CATEGORY: category, "error_type": "x", "gen_ai_operation_name": "chat"}
    assert [heading for heading in SECTIONS if selected_by(labels, heading)] != []


@pytest.mark.parametrize("heading", SECTIONS)
def test_no_alert_selects_calls_that_did_not_fail(heading: str):
    assert selected_by({"gen_ai_operation_name": "beta.files.upload"}, heading) == set()


@needs_promtool
@pytest.mark.parametrize("heading", sorted({way.heading for way in FAILING.values()}))
def test_an_alert_on_a_category_fires(heading: str):
    """At the first failure, of which a counter has one value, as at any later one."""
    for query, each in alerts(heading):
        (wanted,) = (value for label, _, value in each.matchers if label == CATEGORY)
        labels = {CATEGORY: wanted.partition("|")[0] or "timeout", "gen_ai_operation_name": "beta.files.upload"}
        quiet = Recorded(CALLS, {"gen_ai_operation_name": "chat"}, [(1, 24)])
        first, more = Recorded(CALLS, labels, [(1, 1)], after=23), Recorded(CALLS, labels, [(1, 24)])
        failing = [Case([quiet, each], fires=True) for each in (first, more)]
        assert check(query, [*failing, Case([quiet], fires=False)]) == ""
