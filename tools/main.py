"""The command line `vigie`: one module a command, imported when the command is called."""

import os
import sys
from importlib import import_module, metadata
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup

from cluster.errors import ClusterError, ConfigurationError, ModelError, StreamOpenError
from services.coordination import errors as coordination
from tools.errors import CommandError, ExitCode
from vigie.identity import IdentityError

if TYPE_CHECKING:
    from typer._click import Command, Context

# Name: where it is, as `module:attribute` (a function, or the application of several commands), and what it does.
COMMANDS = {
    "demo": ("tools.demo.command:demo", "Play the shipped clip to recorded events."),
    "init": ("tools.init:app", "Make identities for the service, clusters and people."),
    "serve": ("tools.serve:serve", "Run the coordination service."),
    "migrate": ("tools.migrate:migrate", "Bring the tables of the record up to date."),
    "run": ("tools.run.command:run", "Analyse the cameras of a cluster until stopped."),
    "apply": ("tools.apply:apply", "Make a venue what its file says."),
    "authorizations": ("tools.authorizations:app", "Record, suspend and revoke acts, and tell the public of them."),
    "events": ("tools.events:app", "List, count, show, watch, review and exercise events."),
    "audit": ("tools.audit:app", "Show, verify, export and erase the log of what was read and decided."),
    "retention": ("tools.retention:app", "Erase evidence whose time is over."),
    "integrations": ("tools.integrations:app", "Send judged events to other systems, and see what became of them."),
    "overview": ("tools.overview:overview", "Show how all venues do."),
    "cluster": ("tools.cluster:app", "Show the machines of a cluster, and have one leave."),
    "cameras": ("tools.cameras:cameras", "Show how cameras are doing."),
    "health": ("tools.health:health", "Show what is and was wrong with cameras and their hosts."),
    "report": ("tools.report.command:report", "Say how well each kind did in the field, as people judged it."),
    "replay": ("tools.replay:replay", "Print the signals that a clip gives, without Ray or a service."),
    "calibrate": ("tools.calibrate.command:calibrate", "Propose a ground plane from the people that a camera sees."),
    "evaluate": ("tools.evaluate.command:evaluate", "Measure how well each kind is found on labelled clips."),
    "models": ("tools.models:app", "Check and add model packs."),
    "doctor": ("tools.doctor.command:doctor", "Look for what is wrong with this machine and the service."),
    "synthesize": ("tools.synthetic.command:synthesize", "Write a made scene as a clip with its label."),
    "bench": ("tools.bench.main:app", "Measure the speed of each part, as ratios."),
}


class LazyGroup(TyperGroup):
    """A group that knows its commands by name and imports one only to run it, so that `vigie --help` answers at once."""

    def resolve_command(self, ctx: "Context", args: list[str]) -> "tuple[str | None, Command | None, list[str]]":
        """Replaces the stand-in of a command with the command."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command and _load(command.name or ""), rest


def _load(name: str) -> "Command":
    module, attribute = COMMANDS[name][0].split(":")
    loaded = getattr(import_module(module), attribute)
    if not isinstance(loaded, typer.Typer):
        single = typer.Typer(add_completion=False, rich_markup_mode="rich")
        single.command(name)(loaded)
        loaded = single
    command = typer.main.get_command(loaded)
    command.name = name
    return command


app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    epilog="Exit status: " + ", ".join(f"{code.value} {code.meaning}" for code in ExitCode) + ".",
)


def _stand_in() -> None:
    """Takes the place of a command until it is called."""


for _name, (_, _summary) in COMMANDS.items():
    app.command(_name, help=_summary)(_stand_in)


def _print_version(asked: bool) -> None:
    if asked:
        print(f"vigie {metadata.version('vigie')}")
        raise typer.Exit


@app.callback()
def _vigie(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Watches the cameras of public venues for eight predetermined situations and gives each one to a human being to judge.

    Start with: vigie demo
    """


def run() -> None:
    """Runs the command that the arguments name and ends the process with its exit status."""
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except (CommandError, ClusterError, IdentityError, coordination.CoordinationError) as error:
        print(f"vigie: {error}", file=sys.stderr)
        sys.exit(_exit_code(error))
    except BrokenPipeError:
        # Whoever read the output has left; the interpreter must not try to write the rest to it on its way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(ExitCode.FAILED)


def _exit_code(error: Exception) -> ExitCode:
    if isinstance(error, CommandError):
        return error.code
    if isinstance(error, ConfigurationError | ModelError | StreamOpenError | coordination.ConfigurationError):
        return ExitCode.BAD_INPUT
    if isinstance(error, IdentityError):
        return ExitCode.REFUSED
    return ExitCode.UNREACHABLE if isinstance(error, coordination.UnavailableError) else ExitCode.FAILED


if __name__ == "__main__":
    run()
