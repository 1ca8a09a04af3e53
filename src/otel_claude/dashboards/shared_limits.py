"""The two alerts that only Prometheus can tell, in its language.

`POOLS` joins limits and tokens by the pool of models that share a limit; `BATCHES` compares an hour with its day. The
names in them are made from the instruments like those of all other queries.
"""

from textwrap import indent

from otel_claude import names
from otel_claude.dashboards.conditions import ALONE, CALL, MODEL, calls, cost
from otel_claude.dashboards.measures import Where, one
from otel_claude.dashboards.promql import grown, label, promql, series
from otel_claude.emitting import instruments

_POOL = '"(?:(claude-(?:opus|sonnet)-4|claude-fable-5)(?:-[0-9]{1,2})?|(.+?))(?:[-@]20[0-9]{6}|-latest)?"'
_ORGANIZATION = label(names.ORGANIZATION)
_OF_INPUT = f'{{{label(names.LIMIT_TYPE)}="input_tokens"}}'
_TAKEN = grown(f'{series(instruments.CLAUDE_TOKENS)}{{{label(names.CLAUDE_TOKEN_TYPE)}=~"input|cache_write_.*"}}', "5m")
_MISSING = f"""\
max by (pool, {_ORGANIZATION}) (label_replace(
  0.5 * {series(instruments.LIMIT)}{_OF_INPUT} - {series(instruments.REMAINING)}{_OF_INPUT},
  "pool", "$1$2", "{label(names.LIMIT_MODEL)}",
  {_POOL}
))"""

POOLS = f"""\
(
{indent(_MISSING, "  ")}
  - on (pool) group_left () sum by (pool) (label_replace(
    {_TAKEN},
    "pool", "$1$2", "{label(names.REQUEST_MODEL)}",
    {_POOL}
  )) / 5
  or
{indent(_MISSING, "  ")}
) > 0"""
"""Models that share a limit: https://platform.claude.com/docs/en/api/rate-limits"""

_OF_ONE = (*ALONE, *MODEL)
_SPENT = cost("grown", "1d", by=_OF_ONE)._replace(where=(Where(names.PROCESSING, "in", ("standard",)),))
_HOURLY = f"{promql(one(calls(CALL, 'per_second', '1h', _OF_ONE)))}[1d:1h]"

BATCHES = f"""\
{promql(one(_SPENT))} > 100
and
max_over_time({_HOURLY})
< 1.5 * avg_over_time({_HOURLY})
and
count_over_time({_HOURLY}) >= 24"""
