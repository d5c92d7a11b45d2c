"""Watches the frames of one camera for people who show how tall they are where."""

import numpy as np

from cluster.analysis.scene import Picture, Scene
from cluster.analysis.sightings import Sightings
from cluster.detections import Detector
from cluster.errors import CalibrationError
from cluster.privacy.redaction import people_of, redacted
from cluster.tracking.tracker import Tracker, TrackerParameters
from cluster.video.frame import Frame

# Boxes of one person half a second apart are nearly the same; more of them would not say more.
_SIGHTING_S = 0.5
_SIGHTINGS_LIMIT = 20_000


class Lookout:
    """Collects sightings of people, frame by frame. Nothing else of the pictures is kept but the latest one."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._tracker = Tracker(TrackerParameters())
        self._parts: list[Sightings] = []
        self._scene: Scene | None = None
        self._first_s = 0.0
        self._sighted_s = 0.0
        self.size = (0, 0)
        self.count = 0

    def step(self, frame: Frame) -> None:
        """Takes the next frame. Raises CalibrationError when it has another size than those before."""
        size = frame.width, frame.height
        if self._scene is None:
            self._first_s, self.size, self._sighted_s = frame.capture_time_s, size, frame.capture_time_s
        if size != self.size:
            changed = f"from {self.size[0]}x{self.size[1]} to {size[0]}x{size[1]}"
            raise CalibrationError(f"the size of the picture changed {changed}; look at it while it stays the same")
        height, width = frame.picture.shape[:2]
        detections = self._detector.detect([frame.picture])[0].scaled(size[0] / width, size[1] / height)
        tracks = self._tracker.step(detections, frame.capture_time_s)
        self._scene = Scene(frame.capture_time_s, frame.picture, detections, tracks, frame.full)
        if frame.capture_time_s - self._sighted_s >= _SIGHTING_S and self.count < _SIGHTINGS_LIMIT:
            self._sighted_s = frame.capture_time_s
            self._parts.append(Sightings.of(tracks, detections, size))
            self.count += len(self._parts[-1])

    @property
    def seconds(self) -> float:
        """For how long it has looked."""
        return self._scene.time_s - self._first_s if self._scene else 0.0

    @property
    def sightings(self) -> Sightings:
        """All until now."""
        return Sightings.joined(self._parts)

    def picture(self) -> Picture:
        """The latest one, with everyone in it unrecognisable; at most 1280 pixels a side. Raises CalibrationError without any."""
        if self._scene is None or self._scene.full is None:
            raise CalibrationError("no picture came; look at a stream that has some")
        return redacted(self._scene.full(), people_of(self._scene) / np.tile(self.size, 2))
