"""What a backend shows of a run, beside what the API said."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from facts import Facts, differences


class Unlike(NamedTuple):
    """A number that a backend shows in another way than the API said, by hand, and why it does."""

    number: float
    why: str


class Shown(NamedTuple):
    """A run of a program, as a backend shows it.

    `wanted` are the facts that it has to show, `unlike` those of them that it shows in a way of its own, and
    `complaints` are of what is no number.
    """

    run: str
    said: Facts
    facts: Facts
    wanted: Sequence[str]
    unlike: Mapping[str, Unlike] = {}
    complaints: Sequence[str] = ()

    @property
    def failures(self) -> Iterator[str]:
        """A sentence for everything that is not as it should be."""
        yield from self.complaints
        yield from differences(self.expected, self.facts, self.wanted)

    def but(self, *complaints: str) -> "Shown":
        """With more complaints."""
        return self._replace(complaints=[*self.complaints, *complaints])

    @property
    def expected(self) -> Facts:
        """What it has to show, by hand."""
        return {**self.said, **{fact: unlike.number for fact, unlike in self.unlike.items()}}
