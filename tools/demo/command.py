"""`vigie demo`: plays the shipped clip to recorded events, on embedded defaults."""

import signal
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import grpc
import typer
from grpc_health.v1 import health_pb2, health_pb2_grpc
from rich import box
from rich.console import Console
from rich.status import Status
from rich.table import Table

from cluster.video.url import redact
from tools.apply import apply_venue
from tools.caller import user_name
from tools.connection import DEADLINE_S, AsJson, connected
from tools.demo.processes import Child, free_port, running
from tools.demo.scene import recording_start, venue_text
from tools.display import console, json_line, kind_text, last_id, seconds_between, time_text, time_zones, venue_of
from tools.events.listing import SHORT_ID, fetched_events
from tools.events.showing import saved_evidence
from tools.venue_file import load_venue
from vigie.names import venue_name
from vigie.v1 import event_service_pb2, event_service_pb2_grpc, events_pb2

_VENUE = venue_name("demo")
_SERVICE_DEADLINE_S = 60.0
_CLUSTER_DEADLINE_S = 300.0
_LOOK_S = 0.5
_MOST_EVENTS = 100


@dataclass(frozen=True, slots=True)
class Shown:
    """An event and where its pictures were saved."""

    event: events_pb2.Event
    pictures: tuple[Path, ...]


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
    address = f"127.0.0.1:{free_port()}"
    say = Console(stderr=True, markup=False, highlight=False)
    with ExitStack() as stack:
        _serve(stack, say, state, record, address)
        _apply(say, state, address)
        _analyse(say, state, address)
        shown = _recorded(address, state / "pictures")
        _show(shown, address, as_json=as_json)
        _say_where(say, state, record, address, keep=keep)
        while keep:
            time.sleep(_LOOK_S)


def _serve(stack: ExitStack, say: Console, state: Path, record: str, address: str) -> None:
    say.print(f"Starting the coordination service on {address}")
    arguments = ["serve", "--listen", address, "--evidence", str(state / "evidence")]
    environment = {"VIGIE_DATABASE_URL": record}  # it may hold a password, which other users see among arguments
    child = running("the coordination service", arguments, log=state / "serve.log", environment=environment)
    service = stack.enter_context(child)
    deadline = time.monotonic() + _SERVICE_DEADLINE_S
    with grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel:
        while service.is_running() and not _is_serving(channel):
            if time.monotonic() > deadline:
                raise service.failure(f"did not serve within {_SERVICE_DEADLINE_S:g} s")


def _is_serving(channel: grpc.Channel) -> bool:
    stub = health_pb2_grpc.HealthStub(channel)
    request = health_pb2.HealthCheckRequest()
    try:
        status = stub.Check(request, timeout=_LOOK_S, wait_for_ready=True).status  # type: ignore[attr-defined] # not in its types
    except grpc.RpcError:
        return False
    return bool(status == health_pb2.HealthCheckResponse.SERVING)


def _apply(say: Console, state: Path, address: str) -> None:
    now = datetime.now(UTC)
    file = state / "venue.yaml"
    file.write_text(venue_text(recording_start(state / "recording-start", now), now), encoding="utf-8")
    changes = apply_venue(load_venue(file), address, author=user_name())
    say.print(f"Applied {file}: {', '.join(changes) or 'nothing to change'}")


def _analyse(say: Console, state: Path, address: str) -> None:
    say.print("Playing the clip through Ray, a detector, a tracker and rules")
    environment = {
        "VIGIE_COORDINATION": address,
        "VIGIE_CLUSTER": "demo",
        "VIGIE_STATE_DIR": str(state / "cluster"),
    }
    arguments = ["run", "--until-ended"]
    started = time.monotonic()
    with (
        running("the cluster", arguments, log=state / "run.log", environment=environment) as cluster,
        say.status("starting Ray") as status,
    ):
        while cluster.is_running():
            _look(cluster, address, status, time.monotonic() - started)
            time.sleep(_LOOK_S)
    say.print(f"Played in {time.monotonic() - started:.0f} s")


def _look(cluster: Child, address: str, status: Status, elapsed_s: float) -> None:
    if elapsed_s > _CLUSTER_DEADLINE_S:
        raise cluster.failure(f"did not come to the end of the clip within {_CLUSTER_DEADLINE_S:g} s")
    status.update(f"{elapsed_s:.0f} s, {len(_events(address))} events recorded")


def _events(address: str) -> list[events_pb2.Event]:
    request = event_service_pb2.ListEventsRequest(parent=_VENUE)
    with connected(address) as channel:
        return list(fetched_events(event_service_pb2_grpc.EventServiceStub(channel), request, _MOST_EVENTS))


def _recorded(address: str, pictures: Path) -> list[Shown]:
    """What was recorded, oldest first, with the pictures saved in a folder."""
    shown = []
    for listed in reversed(_events(address)):
        with connected(address) as channel:
            stub = event_service_pb2_grpc.EventServiceStub(channel)
            event = stub.GetEvent(event_service_pb2.GetEventRequest(name=listed.name), timeout=DEADLINE_S).event
            shown.append(Shown(event, tuple(saved_evidence(stub, event, pictures))))
    return shown


def _show(shown: Sequence[Shown], address: str, *, as_json: bool) -> None:
    if as_json:
        for each in shown:
            print(json_line(each.event, saved_evidence=[str(picture) for picture in each.pictures]))
        return
    table = Table("event", "kind", "zone", "opened", "closed", "reason", "raised to recorded", box=box.SIMPLE)
    with connected(address) as channel:
        zones = time_zones(channel)
    for event in (each.event for each in shown):
        zone = zones.get(venue_of(event.name), UTC)
        table.add_row(
            last_id(event.name)[-SHORT_ID:],
            kind_text(event.kind),
            " ".join(event.zones),
            time_text(event, "open_time", zone),
            time_text(event, "close_time", zone),
            event.reason,
            f"{seconds_between(event.raise_time, event.record_time) * 1000:.0f} ms",
        )
    console().print(table)
    for picture in (picture for each in shown for picture in each.pictures):
        print(f"  {picture}")


def _say_where(say: Console, state: Path, record: str, address: str, *, keep: bool) -> None:
    record = redact(record)
    serve = f"vigie serve --database {record} --evidence {state / 'evidence'}"
    say.print(f"\nThe events are recorded in {record}, their blurred pictures in {state / 'evidence'}.")
    if keep:
        say.print(f"The service answers on {address} until Ctrl-C:")
        say.print(f"  vigie events list --coordination {address}")
    else:
        say.print(f"Look at them again:\n  {serve} &\n  vigie events list\n  vigie events get EVENT")
    say.print(f"What is watched for stands in {state / 'venue.yaml'}.")


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt
