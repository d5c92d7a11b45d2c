"""Who crosses a directed line, and which way."""

from collections.abc import Iterator

from cluster.analysis.geometry import Crossing, Line
from cluster.analysis.view import View
from cluster.tracking.tracks import Tracks

# How far from the line one must be before its side is believed, in heights of the box: jitter on the line crosses nothing.
_MARGIN = 0.1


class Crossings:
    """Follows on which side of a line each track is.

    Args:
        view: of the camera.
        line: in its picture.
    """

    def __init__(self, view: View, line: Line) -> None:
        self._view = view
        self._line = line
        self._settled: dict[int, tuple[float, float]] = {}

    def reset(self) -> None:
        """Forgets who was where."""
        self._settled.clear()

    def step(self, tracks: Tracks) -> Iterator[tuple[int, Crossing]]:
        """Rows of the tracks that crossed with this frame, in a direction that is watched. All that are alive must be given."""
        alive = set(tracks.ids.tolist())
        self._settled = {track: point for track, point in self._settled.items() if track in alive}
        points, heights = self._view.standing_points(tracks.feet).tolist(), tracks.boxes[:, 3] - tracks.boxes[:, 1]
        for row in (tracks.unseen_s == 0).nonzero()[0].tolist():
            crossing = self._settle(int(tracks.ids[row]), tuple(points[row]), _MARGIN * float(heights[row]))
            if crossing in self._line.watched:
                yield row, crossing

    def _settle(self, track: int, point: tuple[float, float], margin: float) -> Crossing | None:
        """How one crossed that is now on a side beyond doubt; None for whoever did not."""
        offset = self._line.offset(point)
        if abs(offset) <= margin:
            return None
        before = self._settled.get(track)
        self._settled[track] = point
        if before is None or not self._line.is_met(before, point):
            return None
        return Crossing.LEFT_TO_RIGHT if offset > 0 else Crossing.RIGHT_TO_LEFT
