"""A ledger for a fleet: Redis 7 or Valkey.

Each slot is a hash with the sum of each writer, and under `total` their total, which one script keeps together. Redis
counts in whole numbers of 64 bits; Lua would not, so amounts stay text in the script and only Redis's own commands add.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from otel_claude.budgets.ledgers import LedgerError, Line, Totals
from otel_claude.budgets.ledgers.address import ACCEPTED

PREFIX = "{otel-claude}:"
"""What all keys begin with."""

TIMEOUT_S = 2.0
"""How long Redis may take to answer."""

MOST_LINES = 500
"""How many lines one script takes: nobody else is served meanwhile."""

MARKED_S = 86_400.0
"""How long the mark of a process stays, by which it sees that Redis has lost what it had."""

SCRIPT = """
local totals = {}
for index, key in ipairs(KEYS) do
  local writer, amount, expires_at = ARGV[index * 3 - 2], ARGV[index * 3 - 1], ARGV[index * 3]
  if amount ~= '' then
    local known = redis.call('HGET', key, writer)
    if known ~= amount then
      if known then redis.call('HINCRBY', key, 'total', '-' .. known) end
      local added = redis.pcall('HINCRBY', key, 'total', amount)
      if type(added) == 'table' and added.err then
        if known then redis.call('HINCRBY', key, 'total', known) end
        return added
      end
      redis.call('HSET', key, writer, amount)
      redis.call('PEXPIREAT', key, expires_at)
    end
  end
  totals[index] = redis.call('HGET', key, 'total') or '0'
end
return {redis.call('TIME'), totals}
"""


class RedisLedger:
    """The database of a URL, as `redis.Redis.from_url` takes it.

    Raises:
        LedgerError: the package `redis` is not installed, or does not know the URL, or something in it.
    """

    closes_at_fork = False

    def __init__(self, url: str) -> None:
        try:
            import redis
        except ImportError:
            raise LedgerError("redis://… with the extra `redis`: pip install 'otel-claude[redis]'") from None
        self._url = url
        package: Any = redis  # its types say little
        self._new_client: Callable[..., Any] = package.Redis.from_url
        self.after_fork()
        pool = self._client.connection_pool
        try:
            # Options that it does not know would only fail when it connects.
            pool.connection_class(**pool.connection_kwargs)
        except (TypeError, ValueError, package.RedisError):
            raise LedgerError(ACCEPTED) from None
        # A number that is none would be that of the first database.
        if not url.startswith("unix:") and not f"0{urlsplit(url).path.strip('/')}".isdecimal():
            raise LedgerError(ACCEPTED)

    def after_fork(self) -> None:
        """Has connections and a name of its own."""
        self._name = uuid4().hex
        self._is_marked = False
        try:
            self._client: Any = self._new_client(
                self._url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, decode_responses=True
            )
        except ValueError:
            raise LedgerError(ACCEPTED) from None
        self._script: Any = self._client.register_script(SCRIPT)

    def write(self, lines: Sequence[Line]) -> Totals:
        """In one script for every few hundred lines. Whether it has run or not, it may run again."""
        amounts: list[int] = []
        now: float | None = None
        for first in range(0, len(lines), MOST_LINES):
            some = lines[first : first + MOST_LINES]
            arguments = [
                argument
                for line in some
                for argument in (line.writer, line.amount or "", max(0, round(line.expires_at * 1000)))
            ]
            (seconds, microseconds), totals = self._script([PREFIX + line.slot for line in some], arguments)
            now = int(seconds) + int(microseconds) / 1e6
            amounts += map(int, totals)
        return Totals(amounts, now, self._has_lost(now))

    def _has_lost(self, now: float | None) -> bool:
        """Whether our mark was there before, and is not any more."""
        ends_at = round(((now or time.time()) + MARKED_S) * 1000)
        before = self._client.set(f"{PREFIX}known:{self._name}", "1", get=True, pxat=ends_at)
        was_marked, self._is_marked = self._is_marked, True
        return was_marked and before is None

    def claim(self, name: str, expires_at: float) -> bool:
        """Whether the name's key was not there, or is our own."""
        # Of an answer that is lost it is known, when it is asked again, whose the claim is.
        claimed = f"{PREFIX}claimed:{name}"
        before = self._client.set(claimed, self._name, nx=True, get=True, pxat=max(1, round(expires_at * 1000)))
        return before in (None, self._name)

    def listed(self) -> Iterator[tuple[str, int]]:
        """The slots, some at a time; others are served in between."""
        found: Iterator[str] = self._client.scan_iter(f"{PREFIX}*", count=MOST_LINES, _type="hash")
        # A key may be found twice.
        keys = iter(set(found))
        while some := list(islice(keys, MOST_LINES)):
            pipeline = self._client.pipeline(transaction=False)
            for key in some:
                pipeline.hget(key, "total")
            for key, total in zip(some, pipeline.execute(), strict=True):
                if total is not None:
                    yield key.removeprefix(PREFIX), int(total)

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()
