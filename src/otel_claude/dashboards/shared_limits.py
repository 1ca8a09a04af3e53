"""The two alerts that only Prometheus can tell, in its language.

`POOLS` joins limits and tokens by the pool of models that share a limit; `BATCHES` compares an hour with its day. The
names in them are made from the instruments like those of all other queries.
"""

from otel_claude.dashboards.promql import label, series
from otel_claude.emitting import instruments, names

_MODEL = label(names.REQUEST_MODEL)
_POOL = '"(?:(claude-(?:opus|sonnet)-4|claude-fable-5)(?:-[0-9]{1,2})?|(.+?))(?:[-@]20[0-9]{6}|-latest)?"'
_OF_INPUT = f'{{{label(names.LIMIT_TYPE)}="input_tokens"}}'
_HOURLY = (
    f'sum by ({_MODEL}) (rate({series(instruments.DURATION)}_count{{{label(names.OPERATION)}="chat"}}[1h]))[1d:1h]'
)

POOLS = f"""\
sum by (pool) (
  max by (pool) (label_replace(
    0.5 * {series(instruments.LIMIT)}{_OF_INPUT} - {series(instruments.REMAINING)}{_OF_INPUT},
    "pool", "$1$2", "{label(names.LIMIT_MODEL)}",
    {_POOL}
  ))
  or
  label_replace(
    -60 * rate({series(instruments.CLAUDE_TOKENS)}{{{label(names.CLAUDE_TOKEN_TYPE)}=~"input|cache_write_.*"}}[2m]),
    "pool", "$1$2", "{_MODEL}",
    {_POOL}
  )
) > 0"""
"""Models that share a limit: https://platform.claude.com/docs/en/api/rate-limits"""

BATCHES = f"""\
sum by ({_MODEL}) (increase({series(instruments.COST)}{{{label(names.PROCESSING)}="standard"}}[1d])) > 100
and
max_over_time({_HOURLY})
< 1.5 * avg_over_time({_HOURLY})"""
