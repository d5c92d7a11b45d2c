"""`vigie demo`: plays the shipped clip to recorded events, on embedded defaults."""

import signal
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.status import Status

from tools.apply import apply_venue
from tools.caller import user_name
from tools.connection import AsJson, connected
from tools.demo.processes import Child, running
from tools.demo.report import MOST_EVENTS, next_steps, print_json, print_table, recorded_events
from tools.demo.scene import recording_start, venue_text
from tools.demo.serving import Service, coordination
from tools.events.listing import fetched_events
from tools.venue_file import load_venue
from vigie.names import venue_name
from vigie.v1 import event_service_pb2, event_service_pb2_grpc

_VENUE = venue_name("demo")
_CLUSTER_DEADLINE_S = 300.0
_LOOK_S = 1.0


def demo(
    state: Annotated[Path, typer.Option(metavar="FOLDER", help="Where everything is kept.")] = Path(".vigie/demo"),
    database: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Another record, such as postgresql://USER@HOST/NAME.", show_default="SQLite"),
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the service running until Ctrl-C, to be asked.")] = False,
    as_json: AsJson = False,
) -> None:
    """Plays the clip that comes with Vigie to recorded events: a local Ray, a coordination service, a database.

    Run again it plays the same recording, whose signals are recorded already: nothing fails and nothing doubles.

    Example: vigie demo --keep
    """
    signal.signal(signal.SIGTERM, _interrupt)
    state = state.resolve()
    state.mkdir(parents=True, exist_ok=True)
    record = database or f"sqlite:///{state / 'vigie.db'}"
    say = Console(stderr=True, markup=False, highlight=False, soft_wrap=True)
    say.print("Starting the coordination service")
    with coordination(state, record) as service:
        _apply(service, say, state)
        _analyse(service, say, state)
        _show(service, state, as_json=as_json)
        say.print(next_steps(state, record, service, keep=keep))
        while keep and service.child.is_running():
            time.sleep(_LOOK_S)


def _apply(service: Service, say: Console, state: Path) -> None:
    now = datetime.now(UTC)
    file = state / "venue.yaml"
    file.write_text(venue_text(recording_start(state / "recording-start", now), now), encoding="utf-8")
    changes = apply_venue(load_venue(file), service.address, author=user_name(), proof=service.proof)
    say.print(f"Applied {file}: {', '.join(changes) or 'nothing to change'}")


def _analyse(service: Service, say: Console, state: Path) -> None:
    say.print("Playing the clip through Ray, a detector, a tracker and rules")
    environment = {**service.environment(), "VIGIE_CLUSTER": "demo", "VIGIE_STATE_DIR": str(state / "cluster")}
    arguments = ["run", "--until-ended"]
    started = time.monotonic()
    with (
        running("the cluster", arguments, log=state / "run.log", environment=environment) as cluster,
        say.status("starting Ray") as status,
    ):
        while service.child.is_running() and cluster.is_running():
            _look(service, cluster, status, time.monotonic() - started)
            time.sleep(_LOOK_S)
    say.print(f"Played in {time.monotonic() - started:.0f} s")


def _look(service: Service, cluster: Child, status: Status, elapsed_s: float) -> None:
    if elapsed_s > _CLUSTER_DEADLINE_S:
        raise cluster.failure(f"did not come to the end of the clip within {_CLUSTER_DEADLINE_S:g} s")
    with connected(service.address, service.proof) as channel:
        request = event_service_pb2.ListEventsRequest(parent=_VENUE)
        stub = event_service_pb2_grpc.EventServiceStub(channel)
        count = sum(1 for _ in fetched_events(stub, request, MOST_EVENTS))
    status.update(f"{elapsed_s:.0f} s, {count} events recorded")


def _show(service: Service, state: Path, *, as_json: bool) -> None:
    with connected(service.address, service.proof) as channel:
        recorded = list(recorded_events(channel, _VENUE, state / "pictures"))
        if as_json:
            print_json(recorded)
        else:
            print_table(channel, recorded)


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt
