"""What the cameras of a benchmark show: scenes cut out of labelled footage, as many move much and as many hardly at all.

Busy scenes are whole clips in which something happens that their cameras watch for. Quiet ones are the stillest stretch of a clip
in which nothing does, played forwards and backwards in turn, so that no cut disturbs it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import av
import cv2
import numpy as np
import typer
from numpy.typing import NDArray

from tools.errors import CommandError, ExitCode
from tools.evaluate.labels import GroundPlane, Label, LabelFile, Point

WIDTH, HEIGHT, RATE_HZ = 704, 576, 25
"""Of the pictures that a scene is shown in."""

SCENES = 5
"""Of each sort."""

Footage = Annotated[Path, typer.Argument(help="Folder of labelled clips, with their labels in `labels`.", metavar="FOLDER")]

LOOK_S = 0.2
STILLEST_S = 4.0
_LEAST_BUSY_S = 10.0
_LOOKED_AT = (160, 120)
_CHANGED = 12


@dataclass(frozen=True, slots=True)
class Motion:
    """How much moves in a clip.

    Attributes:
        shares: of the picture that changes from one look to the next, looks LOOK_S apart.
    """

    shares: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Over the whole clip."""
        return float(np.mean(self.shares))

    def stillest(self, taken: Sequence[tuple[float, float]] = ()) -> tuple[float, float] | None:
        """When the stillest stretch of STILLEST_S begins, in seconds, and its mean share; None where there is none.

        Args:
            taken: from when until when it must not lie.
        """
        looks = round(STILLEST_S / LOOK_S)
        means = np.convolve(self.shares, np.ones(looks) / looks, "valid") if len(self.shares) >= looks else np.empty(0)
        starts_s = np.arange(len(means)) * LOOK_S
        for start_s, end_s in taken:
            means[(starts_s < end_s) & (starts_s + STILLEST_S > start_s)] = np.inf
        if not np.isfinite(means).any():
            return None
        place = int(means.argmin())
        return float(starts_s[place]), float(means[place])


@dataclass(frozen=True, slots=True)
class Scene:
    """A part of a labelled clip.

    Attributes:
        file: its label.
        is_busy: whether much moves.
        start_s: where it begins in the clip.
        length_s: of what is cut out.
        moving: mean share of its picture that changes from one look to the next.
    """

    file: LabelFile
    is_busy: bool
    start_s: float
    length_s: float
    moving: float

    @property
    def label(self) -> Label:
        """What its camera watches for, in pixels of the scene."""
        return scaled(self.file.label, WIDTH / self.file.label.width, HEIGHT / self.file.label.height)

    def source_s(self, time_s: float) -> float:
        """Which moment of the clip is seen after so many seconds: busy scenes begin anew, quiet ones turn back."""
        if self.is_busy:
            return self.start_s + time_s % self.length_s
        return self.start_s + self.length_s - abs(time_s % (2 * self.length_s) - self.length_s)


def chosen(found: Sequence[tuple[LabelFile, Motion]], named: Sequence[str] = ()) -> list[Scene]:
    """The busiest scenes, at most one of each series of clips, and the stillest. Raises CommandError where there are none.

    Args:
        found: labels and what moves in their clips.
        named: clips that are shown whole instead of the stillest.
    """
    stirring = [busy_scene(file, motion) for file, motion in found if _may_be_busy(file.label)]
    series: dict[str, Scene] = {}
    for scene in sorted(stirring, key=lambda scene: -scene.moving):
        series.setdefault(scene.file.name.partition("_")[0], scene)
    if named:
        still = [quiet_clip(file, motion) for file, motion in found if file.name in named]
    else:
        still = sorted(filter(None, (quiet_scene(file, motion) for file, motion in found)), key=lambda scene: scene.moving)
    if not series or not still:
        lacking = "clip in which something happens" if still else "quiet clip"
        raise CommandError(f"the footage has no {lacking}; name another folder", ExitCode.BAD_INPUT)
    return [*list(series.values())[:SCENES], *(still if named else still[:SCENES])]


def busy_scene(file: LabelFile, motion: Motion) -> Scene:
    """A whole clip."""
    return Scene(file, is_busy=True, start_s=0.0, length_s=file.label.length_s, moving=motion.mean)


def quiet_clip(file: LabelFile, motion: Motion) -> Scene:
    """A whole clip that is taken for a quiet one."""
    return Scene(file, is_busy=False, start_s=0.0, length_s=file.label.length_s, moving=motion.mean)


def quiet_scene(file: LabelFile, motion: Motion) -> Scene | None:
    """The stillest stretch of a clip in which nothing happens that is watched for."""
    found = motion.stillest([(event.start_s, event.end_s) for event in file.label.events])
    return found and Scene(file, is_busy=False, start_s=found[0], length_s=STILLEST_S, moving=found[1])


def _may_be_busy(label: Label) -> bool:
    return bool(label.events) and label.length_s >= _LEAST_BUSY_S


def motion_of(file: LabelFile) -> Motion:
    """What moves in a clip. Raises CommandError where it cannot be read."""
    looks = (cv2.GaussianBlur(picture, (3, 3), 0).astype(np.int16) for picture in _looks(file))
    return Motion(tuple(float((abs(after - before) > _CHANGED).mean()) for before, after in pairwise(looks)))


def _looks(file: LabelFile) -> Iterator[NDArray[np.uint8]]:
    every = max(1, round(LOOK_S * file.label.fps))
    try:
        with av.open(file.clip) as video:
            video.streams.video[0].thread_type = "AUTO"
            for number, frame in enumerate(video.decode(video=0)):
                if number % every == 0:
                    yield np.asarray(frame.reformat(*_LOOKED_AT, "gray").to_ndarray(), np.uint8)
    except (OSError, av.FFmpegError) as error:
        raise CommandError(f"{file.clip} cannot be read: {error}; put the clip there", ExitCode.BAD_INPUT) from error


def scaled(label: Label, x: float, y: float) -> Label:
    """The label of a clip that is shown wider and higher by such factors."""

    def points(found: tuple[Point, ...]) -> tuple[Point, ...]:
        return tuple((place[0] * x, place[1] * y) for place in found)

    watch = tuple(each.model_copy(update={"polygon": each.polygon and points(each.polygon)}) for each in label.watch)
    plane = label.ground_plane and GroundPlane.model_construct(
        image=points(label.ground_plane.image), metres=label.ground_plane.metres
    )
    size = {"width": round(label.width * x), "height": round(label.height * y)}
    return label.model_copy(update={"watch": watch, "ground_plane": plane, **size})
