"""How things move between frames: one small Kalman filter for all tracks at once.

A box's centre has a velocity that persists for some seconds and then fades, an integrated Ornstein-Uhlenbeck process; its size
wanders slowly. The process is exact in continuous time: two steps of 0.1 s do what one step of 0.2 s does, so frames may come
unevenly. What is out of sight for long does not run away, and how uncertain its velocity is has a bound.

Both axes of a box have the same variance, counted in box sizes (widths along x, heights along y). So four numbers a track stand
for what is otherwise a 6x6 covariance, and the filter does the same at any scale of the picture.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MotionParameters:
    """How things move, and how well a detector sees them. A box size is its width along x and its height along y.

    Attributes:
        speed: standard deviation of velocities, in box sizes a second.
        persistence_s: time in which a velocity fades to 1/e of itself, unless detections renew it.
        center_noise: standard deviation of a detected centre at score 1, in box sizes; it grows with 1 / score.
        size_noise: the same of a detected width and height.
        size_drift: standard deviation of a size's change in one second, in box sizes.
    """

    speed: float = 1.0
    persistence_s: float = 8.0
    center_noise: float = 0.04
    size_noise: float = 0.08
    size_drift: float = 0.1


class Motion:
    """Where some things are, how they move and how sure that is, a column each."""

    def __init__(self, parameters: MotionParameters) -> None:
        self._parameters = parameters
        self._state = np.empty((6, 0))  # centre x, y; width, height; velocity x, y
        self._variances = np.empty((4, 0))  # of the centre; of centre with velocity; of the velocity; of the size

    @property
    def boxes(self) -> Floats:
        """(4, n): centre x, y, width and height, in pixels."""
        return self._state[:4]

    @property
    def velocities(self) -> Floats:
        """(2, n): of the centre, in pixels a second."""
        return self._state[4:]

    @property
    def deviations(self) -> Floats:
        """(n,): standard deviation between a track's centre and a perfect score's detection of it, in box sizes."""
        deviations: Floats = np.sqrt(self._variances[0] + self._parameters.center_noise**2)
        return deviations

    def predict(self, elapsed_s: float) -> None:
        """Moves everything on by `elapsed_s`, without a detection."""
        speed, persistence_s = self._parameters.speed, self._parameters.persistence_s
        fading = math.exp(-elapsed_s / persistence_s)
        reach_s = persistence_s * (1 - fading)  # what a velocity covers until then
        self._state[:2] += reach_s * self._state[4:]
        self._state[4:] *= fading

        center, cross, velocity, size = self._variances
        center += reach_s * (2 * cross + reach_s * velocity)
        center += (speed * persistence_s) ** 2 * (2 * elapsed_s / persistence_s - 3 + 4 * fading - fading**2)
        cross += reach_s * velocity
        cross *= fading
        cross += speed**2 * persistence_s * (1 - fading) ** 2
        velocity *= fading**2
        velocity += speed**2 * (1 - fading**2)
        size += self._parameters.size_drift**2 * elapsed_s

    def correct(self, tracks: NDArray[np.intp], boxes: Floats, scores: NDArray[np.float32]) -> None:
        """Brings detections to bear on their tracks; the others stay as predicted.

        Args:
            tracks: (m,) columns of the tracks that were seen, each at most once.
            boxes: (4, m): centre x, y, width and height of their detections, in pixels.
            scores: (m,): above 0 and at most 1.
        """
        # What was not seen counts as measured with infinite noise: one dense update, without taking columns apart.
        measured = self._state[:4].copy()
        measured[:, tracks] = boxes
        noise = np.full(measured.shape[1], np.inf)
        noise[tracks] = scores**-2.0
        center, cross, velocity, size = self._variances
        total = center + self._parameters.center_noise**2 * noise
        center_gain = center / total
        velocity_gain = cross / total
        size_gain = size / (size + self._parameters.size_noise**2 * noise)

        measured -= self._state[:4]
        self._state[:2] += center_gain * measured[:2]
        self._state[2:4] += size_gain * measured[2:]
        self._state[4:] += velocity_gain * measured[:2]
        velocity -= velocity_gain * cross
        cross -= center_gain * cross
        center -= center_gain * center
        size -= size_gain * size

    def add(self, boxes: Floats) -> None:
        """Appends things just detected, at rest as far as known; (4, m): centre x, y, width and height, in pixels."""
        parameters = self._parameters
        variances = np.array([parameters.center_noise, 0, parameters.speed, parameters.size_noise])[:, None] ** 2
        count = boxes.shape[1]
        self._state = np.hstack([self._state, np.vstack([boxes, np.zeros((2, count))])])
        self._variances = np.hstack([self._variances, np.tile(variances, count)])

    def keep(self, which: NDArray[np.bool_]) -> None:
        """Forgets all others; (n,)."""
        self._state = self._state[:, which]
        self._variances = self._variances[:, which]
