"""The alerts: what is watched, and from where on it is wrong.

`ALERTS` is the one table that the rules of all backends are made from. Each alert belongs to a section of the guide to
what breaks in production, where its query stands and what is to be done. Pure.
"""

from otel_claude.dashboards.alerts_of_calls import ALERTS_OF_CALLS
from otel_claude.dashboards.alerts_of_service import ALERTS_OF_SERVICE

ALERTS = (*ALERTS_OF_CALLS, *ALERTS_OF_SERVICE)
