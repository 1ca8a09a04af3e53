"""Says of a process that its calls of Claude are instrumented, in a file that has its id as its name.

What a process has exported says so as well, but not where all that it has is lost.
"""

import os
import sys
from pathlib import Path

from opentelemetry import trace

MARKS = Path.home() / "instrumented"


def mark() -> None:
    """Leaves the file, in a span of the application that is recorded. It loads nothing that is not there already."""
    ours = sys.modules.get("otel_claude")
    if (
        ours
        and ours.AnthropicInstrumentor().is_instrumented_by_opentelemetry
        and trace.get_current_span().is_recording()
    ):
        MARKS.mkdir(exist_ok=True)
        (MARKS / str(os.getpid())).touch()
