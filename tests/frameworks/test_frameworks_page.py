"""`docs/frameworks.md` has a place for everything that `run.py` finds out."""

import page
import pytest
from table import FRAMEWORKS


def test_the_overview_is_current():
    assert page.OVERVIEW.findall(page.PAGE.read_text("utf-8")) == [page.overview()]


@pytest.mark.parametrize("program", {framework.program: None for framework in FRAMEWORKS})
def test_every_program_has_a_tree(program: str):
    assert page.shown(program)
