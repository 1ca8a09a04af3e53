"""The version of the package, and the instrumentation scope of every signal."""

__version__ = "0.1.0"

SCOPE = "otel_claude"
