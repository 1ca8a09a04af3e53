"""What has become of a probe, and how to mend it.

In: what an exporter has returned and logged, and what the receiver has answered. Out: a check. Pure.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from otel_claude.doctor.answers import Answer, short
from otel_claude.doctor.causes import KEY, LATE, NAMED, PROXY, Cause, cause_of
from otel_claude.doctor.check import Check
from otel_claude.doctor.exporters import GRPC, HTTP, Exporter
from otel_claude.doctor.variables import Variables

BUSY = "try again later; if it stays, look at what the receiver logs, and at the limits of your plan"
OWN_FAULT = "look at what the receiver logs"
LOCAL = "correct what it names: the exporter raises it here, before anything is sent"
ELSEWHERE = (
    "{signal.exporter}=none where the backend takes no {signal.carries}, or correct the path of {ENDPOINT}; {PROTOCOL}"
    " may be another one"
)
SIZE = "look for a limit in the receiver, or in a proxy before it"
WRONG_ADDRESS = "it is not one of OTLP: correct {ENDPOINT} as the backend's own page has it"
REFUSED = "look at what it says, and at whether the endpoint is one of OTLP"

MENDS: Mapping[int | str, str] = {
    400: REFUSED,
    401: KEY,
    403: KEY,
    404: ELSEWHERE,
    405: ELSEWHERE,
    407: PROXY,
    413: SIZE,
    415: "{PROTOCOL}={other}, or look for an endpoint that takes {protocol}",
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

OF_PROXIES = frozenset({403, 502, 503, 504})
"""What proxies answer too, in the place of a receiver."""

NOT_UNDERSTOOD = frozenset({400, "UNAVAILABLE", "DEADLINE_EXCEEDED"})
"""What comes of talking to a receiver in another way than it does. 400 is what some speak to those who speak no TLS."""

SPEAKS_TLS = Cause("", "the receiver speaks TLS there, and is not asked in it", "let {ENDPOINT} begin with https://")
LOCAL_ERROR = re.compile(r"(?:Value|Type|Key|Index|Attribute|Lookup|Import|ModuleNotFound|Runtime|Unicode\w*)Error\b")
"""Exceptions that have nothing to do with a receiver."""

GAVE_UP = re.compile(r"due to timeout, max retries or shutdown|Shutdown in progress")
"""The last that exporters log, whatever has kept them from sending."""

AROUND: Sequence[tuple[re.Pattern[str], str]] = (
    (re.compile(r"Transient error (.*) encountered while exporting .*?, retrying in [\d.]+s\.", re.DOTALL), r"\1"),
    (re.compile(r"Failed to export \w+ batch code: None, reason: "), ""),
    (re.compile(r"HTTPS?ConnectionPool\(host=[^)]*\): "), ""),
    (re.compile(r"Max retries exceeded with url: \S+ \(Caused by (.*)\)", re.DOTALL), r"\1"),
    (re.compile(r"failed to connect to all addresses; last error: "), ""),
    (re.compile(r"<[\w.]+ object at 0x[0-9a-f]+>(?:: |, )?"), ""),
)
"""What exporters and the HTTP library write around the same fault, otherwise for each signal and each time."""


class Sent(NamedTuple):
    """A probe that was sent, or was to be, through the `proxy` of a variable or directly.

    `is_accepted` is what the exporter has returned, `None` where it has returned nothing within `seconds`. `logged` is
    what it has logged, and `raised` what it has raised, both without what is confidential. `speaks_tls` is whether the
    receiver does although it was asked without. `told` is the problem that has been told of the receiver already.
    """

    exporter: Exporter
    is_accepted: bool | None
    seconds: float
    answers: Sequence[Answer] = ()
    logged: Sequence[str] = ()
    raised: str = ""
    variables: Variables = Variables({})
    proxy: str | None = None
    speaks_tls: bool = False
    told: Cause | None = None

    @property
    def answer(self) -> Answer | None:
        """The last answer that has come."""
        return self.answers[-1] if self.answers else None

    @property
    def may_be_misunderstood(self) -> bool:
        """Whether the receiver may have been asked in another way than it speaks. One that is silent has not been."""
        if self.is_accepted:
            return False
        if self.answer is not None:
            return self.answer.status in NOT_UNDERSTOOD
        return self.is_accepted is not None or bool(self.logged)


def check_of(sent: Sent) -> Check:
    """What is to be said of a probe."""
    if sent.answer is not None and sent.answer.is_redirected:
        says, mend = "the address redirects elsewhere, which exporters do not notice", WRONG_ADDRESS
        check = Check("problem", "", says, mend)
    else:
        check = _accepted(sent.answer) if sent.is_accepted else _not_accepted(sent)
    return check._replace(name=sent.exporter.signal.one, mend=_filled(check.mend, sent))


def _not_accepted(sent: Sent) -> Check:
    # An exporter that tries again and again may have been told why.
    late, answer = f", and tried again for {sent.seconds:g} s" if sent.is_accepted is None else "", sent.answer
    told = _told(sent)
    cause = SPEAKS_TLS if sent.speaks_tls else None
    if cause is None and answer is not None and answer.status in MENDS:
        through = f"; or look at the proxy of {sent.proxy}, which may have refused it" if sent.proxy else ""
        mend = MENDS[answer.status] + (through if answer.status in OF_PROXIES else "")
        return Check("problem", "", f"refused{late}: {_said(answer)}", mend)
    # What a receiver of HTTP says in its own words is for people.
    if cause is None and not (answer is not None and isinstance(answer.status, int)):
        cause = cause_of(told)
    if cause is not None and cause == sent.told:
        return Check("note", "", f"not accepted{late}, for what is told of the receiver: {cause.says}")
    if cause is not None:
        says = _filled(cause.says, sent)
        return Check("problem", "", f"not accepted{late}: {says}{f' ({short(told)})' if told else ''}", cause.mend)
    if told:
        is_local = answer is None and LOCAL_ERROR.match(sent.raised) is not None
        return Check("problem", "", f"not accepted{late}: {short(told)}", LOCAL if is_local else OWN_FAULT)
    if late:
        return Check("problem", "", f"no answer within {sent.seconds:g} s", LATE)
    return Check("problem", "", "not accepted; the exporter does not tell why", OWN_FAULT)


def _accepted(answer: Answer | None) -> Check:
    if answer is None:
        return Check("ok", "", "accepted")
    if answer.is_page:
        says = f"the exporter takes it for accepted, but the answer is {_said(answer)}"
        return Check("problem", "", says, WRONG_ADDRESS)
    if answer.rejected:
        return Check("problem", "", f"accepted, and then rejected: {_said(answer)}", OWN_FAULT)
    if answer.is_other:
        says = f"the exporter takes it for accepted, but the answer is none of OTLP: {_said(answer)}"
        return Check("note", "", says, f"look it up in the backend; if it is not there, {WRONG_ADDRESS}")
    return Check("note" if answer.said else "ok", "", f"accepted: {short(answer.said)}" if answer.said else "accepted")


def _told(sent: Sent) -> str:
    """Why it was not accepted, by whoever knows it best."""
    if sent.answer is not None:
        return _said(sent.answer, whole=True)
    texts = [sent.raised] if sent.raised else sent.logged
    reasons = [text for text in texts if not GAVE_UP.search(text)] or texts
    return " ".join(dict.fromkeys(map(_core, reasons)))


def _core(text: str) -> str:
    for pattern, instead in AROUND:
        text = pattern.sub(instead, text)
    return text


def _said(answer: Answer, *, whole: bool = False) -> str:
    said = "a web page" if answer.is_page else answer.said if whole else short(answer.said)
    status = f"HTTP {answer.status}" if isinstance(answer.status, int) else answer.status
    return f"{status}, {said}" if said else status


def _filled(text: str, sent: Sent) -> str:
    signal, protocol = sent.exporter.signal, sent.exporter.protocol or HTTP
    return text.format(
        signal=signal,
        protocol=protocol,
        other=HTTP if protocol == GRPC else GRPC,
        proxy=sent.proxy or "the variable of the proxy, such as https_proxy",
        **{what: sent.variables.name_of(signal, what) for what in NAMED},
    )
