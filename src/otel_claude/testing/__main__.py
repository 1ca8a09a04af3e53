"""Serve the simulated API until interrupted: `python -m otel_claude.testing --port 8765`."""

import argparse
import signal
import sys
import threading

from otel_claude.testing.server import SimulatedClaude


def main() -> None:
    """Print the base URL and serve."""
    parser = argparse.ArgumentParser(
        prog="python -m otel_claude.testing",
        description="Serve a simulated Claude API on the loopback interface until interrupted.",
    )
    parser.add_argument("--port", type=int, default=0, help="the port to listen to; by default a free one")
    stopped = threading.Event()

    def stop(number: int, frame: object) -> None:
        stopped.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        # Also where a shell has its background jobs ignore an interrupt.
        signal.signal(number, stop)
    with SimulatedClaude(port=parser.parse_args().port) as claude:
        sys.stdout.write(f"{claude.base_url}\n")
        sys.stdout.flush()
        stopped.wait()


if __name__ == "__main__":
    main()
