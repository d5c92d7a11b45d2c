"""`python -m tools.chaos`: its commands."""

import signal
import sys

import typer

from tools.chaos.cluster.command import cluster
from tools.chaos.cluster.fleet import fleet
from tools.chaos.service.command import service
from tools.errors import CommandError


def main() -> None:
    """Runs one as the arguments say."""
    app = typer.Typer(
        pretty_exceptions_enable=False, no_args_is_help=True, help="Breaks Vigie in every way, and judges what came of it."
    )
    for command in (service, cluster, fleet):
        app.command()(command)
    # What was started is taken away also where somebody ends this.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    problems: list[Exception] = []
    try:
        app()
    except* CommandError as group:
        problems = list(group.exceptions)
    if problems:
        sys.exit(f"chaos: {problems[0]}")


if __name__ == "__main__":
    main()
