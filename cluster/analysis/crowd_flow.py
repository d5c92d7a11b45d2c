"""What a crowd does in one frame, in people and body heights a second, from how the picture moves."""

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from cluster.analysis.motion_field import Field, Motion

Mask = NDArray[np.bool_]

# Area that one person who moves takes in a motion field averaged over 0.3 of his height, in squares of it: a little less than the
# 0.5 measured on people who walk apart from each other, for some of those who run are hidden, or too fast to be measured.
PERSON_AREA = 0.4
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


class CrowdFlow(NamedTuple):
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
    """Where people move in one frame, and how: a row for each pixel that shows somebody who does.

    Attributes:
        shape: height and width of the picture, in pixels.
        places: (n, 2) int64, the pixel's row and column.
        people: (n,) float32, how much of a person the pixel is.
        velocities: (n, 2) float32, x to the right and y down, in body heights a second.
        speeds: (n,) float32, their lengths.
    """

    shape: tuple[int, int]
    places: NDArray[np.int64]
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
        rows, columns = np.nonzero(motion.is_sure & watched)
        tall = heights[rows, columns]
        velocities = motion.velocities[rows, columns] / tall[:, None]
        walkers = cls(
            shape=(heights.shape[0], heights.shape[1]),
            places=np.stack([rows, columns], axis=1),
            people=np.asarray(1 / (PERSON_AREA * tall * tall), np.float32),
            velocities=velocities,
            speeds=np.hypot(velocities[:, 0], velocities[:, 1]),
        )
        walkers = walkers[(walkers.speeds >= WALKING) & (walkers.speeds <= FASTEST)]
        return walkers if seen is None else walkers.without_things(seen)

    def __getitem__(self, rows: Mask) -> "Walkers":
        return Walkers(self.shape, self.places[rows], self.people[rows], self.velocities[rows], self.speeds[rows])

    @property
    def hurrying(self) -> "Walkers":
        """Those who hurry or run."""
        return self[self.speeds >= HURRYING]

    def flow(self, head_on: float) -> CrowdFlow:
        """The crowd that they are."""
        if not len(self.people):
            return CrowdFlow()
        hurrying = self.hurrying
        alignment, spread = hurrying.order()
        return CrowdFlow(
            moving=float(self.people.sum()),
            hurrying=float(hurrying.people.sum()),
            running=float(self.people[self.speeds >= RUNNING].sum()),
            speed=float(np.quantile(self.speeds, 0.75)),
            alignment=alignment,
            spread=spread,
            head_on=head_on,
        )

    def order(self) -> tuple[float, float]:
        """Alignment and spread."""
        if not len(self.people):
            return 0.0, 0.0
        weights = self.people / self.people.sum()
        ways = self.velocities / self.speeds[:, None]
        outward = self.places - weights @ self.places
        outward /= np.maximum(np.hypot(outward[:, 0], outward[:, 1]), 1)[:, None]
        return float(np.hypot(*(weights @ ways))), float(weights @ (ways * outward[:, ::-1]).sum(axis=1))

    def without_things(self, seen: Mask) -> "Walkers":
        """Those of them that are people, rather than large things."""
        hurries = self.speeds >= HURRYING
        labels = np.where(hurries, self._regions(hurries), 0)
        size = np.bincount(labels, self.people)
        covered = np.bincount(labels, self.people * seen[tuple(self.places.T)])
        are_people = np.ones(len(labels), np.bool_)
        for label in np.flatnonzero(size[1:] > _LARGE_PEOPLE) + 1:
            region = labels == label
            if covered[label] < _PEOPLE_SHARE * size[label] or self[region].is_one_piece():
                are_people &= ~region
        return self[are_people]

    def _regions(self, chosen: Mask) -> NDArray[np.int32]:
        """(n,): which connected region of some of them each is in, from 1 on."""
        picture = np.zeros(self.shape, np.uint8)
        picture[tuple(self.places[chosen].T)] = 1
        _, labels = cv2.connectedComponents(cv2.dilate(picture, np.ones((_GAP_PX, _GAP_PX), np.uint8)), connectivity=4)
        return np.asarray(labels[tuple(self.places.T)], np.int32)

    def is_one_piece(self) -> bool:
        """Whether they move as a thing does that keeps its shape."""
        places = np.concatenate([self.places, np.ones((len(self.places), 1))], axis=1)
        affine = np.linalg.lstsq(places, self.velocities, rcond=None)[0]
        off = np.mean((self.velocities - places @ affine) ** 2) / np.mean(self.velocities**2)
        return bool(off <= _ONE_PIECE**2)
