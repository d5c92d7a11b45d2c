"""Evidence pictures in which nobody can be recognised.

Two layers, since a detector can miss someone. Both are chosen by what EN 62676-4 says one can tell from a picture: at 12.5 pixels
a metre that there are people and where they go ("monitor"), at 25 that someone is there ("detect"), and only from 62.5 on how he
is dressed ("observe"), from 125 on who he is if one knows him ("recognise").

- **Everyone whom the detector sees, however unsure, or the tracker still expects**, is pixelated to 16 blocks over the height of
  his box, or 6 over its width, whichever are larger: 9 a metre for someone who stands, under "monitor". Where the box is but a
  face, 6 by 8 blocks are left of it; from 7 by 10 on, people begin to recognise faces that they know (Sinha et al., Face
  Recognition by Humans: Nineteen Results, 2006). Boxes are enlarged first, as heads and hands stick out of them.
- **The whole picture** keeps 240 dots over its longer side. Whoever is missed and no taller than 1/11 of it has at most 12.5 dots
  a metre, and small people are those whom detectors miss: what is larger has at least a weak detection, and that is enough.

What caused the signal is outlined on top. Nothing of the original picture is ever drawn over the blocks.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from cluster.analysis.geometry import Line, Polygon
from cluster.analysis.scene import Scene
from cluster.analysis.signals import SignalRevision
from cluster.analysis.view import View
from vigie.vocabulary import ObjectClass

Picture = NDArray[np.uint8]
Boxes = NDArray[np.float64]

_LONGER_SIDE_PX = 1280
_DOTS = 240
_BLOCKS_HIGH = 16
_BLOCKS_WIDE = 6
_LEAST_SCORE = 0.1
# What a box gains at each side, in its width and height.
_MARGIN = (0.2, 0.15)
_QUALITY = 85
_CAUSE_COLOR = (0, 140, 255)
_ZONE_COLOR = (255, 200, 0)


def evidence_jpeg(picture: Picture, *, scene: Scene, revision: SignalRevision, view: View) -> bytes:
    """A JPEG of at most 1 MiB and 1280 pixels a side: everyone unrecognisable, and what caused the signal outlined.

    Args:
        picture: (height, width, 3), BGR, of any size: the whole frame that `scene` shows.
        scene: what was seen in it.
        revision: of the signal.
        view: of the camera, whose picture size `scene` and `revision` are given in.
    """
    canvas = redacted(picture, people_of(scene) / (view.width, view.height, view.width, view.height))
    _outline(canvas, revision, view)
    encoded = cv2.imencode(".jpg", canvas, (cv2.IMWRITE_JPEG_QUALITY, _QUALITY))[1]
    return encoded.tobytes()


def people_of(scene: Scene) -> Boxes:
    """Boxes (n, 4) of everyone detected, however unsure, or tracked, also unseen; in pixels of the camera's picture size."""
    detected = scene.detections.of({ObjectClass.PERSON})
    tracked = scene.tracks.of({ObjectClass.PERSON})
    return np.concatenate([detected.boxes[detected.scores >= _LEAST_SCORE], tracked.boxes]).astype(np.float64)


def redacted(picture: Picture, people: Boxes) -> Picture:
    """The picture with everyone in it unrecognisable, at most 1280 pixels a side.

    Args:
        picture: (height, width, 3).
        people: (n, 4), x0, y0, x1, y1 as fractions of the picture's width and height.
    """
    height, width = picture.shape[:2]
    longer = max(height, width)
    size = _scaled(width, height, min(1.0, _LONGER_SIDE_PX / longer))
    dots = cv2.resize(picture, _scaled(width, height, min(1.0, _DOTS / longer)), interpolation=cv2.INTER_AREA)
    canvas = cv2.resize(dots, size, interpolation=cv2.INTER_LINEAR).astype(np.uint8)
    boxes = people * (size[0], size[1], size[0], size[1])
    # The coarsest come last: a small box within a large one must not leave it finer.
    for box in boxes[np.argsort(_blocks_px(boxes), kind="stable")]:
        _pixelate(canvas, box)
    return canvas


def _scaled(width: int, height: int, scale: float) -> tuple[int, int]:
    return max(1, round(width * scale)), max(1, round(height * scale))


def _blocks_px(boxes: Boxes) -> Boxes:
    return np.maximum((boxes[:, 2] - boxes[:, 0]) / _BLOCKS_WIDE, (boxes[:, 3] - boxes[:, 1]) / _BLOCKS_HIGH)


def _pixelate(canvas: Picture, box: Boxes) -> None:
    height, width = canvas.shape[:2]
    margin = (box[2:] - box[:2]) * _MARGIN
    x0, y0 = np.clip(np.floor(box[:2] - margin), 0, (width, height)).astype(int)
    x1, y1 = np.clip(np.ceil(box[2:] + margin), 0, (width, height)).astype(int)
    if x0 >= x1 or y0 >= y1:
        return
    block_px = float(_blocks_px(box[None])[0])
    blocks = max(1, int((x1 - x0) / max(1, block_px))), max(1, int((y1 - y0) / max(1, block_px)))
    means = cv2.resize(canvas[y0:y1, x0:x1], blocks, interpolation=cv2.INTER_AREA)
    canvas[y0:y1, x0:x1] = cv2.resize(means, (int(x1 - x0), int(y1 - y0)), interpolation=cv2.INTER_NEAREST)


def _outline(canvas: Picture, revision: SignalRevision, view: View) -> None:
    scale = np.array(canvas.shape[1::-1]) / (view.width, view.height)
    zone = view.zones.get(revision.zone)
    if isinstance(zone, Polygon):
        _draw(canvas, zone.vertices * scale, _ZONE_COLOR, thickness=1, closed=True)
    if isinstance(zone, Line):
        _draw(canvas, np.array([zone.start, zone.end]) * scale, _ZONE_COLOR, thickness=1, closed=False)
    if revision.box is not None:
        x0, y0, x1, y1 = revision.box
        _draw(canvas, np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)]) * scale, _CAUSE_COLOR, thickness=2, closed=True)


def _draw(canvas: Picture, points: NDArray[np.float64], color: tuple[int, int, int], *, thickness: int, closed: bool) -> None:
    cv2.polylines(canvas, [np.round(points).astype(np.int32)], closed, color, thickness, cv2.LINE_AA)
