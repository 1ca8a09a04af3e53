"""The tables of wordings, of which no line is lost, whatever it is."""

import re
from typing import get_args

from otel_claude.diagnosis.cases import CASES, TABLES
from otel_claude.diagnosis.codes import Category
from otel_claude.diagnosis.failures import CONDITIONS

LINES = [line for table in TABLES for line in table.splitlines() if line.strip()]
CODE, PATTERN, HINT = r"\S.* -> \S+( when \S+)?", r" {4}\S.*", r" {8}\S.*"


def count(form: str) -> int:
    return sum(re.fullmatch(form, line) is not None for line in LINES)


def test_each_pattern_is_a_case_and_each_hint_is_in_one():
    assert count(PATTERN) == len(CASES)
    assert count(HINT) == sum(len(case.hints) for case in CASES)


def test_the_tables_have_lines_of_three_levels_and_no_others():
    assert [line for line in LINES if not re.fullmatch(f"{CODE}|{PATTERN}|{HINT}", line)] == []


def test_categories_and_conditions_are_those_that_there_are():
    assert {case.category for case in CASES} <= {*get_args(Category)}
    assert {case.when for case in CASES} <= {*CONDITIONS}
