"""`vigie bench handover`: what it costs to hand pictures from a group to a shard on the same machine."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from statistics import median
from typing import Annotated, Any

import numpy as np
import psutil
import ray
import typer
from rich import box
from rich.table import Table

from cluster.inference.pack import default_pack_path, read_manifest
from cluster.inference.preprocessing import InputTensor
from cluster.runtime.camera_group import RayShard
from cluster.runtime.names import CALL_THREADS, CALLS, leave_ray, start_local_ray
from cluster.runtime.picture_board import PictureBoard
from cluster.runtime.shard import Answer, Picture
from cluster.runtime.shard_door import NearShard, ShardDoor
from tools.bench.clips import HEIGHT, WIDTH
from tools.connection import AsJson
from tools.display import console

_CAMERAS = (1, 8, 16)
_WARM_CALLS = 20
_START_S = 90.0
_CALL_S = 30.0


class Taker:
    """Takes pictures as a shard does, up to the network: each is written into the input's tensor."""

    def __init__(self) -> None:
        self._door = ShardDoor(self._taken)
        self._tensor = InputTensor(read_manifest(default_pack_path()).input, 1)

    @ray.method(concurrency_group=CALLS)
    def detect(self, caller: str, pictures: Sequence[Picture], armed: Sequence[bool]) -> Answer:
        """Finds nothing."""
        return self._taken(caller, pictures, armed)

    def door(self) -> str:
        """Address of its door."""
        return self._door.address

    def _taken(self, _caller: str, pictures: Sequence[Picture], _armed: Sequence[bool]) -> Answer:
        for picture in pictures:
            self._tensor.write(picture, 0)
        return Answer()


@dataclass(frozen=True, slots=True)
class Cost:
    """What one way of handing over costs.

    Attributes:
        cpu_ms_per_frame: of all processes, Ray's own included.
        latency_ms: from the call to its answer, the median.
    """

    cpu_ms_per_frame: float
    latency_ms: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both ways for groups of one size.

    Attributes:
        cameras: of the group: pictures a call.
        objects: by a call of Ray, with the pictures as its objects.
        board: through the shard's door, with the pictures on a board.
        ratio: the board's CPU time to the objects'.
    """

    cameras: int
    objects: Cost
    board: Cost
    ratio: float


def handover(
    frames: Annotated[int, typer.Option(min=16, max=100_000, help="Pictures a round, each way.")] = 1600,
    rounds: Annotated[int, typer.Option(min=1, max=50, help="How often both ways are measured.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Hands pictures to a shard that looks at none, for groups of 1, 8 and 16 cameras: by Ray, and past it on a board.

    Both ways in turn; the medians of all rounds are shown.

    Example: vigie bench handover --json
    """
    with _ways() as (objects, board):
        found = [_compared(cameras, objects, board, frames, rounds) for cameras in _CAMERAS]
    if as_json:
        for comparison in found:
            print(json.dumps(asdict(comparison)))
        return
    table = Table("cameras", "objects, CPU-ms", "board, CPU-ms", "ratio", "objects, ms", "board, ms", box=box.SIMPLE)
    for one in found:
        costs = one.objects.cpu_ms_per_frame, one.board.cpu_ms_per_frame, one.ratio, one.objects.latency_ms, one.board.latency_ms
        table.add_row(str(one.cameras), *(f"{cost:.2f}" for cost in costs))
    console().print(table)


@contextmanager
def _ways() -> Iterator[tuple[RayShard, RayShard]]:
    """The same shard, called by Ray and through its door."""
    start_local_ray()
    try:
        taker: Any = ray.remote(concurrency_groups={CALLS: CALL_THREADS})(Taker)  # type: ignore[call-overload] # not in its types
        handle = taker.remote()
        near = NearShard(ray.get(handle.door.remote(), timeout=_START_S), caller="bench", board=PictureBoard())
        yield RayShard(handle, caller="bench", near=None), RayShard(handle, caller="bench", near=near)
    finally:
        leave_ray()


def _compared(cameras: int, objects: RayShard, board: RayShard, frames: int, rounds: int) -> Comparison:
    noise = np.random.default_rng(0)
    spec = read_manifest(default_pack_path()).input
    height = round(spec.width * HEIGHT / WIDTH)
    pictures = [noise.integers(0, 256, (height, spec.width, 3), np.uint8) for _ in range(cameras)]
    for way in (objects, board):
        list(islice(_latencies_s(way, pictures), _WARM_CALLS))
    measured = [(_cost(objects, pictures, frames), _cost(board, pictures, frames)) for _ in range(rounds)]
    by_objects, by_board = (_median([pair[way] for pair in measured]) for way in (0, 1))
    ratio = median(board.cpu_ms_per_frame / objects.cpu_ms_per_frame for objects, board in measured)
    return Comparison(cameras, by_objects, by_board, round(ratio, 3))


def _cost(way: RayShard, pictures: list[Picture], frames: int) -> Cost:
    calls = frames // len(pictures)
    before_s = _cpu_s()
    latencies_s = list(islice(_latencies_s(way, pictures), calls))
    return Cost(1000 * (_cpu_s() - before_s) / (calls * len(pictures)), 1000 * median(latencies_s))


def _latencies_s(way: RayShard, pictures: list[Picture]) -> Iterator[float]:
    while True:
        start_s = time.perf_counter()
        way.submit(pictures, [False] * len(pictures)).result(_CALL_S)
        yield time.perf_counter() - start_s


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(round(median(cost.cpu_ms_per_frame for cost in costs), 3), round(median(cost.latency_ms for cost in costs), 3))


def _cpu_s() -> float:
    """CPU seconds so far of this process and its descendants, which are all of Ray's."""
    total_s = 0.0
    for process in (this := psutil.Process(), *this.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        total_s += times.user + times.system
    return total_s
