"""How long answers may take, by the family of models.

Pure.
"""

from typing import NamedTuple


class Expectation(NamedTuple):
    """Nine answers of ten come within so many `seconds`, which are a bound of the durations' buckets."""

    family: str
    seconds: int
    text: str


EXPECTATIONS = (
    Expectation("haiku", 1, "under 1 s"),
    Expectation("sonnet", 3, "1 to 3 s"),
    Expectation("opus", 12, "3 to 12 s"),
)
"""For requests of the usual size; prompts of more than 150,000 tokens take 2 to 5 s longer.

Of Fable and Mythos nothing is known that could be expected, so that they have no alert and no panel.
"""
