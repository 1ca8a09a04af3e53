"""The panels: what a dashboard shows, row by row.

`ROWS` is the one table that the dashboards of all backends are made from. Pure.
"""

from otel_claude.dashboards.rows_of_health import HEALTH
from otel_claude.dashboards.rows_of_spend import SPEND_AND_TOKENS

TITLE = "Claude"
TEXT = "What calls of Claude cost, how long they take, and what fails. Made by `otel-claude dashboards`."

ROWS = (*SPEND_AND_TOKENS, *HEALTH)
