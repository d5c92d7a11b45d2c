"""Scenes as a camera sends them: H.264 as camera encoders make it, encoded once and shown over and over."""

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import av
import numpy as np
import typer
from av.bitstream import BitStreamFilterContext
from numpy.typing import NDArray

from tools.bench.scenes import HEIGHT, RATE_HZ, WIDTH, Scene, chosen, motion_of
from tools.evaluate.labels import load_labels

KEY_EVERY = 50

Keep = Annotated[
    Path | None,
    typer.Option(help="Where encoded scenes are kept, to be taken in the next run (default: nowhere).", metavar="FOLDER"),
]

_OPTIONS = {
    "preset": "veryfast",
    # What a camera of this size is usually set to: the quality that it has at 2 Mbit/s, and less where less happens.
    "crf": "23",
    "maxrate": "2M",
    "bufsize": "4M",
    "bf": "0",
    "g": str(KEY_EVERY),
    "keyint_min": str(KEY_EVERY),
    "sc_threshold": "0",
    "x264-params": "sliced-threads=0",
}


@dataclass(frozen=True, slots=True)
class Reel:
    """An encoded scene.

    Attributes:
        scene: what it shows.
        length_s: how long, before it is shown from its beginning again.
        clip: an MP4 file.
        pictures: the same, each picture's access unit (Annex B) after its length in four bytes.
    """

    scene: Scene
    length_s: float
    clip: Path
    pictures: Path

    @property
    def kilobits_per_s(self) -> float:
        """Its mean rate."""
        return self.pictures.stat().st_size * 8 / 1000 / self.length_s

    def described(self) -> dict[str, object]:
        """What a reader of figures needs to know of it."""
        return {
            "clip": self.scene.file.name,
            "sort": "busy" if self.scene.is_busy else "quiet",
            "from_s": round(self.scene.start_s, 2),
            "length_s": round(self.scene.length_s, 2),
            "then": "from its beginning" if self.scene.is_busy else "backwards, and so on",
            "moving_share": round(self.scene.moving, 5),
            "kilobits_per_s": round(self.kilobits_per_s),
        }


def reels_of(footage: Path, named: Sequence[str], seconds: float, folder: Path, tell: Callable[[str], None]) -> list[Reel]:
    """The busiest and the stillest scenes of labelled footage, encoded. Raises CommandError.

    Args:
        footage: a folder with `labels`, and their clips.
        named: clips that are shown whole instead of the stillest scenes.
        seconds: how long each reel is to be.
        folder: where to put them, and where some may be from an earlier run.
        tell: says what is done.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for file in load_labels([footage / "labels"]):
        tell(f"looking at what moves in {file.name}")
        found.append((file, motion_of(file)))
    reels = []
    for scene in chosen(found, named):
        tell(f"encoding {scene.file.name}")
        reels.append(encoded(scene, folder, seconds))
    return reels


def encoded(scene: Scene, folder: Path, seconds: float) -> Reel:
    """Encodes so much of a scene, rounded to whole groups of pictures, unless that has been done in this folder."""
    count = max(1, round(seconds * RATE_HZ / KEY_EVERY)) * KEY_EVERY
    name = f"{scene.file.name}-{scene.start_s:g}-{scene.length_s:g}-{count}"
    reel = Reel(scene, count / RATE_HZ, folder / f"{name}.mp4", folder / f"{name}.h264")
    if not reel.pictures.exists():
        _encode(scene, count, reel.clip)
        unfinished = reel.pictures.with_suffix(".part")
        _write_units(reel.clip, unfinished)
        unfinished.rename(reel.pictures)
    return reel


def _encode(scene: Scene, count: int, clip: Path) -> None:
    with av.open(clip, "w") as output:
        stream = output.add_stream("libx264", rate=RATE_HZ, options=_OPTIONS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for picture in _shown(scene, count):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="yuv420p")))
        output.mux(stream.encode())


def _shown(scene: Scene, count: int) -> Iterator[NDArray[np.uint8]]:
    """The pictures of a scene, at a camera's size and rate."""
    first = round(scene.start_s * scene.file.label.fps)
    source = _cut(scene, first, round(scene.length_s * scene.file.label.fps))
    for number in range(count):
        place = int(scene.source_s(number / RATE_HZ) * scene.file.label.fps) - first
        yield source[min(max(place, 0), len(source) - 1)]


def _cut(scene: Scene, first: int, count: int) -> list[NDArray[np.uint8]]:
    with av.open(scene.file.clip) as video:
        video.streams.video[0].thread_type = "AUTO"
        frames = (frame for number, frame in enumerate(video.decode(video=0)) if first <= number < first + count)
        return [np.asarray(frame.reformat(WIDTH, HEIGHT, "yuv420p").to_ndarray(), np.uint8) for frame in frames]


def _write_units(clip: Path, pictures: Path) -> None:
    with av.open(clip) as video, pictures.open("wb") as file:
        stream = video.streams.video[0]
        convert = BitStreamFilterContext("h264_mp4toannexb", stream)
        for packet in video.demux(stream):
            if packet.size:
                for unit in convert.filter(packet):
                    file.write(struct.pack("!I", unit.size) + bytes(unit))
