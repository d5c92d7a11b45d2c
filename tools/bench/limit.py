"""`vigie bench limit`: what the whole path costs beside decoding and inference alone, in the same run."""

import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory
from typing import Annotated
from urllib.parse import quote

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from tools.apply import apply_venue
from tools.bench.clips import FRAMES_PER_S, HEIGHT, WIDTH, make_clips
from tools.bench.meter import Meter
from tools.connection import DEADLINE_S, AsJson, connected
from tools.demo.processes import Child, running
from tools.demo.serving import Service, coordination
from tools.display import console
from tools.errors import CommandError
from tools.venue_file import load_venue
from vigie.v1 import camera_service_pb2, camera_service_pb2_grpc, cameras_pb2, event_service_pb2, event_service_pb2_grpc

_VENUE = Template("""\
venue: bench
name: Bench
time_zone: UTC
authorizations:
  - {id: bench, reference: bench, controller: whoever runs this, motive: to measure, start: $start, end: $end, cameras: all,
     kinds: [ZONE_INTRUSION, CROWD_DENSITY]}
cameras:
$cameras""")

_CAMERA = Template("""\
  - id: camera-$number
    name: Camera $number
    stream: {url: "file:$clip", start_time: $start_time, pace: fastest}
    picture: {width: $width, height: $height}
    rate_hz: $rate_hz
    ground_plane:
      picture: [[183, 262], [477, 228], [697, 415], [348, 320]]
      metres: [[0, 0], [5.3, 5.7], [13.4, -3.0], [6.0, -1.7]]
    zones:
      lawn: {polygon: [[0, 302], [352, 350], [700, 522], [700, 575], [0, 575]]}
      road: {polygon: [[183, 222], [477, 228], [660, 280], [697, 330], [697, 415], [513, 385], [348, 320], [183, 262]]}
    rules:
      - {kind: ZONE_INTRUSION, zone: lawn, who: [person], dwell_s: 1, clear_s: 2}
      - {kind: CROWD_DENSITY, zone: road, threshold_per_m2: 0.055, sustain_s: 2, clear_s: 2}
""")

_PARENT = "venues/bench"
_CLUSTER_DEADLINE_S = 900.0
_LOOK_S = 2.0


@dataclass(frozen=True, slots=True)
class Whole:
    """What the whole path did and cost.

    Attributes:
        frames: analysed while it was measured.
        whole_ms: CPU milliseconds a frame, of all its processes.
        shares_ms: the same for each process, by what it is.
        frames_per_s: analysed a second.
        events: recorded, over the whole run.
        memory_mib: most memory of each process, by what it is; what processes share is divided among them.
    """

    frames: int
    whole_ms: float
    shares_ms: dict[str, float]
    frames_per_s: float
    events: int
    memory_mib: dict[str, list[float]]


@dataclass(frozen=True, slots=True)
class Figures:
    """One round: CPU milliseconds a frame of decoding alone, of inference alone, and of the whole path beside them."""

    decode_ms: float
    infer_ms: float
    ratio: float
    whole: Whole


@dataclass(frozen=True, slots=True)
class Progress:
    """How many frames of all cameras were analysed at some moment, in seconds since the epoch."""

    time_s: float
    frames: int


def limit(
    cameras: Annotated[int, typer.Option(min=1, max=64, help="Cameras.")] = 8,
    seconds: Annotated[float, typer.Option(min=4, max=600, help="Length of each camera's clip.")] = 12,
    rounds: Annotated[int, typer.Option(min=1, max=20, help="How often everything is measured.")] = 3,
    as_json: AsJson = False,
) -> None:
    """Measures the whole path, from H.264 to events in SQLite, against decoding alone plus inference alone.

    The cameras (704x576, 25 frames/s) are analysed frame by frame as fast as a shard a core can. CPU time of every process of the
    path counts, Ray's own included, from the first to the last report of the cameras. The bare measurements run before and after
    each round, a process a core; the round with the median ratio is shown, beside the ratios of all.

    Example: vigie bench limit --json
    """
    say = Console(stderr=True, markup=False, highlight=False)
    with TemporaryDirectory(prefix="vigie-bench-") as name, say.status("") as status:
        clips = make_clips(Path(name), cameras, seconds, status.update)
        measured = []
        before = _bare(clips)
        for number in range(1, rounds + 1):
            status.update(f"round {number} of {rounds}")
            folder = Path(name) / f"round-{number}"
            folder.mkdir()
            whole, after = _whole(folder, clips), _bare(clips)
            measured.append(_figures(before, whole, after))
            before = after
    measured.sort(key=lambda figures: figures.ratio)
    _show(measured[(rounds - 1) // 2], [round(figures.ratio, 3) for figures in measured], as_json=as_json)


def _bare(clips: list[Path]) -> tuple[float, float]:
    """CPU milliseconds a frame of decoding and of inference alone, with a process on every core."""
    return _bare_ms("decode", clips), _bare_ms("infer", clips)


def _bare_ms(what: str, clips: list[Path]) -> float:
    command = [sys.executable, "-m", "tools.bench.bare", what, *map(str, clips)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(os.cpu_count() or 1)]  # noqa: S603 - our own
    outputs = [process.communicate()[0] for process in processes]
    if any(process.returncode for process in processes):
        raise CommandError(f"{' '.join(command[:4])} failed; its error stands above")
    results = [json.loads(output) for output in outputs]
    cpu_s, frames = (sum(result[key] for result in results) for key in ("cpu_s", "frames"))
    return float(1000 * cpu_s / frames)


def _whole(folder: Path, clips: list[Path]) -> Whole:
    """Figures of the whole path."""
    venue = folder / "venue.yaml"
    venue.write_text(_venue_text(clips, datetime.now(UTC)), encoding="utf-8")
    with coordination(folder, f"sqlite:///{folder / 'vigie.db'}") as service:
        apply_venue(load_venue(venue), service.address, author="bench", proof=service.proof)
        environment = {**service.environment(), "VIGIE_STATE_DIR": str(folder / "cluster"), "VIGIE_GATING": "off"}
        arguments = ["run", "--until-ended"]
        with (
            running("the cluster", arguments, log=folder / "run.log", environment=environment) as cluster,
            Meter([service.process.pid, cluster.process.pid]) as meter,
        ):
            first, last = _watch(service, cluster, len(clips))
        return _measured(meter, first, last, _events(service))


def _watch(service: Service, cluster: Child, cameras: int) -> tuple[Progress, Progress]:
    """The first and the last moment at which all cameras said how far they were."""
    said: list[Progress] = []
    deadline = time.monotonic() + _CLUSTER_DEADLINE_S
    with connected(service.address, service.proof) as channel:
        stub = camera_service_pb2_grpc.CameraServiceStub(channel)
        while cluster.is_running():
            if time.monotonic() > deadline:
                raise cluster.failure(f"did not end within {_CLUSTER_DEADLINE_S:g} s")
            request = camera_service_pb2.ListCamerasRequest(parent=_PARENT)
            healths = [status.health for status in stub.ListCameras(request, timeout=DEADLINE_S).cameras]
            if len(healths) == cameras and all(health.analysed_frames for health in healths):
                said.append(_progress(healths))
            time.sleep(_LOOK_S)
    if not said:
        raise cluster.failure("ended before it said how far it was")
    return said[0], said[-1]


def _progress(healths: list[cameras_pb2.CameraHealth]) -> Progress:
    times_s = [health.report_time.ToNanoseconds() / 1e9 for health in healths]
    return Progress(sum(times_s) / len(times_s), sum(health.analysed_frames for health in healths))


def _measured(meter: Meter, first: Progress, last: Progress, events: int) -> Whole:
    frames = last.frames - first.frames
    if frames <= 0:
        raise CommandError("the clips are too short to be measured; give more --seconds")
    before, after = meter.cpu_s_at(first.time_s), meter.cpu_s_at(last.time_s)
    shares_ms: defaultdict[str, float] = defaultdict(float)
    memory_mib: defaultdict[str, list[float]] = defaultdict(list)
    for process, use in meter.uses.items():
        shares_ms[use.title] += 1000 * (after.get(process, 0) - before.get(process, 0)) / frames
        memory_mib[use.title].append(round(use.pss_mib, 1))
    return Whole(
        frames=frames,
        whole_ms=sum(shares_ms.values()),
        shares_ms={title: round(share_ms, 2) for title, share_ms in sorted(shares_ms.items())},
        frames_per_s=frames / (last.time_s - first.time_s),
        events=events,
        memory_mib=dict(sorted(memory_mib.items())),
    )


def _events(service: Service) -> int:
    with connected(service.address, service.proof) as channel:
        request = event_service_pb2.ListEventsRequest(parent=_PARENT, page_size=1000)
        return len(event_service_pb2_grpc.EventServiceStub(channel).ListEvents(request, timeout=DEADLINE_S).events)


def _figures(before: tuple[float, float], whole: Whole, after: tuple[float, float]) -> Figures:
    decode_ms, infer_ms = ((one + other) / 2 for one, other in zip(before, after, strict=True))
    return Figures(decode_ms, infer_ms, whole.whole_ms / (decode_ms + infer_ms), whole)


def _show(median: Figures, ratios: list[float], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(asdict(median) | {"ratios": ratios}))
        return
    table = Table("figure", "value", box=box.SIMPLE)
    for name, value in {**asdict(median), **asdict(median.whole), "ratios": ratios}.items():
        if name != "whole":
            table.add_row(name, f"{value:.2f}" if isinstance(value, float) else str(value))
    console().print(table)


def _venue_text(clips: list[Path], now: datetime) -> str:
    start = now - timedelta(hours=1)
    cameras = "".join(
        _CAMERA.substitute(
            number=number,
            clip=quote(str(clip)),
            start_time=start.isoformat(),
            width=WIDTH,
            height=HEIGHT,
            rate_hz=FRAMES_PER_S,
        )
        for number, clip in enumerate(clips, start=1)
    )
    return _VENUE.substitute(start=start.isoformat(), end=(now + timedelta(days=1)).isoformat(), cameras=cameras)
