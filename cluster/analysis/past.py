"""How a camera's picture looked of late: it tells what has come to a place from what was there before."""

from collections import deque
from collections.abc import Sequence

import numpy as np

from cluster.analysis.scene import Box, Picture, Scene
from cluster.analysis.view import View

# So far apart pictures are kept, and so many of them: 16 s in less than 2 MB.
_APART_S = 1.0
_KEPT = 16
# A pixel has changed whose luma differs by more than this: noise and compression stay below, dark clothes on a dark floor above.
_CHANGED_LUMA = 15


class Past:
    """Small grey pictures of one camera, a second apart."""

    def __init__(self) -> None:
        self._kept: deque[tuple[float, Picture]] = deque(maxlen=_KEPT)

    def add(self, scene: Scene) -> None:
        """Keeps the picture if it is time to; one of another size than those before begins anew."""
        if self._kept and scene.time_s - self._kept[-1][0] < _APART_S:
            return
        if self._kept and self._kept[-1][1].shape != scene.small_grey.shape:
            self._kept.clear()
        self._kept.append((scene.time_s, scene.small_grey))

    def until(self, time_s: float) -> tuple[Picture, ...]:
        """The pictures kept from `time_s` and before; where there are none, the oldest."""
        return (
            tuple(picture for kept_s, picture in self._kept if kept_s <= time_s)
            or tuple(picture for _, picture in self._kept)[:1]
        )

    def reset(self) -> None:
        """Forgets all pictures."""
        self._kept.clear()


def changed_share(before: Sequence[Picture], scene: Scene, box: Box, view: View) -> float:
    """How much of a box looks otherwise than in that earlier picture which it resembles most, 0 to 1.

    1 where nothing can be compared: no picture of the same size, or a box outside the picture.
    """
    now = scene.small_grey
    across, down = now.shape[1] / view.width, now.shape[0] / view.height
    columns = slice(max(0, round(box[0] * across)), max(0, round(box[2] * across)))
    rows = slice(max(0, round(box[1] * down)), max(0, round(box[3] * down)))
    place = now[rows, columns].astype(np.int16)
    alike = [picture for picture in before if picture.shape == now.shape] if place.size else []
    return min((float((np.abs(place - picture[rows, columns]) > _CHANGED_LUMA).mean()) for picture in alike), default=1.0)
