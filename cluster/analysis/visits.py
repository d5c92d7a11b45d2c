"""Who is in a polygon, and since when: visits, which outlive a track that is lost or gets another id."""

from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from enum import Enum

import numpy as np

from cluster.analysis.geometry import Points, Polygon
from cluster.analysis.scene import Box, Scene, box_of
from cluster.analysis.view import View
from cluster.tracking.tracks import Tracks
from vigie.vocabulary import ObjectClass

# How far beyond the border a visitor still counts as inside, in heights of its box: the feet of a box jitter by a few hundredths.
_MARGIN = 0.1
# The picture's lower edge cuts a box that ends this near to it, in heights of the box: its feet may be out of sight.
_CUT = 0.05
# For how long a visit outlives its track, and how far from its last place another track may take it on: in heights of the box, at
# once and a second later. A person of 1.75 m walks his height in about a second.
_BRIDGE_S = 2.0
_REACH = 0.5
_REACH_PER_S = 1.0
# For how long the two may be seen together, and from when on a visitor out of sight is not one whom a frame or two missed.
_TOGETHER_S = 1.0
_GONE_S = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """Someone as one frame shows him.

    Attributes:
        time_s: of the frame.
        born_s: when the track began.
        box: of the track.
        feet: where he stands, (2,) in pixels.
        score: of the detection.
        object_class: what he is.
        outside_px: how far from the polygon he stands; 0 inside.
        is_cut: whether the lower edge of the picture cuts the box.
    """

    time_s: float
    born_s: float
    box: Box
    feet: Points
    score: float
    object_class: ObjectClass
    outside_px: float
    is_cut: bool

    @property
    def height(self) -> float:
        """Of the box, in pixels."""
        return self.box[3] - self.box[1]


class Presence(Enum):
    """Where a visitor is: in the polygon, out of sight since he was there, or seen to leave."""

    HERE = "here"
    LOST = "lost"
    LEFT = "left"


@dataclass(slots=True, eq=False)
class Visit:
    """One stay of someone in a polygon.

    Attributes:
        number: tells it from the others in the same polygon.
        since_s: when it began.
        here_s: when the visitor was last seen there.
        first: sight of the visitor.
        sight: the last one, there or not.
        has_stood: whether his feet have been in sight.
        presence: where he is now.
    """

    number: int
    since_s: float
    here_s: float
    first: Sight
    sight: Sight
    has_stood: bool = False
    presence: Presence = Presence.HERE

    def holds(self, sight: Sight) -> bool:
        """Whether the visitor, seen so, is still there.

        Who was in sight down to the feet and then is cut by the lower edge of the picture has walked out over it.
        """
        margin = 0 if self.presence is Presence.LEFT else _MARGIN * sight.height
        return sight.outside_px <= margin and not (sight.is_cut and self.has_stood)

    def see(self, sight: Sight, presence: Presence) -> None:
        """Takes the sight of this frame."""
        self.sight, self.presence = sight, presence
        if presence is Presence.HERE:
            self.here_s = sight.time_s
            self.has_stood |= not sight.is_cut

    def is_reached(self, sight: Sight) -> bool:
        """Whether a new track may be of this visitor."""
        reach = (_REACH + _REACH_PER_S * max(sight.time_s - self.sight.time_s, 0)) * self.sight.height
        return self.distance(sight) <= reach

    def distance(self, sight: Sight) -> float:
        """From where he stood last, in pixels."""
        return float(np.linalg.norm(sight.feet - self.sight.feet))


@dataclass(slots=True, eq=False)
class Visits:
    """The visits of one polygon; in order of the tracks' ids that their visitors have.

    Attributes:
        view: of the camera.
        polygon: whose visitors are followed.
        who: they may be.
        absence_s: who comes back within this time is still on the same visit.
        ends_at_edge: whether who walks out over the lower edge of the picture has left.
    """

    view: View
    polygon: Polygon
    who: frozenset[ObjectClass]
    absence_s: float = 0.0
    ends_at_edge: bool = True
    _visits: dict[int, Visit] = field(default_factory=dict)
    _last_number: int = 0

    def __iter__(self) -> Iterator[Visit]:
        return iter(self._visits.values())

    def step(self, scene: Scene) -> None:
        """Brings the visits up to this frame."""
        seen = scene.tracks[scene.tracks.unseen_s == 0].of(self.who)
        present = set(seen.ids.tolist())
        for track, sight in zip(seen.ids.tolist(), self._sights(seen, scene.time_s), strict=True):
            visit = self._visits.pop(track, None)
            visit = self._see(self._orphan(visit, sight, present) or visit, sight)
            if visit is not None:
                self._visits[track] = visit
        self._lose(present, scene.time_s)
        self._let_go(scene.tracks)

    def exchange(self, first: int, second: int) -> None:
        """Gives each of two tracks the visit that the other had."""
        visits = self._visits.pop(second, None), self._visits.pop(first, None)
        self._visits |= {track: visit for track, visit in zip((first, second), visits, strict=True) if visit is not None}

    def clear(self) -> None:
        """Forgets them all."""
        self._visits.clear()

    def _sights(self, seen: Tracks, time_s: float) -> list[Sight]:
        feet = self.view.standing_points(seen.feet)
        outside_px = self.polygon.distances(feet)
        cut = seen.boxes[:, 3] >= self.view.height - _CUT * (seen.boxes[:, 3] - seen.boxes[:, 1])
        return [
            Sight(
                time_s=time_s,
                born_s=time_s - float(seen.ages_s[row]),
                box=box_of(seen, row),
                feet=feet[row],
                score=float(seen.scores[row]),
                object_class=ObjectClass(int(seen.classes[row])),
                outside_px=float(outside_px[row]),
                is_cut=self.ends_at_edge and bool(cut[row]),
            )
            for row in range(len(seen))
        ]

    def _orphan(self, visit: Visit | None, sight: Sight, present: Set[int]) -> Visit | None:
        """Takes away the nearest visit whose track is lost and whose visitor may be who is seen now.

        A track may begin beside the one whose place it takes, before that is lost: so a visit gives way to such a one, once that
        has not been seen for a while.
        """
        if sight.outside_px > 0:
            return None
        first, gone_s = (visit.first, _GONE_S) if visit else (sight, 0.0)
        lost = [
            track
            for track, other in self._visits.items()
            if track not in present
            and sight.time_s - other.sight.time_s >= gone_s
            and other.sight.time_s - sight.born_s <= _TOGETHER_S
            and other.is_reached(first)
        ]
        return self._visits.pop(min(lost, key=lambda track: self._visits[track].distance(first))) if lost else None

    def _see(self, visit: Visit | None, sight: Sight) -> Visit | None:
        """The visit that goes on or begins, if one does."""
        if visit is not None and not visit.holds(sight):
            visit.see(sight, Presence.LEFT)
            return visit
        if visit is None and sight.outside_px > 0:
            return None
        if visit is None or (visit.presence is Presence.LEFT and sight.time_s - visit.here_s > self.absence_s):
            self._last_number += 1
            visit = Visit(self._last_number, sight.time_s, sight.time_s, sight, sight)
        visit.see(sight, Presence.HERE)
        return visit

    def _lose(self, present: Set[int], time_s: float) -> None:
        for track, visit in list(self._visits.items()):
            if time_s - visit.sight.time_s > _BRIDGE_S:
                del self._visits[track]
            elif track not in present and visit.presence is Presence.HERE:
                visit.presence = Presence.LOST

    def _let_go(self, tracks: Tracks) -> None:
        """Ends the visits of those who, as they moved, have left the picture: who comes in there is another."""
        x0, y0, x1, y1 = tracks.boxes.T
        beyond = (x1 < 0) | (x0 > self.view.width) | (y1 < 0) | (y0 > self.view.height)
        for track in tracks.ids[beyond].tolist():
            self._visits.pop(track, None)
