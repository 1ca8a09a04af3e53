"""The headers of exporters, by their names.

In: the value of a variable, such as `OTEL_EXPORTER_OTLP_HEADERS`. Out: names that backends have in their manuals, how
many others there are, and which entries are none; never a value, nor a part of one. Pure.
https://opentelemetry.io/docs/specs/otel/protocol/exporter/#specifying-headers-via-environment-variables
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from otel_claude.doctor.confidential import KNOWN_HEADERS

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,47}")
"""What is longer, or has other characters, is more likely to be a value than a name."""


class Headers(NamedTuple):
    """Known names of headers, in lower case, how many others there are, and the numbers, from 1, of wrong entries.

    Those are not `name=value`.
    """

    names: Sequence[str]
    others: int
    wrong: Sequence[int]

    @property
    def shown(self) -> str:
        """What is sent, for people."""
        if not self.names:
            return f"{self.others} of {'a name' if self.others == 1 else 'names'} that not every backend uses"
        return ", ".join(self.names) + (f", and {self.others} more" if self.others else "")


def headers_in(value: str) -> Headers:
    """The headers that a variable gives."""
    names: list[str] = []
    wrong: list[int] = []
    for number, entry in enumerate(value.split(","), 1):
        name, _, content = (part.strip() for part in entry.partition("="))
        # A value in base64 ends with `=`, and looks like a name without a value.
        if NAME.fullmatch(name) and content.strip("="):
            names.append(name.lower())
        elif entry.strip():
            wrong.append(number)
    # What is behind a comma in a value looks like a name as well.
    known = [name for name in names if name in KNOWN_HEADERS]
    return Headers(known, len(names) - len(known), wrong)
