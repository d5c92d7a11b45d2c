"""The same clip as a worse or another camera would show it: what a rule finds must not hang on such things."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation

from cluster.analysis.scene import Box, Picture
from cluster.video.frame import Fit, Frame
from cluster.video.source import Source
from tools.evaluate.labels import GroundPlane, Label, Point
from tools.venue_file.rules import Rule, WrongWay

LATE_START_S = 1.0
_JPEG_QUALITY = 30
_BRIGHTER, _DARKER = 1.3, 0.7

IsDue = Callable[[float], bool]


def _same(label: Label) -> Label:
    return label


@dataclass(frozen=True, slots=True)
class Condition:
    """What is done to a clip before it is watched.

    Attributes:
        meaning: in words.
        every: one frame of so many is shown.
        start_s: nothing before is shown.
        changed: the picture at its own size, (h, w, 3) uint8, BGR, as it is shown; None: as it is.
        labelled: the label of what is shown.
    """

    meaning: str
    every: int = 1
    start_s: float = 0.0
    changed: Callable[[Picture], Picture] | None = None
    labelled: Callable[[Label], Label] = _same

    def frames(self, source: Source, is_due: IsDue, fit: Fit) -> Iterator[Frame]:
        """The frames that are due of those that are shown. `fit`: as that of the source."""
        for frame in source.frames(self._shown(is_due)):
            yield frame if self.changed is None else _with_picture(frame, self.changed(frame.full()), fit)

    def _shown(self, is_due: IsDue) -> IsDue:
        number = count()
        return lambda time_s: next(number) % self.every == 0 and time_s >= self.start_s and is_due(time_s)


def _with_picture(frame: Frame, full: Picture, fit: Fit) -> Frame:
    """The frame with another picture, scaled by the same scaler as a decoder's."""
    height, width = full.shape[:2]
    video = VideoFrame.from_ndarray(full, format="bgr24")
    scaled = video.reformat(*fit.of(width, height), "bgr24", interpolation=Interpolation.FAST_BILINEAR)
    return Frame(frame.capture_time_s, np.asarray(scaled.to_ndarray(), np.uint8), width, height, lambda: full)


def _halved(picture: Picture) -> Picture:
    height, width = picture.shape[:2]
    return np.asarray(cv2.resize(picture, (width // 2, height // 2), interpolation=cv2.INTER_AREA), np.uint8)


def _compressed(picture: Picture) -> Picture:
    jpeg = cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY))[1]
    return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)


def _brighter(picture: Picture) -> Picture:
    return np.asarray(cv2.convertScaleAbs(picture, alpha=_BRIGHTER), np.uint8)


def _darker(picture: Picture) -> Picture:
    return np.asarray(cv2.convertScaleAbs(picture, alpha=_DARKER), np.uint8)


def _mirrored(picture: Picture) -> Picture:
    return np.ascontiguousarray(picture[:, ::-1])


def mirrored_label(label: Label) -> Label:
    """The label of a clip whose left and right are swapped, on the ground as well."""

    def point(place: Point) -> Point:
        return label.width - place[0], place[1]

    def box(box: Box) -> Box:
        return label.width - box[2], box[1], label.width - box[0], box[3]

    def rule(rule: Rule) -> Rule:
        if not isinstance(rule, WrongWay):
            return rule
        x, y = rule.allowed_direction
        return rule.model_copy(update={"allowed_direction": (-x, y)})

    watch = [
        watch.model_copy(update={"polygon": watch.polygon and tuple(map(point, watch.polygon)), "rule": rule(watch.rule)})
        for watch in label.watch
    ]
    events = [event.model_copy(update={"box": event.box and box(event.box)}) for event in label.events]
    plane = label.ground_plane and GroundPlane.model_construct(
        image=tuple(map(point, label.ground_plane.image)), metres=tuple((-x_m, y_m) for x_m, y_m in label.ground_plane.metres)
    )
    return label.model_copy(update={"watch": tuple(watch), "events": tuple(events), "ground_plane": plane})


UNCHANGED = "plain"
CONDITIONS: Mapping[str, Condition] = {
    UNCHANGED: Condition("as it is"),
    "half-rate": Condition("every second frame", every=2),
    "half-size": Condition("half as wide and high", changed=_halved),
    f"jpeg-{_JPEG_QUALITY}": Condition(f"compressed to JPEG of quality {_JPEG_QUALITY}", changed=_compressed),
    "brighter": Condition("30 % brighter", changed=_brighter),
    "darker": Condition("30 % darker", changed=_darker),
    "mirrored": Condition("left and right swapped", changed=_mirrored, labelled=mirrored_label),
    "late": Condition(f"begun {LATE_START_S:g} s later", start_s=LATE_START_S),
}
