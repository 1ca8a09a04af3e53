"""One process of the benchmark: one variant with one kind of providers. `run.py` reads what it prints.

    python worker.py VARIANT PROVIDERS

With PROVIDERS `sdk` (an SDK that drops what it is given) or `noprov` (none is configured, the API's no-ops
are at work) it prints the CPU seconds of each block of work, in the order in which they ran. With `memory` it
prints what one call of each workload records, and which modules came with the variant's import.
"""

import gc
import importlib
import json
import sys
import threading
from collections.abc import Callable
from time import process_time
from typing import Any, NamedTuple

from variants import VARIANTS
from workloads import WORKLOADS

# What no program should pay for at import, by how the modules' names begin.
HEAVY = ("anthropic", "genai_prices", "opentelemetry.exporter")


class Block(NamedTuple):
    """Work to be measured: `Block(work) @ times` does it so many times and returns the CPU seconds.

    Nothing else that runs here multiplies matrices. So a profiler that counts only inside the interpreter's
    `PyNumber_MatrixMultiply` counts the block and nothing else.
    """

    work: Callable[[], object]

    def __matmul__(self, times: int) -> float:
        start = process_time()
        for _ in range(times):
            self.work()
        return process_time() - start


def measure(variant: str, kind: str) -> list[float]:
    """CPU seconds of the import, of `instrument()`, and of each workload in its two sizes."""
    readings = [_read(lambda: importlib.import_module(VARIANTS[variant].module))]
    importlib.import_module("anthropic")
    if kind == "sdk":
        importlib.import_module("providers").drop()
    readings.append(_read(_instrument(variant)))

    transport, client = _client()
    for name, workload in WORKLOADS.items():
        call = _call(variant, name)
        # Twice unmeasured, so that what is imported, cached or specialized at first use is there.
        for size in (workload.fewer, workload.fewer):
            transport.deltas = size.deltas
            for _ in range(size.calls):
                call(client)
        for size in (workload.fewer, workload.more):
            transport.deltas = size.deltas
            readings.append(_read(lambda call=call: call(client), size.calls))
    return readings


def observe(variant: str) -> dict[str, Any]:
    """What the import loads that it should not, and what one call of each workload records."""
    importlib.import_module(VARIANTS[variant].module)
    observed: dict[str, Any] = {
        "loaded": [heavy for heavy in HEAVY if any(name.startswith(heavy) for name in sys.modules)]
    }
    importlib.import_module("anthropic")
    take = importlib.import_module("providers").keep()
    _instrument(variant)()

    transport, client = _client()
    take()
    for name, workload in WORKLOADS.items():
        transport.deltas = workload.fewer.deltas
        _call(variant, name)(client)
        observed[name] = take()
    return observed


def _read(work: Callable[[], object], times: int = 1) -> float:
    gc.collect()
    gc.freeze()
    return Block(work) @ times


def _instrument(variant: str) -> Callable[[], object]:
    name = VARIANTS[variant].instrumentor
    if name is None:
        return lambda: None
    instrumentor = getattr(importlib.import_module(VARIANTS[variant].module), name)
    return lambda: instrumentor().instrument()


def _client() -> tuple[Any, Any]:
    """A transport and a client on it that has made a call; what that started in the background has ended."""
    import transport

    answers = transport.Transport()
    client = transport.client(answers)
    before = set(threading.enumerate())
    WORKLOADS["small"].call(client)
    for thread in set(threading.enumerate()) - before:
        thread.join(timeout=120)
    return answers, client


def _call(variant: str, workload: str) -> Callable[[Any], None]:
    call = WORKLOADS[workload].call
    if variant != "floor":
        return call
    import floor

    return floor.by_hand(call, workload)


if __name__ == "__main__":
    _, chosen, providers_kind = sys.argv
    print(json.dumps(observe(chosen) if providers_kind == "memory" else measure(chosen, providers_kind)))
