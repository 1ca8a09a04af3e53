"""The price list, imported on a thread of its own before the first call needs it: an import takes long."""

import os
import threading
import weakref
from collections.abc import Callable

from otel_claude.failsafe import guarded
from otel_claude.weak_sets import items_of

_loading: "weakref.WeakSet[threading.Thread]" = weakref.WeakSet()


def _await_loading() -> None:
    """A child must not inherit the price list half imported."""
    for thread in items_of(_loading):
        thread.join(timeout=10)


os.register_at_fork(before=_await_loading)


class Loading:
    """Has `load` called, once."""

    def __init__(self, load: Callable[[], None]) -> None:
        self._load = guarded(None)(load)
        self._asked_for = False

    @guarded(None)
    def ask(self) -> None:
        """Has it done, if it has not been before."""
        if self._asked_for:
            return
        self._asked_for = True
        thread = threading.Thread(target=self._load, name="otel_claude prices", daemon=True)
        _loading.add(thread)
        thread.start()
