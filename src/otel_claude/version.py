"""The version of the package, and of the instrumentation scope of every signal."""

__version__ = "0.1.0"
