"""`vigie bench model`: from how many pictures at once on a pack's network gets no faster."""

import json
import os
import time
from dataclasses import dataclass, field
from statistics import median
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from rich import box
from rich.table import Table

from cluster.config import ClusterConfig
from cluster.errors import ModelError
from cluster.inference.calibration import MAX_BATCH, Calibration, Point, write_calibration
from cluster.inference.hardware import CPU, Hardware, device_name
from cluster.inference.pack import ModelPack, default_pack_path, load_pack
from cluster.inference.session import ModelSession
from tools.connection import AsJson
from tools.display import console
from tools.models.folder import PacksFolder, find_pack, packs_folder

_ROUNDS = 3


@dataclass(slots=True)
class _Runs:
    """What the runs of one size of batch took, of the clock and of this process's processors."""

    session: ModelSession
    wall_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)

    def run(self, pictures: list[NDArray[np.uint8]]) -> None:
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        self.session.detect(pictures[: self.session.batch])
        self.wall_s.append(time.perf_counter() - wall_s)
        self.cpu_s.append(time.process_time() - cpu_s)

    @property
    def point(self) -> Point:
        """On a processor its own time counts, which other work on it does not lengthen by much; on a GPU the clock does."""
        batch, wall_s, cpu_s = self.session.batch, median(self.wall_s), median(self.cpu_s)
        return Point(
            batch=batch,
            frames_per_s=round(batch / (cpu_s if self.session.provider == CPU else wall_s), 2),
            cpu_ms_per_frame=round(1000 * cpu_s / batch, 3),
            latency_ms=round(1000 * wall_s, 3),
        )


def model(
    pack: Annotated[str | None, typer.Option(help="Folder or name of a pack [default: the small one that Vigie ships].")] = None,
    most: Annotated[int, typer.Option(min=1, max=MAX_BATCH, help="Most pictures at once.")] = 32,
    seconds: Annotated[float, typer.Option(min=0.01, max=600, help="How long each number of pictures is measured.")] = 2.0,
    write: Annotated[
        bool, typer.Option("--write", help="Keep the result beside the pack, for the shards of such machines.")
    ] = False,
    as_json: AsJson = False,
    packs: PacksFolder = None,
) -> None:
    """Measures a pack's network with 1, 2, 4 and more pictures at once, as `VIGIE_PROVIDERS` says, one thread on a processor.

    The smallest number that gives at least .95 of the most pictures a second is best: more of them would only answer later. A
    network that was exported for one picture is measured with one; so is one pictures with which do not fit into memory.

    Example: vigie bench model --pack my-pack --write
    """
    loaded = load_pack(find_pack(pack, packs_folder(packs)) if pack else default_pack_path())
    measured = _measured(loaded, ClusterConfig.from_environment(os.environ).hardware, most, seconds)
    if write:
        write_calibration(loaded.folder, measured)
    _show(measured, as_json=as_json)


def _measured(pack: ModelPack, hardware: Hardware, most: int, seconds: float) -> Calibration:
    """All sizes in turn, again and again, so that all of them meet the same machine."""
    sizes = _sessions(pack, hardware, most)
    noise = np.random.default_rng(0)
    wanted = pack.manifest.input
    pictures = [noise.integers(0, 256, (wanted.height, wanted.width, 3), np.uint8) for _ in range(sizes[-1].session.batch)]
    for runs in sizes * _ROUNDS:
        until_s = time.perf_counter() + seconds / _ROUNDS
        runs.run(pictures)
        while time.perf_counter() < until_s:
            runs.run(pictures)
    provider = sizes[0].session.provider
    points = tuple(runs.point for runs in sizes)
    return Calibration(provider=provider, device=device_name(provider), sha256=pack.manifest.sha256, points=points)


def _sessions(pack: ModelPack, hardware: Hardware, most: int) -> list[_Runs]:
    """One for each size that the network takes and that fits into memory."""
    sizes = [_Runs(ModelSession(pack, hardware=hardware, batch=1))]
    batch = 2
    while batch <= most:
        try:
            session = ModelSession(pack, hardware=hardware, batch=batch)
        except ModelError:
            break
        if session.batch != batch:
            break
        sizes.append(_Runs(session))
        batch *= 2
    return sizes


def _show(measured: Calibration, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(measured.model_dump(mode="json") | {"best_batch": measured.saturation.batch}))
        return
    table = Table("pictures at once", "a second", "CPU-ms each", "ms for all", "", box=box.SIMPLE)
    for point in measured.points:
        values = str(point.batch), f"{point.frames_per_s:.1f}", f"{point.cpu_ms_per_frame:.2f}", f"{point.latency_ms:.2f}"
        table.add_row(*values, "best" if point == measured.saturation else "")
    console().print(f"{measured.provider} on {measured.device}")
    console().print(table)
