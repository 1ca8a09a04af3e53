"""A script that does two pieces of work, and ends in the way that `ENDS` says.

It prints in which process it did them, and the versions of the packages that it is given.
"""

import os
import signal
import sys
from importlib.metadata import version

from work import work

if os.environ.get("ENDS") == "handled":
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))

work()
print(work(), *(f"{name}=={version(name)}" for name in sys.argv[1:]), flush=True)

match os.environ.get("ENDS"):
    case "raised":
        raise ValueError
    case "terminated" | "handled":
        os.kill(os.getpid(), signal.SIGTERM)
    case _:
        pass
