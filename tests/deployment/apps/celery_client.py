"""Has so many tasks done, and prints the processes that did each of them."""

import sys
from typing import Any

from celery_app import do_work

sent: list[Any] = [do_work.delay() for _ in range(int(sys.argv[1]))]
print(*(each.get(timeout=60) for each in sent))
