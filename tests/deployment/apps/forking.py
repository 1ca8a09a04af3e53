"""Does a piece of work, and then forks a process that does nothing but end in good order."""

import os

from closing import close
from work import work

print(work(), flush=True)
child = os.fork()
if child == 0:
    close()
    os._exit(0)
os.waitpid(child, 0)
