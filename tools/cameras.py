"""`vigie cameras`: how cameras and their streams are doing."""

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Annotated

import grpc
import typer
from rich import box
from rich.table import Table
from rich.text import Text

from tools.connection import DEADLINE_S, DEFAULT_ADDRESS, Address, AsJson, connected
from tools.display import console, json_line, last_id, show_anew, time_text, time_zones, venue_of
from tools.events.filters import EVERY_VENUE, InUtc, Venue, one_of
from tools.health import fault_text
from vigie.v1 import camera_service_pb2, camera_service_pb2_grpc, cameras_pb2, vocabulary_pb2

_REFRESH_S = 2.0
_SILENT = "silent"
_STATES = [_SILENT, *(name.removeprefix("CAMERA_STATE_").lower() for name in cameras_pb2.CameraState.keys()[1:])]
_STYLES = {"live": "green", "ended": "dim", "unauthorized": "dim", "connecting": "yellow", _SILENT: "yellow"}

States = Annotated[
    list[str],
    typer.Option(
        "--state", parser=one_of(_STATES, "state"), metavar="STATE", help=f"Only {', '.join(_STATES)}; may be repeated."
    ),
]


def cameras(
    venue: Venue = EVERY_VENUE,
    state: States = [],  # noqa: B006 - typer copies it
    watch: Annotated[bool, typer.Option("--watch", help="Show them until stopped, anew every two seconds.")] = False,
    utc: InUtc = False,
    coordination: Address = DEFAULT_ADDRESS,
    as_json: AsJson = False,
) -> None:
    """Shows how cameras are doing: their state and since when, what is wrong, frames a second and dropped frames by cause.

    Analysed/s stands beside what it is set to now and, where that is less, what the camera's kinds want. Up is the share of the
    time in which frames came, with how often they ceased.

    Example: vigie cameras --venue parc-des-princes --state stalled --state silent --watch
    """
    request = camera_service_pb2.ListCamerasRequest(parent=venue, page_size=1000, states=map(_state, state))
    with connected(coordination) as channel:
        zones = {} if as_json or utc else time_zones(channel)
        if as_json:
            _print_json(channel, request, repeat=watch)
        elif watch:
            show_anew(lambda: _table(list(listed_cameras(channel, request)), zones), every_s=_REFRESH_S)
        elif found := list(listed_cameras(channel, request)):
            console().print(_table(found, zones))
        elif state:
            print("No such cameras.")
        else:
            print("No cameras: apply a venue with `vigie apply -f FILE`.")


def listed_cameras(channel: grpc.Channel, request: camera_service_pb2.ListCamerasRequest) -> Iterator[cameras_pb2.CameraStatus]:
    """All cameras that a request asks for, page by page."""
    stub = camera_service_pb2_grpc.CameraServiceStub(channel)
    request.page_token = ""
    while True:
        page = stub.ListCameras(request, timeout=DEADLINE_S)
        yield from page.cameras
        request.page_token = page.next_page_token
        if not page.next_page_token:
            return


def state_text(health: cameras_pb2.CameraHealth) -> str:
    """`live` and the like; `silent` for a camera that was not reported lately."""
    if health.state == cameras_pb2.CAMERA_STATE_UNSPECIFIED:
        return _SILENT
    return cameras_pb2.CameraState.Name(health.state).removeprefix("CAMERA_STATE_").lower()


def _state(word: str) -> cameras_pb2.CameraState.ValueType:
    if word == _SILENT:
        return cameras_pb2.CAMERA_STATE_UNSPECIFIED
    return cameras_pb2.CameraState.Value(f"CAMERA_STATE_{word.upper()}")


def _print_json(channel: grpc.Channel, request: camera_service_pb2.ListCamerasRequest, *, repeat: bool) -> None:
    while True:
        for status in listed_cameras(channel, request):
            print(json_line(status), flush=True)
        if not repeat:
            return
        time.sleep(_REFRESH_S)


def _table(statuses: Sequence[cameras_pb2.CameraStatus], zones: Mapping[str, tzinfo]) -> Table:
    columns = "venue", "camera", "state", "since", "frames/s", "analysed/s", "age p95", "up", "dropped", "detail"
    table = Table(*columns, box=box.SIMPLE)
    for status in statuses:
        name, health = status.camera.name, status.health
        state = state_text(health)
        dropped = " ".join(f"{cause}:{count}" for cause, count in sorted(health.dropped_frames.items()) if count)
        table.add_row(
            last_id(venue_of(name)),
            last_id(name),
            Text(state, style=_STYLES.get(state, "red")),
            time_text(health, "state_time", zones.get(venue_of(name), UTC)),
            "-" if state == _SILENT else f"{health.received_rate_hz:.1f}",
            "-" if state == _SILENT else _analysed(health),
            f"{health.frame_age_p95_s:.2f} s" if health.frame_age_p95_s else "-",
            f"{100 * health.uptime:.0f} %" + (f", {health.stalls} stalls" if health.stalls else ""),
            dropped or "-",
            _detail(health),
        )
    return table


def _analysed(health: cameras_pb2.CameraHealth) -> str:
    """Frames a second: analysed, of those that it is to have now, of those that its kinds want, where these are more."""
    rates = f"{health.analysed_rate_hz:.1f}"
    if health.target_rate_hz:
        rates += f" of {health.target_rate_hz:.3g}"
    if health.wanted_rate_hz > health.target_rate_hz:
        rates += f" ({health.wanted_rate_hz:.3g} wanted)"
    return f"{rates} quiet" if health.quiet else rates


def _detail(health: cameras_pb2.CameraHealth) -> str:
    faults = (f"{fault_text(fault.kind)}: {fault.detail}" for fault in health.faults)
    concerns = (
        f"{vocabulary_pb2.Kind.Name(concern.kind).removeprefix('KIND_')}: {concern.problem}" for concern in health.concerns
    )
    return "\n".join(filter(None, (health.detail, *faults, *concerns)))
