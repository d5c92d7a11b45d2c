"""What of a frame is worth a network's look: where nothing has changed, what was found before still holds. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from cluster.analysis.scene import Box, Picture
from cluster.detections import Detections
from cluster.video.frame import Frame


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A part of a frame's picture that is to be looked at.

    Attributes:
        picture: (h, w, 3) uint8, BGR: the part alone.
        box: where it is, in pixels of the frame's picture.
    """

    picture: Picture
    box: Box


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A frame and what of it is to be looked at.

    Attributes:
        frame: to be analysed.
        parts: none where nothing has changed since the last look.
    """

    frame: Frame
    parts: tuple[Part, ...]


class Attention:
    """Decides for one camera what a network has to look at, and keeps what was found."""

    def look(self, frame: Frame) -> Look:
        """What of a frame is to be looked at. Changes nothing: the frame may yet be lost."""
        height, width = frame.picture.shape[:2]
        return Look(frame, (Part(frame.picture, (0.0, 0.0, float(width), float(height))),))

    def found(self, look: Look, detections: Sequence[Detections]) -> Detections:
        """What is in the whole frame, in pixels of its picture.

        Args:
            look: whose turn has come.
            detections: of each of its parts, in pixels of the part.
        """
        (whole,) = detections
        return whole
