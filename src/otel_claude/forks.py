"""Which process of a line of forks this is: what a parent has begun is not a child's to tell of.

In: forks. Out: a number, which is another one in each child. Looking at it costs less than asking the system.
"""

import os


class Forks:
    """How many forks lie between this process and the first one that imported this."""

    def __init__(self) -> None:
        self.count = 0

    def add(self) -> None:
        """In a child."""
        self.count += 1


forks = Forks()
os.register_at_fork(after_in_child=forks.add)
