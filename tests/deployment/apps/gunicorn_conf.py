"""Switches OpenTelemetry on in each worker of gunicorn, when it has been forked."""

from typing import Any


def post_fork(server: Any, worker: Any) -> None:
    from opentelemetry.instrumentation.auto_instrumentation import initialize

    initialize()
