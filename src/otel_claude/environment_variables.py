"""The environment variables of our own, as `opentelemetry-instrument --help` lists them.

It makes a command line option of each name here that starts with `OTEL_`. Variables that other packages may list as
well, such as those of the GenAI conventions, are left out: two packages that list the same one break the command.
"""

OTEL_CLAUDE_NATIVE_SPANS = "OTEL_CLAUDE_NATIVE_SPANS"
OTEL_CLAUDE_METRIC_NAMES = "OTEL_CLAUDE_METRIC_NAMES"
OTEL_CLAUDE_CHUNK_METRICS = "OTEL_CLAUDE_CHUNK_METRICS"
OTEL_CLAUDE_CONTENT_MAX_BYTES = "OTEL_CLAUDE_CONTENT_MAX_BYTES"
OTEL_CLAUDE_PRICES = "OTEL_CLAUDE_PRICES"
OTEL_CLAUDE_MAX_SPANS_PER_TRACE = "OTEL_CLAUDE_MAX_SPANS_PER_TRACE"
