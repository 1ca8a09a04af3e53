"""How long answers may take, by the family of models.

Pure.
"""

from typing import NamedTuple

from otel_claude.emitting.instruments import DURATION


class Expectation(NamedTuple):
    """Nine answers of ten come within so many `seconds`.

    `bound` is the first bound of a bucket that is no less: between two of them nobody knows where a value is.
    """

    family: str
    seconds: int
    text: str

    @property
    def bound(self) -> float:
        """In seconds."""
        return min(bound for bound in DURATION.buckets or () if bound >= self.seconds)


EXPECTATIONS = (
    Expectation("haiku", 1, "under 1 s"),
    Expectation("sonnet", 3, "1 to 3 s"),
    Expectation("opus", 12, "3 to 12 s"),
)
"""For requests of the usual size; prompts of more than 150,000 tokens take 2 to 5 s longer."""
