"""An application of celery with one task, a piece of work.

With `CLOSES` in the environment, a process of the pool leaves nothing behind when it ends.
"""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_process_init, worker_process_shutdown

app: Any = Celery("work", broker=os.environ["BROKER"], backend=os.environ["BROKER"])
app.conf.worker_prefetch_multiplier = 1
# Seconds that a process of the pool has to start in, or it is killed. Celery's own 4 are few for what is loaded below.
app.conf.worker_proc_alive_timeout = 60
app.conf.broker_connection_retry_on_startup = True


@worker_process_init.connect
def start(**_: Any) -> None:
    from opentelemetry.instrumentation.auto_instrumentation import initialize

    initialize()


@worker_process_shutdown.connect
def end(**_: Any) -> None:
    if "CLOSES" in os.environ:
        from closing import close

        close()


@app.task
def do_work() -> int:
    from work import work

    return work()
