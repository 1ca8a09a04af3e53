"""The attributes of a program's resource, such as its service, out of `OTEL_RESOURCE_ATTRIBUTES`.

In: variables. Out: checks, and a way to keep off the terminal what OpenTelemetry itself warns of, with values in it.
https://opentelemetry.io/docs/specs/otel/resource/sdk/#specifying-resource-information-via-an-environment-variable
"""

import logging
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager

from otel_claude.doctor.check import Check
from otel_claude.doctor.confidential import SECRET_NAME
from otel_claude.doctor.signals import listed
from otel_claude.doctor.variables import Variables

ATTRIBUTES = "OTEL_RESOURCE_ATTRIBUTES"
LOGGER, WARNING = "opentelemetry.sdk.resources", "Invalid key value resource attribute pair"
"""By what, and how, the SDK tells of an entry that it drops: each time that it reads the variable."""

NAME = re.compile(r"[a-z][a-z0-9]{0,11}(?:[._-][a-z0-9]{1,12})*", re.IGNORECASE)
"""What may be the name of an attribute. What has longer parts is more likely to be a key."""

MEND = "write name=value, comma-separated, with %2C for a comma in a value; to leave one empty, name="


def attribute_checks(variables: Variables) -> Iterator[Check]:
    """The entries that are dropped."""
    dropped = list(_dropped(variables.values.get(ATTRIBUTES, "")))
    if dropped:
        are = "is" if len(dropped) == 1 else "are"
        yield Check("note", "resource", f"{ATTRIBUTES}: {listed(dropped)} {are} not name=value, and dropped", MEND)


def _dropped(value: str) -> Iterator[str]:
    """Entries for people. What comes behind a comma may be the rest of a value, and then as confidential as that."""
    is_open = True
    for number, entry in enumerate(value.split(",") if value else (), 1):
        name, equals, content = entry.strip().partition("=")
        if equals:
            is_open = not SECRET_NAME.search(name.strip()) and "://" not in content
        elif name:
            is_shown = is_open and NAME.fullmatch(name)
            yield f"entry {number} (`{name}`)" if is_shown else f"entry {number}"


@contextmanager
def unprinted() -> Generator[None]:
    """Without the SDK's own warnings of what `attribute_checks` tells."""
    logger = logging.getLogger(LOGGER)

    def is_other(record: logging.LogRecord) -> bool:
        return not str(record.msg).startswith(WARNING)

    logger.addFilter(is_other)
    try:
        yield
    finally:
        logger.removeFilter(is_other)
