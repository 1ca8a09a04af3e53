"""The names of models on metrics, each of which is a time series for as long as the process lives.

In: names, as they come. Out: the same names, or `_OTHER` where a name could be anything or there are too many. What the
application asks for may be any text, which the API refuses; a name that a model has answered to is a name.
"""

import re

from otel_claude.who import OTHER

MOST_MODELS = 200
"""How many names are told apart of those that were answered to, and again of those that were not."""

# A name, a path or an ARN: no spaces, no quotes, and no key.
_HARMLESS = re.compile(r"(?!sk-)[A-Za-z0-9.:@/_-]{1,128}")


class Models:
    """The names that have been seen."""

    def __init__(self) -> None:
        self._answered: set[str] = set()
        self._asked: set[str] = set()

    def asked(self, name: str) -> str:
        """A name that no model has answered to in this call."""
        if name in self._answered or name in self._asked:
            return name
        if len(self._asked) >= MOST_MODELS or _HARMLESS.fullmatch(name) is None:
            return OTHER
        self._asked.add(name)
        return name

    def answered(self, name: str) -> str:
        """A name that a model has answered to, or that it has given itself."""
        if name not in self._answered:
            if len(self._answered) >= MOST_MODELS:
                return OTHER
            self._answered.add(name)
        return name
