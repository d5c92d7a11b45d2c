"""Detections to tracks, for one camera: by motion alone, in seconds.

What a thing looks like is never used: two people who meet and part may exchange their tracks, and whoever leaves and comes back
is a new track. That is on purpose.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cluster.detections import Detections
from cluster.tracking.assignment import Floats, Pairs, assign_in_turn, overlaps
from cluster.tracking.motion import Motion, MotionParameters
from cluster.tracking.tracks import Tracks
from vigie.vocabulary import ObjectClass

_ALIKE = (
    (ObjectClass.PERSON,),
    (ObjectClass.BICYCLE, ObjectClass.MOTORCYCLE),
    (ObjectClass.CAR, ObjectClass.BUS, ObjectClass.TRUCK, ObjectClass.TRAIN),
    (ObjectClass.BACKPACK, ObjectClass.HANDBAG, ObjectClass.SUITCASE),
    (ObjectClass.WEAPON,),
    (ObjectClass.FLAME,),
    (ObjectClass.SMOKE,),
)
"""Classes that a detector may take for one another, so that one track may go through them."""


def _groups() -> NDArray[np.int16]:
    groups = np.zeros(max(ObjectClass) + 1, np.int16)
    for group, members in enumerate(_ALIKE):
        groups[list(members)] = group
    return groups


_GROUPS = _groups()


@dataclass(frozen=True, slots=True)
class TrackerParameters:
    """When things become tracks, and when they cease to be.

    Attributes:
        faint_score: detections below are not looked at.
        confident_score: detections from here on prolong a track; between the two they only move it.
        birth_score: detections from here on begin a track.
        confident_overlap: what a track and a confident detection must have in common, as IoU with margins.
        faint_overlap: the same for a faint one, which may be of half a thing or of nothing.
        newcomer_overlap: no track begins on a detection that has this much in common, as IoU, with a better one or with one that
            belongs to a track: it is likely to be of the same thing.
        margin: by how many standard deviations of a track's place boxes are enlarged before they are compared.
        largest_margin: the most by which they are, in box sizes.
        settle_s: a track is told of once it was seen for this long; until then it is dropped when it was not seen for as long.
        lost_s: a track ends when it was not seen with confidence for this long.
        limit: how many tracks there may be, and how many detections a frame are looked at. Beyond it the weakest detections are
            passed over; no track is ever ended for want of room.
        motion: how things move.
    """

    faint_score: float = 0.1
    confident_score: float = 0.5
    birth_score: float = 0.65
    confident_overlap: float = 0.2
    faint_overlap: float = 0.5
    newcomer_overlap: float = 0.4
    margin: float = 4.0
    largest_margin: float = 0.5
    settle_s: float = 0.15
    lost_s: float = 3.0
    limit: int = 256
    motion: MotionParameters = field(default_factory=MotionParameters)


@dataclass(frozen=True, slots=True, eq=False)
class _Candidates:
    """Detections as the tracker takes them: those worth looking at, best first, in one order however they came."""

    boxes: Floats  # (4, m): centre x, y, width, height
    scores: NDArray[np.float32]
    classes: NDArray[np.int16]
    confident: int  # so many of the first

    @classmethod
    def of(cls, detections: Detections, parameters: TrackerParameters) -> "_Candidates":
        order = np.lexsort((detections.classes, *detections.boxes.T, -detections.scores))[: parameters.limit]
        scores = detections.scores[order]
        order = order[: int(np.count_nonzero(scores >= parameters.faint_score))]
        corners = detections.boxes[order].T.astype(np.float64)
        boxes = np.concatenate([(corners[:2] + corners[2:]) / 2, corners[2:] - corners[:2]])
        confident = int(np.count_nonzero(scores >= parameters.confident_score))
        return cls(boxes, scores[: len(order)], detections.classes[order], confident)


_BEGUN, _SEEN, _CONFIDENT = range(3)


class Tracker:
    """Follows the things that one camera sees."""

    def __init__(self, parameters: TrackerParameters) -> None:
        self._parameters = parameters
        self._last_id = 0
        self.reset()

    def reset(self) -> None:
        """Forgets every track, because the frames that follow have nothing to do with those before; ids go on rising."""
        self._time_s = -np.inf
        self._motion = Motion(self._parameters.motion)
        self._ids = np.empty(0, np.int64)
        self._groups = np.empty(0, np.int16)
        self._scores = np.empty(0, np.float32)
        self._votes = np.empty((len(_GROUPS), 0), np.int32)  # how often each class was seen
        self._times_s = np.empty((3, 0))  # when the track was first seen, last seen, and last seen with confidence

    def step(self, detections: Detections, time_s: float) -> Tracks:
        """The tracks at one moment, seen or only predicted.

        The order of the detections changes nothing. After a gap of more than `lost_s` all tracks are new.

        Args:
            detections: of this frame, in pixels.
            time_s: when it was taken.

        Raises:
            ValueError: `time_s` is earlier than that of the frame before. Where time jumps back, call `reset` first.
        """
        self._advance(time_s)
        seen = _Candidates.of(detections, self._parameters)
        tracks, columns = self._associate(seen)
        self._correct(tracks, seen, columns)
        self._drop()
        self._begin(seen, columns)
        return self._told()

    def _advance(self, time_s: float) -> None:
        elapsed_s = time_s - self._time_s
        if not elapsed_s >= 0:
            raise ValueError(f"a frame of {time_s} s after one of {self._time_s} s: give frames in order, or reset first")
        if elapsed_s > self._parameters.lost_s:
            self.reset()
        else:
            self._motion.predict(elapsed_s)
        self._time_s = time_s

    def _associate(self, seen: _Candidates) -> Pairs:
        parameters, motion = self._parameters, self._motion
        margins = np.minimum(parameters.margin * motion.deviations, parameters.largest_margin)
        similarity = overlaps(motion.boxes, seen.boxes, margins)
        similarity *= self._groups[:, None] == _GROUPS[seen.classes]
        return assign_in_turn(similarity, seen.confident, (parameters.confident_overlap, parameters.faint_overlap))

    def _correct(self, tracks: NDArray[np.intp], seen: _Candidates, columns: NDArray[np.intp]) -> None:
        scores = seen.scores[columns]
        self._motion.correct(tracks, seen.boxes[:, columns], scores)
        self._scores[tracks] = scores
        self._votes[seen.classes[columns], tracks] += 1
        self._times_s[_SEEN, tracks] = self._time_s
        self._times_s[_CONFIDENT, tracks[columns < seen.confident]] = self._time_s

    def _drop(self) -> None:
        _, unseen_s, unsure_s = self._time_s - self._times_s
        kept = np.where(self._settled, unsure_s <= self._parameters.lost_s, unseen_s <= self._parameters.settle_s)
        if not kept.all():
            self._motion.keep(kept)
            self._ids, self._groups, self._scores = self._ids[kept], self._groups[kept], self._scores[kept]
            self._votes, self._times_s = self._votes[:, kept], self._times_s[:, kept]

    @property
    def _settled(self) -> NDArray[np.bool_]:
        settled: NDArray[np.bool_] = self._times_s[_SEEN] - self._times_s[_BEGUN] >= self._parameters.settle_s
        return settled

    def _begin(self, seen: _Candidates, taken: NDArray[np.intp]) -> None:
        promising = seen.scores >= self._parameters.birth_score
        promising[taken] = False
        if not promising.any():
            return
        promising &= (seen.boxes[2:] > 0).all(axis=0)
        new = self._apart(seen, promising.nonzero()[0], taken)[: self._parameters.limit - len(self._ids)]
        classes = seen.classes[new]
        self._motion.add(seen.boxes[:, new])
        self._ids = np.concatenate([self._ids, np.arange(1, len(new) + 1) + self._last_id])
        self._groups = np.concatenate([self._groups, _GROUPS[classes]])
        self._scores = np.concatenate([self._scores, seen.scores[new]])
        self._votes = np.hstack([self._votes, np.arange(len(_GROUPS), dtype=np.int32)[:, None] == classes])
        self._times_s = np.hstack([self._times_s, np.full((3, len(new)), self._time_s)])
        self._last_id += len(new)

    def _apart(self, seen: _Candidates, new: NDArray[np.intp], taken: NDArray[np.intp]) -> NDArray[np.intp]:
        """Those of the new that are not likely to be of the same thing as a better detection or one that is taken."""
        similarity = overlaps(seen.boxes[:, new], seen.boxes, np.zeros(len(new)))
        similarity *= _GROUPS[seen.classes[new]][:, None] == _GROUPS[seen.classes]
        rivals = np.arange(len(seen.scores)) < new[:, None]
        rivals[:, taken] = True
        return new[~(rivals & (similarity >= self._parameters.newcomer_overlap)).any(axis=1)]

    def _told(self) -> Tracks:
        boxes, velocities = self._motion.boxes, self._motion.velocities
        corners = np.concatenate([boxes[:2] - boxes[2:] / 2, boxes[:2] + boxes[2:] / 2])
        ages_s, unseen_s, _ = self._time_s - self._times_s
        tracks = Tracks(
            self._ids,
            corners.T.astype(np.float32),
            velocities.T.astype(np.float32),
            self._scores.copy(),
            self._votes.argmax(axis=0).astype(np.int16),
            ages_s,
            unseen_s,
        )
        settled = self._settled
        return tracks if settled.all() else tracks[settled]
