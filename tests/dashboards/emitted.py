"""Every name that we emit, and that of the service, as backends that keep them have it."""

from collections.abc import Mapping

from otel_claude import names
from otel_claude.dashboards.measures import SERVICE
from otel_claude.emitting.instruments import INSTRUMENTS, Instrument

METRICS: Mapping[str, Instrument] = {each.name: each for each in INSTRUMENTS}
ATTRIBUTES = {SERVICE, *(value for name, value in vars(names).items() if name.isupper() and isinstance(value, str))}
