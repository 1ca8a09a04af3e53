"""A backend that answers something else than it should ends nothing but its own turn."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def run() -> Any:
    """`run.py`, of which there are several."""
    spec = importlib.util.spec_from_file_location("run_of_backends", HERE / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("error", [KeyError("spans"), ValueError("no number"), TypeError("none"), OSError("gone")])
def test_what_cannot_be_read_is_a_failure_of_that_backend(run: Any, error: Exception):
    def check(commands: Path) -> Iterator[Any]:
        raise error

    result = run._examine(run.Backend("one", lambda: HERE, check), write=False)
    assert result.failures == [f"{type(error).__name__}: {error}"]
