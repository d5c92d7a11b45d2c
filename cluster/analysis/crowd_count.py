"""How many people stand on a piece of ground, also where their boxes merge.

Few people are counted by their tracks, which are exact as long as one sees each of them. A crowd hides its own: the more there
are, the fewer boxes are left. So the ground that people cover in the picture has a second opinion, which is taken where it is
clearly the higher one.
"""

from dataclasses import dataclass
from math import isnan, nan
from statistics import median

import numpy as np

from cluster.analysis.geometry import GroundPlane, Polygon
from cluster.analysis.occupancy import Occupancy
from cluster.analysis.scene import Scene
from cluster.analysis.view import View
from cluster.tracking.tracks import Tracks
from vigie.vocabulary import ObjectClass

_SPEED_STEP_S = 0.1
# By how much both opinions may differ by chance: one person and one in eight. At twice that, the higher one is taken.
_DOUBT_PEOPLE = 1.0
_DOUBT_SHARE = 0.125
# Where there is a crowd, the detector sees people everywhere, if faintly: one for each box, and one more behind every second one.
# What covers the ground without that is something else.
_FAINT_SCORE = 0.2
_MOST_A_FAINT_BOX = 1.5


@dataclass(frozen=True, slots=True)
class Crowd:
    """The people on the ground that is watched, in one frame.

    Attributes:
        people: how many there are, those included that nobody sees.
        seen: how many tracks say so.
        followed: how many tracks there are, those included that are out of sight.
        speed_m_per_s: median of those seen, NaN where none is.
        score: mean of those seen, 0 to 1.
    """

    people: float
    seen: int
    followed: int
    speed_m_per_s: float
    score: float


class CrowdCounter:
    """Counts the people in a polygon of one camera.

    Args:
        view: of the camera.
        polygon: the ground that is watched.
        plane: of the ground.
        sees_behind: whether those are estimated whom others hide.
    """

    def __init__(self, view: View, polygon: Polygon, plane: GroundPlane, *, sees_behind: bool = True) -> None:
        self._view = view
        self._polygon = polygon
        self._plane = plane
        self._occupancy = Occupancy(view, polygon, plane) if sees_behind else None

    def reset(self) -> None:
        """Forgets the scene."""
        if self._occupancy:
            self._occupancy.reset()

    def count(self, scene: Scene) -> Crowd:
        """The crowd of one frame. Frames come in order of their times."""
        tracked = scene.tracks.of({ObjectClass.PERSON})
        followed = tracked[self._polygon.contains(self._view.standing_points(tracked.feet))]
        people = followed[followed.unseen_s == 0]
        return Crowd(
            people=self._with_hidden(scene, people),
            seen=len(people),
            followed=len(followed),
            speed_m_per_s=self._speed_m_per_s(people),
            score=float(people.scores.mean()) if len(people) else 0.0,
        )

    def _with_hidden(self, scene: Scene, seen: Tracks) -> float:
        covering = self._occupancy.people(scene, seen) if self._occupancy else None
        # Where the detector is sure of nobody, whatever covers the ground is no crowd.
        if covering is None or not len(seen):
            return len(seen)
        return higher_opinion(len(seen), min(covering, _MOST_A_FAINT_BOX * self._faintly_seen(scene)))

    def _faintly_seen(self, scene: Scene) -> int:
        """Boxes that may be of someone there."""
        people = scene.detections[scene.detections.scores >= _FAINT_SCORE].of({ObjectClass.PERSON})
        return int(self._polygon.contains(self._view.standing_points(people.feet)).sum())

    def _speed_m_per_s(self, people: Tracks) -> float:
        feet = people.feet.astype(np.float64)
        moved_m = self._plane.ground(feet + _SPEED_STEP_S * people.velocities) - self._plane.ground(feet)
        speeds: list[float] = (np.linalg.norm(moved_m, axis=1) / _SPEED_STEP_S).tolist()
        known = [speed for speed in speeds if not isnan(speed)]
        return median(known) if known else nan


def higher_opinion(seen: int, covering: float) -> float:
    """People where `seen` are tracked and `covering` are estimated: the tracks, or as far as it is beyond doubt the estimate."""
    doubt = _DOUBT_PEOPLE + _DOUBT_SHARE * seen
    belief = min(max((covering - seen) / doubt - 1, 0.0), 1.0)
    return seen + belief * (covering - seen)
