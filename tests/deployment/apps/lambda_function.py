"""A function of AWS Lambda that does a piece of work.

`FLUSHES` in the environment says what it exports before it answers: `all`, or `rest`, which nobody else does.
`WAITS_S` are seconds that it waits before it begins.
"""

import os
import time
from typing import Any

from flushing import flush
from opentelemetry import _logs
from work import work

from otel_claude import AnthropicInstrumentor


def flush_rest() -> None:
    provider: Any = _logs.get_logger_provider()
    provider.force_flush()
    AnthropicInstrumentor().flush_budgets()


FLUSHES = {"all": flush, "rest": flush_rest}


def handler(event: Any, context: Any) -> int:
    time.sleep(float(os.environ.get("WAITS_S", "0")))
    try:
        return work()
    finally:
        FLUSHES.get(os.environ.get("FLUSHES", ""), lambda: None)()
