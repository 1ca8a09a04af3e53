"""The command line, `otel-claude`: what calls and models cost, files for dashboards and alerts, and a doctor.

In: arguments. Out: text, and an exit status.
"""

import argparse
import os
import sqlite3
import sys
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType

from otel_claude.commands import alerts, costs, dashboards, doctor, prices
from otel_claude.version import __version__

COMMANDS: Mapping[str, ModuleType] = {
    "costs": costs,
    "prices": prices,
    "dashboards": dashboards,
    "alerts": alerts,
    "doctor": doctor,
}
WRONG, INTERRUPTED = 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command that the arguments name; without any, those of the process. The exit status."""
    parser = argparse.ArgumentParser(
        prog="otel-claude", description="What calls of Claude cost, the files that watch them, and whether they arrive."
    )
    parser.add_argument("--version", action="version", version=f"otel-claude {__version__}")
    parsers = parser.add_subparsers(metavar=f"{{{','.join(COMMANDS)}}}", required=True)
    for name, command in COMMANDS.items():
        own = parsers.add_parser(
            name,
            help=(command.__doc__ or "").partition(": ")[2].partition("\n")[0],
            description=command.DESCRIPTION,
            epilog=command.EPILOG,
        )
        command.add_arguments(own)
        own.set_defaults(run=command.run)
    parsed = parser.parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = parsed.run
    reconfigure: Callable[..., None] | None = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        # Labels come from elsewhere, and may have what the encoding of the output has not.
        reconfigure(errors="backslashreplace")
    try:
        status = run(parsed)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the output has seen enough. What is left in the buffer would fail again at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (OSError, ValueError, sqlite3.Error) as error:
        sys.stderr.write(f"otel-claude: {error}\n")
        return WRONG
    except KeyboardInterrupt:
        return INTERRUPTED
    return status
