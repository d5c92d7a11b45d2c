"""The command `vigie run`."""

import os
import signal
import sys
import threading
from contextlib import redirect_stdout, suppress
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import psutil
import typer

from cluster.config import ClusterConfig
from cluster.errors import ConfigurationError
from cluster.inference.models import Models
from tools.connection import DEFAULT_ADDRESS, Address, AsJson
from tools.errors import ExitCode
from tools.log import configure_log
from tools.ray_head import check_head
from tools.run.display import Display, chosen_display
from tools.run.summary import ending
from vigie.channel import channel_credentials
from vigie.names import is_id, venue_name

if TYPE_CHECKING:
    from cluster.runtime.running import RunningCluster

PERIOD_S = 1.0
GRACE_S = 10.0


def _venue(text: str) -> str:
    venue = text.removeprefix("venues/")
    if not is_id(venue):
        raise typer.BadParameter(f"{text!r} is no venue's id; ids are 1 to 63 of a-z, 0-9 and '-'")
    return venue_name(venue)


def run(
    coordination: Address = DEFAULT_ADDRESS,
    ray_address: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Head of a Ray cluster to join; without it, one is started here.")
    ] = None,
    venues: Annotated[
        list[str], typer.Option("--venue", parser=_venue, metavar="VENUE", help="Only of this venue; may be repeated.")
    ] = [],  # noqa: B006 - typer copies it
    cpus_for_inference: Annotated[
        int | None, typer.Option(min=1, max=256, help="Cores of each machine without a GPU that run the model; all by default.")
    ] = None,
    until_ended: Annotated[
        bool, typer.Option("--until-ended", help="Stop when all cameras are recordings that were played to their end.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Analyses the cameras that the coordination service assigns, until stopped.

    One Ctrl-C stops it in order: what was raised is delivered, or stays on disk for the next run. A second one ends it at once.

    Example: vigie run --venue parc-des-princes --cpus-for-inference 2
    """
    configure_log()
    stopping = threading.Event()
    heed_signals(stopping)
    _check_environment(coordination, joins=ray_address is not None)
    if ray_address is not None:
        check_head(ray_address, otherwise="start it with `ray start --head`, or leave --ray-address out")
    from cluster.runtime.running import RunningCluster  # Ray takes a while to import
    from cluster.runtime.supervisor import Orders

    display = chosen_display(sys.stdout, as_json=as_json)
    with redirect_stdout(sys.stderr):  # Ray tells standard output of deaths, which does not belong among the statuses
        cluster = RunningCluster(Orders(coordination, tuple(venues), cpus_for_inference), ray_address)
        heed_signals(stopping)  # Ray has taken SIGTERM for itself
        code = analyse(cluster, stopping, until_ended=until_ended, display=display)
    raise typer.Exit(code)


def analyse(cluster: "RunningCluster", stopping: threading.Event, *, until_ended: bool, display: Display) -> ExitCode:
    """Shows how a cluster does until it is to stop or, if so wished, all its recordings have ended; then ends it."""
    code: ExitCode | None = None
    try:
        while code is None and not stopping.wait(PERIOD_S):
            status = cluster.status()
            display.show(status)
            code = ending(status) if until_ended and status else None
    finally:
        display.end(cluster.stop(GRACE_S))
    return ExitCode.OK if code is None else code


def heed_signals(stopping: threading.Event) -> None:
    """Has SIGINT and SIGTERM set an event. Whoever sends a second one ends this process, and a Ray of its own, at once."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        if stopping.is_set():
            _kill_descendants()
            os._exit(ExitCode.FAILED)
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)


def _kill_descendants() -> None:
    """Kills what this process started, directly or not: all of it is frozen first, so that none starts another meanwhile."""
    for end in (psutil.Process.suspend, psutil.Process.kill):
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):  # it has ended by itself
                end(process)


def _check_environment(coordination: str, *, joins: bool) -> None:
    """Finds what the actors would find, before they are started where nobody sees their errors.

    Raises ClusterError, and IdentityError where nothing proves who the cluster is.
    """
    config = ClusterConfig.from_environment(os.environ)
    if joins:
        return
    channel_credentials(coordination, config.proof)
    Models.load(config.pack, config.weapon_pack)
    try:
        config.state_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            "VIGIE_STATE_DIR", f"{config.state_dir} cannot be made ({error.strerror}); name a folder that can be written"
        ) from error
