"""The whole examination, from what is installed to what a receiver answers.

In: the process, and how many seconds something may take. Out: a report. It raises nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib.metadata import entry_points

from opentelemetry.sdk.resources import SERVICE_NAME, Resource

from otel_claude.doctor.check import Check, Section, looked_at, merged
from otel_claude.doctor.confidential import Confidential
from otel_claude.doctor.connections import Connection, Reached, connection_of, proxy_to, reach, speaking_tls
from otel_claude.doctor.deadline import Work
from otel_claude.doctor.endpoints import UnusableEndpoint, endpoint_of
from otel_claude.doctor.exported import exporter_checks
from otel_claude.doctor.exporters import CONSOLE, PROMETHEUS, Exporter, chosen
from otel_claude.doctor.instrumentations import native_span_checks, other_checks, switch_checks
from otel_claude.doctor.ledgers import ledger_checks
from otel_claude.doctor.own_settings import Read, read_settings
from otel_claude.doctor.packages import package_checks
from otel_claude.doctor.probes import new_ids, send
from otel_claude.doctor.processes import process_checks
from otel_claude.doctor.receivers import endpoint_checks, temporality_checks
from otel_claude.doctor.recording import paragraph, recording_checks
from otel_claude.doctor.report import Report, without
from otel_claude.doctor.sampler import sampler_checks
from otel_claude.doctor.sdk import config_file, is_disabled, sdk_checks
from otel_claude.doctor.sent import Sent, check_of
from otel_claude.doctor.setups import DETECTORS, Tried, trying
from otel_claude.doctor.signals import SIGNALS, Signal
from otel_claude.doctor.variables import Variables, is_instrumented, variables
from otel_claude.settings import Settings

UNKNOWN_SERVICE = "unknown_service"
TLS_S = 2.0
"""How long a receiver that was asked without TLS, and has not understood, has to show that it speaks it."""


def examine(seconds: float, *, offline: bool = False) -> Report:
    """Looks at everything. Each connection and each export has so many seconds; `offline`, there are none."""
    with variables() as found, _trial(found, offline=offline) as trial:
        own = Read(Settings(), (), ())
        sending = Sending(found, seconds)

        def read() -> Iterator[Check]:
            nonlocal own
            own = read_settings(found)
            yield from own.checks

        values = looked_at("values", read)
        settings = own.settings
        installed = looked_at("packages", lambda: package_checks(found))
        recorded = [
            *values,
            *looked_at("content", lambda: recording_checks(found, settings)),
            *looked_at("ledger", lambda: ledger_checks(settings.plan, seconds, offline=offline)),
        ]
        going = looked_at("OpenTelemetry", lambda: sdk_checks(found))
        if config_file(found) is None and not is_disabled(found):
            recorded += looked_at("sampler", lambda: sampler_checks(found))
            going += [
                *merged(looked_at("exporters", lambda: exporter_checks(found))),
                *looked_at("endpoint", lambda: endpoint_checks(found)),
                *looked_at("temporality", lambda: temporality_checks(found)),
            ]
        arriving = (
            [Check("ok", "test", "nothing is sent, offline")]
            if offline
            else [*looked_at("connection", sending.connect), *merged(looked_at("test", sending.send))]
        )
        instrumented = [
            *looked_at("switch", lambda: switch_checks(found)),
            *looked_at("this process", lambda: () if is_disabled(found) else process_checks(found, trial)),
            *looked_at("spans of the SDK", lambda: native_span_checks(found, settings.native_spans)),
            *looked_at("others", lambda: other_checks(found)),
        ]
        sections = [
            Section("What is installed", installed),
            Section("What is instrumented", instrumented),
            Section("What is recorded", recorded),
            Section("Where it goes", going),
            Section("Whether it arrives", arriving),
        ]
        report = Report(
            sections, own.shown, paragraph(found, settings), sending.trace_id, sending.service, sending.accepted
        )
        return without(report, Confidential(found.values))


def _trial(found: Variables, *, offline: bool) -> AbstractContextManager[Work[Tried] | None]:
    """`opentelemetry-instrument`, tried in another process. It takes long, and meanwhile the rest is looked at."""
    return nullcontext() if is_instrumented() or is_disabled(found) else trying(found, offline=offline)


class Sending:
    """Connects to the receivers of the environment, and sends one thing of each signal to those that can be reached.

    Once that is done, `accepted` are the signals of which something can be looked for in the backend, by `trace_id` and
    `service`.
    """

    def __init__(self, found: Variables, seconds: float) -> None:
        self._found = found
        self._seconds = seconds
        self._reached: Mapping[Connection, Reached] = {}
        self.accepted: Sequence[Signal] = ()
        self.trace_id: str | None = None
        self.service: str | None = None

    def connect(self) -> Iterator[Check]:
        """Whether the receivers can be reached."""
        if not is_disabled(self._found) and config_file(self._found) is None:
            to = [each for exporter in self._exporters() if (each := self._connection(exporter)) is not None]
            self._reached = reach(to, self._seconds)
            yield from (reached.check for reached in self._reached.values())

    def send(self) -> Iterator[Check]:
        """Whether the receivers accept what is sent."""
        if is_disabled(self._found) or config_file(self._found) is not None:
            yield Check("note", "test", "nothing is sent")
            return
        open_ones: list[Exporter] = []
        for exporter in self._exporters():
            connection = self._connection(exporter)
            if connection is None or self._reached[connection].is_open:
                open_ones.append(exporter)
            else:
                yield Check("note", exporter.signal.one, f"not sent, as {connection.name} cannot be reached")
        if open_ones:
            ids, resource = new_ids(), Resource.get_empty()
            try:
                resource = Work(Resource.create, self._seconds).result()
            except TimeoutError:
                yield self._late_detectors()
            confidential = Confidential(self._found.values)
            sent = self._known(send(open_ones, resource, ids, confidential, self._seconds))
            self.accepted = [each.exporter.signal for each in sent if each.is_accepted]
            if self.accepted:
                self.trace_id = f"{ids.trace_id:032x}"
                self.service = str(resource.attributes.get(SERVICE_NAME, UNKNOWN_SERVICE))
            yield from map(check_of, sent)

    def _known(self, sent: Sequence[Sent]) -> Sequence[Sent]:
        """What was sent, with what is known of where it went."""
        known = [each._replace(variables=self._found) for each in sent]
        to = [self._connection(each.exporter) for each in known]
        proxies = [None if connection is None else proxy_to(connection) for connection in to]
        doubtful = [
            connection
            for each, connection, proxy in zip(known, to, proxies, strict=True)
            if connection is not None and not connection.is_encrypted and proxy is None and each.may_be_misunderstood
        ]
        encrypted = speaking_tls(doubtful, min(self._seconds, TLS_S))
        return [
            each._replace(
                proxy=None if proxy is None else proxy.variable,
                speaks_tls=each.may_be_misunderstood and connection in encrypted,
                told=None if connection is None else self._reached[connection].problem,
            )
            for each, connection, proxy in zip(known, to, proxies, strict=True)
        ]

    def _late_detectors(self) -> Check:
        return Check(
            "note",
            "resource",
            f"what is detected of this machine has taken longer than {self._seconds:g} s, as any start of a program may"
            f" ({self._found.shown(DETECTORS)}); what is sent goes without it",
            f"look for a detector of another cloud in {DETECTORS}, or unset it",
        )

    def _exporters(self) -> Sequence[Exporter]:
        """The exporters that send something, of those that are installed."""
        return [
            exporter
            for signal in SIGNALS
            for exporter in chosen(self._found, signal)
            if exporter.component not in (None, CONSOLE, PROMETHEUS)
            and entry_points(group=signal.group, name=exporter.component)
            and self._is_usable(exporter)
        ]

    def _is_usable(self, exporter: Exporter) -> bool:
        try:
            self._connection(exporter)
        except UnusableEndpoint:
            return False
        return True

    def _connection(self, exporter: Exporter) -> Connection | None:
        """Where an exporter connects to, if it is one that is known here."""
        if exporter.protocol is None:
            return None
        return connection_of(self._found, endpoint_of(self._found, exporter.signal, exporter.protocol))
