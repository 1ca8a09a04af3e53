"""`otel-claude alerts`: the alerts of the production guide, as rules for Prometheus, Datadog or New Relic.

In: a backend. Out: its rules as YAML or JSON, in a file or on the standard output.
"""

import argparse

from otel_claude.commands.dashboards import add_output, write
from otel_claude.dashboards.files import ALERT_RULES

DESCRIPTION = """\
Write the alerts of docs/production.md as rules of Prometheus, monitors of Datadog or conditions of New Relic. How
they are imported stands in docs/dashboards.md.
"""
EPILOG = "exit status: 0 they were written; 2 a wrong argument, or a directory that cannot be written to."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("backend", choices=tuple(ALERT_RULES), help="what watches them")
    parser.add_argument(
        "--guide",
        metavar="URL",
        default="docs/production.md",
        help="where the guide can be read, for the links in the alerts; by default its path in the project",
    )
    add_output(parser)


def run(arguments: argparse.Namespace) -> int:
    """Writes the rules. The exit status."""
    write(ALERT_RULES[arguments.backend], arguments.guide, arguments.output)
    return 0
