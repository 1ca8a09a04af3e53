"""The headers of exporters, by their names.

In: the value of a variable, such as `OTEL_EXPORTER_OTLP_HEADERS`. Out: names that backends have in their manuals, how
many others there are, and which entries are not sent, or without a value; never a value, nor a part of one.
https://opentelemetry.io/docs/specs/otel/protocol/exporter/#specifying-headers-via-environment-variables
"""

import logging
import re
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from opentelemetry.util.re import parse_env_headers

from otel_claude.doctor.confidential import KNOWN_HEADERS

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,47}")
"""What is longer, or has other characters, is more likely to be a value than a name."""

HEADERS_LOGGER = "opentelemetry.util.re"
"""It logs the entries of headers that it cannot read."""


class Headers(NamedTuple):
    """Known names of headers, in lower case, and how many others there are.

    Of entries there are, for people, those that are `wrong`, as they are not `name=value`, those that are `unread`, as
    OpenTelemetry does not accept what is in their values, and those that are `empty`, and sent so.
    """

    names: Sequence[str]
    others: int
    wrong: Sequence[str] = ()
    unread: Sequence[str] = ()
    empty: Sequence[str] = ()

    @property
    def shown(self) -> str:
        """What is sent, for people."""
        if not self.names:
            return f"{self.others} of {'a name' if self.others == 1 else 'names'} that not every backend uses"
        return ", ".join(self.names) + (f", and {self.others} more" if self.others else "")


def headers_in(value: str) -> Headers:
    """The headers that a variable gives."""
    names: list[str] = []
    found: dict[str, list[str]] = {"wrong": [], "unread": [], "empty": []}
    for number, entry in enumerate(value.split(","), 1):
        name, equals, content = (part.strip() for part in entry.partition("="))
        shown = f"`{name}`" if name.lower() in KNOWN_HEADERS else f"entry {number}"
        if not entry.strip():
            continue
        # A value in base64 ends with `=`, and looks like a name without a value.
        if not NAME.fullmatch(name) or not equals or (content and not content.strip("=")):
            found["wrong"].append(shown)
        elif not content:
            found["empty"].append(shown)
        elif not _is_read(entry):
            found["unread"].append(shown)
        else:
            names.append(name.lower())
    # What is behind a comma in a value looks like a name as well.
    known = [name for name in names if name in KNOWN_HEADERS]
    return Headers(known, len(names) - len(known), **found)


def _is_read(entry: str) -> bool:
    with _silent():
        return bool(parse_env_headers(entry, liberal=True))


@contextmanager
def _silent() -> Generator[None]:
    """Without what is logged of entries, which has their values."""
    logger = logging.getLogger(HEADERS_LOGGER)
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before
