"""What a crowd does in one frame, in people and body heights a second, from how the picture moves."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from cluster.analysis.motion_field import Field, Motion

Mask = NDArray[np.bool_]

# Area that one person who moves takes in a motion field averaged over 0.3 of his height, in squares of it; measured on people
# who walk apart from each other.
PERSON_AREA = 0.5
# Speeds as the flow measures them, some 0.85 of the true ones, in body heights a second. A person walks at 0.8 (1.3 m/s for
# 1.7 m), hurries at 1.3 (2.2 m/s), runs from 1.6 (2.7 m/s) and sprints at 5.
WALKING = 0.3
HURRYING = 1.1
RUNNING = 1.4
FASTEST = 5.0

# A fast region as large as this many people is no crowd, but a train, a lorry or a tree, where people were seen on less than this
# share of it, or where it moves in one piece: so close to one affine motion, in root mean square of its speed. Measured on made
# scenes: trains 0.05, crowds that run one way 0.2 and more, for they swing their limbs.
_LARGE_PEOPLE = 3.0
# Parts of a region may be so many pixels apart: a thing of one colour shows its movement only at its edges.
_GAP_PX = 5
_PEOPLE_SHARE = 0.5
_ONE_PIECE = 0.12


@dataclass(frozen=True, slots=True)
class CrowdFlow:
    """The crowd of one frame. Numbers of people are areas of the picture that move, in those that one person takes.

    Attributes:
        moving: people who walk, hurry or run.
        hurrying: people who hurry or run.
        running: people who run.
        speed: that of the upper quarter of all who move, in body heights a second.
        alignment: of all who hurry: 0 where they go all ways, 1 where they go one way.
        spread: of all who hurry: 1 where they leave their centre, -1 where they make for it.
        head_on: people who go against the way that is usual where they are, while as many keep to it.
    """

    moving: float = 0.0
    hurrying: float = 0.0
    running: float = 0.0
    speed: float = 0.0
    alignment: float = 0.0
    spread: float = 0.0
    head_on: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Walkers:
    """Where people move in one frame, and how.

    Attributes:
        people: (h, w) float32, how much of a person each pixel is; 0 where nobody moves.
        velocities: (h, w, 2) float32, in body heights a second.
        speeds: (h, w) float32, their lengths.
    """

    people: Field
    velocities: Field
    speeds: Field

    @classmethod
    def of(cls, motion: Motion, heights: Field, watched: Mask, seen: Mask | None) -> "Walkers":
        """Those of a motion field.

        Args:
            motion: of the picture.
            heights: (h, w), of a person at each pixel.
            watched: (h, w), where to look.
            seen: (h, w), where the detector saw people lately; None: large regions count wherever they are.
        """
        velocities = motion.velocities / heights[..., None]
        speeds = np.hypot(velocities[..., 0], velocities[..., 1])
        moves = motion.is_sure & watched & (speeds >= WALKING) & (speeds <= FASTEST)
        people = np.where(moves, 1 / (PERSON_AREA * heights * heights), np.float32(0))
        walkers = cls(people, velocities, speeds)
        return walkers if seen is None else walkers._without_things(seen)

    @property
    def hurries(self) -> Mask:
        """(h, w): where people hurry or run."""
        return np.asarray((self.people > 0) & (self.speeds >= HURRYING))

    def flow(self, head_on: float) -> CrowdFlow:
        """The crowd that they are."""
        moves = self.people > 0
        if not moves.any():
            return CrowdFlow()
        hurries = self.hurries
        alignment, spread = self._order(hurries)
        return CrowdFlow(
            moving=float(self.people.sum()),
            hurrying=float(self.people[hurries].sum()),
            running=float(self.people[self.speeds >= RUNNING].sum()),
            speed=float(np.quantile(self.speeds[moves], 0.75)),
            alignment=alignment,
            spread=spread,
            head_on=head_on,
        )

    def _order(self, hurries: Mask) -> tuple[float, float]:
        """Alignment and spread of some of them."""
        people = self.people[hurries]
        if not len(people):
            return 0.0, 0.0
        ways = self.velocities[hurries] / self.speeds[hurries][:, None]
        places = np.argwhere(hurries)[:, ::-1]
        outward = places - np.average(places, axis=0, weights=people)
        outward /= np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1)
        weights = people / people.sum()
        return float(np.linalg.norm(weights @ ways)), float(weights @ (ways * outward).sum(axis=1))

    def _without_things(self, seen: Mask) -> "Walkers":
        """Those of them that are people, rather than large things."""
        near = cv2.dilate(self.hurries.astype(np.uint8), np.ones((_GAP_PX, _GAP_PX), np.uint8))
        count, labels = cv2.connectedComponents(near, connectivity=4)
        labels = np.where(self.hurries, np.asarray(labels), 0)
        size = np.bincount(labels.ravel(), self.people.ravel(), count)
        covered = np.bincount(labels.ravel(), (self.people * seen).ravel(), count)
        people = self.people
        for label in np.flatnonzero(size[1:] > _LARGE_PEOPLE) + 1:
            region = labels == label
            if covered[label] < _PEOPLE_SHARE * size[label] or self._is_one_piece(region):
                people = np.where(region, np.float32(0), people)
        return replace(self, people=people)

    def _is_one_piece(self, region: Mask) -> bool:
        """Whether a region moves as a thing does that keeps its shape."""
        velocities = self.velocities[region]
        places = np.concatenate([np.argwhere(region), np.ones((len(velocities), 1))], axis=1)
        affine = np.linalg.lstsq(places, velocities, rcond=None)[0]
        off = np.mean((velocities - places @ affine) ** 2) / np.mean(velocities**2)
        return bool(off <= _ONE_PIECE**2)
