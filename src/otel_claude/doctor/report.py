"""All that was found.

In: sections of checks, settings and what would be recorded. Out: the same without what is confidential. Pure.
"""

from collections.abc import Sequence
from typing import NamedTuple

from otel_claude.doctor.check import Check, Section, Status
from otel_claude.doctor.confidential import SURE_LENGTH, Confidential
from otel_claude.doctor.own_settings import Own
from otel_claude.doctor.signals import Signal


class Report(NamedTuple):
    """All that was found.

    `trace_id` is that of the test span and event, where something was accepted, and `accepted` the signals that were.
    """

    sections: Sequence[Section]
    settings: Sequence[Own]
    recorded: str
    trace_id: str | None = None
    service: str | None = None
    accepted: Sequence[Signal] = ()

    def count(self, status: Status) -> int:
        """How many checks have a status."""
        return sum(check.status == status for section in self.sections for check in section.checks)


def without(report: Report, confidential: Confidential) -> Report:
    """The report without what is confidential, wherever in it that has come up."""

    def clean(text: str) -> str:
        return confidential.without(text, shortest=SURE_LENGTH)

    sections = [
        Section(title, [Check(status, name, clean(says), clean(mend)) for status, name, says, mend in checks])
        for title, checks in report.sections
    ]
    settings = [own._replace(shown=clean(own.shown)) for own in report.settings]
    service = None if report.service is None else clean(report.service)
    return report._replace(sections=sections, settings=settings, service=service)
