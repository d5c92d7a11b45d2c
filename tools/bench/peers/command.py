"""`vigie bench peers`: Vigie beside what others build the same from."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory
from typing import Annotated, Self
from urllib.parse import quote

import typer
from rich import box
from rich.table import Table

from cluster.inference.session import ModelSession
from cluster.video.pyav import open_source
from cluster.video.sampling import Sampler
from cluster.video.stream import Pace, StreamConfig, Timeouts
from cluster.video.url import resolve
from tools.bench.encoding import Keep, Reel, reels_of
from tools.bench.live import RATE_ANALYSED_HZ
from tools.bench.peers.contest import OTHERS, OURS, Contest, Showing
from tools.bench.peers.detector import session
from tools.bench.peers.environment import peer_python
from tools.bench.roster import Post, roster
from tools.bench.scenes import Footage
from tools.bench.telling import telling
from tools.connection import AsJson
from tools.display import console

_REEL_S = 60.0


def peers(
    footage: Footage,
    cameras: Annotated[int, typer.Option(min=1, max=64, help="Cameras, of which one in five is busy.")] = 10,
    rounds: Annotated[int, typer.Option(min=1, max=20, help="How often everything is measured.")] = 3,
    seconds: Annotated[float, typer.Option(min=5, max=600, help="How long each is looked at.")] = 60,
    keep: Keep = None,
    as_json: AsJson = False,
) -> None:
    """Measures Vigie, its whole path to recorded events, beside decoding and detection alone as others do them.

    Roboflow's `inference`, Ray Serve with `@serve.batch`, and a plain loop of OpenCV and ONNX Runtime with a process a camera: on
    the same live cameras, with the same network, at the same rate. They track nothing and raise nothing.

    CPU-seconds a camera-second, medians of all rounds; ratios to the best of the others that kept up, within each round.

    The first run downloads the others' packages into an environment of their own.

    Example: vigie bench peers footage --json
    """
    with TemporaryDirectory(prefix="vigie-bench-") as name, telling() as tell:
        python, folder = peer_python(tell), Path(name)
        posts = list(roster(reels_of(footage, [], _REEL_S, keep or folder, tell), cameras))
        contest = Contest(posts, folder, python, seconds, tell)
        shown = [contest.round(number) for number in range(1, rounds + 1)]
        tell("counting what Vigie's own detector finds")
        detections = _detections_a_frame(posts)
    contenders = {name: Contender.of([each[name] for each in shown], detections) for name in shown[0]}
    _show(contenders, ratios(shown), as_json=as_json)


def _detections_a_frame(posts: Sequence[Post]) -> float:
    """Things that Vigie finds in a frame: Vigie does not tell while it runs, so the frames are looked at again."""
    network = session()
    found = {post.reel.scene.file.name: _found(post.reel, network) for post in posts}
    return mean(found[post.reel.scene.file.name] for post in posts)


def _found(reel: Reel, network: ModelSession) -> float:
    url = resolve(f"file:{quote(str(reel.clip))}", lambda _: None)
    stream = StreamConfig(url.value, 0.0, Pace.FASTEST)
    with open_source(stream, url=url, fit=network.fit, timeouts=Timeouts(), now=lambda: 0.0) as source:
        return mean(len(network.detect([frame.picture])[0]) for frame in source.frames(Sampler(RATE_ANALYSED_HZ).is_due))


@dataclass(frozen=True, slots=True)
class Contender:
    """What one of them did, as medians of all rounds.

    Attributes:
        cpu_s_a_camera_s: CPU seconds a camera-second.
        cpu_ms_an_analysed_frame: CPU milliseconds a frame that was analysed.
        analysed_rate_hz: frames analysed a second and camera.
        kept_up: whether it analysed as often as it was to, in every round: where it did not, it cost less than it should have.
        detections_a_frame: things found in a frame.
    """

    cpu_s_a_camera_s: float
    cpu_ms_an_analysed_frame: float
    analysed_rate_hz: float
    kept_up: bool
    detections_a_frame: float

    @classmethod
    def of(cls, shown: Sequence[Showing], detections_a_frame: float) -> Self:
        """Of what it did in each round. `detections_a_frame`: where it does not tell itself."""
        found = [each.detections_a_frame for each in shown if each.detections_a_frame is not None]
        return cls(
            cpu_s_a_camera_s=round(median(each.cpu_s_a_camera_s for each in shown), 4),
            cpu_ms_an_analysed_frame=round(median(each.cpu_ms_a_frame for each in shown), 2),
            analysed_rate_hz=round(median(each.rate_hz for each in shown), 2),
            kept_up=all(each.kept_up for each in shown),
            detections_a_frame=round(median(found) if found else detections_a_frame, 2),
        )


def ratios(rounds: Sequence[Mapping[str, Showing]]) -> dict[str, float | None]:
    """What Vigie costs beside the cheapest of the others that kept up in the same round: medians; None where none did."""
    return {name: _ratio(name, rounds) for name in OURS}


def _ratio(name: str, rounds: Sequence[Mapping[str, Showing]]) -> float | None:
    found = []
    for shown in rounds:
        costs = [shown[other].cpu_s_a_camera_s for other in OTHERS if shown[other].kept_up]
        if costs and shown[name].kept_up:
            found.append(shown[name].cpu_s_a_camera_s / min(costs))
    return round(median(found), 3) if found else None


def _show(contenders: Mapping[str, Contender], ratio_to_best: Mapping[str, float | None], *, as_json: bool) -> None:
    if as_json:
        found = {name: asdict(contender) for name, contender in contenders.items()}
        print(json.dumps({"contenders": found, "ratio_to_best": ratio_to_best}))
        return
    table = Table("contender", *(field.name for field in fields(Contender)), box=box.SIMPLE)
    for name, contender in contenders.items():
        table.add_row(name, *map(str, astuple(contender)))
    console().print(table)
    for name, ratio in ratio_to_best.items():
        print(f"{name}: {ratio or '-'} of the best of the others")
