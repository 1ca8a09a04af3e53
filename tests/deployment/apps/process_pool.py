"""Does pieces of work in a pool of processes, which are started by the given method, and prints those that did them.

With `CLOSES` in the environment, each process of the pool leaves nothing behind when it ends.
"""

import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.util import Finalize

from work import work

WORKERS = 2
PIECES = 8


def start() -> None:
    """What a process of the pool does first."""
    if "CLOSES" in os.environ:
        from closing import close

        Finalize(None, close, exitpriority=100)


def main(method: str) -> None:
    with ProcessPoolExecutor(WORKERS, multiprocessing.get_context(method), start) as pool:
        print(*[each.result() for each in [pool.submit(work) for _ in range(PIECES)]])


if __name__ == "__main__":
    main(sys.argv[1])
