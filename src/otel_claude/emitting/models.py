"""The names of models on metrics, each of which is a time series for as long as the process lives.

In: names, as they come. Out: the same names, or `_OTHER` where a name could be anything or there are too many. What the
application asks for may be any text, which the API refuses; a name that a model has answered to is a name.
"""

import re

from otel_claude.emitting.bounded import BoundedNames
from otel_claude.values import OTHER

MOST_MODELS = 200
"""How many names are told apart of those that were answered to, and again of those that were not."""

# A name, a path or an ARN: no spaces, no quotes, and no key.
_HARMLESS = re.compile(r"(?!sk-)[A-Za-z0-9.:@/_-]{1,128}")


class Models:
    """The names that have been seen.

    `answered` bounds a name that a model has answered to, or that it has given itself.
    """

    def __init__(self) -> None:
        self._known = BoundedNames(MOST_MODELS)
        self._asked = BoundedNames(MOST_MODELS)
        self.answered = self._known.bounded

    def asked(self, name: str) -> str:
        """A name that no model has answered to in this call."""
        if name in self._known:
            return name
        return self._asked.bounded(name) if _HARMLESS.fullmatch(name) is not None else OTHER
