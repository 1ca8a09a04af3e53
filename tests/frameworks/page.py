"""What `docs/frameworks.md` shows of the table and of runs.

The overview stands between `<!-- frameworks -->` and `<!-- end -->`. Each tree stands below a line
`<!-- tree: PROGRAM -->`, indented by four spaces, for the program of this name in `apps`.
"""

import re
from pathlib import Path
from textwrap import dedent, indent

from table import FRAMEWORKS, Framework

PAGE = Path(__file__).parents[2] / "docs" / "frameworks.md"
OVERVIEW = re.compile(r"(?<=<!-- frameworks -->\n\n)(?P<rows>(?:\|.*\n)*)(?=\n<!-- end -->)")


def overview() -> str:
    """The table of the frameworks in Markdown."""
    rows = ("| framework | versions | `anthropic` | a call stands under |", "| --- | --- | --- | --- |", *_rows())
    return "".join(f"{row}\n" for row in rows)


def _rows() -> list[str]:
    return [
        f"| {_link(each)} | {_code(each.requirements)} | {each.anthropic} | {_parents(each)} |" for each in FRAMEWORKS
    ]


def _link(framework: Framework) -> str:
    return f"[{framework.name}](../tests/frameworks/apps/{framework.program})"


def _code(texts: tuple[str, ...]) -> str:
    return ", ".join(f"`{text}`" for text in texts)


def _parents(framework: Framework) -> str:
    return _code(framework.under) or "nothing: it is a trace of its own"


def shown(program: str) -> str | None:
    """The tree of a program, as the page has it. `None`: it has no place for it."""
    place = _place(program).search(PAGE.read_text("utf-8"))
    return None if place is None else dedent(place["tree"]).rstrip("\n")


def show(program: str, tree: str) -> None:
    """Puts the overview, and the tree of a program, into their places."""
    text = OVERVIEW.sub(lambda _: overview(), PAGE.read_text("utf-8"))
    if place := _place(program).search(text):
        begin, end = place.span("tree")
        text = f"{text[:begin]}{indent(tree, '    ')}\n{text[end:]}"
    PAGE.write_text(text, "utf-8")


def _place(program: str) -> re.Pattern[str]:
    return re.compile(rf"<!-- tree: {re.escape(program)} -->\n\n(?P<tree>(?:    .*\n)*)")
