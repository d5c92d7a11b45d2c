"""A ground plane proposed from people: how tall they look from place to place says how the camera looks at the ground.

The model: people of one mean height stand upright on level ground before a pinhole camera with square pixels, whose axis meets
the middle of the picture. Height, tilt and roll of the camera then give the height of a box from where its feet are, as in Hoiem,
Efros and Hebert, Putting Objects in Perspective (2006), and in Lv, Zhao and Nevatia, Self-Calibration of a Camera from Video of a
Walking Human (2002). The lens itself shows only in how fast people shrink, which is
little: unless it is given, it is what surveillance cameras have, within its spread, and corrected by what people say.

Scale across the line of sight hardly depends on the lens; distances along it do. A plane that someone measured is always better.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, hypot, log, radians, tan

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from cluster.analysis.geometry import GroundPlane, Points
from cluster.analysis.pinhole import PinholeCamera
from cluster.analysis.sightings import Sightings
from cluster.errors import CalibrationError, ConfigurationError

Floats = NDArray[np.float64]

PERSON_M = 1.70
# What surveillance cameras see from side to side: 60° and, for two in three of them, 40° to 85°; and what a data sheet is worth.
_FIELD_OF_VIEW_DEG = 60.0
_FOCAL_SPREAD = 0.4
_GIVEN_FOCAL_SPREAD = 0.03
_ROLL_SPREAD = radians(3)
# How much one box differs from its model, of its height; and the mean height of the people, shoes and all, from the one assumed.
_BOX_SPREAD = 0.08
_MEAN_HEIGHT_SPREAD = 0.04
# However long someone is in sight, he is one person, of one height.
_SIGHTINGS_A_PERSON = 10
_LEAST_SIGHTINGS = 30
_LEAST_PEOPLE = 5
# From straight above, people are as wide as tall; who is seen from aside is at least twice as tall as wide.
_LEAST_ASPECT = 1.5
# The farthest people must look this much smaller than the nearest.
_LEAST_SHRINKING = 0.15
_GREATEST_ERRORS = (0.15, 0.4)
_STARTS_RAD = (0.1, 0.35, 0.7)
_REWEIGHTINGS = 12
_OUTLIER = 2.0
# Standard deviation of a normal distribution to its median absolute deviation.
_NORMAL_SPREAD = 1.4826
_EXTENT = (0.05, 0.95)


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """A proposal for a camera's ground plane.

    Attributes:
        camera: how it looks at the ground.
        picture_points: four of the picture, around the ground on which people were seen.
        ground_points: their metres, to the right of the camera's foot and away from it.
        place: (1, 2) where the scale holds, in the midst of the people.
        scale_px: pixels of a metre there, across the line of sight and along it.
        errors: standard deviations of the two, as shares.
        sightings: how many boxes say so.
        people: of how many tracks.
        person_m: mean height that was assumed of them.
    """

    camera: PinholeCamera
    picture_points: list[tuple[float, float]]
    ground_points: list[tuple[float, float]]
    place: Points
    scale_px: tuple[float, float]
    errors: tuple[float, float]
    sightings: int
    people: int
    person_m: float

    @property
    def plane(self) -> GroundPlane:
        """The same, as rules use it."""
        return GroundPlane.of(self.picture_points, self.ground_points, "the proposed ground plane")


def calibrated(
    sightings: Sightings, size: tuple[int, int], *, person_m: float = PERSON_M, field_of_view_deg: float | None = None
) -> Calibration:
    """Proposes a ground plane.

    Args:
        sightings: of people, in pixels of the picture.
        size: width and height of the picture.
        person_m: mean height of people.
        field_of_view_deg: what the camera sees from side to side, where it is known.

    Raises:
        CalibrationError: the people do not say how the camera looks; the message says why, and what to do.
    """
    _check(sightings)
    fit = _Fit(sightings, size, person_m, field_of_view_deg)
    solution = fit.solved()
    camera = fit.camera(solution)
    place = np.median(sightings.feet, axis=0)[None]
    errors = fit.errors(solution, place)
    if not all(error <= greatest for error, greatest in zip(errors, _GREATEST_ERRORS, strict=True)):
        uncertain = f"a metre is known to {errors[0]:.0%} across the line of sight and to {errors[1]:.0%} along it"
        raise CalibrationError(f"{uncertain}, which is too little; let more people pass, or give the field of view of the lens")
    corners = _corners(sightings.feet)
    calibration = Calibration(
        camera=camera,
        picture_points=[(x, y) for x, y in corners.round(1).tolist()],
        ground_points=[(x, y) for x, y in camera.ground(corners.round(1)).round(3).tolist()],
        place=place,
        scale_px=camera.scale_px(place),
        errors=errors,
        sightings=len(sightings),
        people=len(np.unique(sightings.people)),
        person_m=person_m,
    )
    _check_plane(calibration)
    return calibration


def _check(sightings: Sightings) -> None:
    people = len(np.unique(sightings.people))
    if len(sightings) < _LEAST_SIGHTINGS or people < _LEAST_PEOPLE:
        seen = f"{people} people were seen whole and clear of others, {len(sightings)} times"
        needed = f"{_LEAST_PEOPLE} people and {_LEAST_SIGHTINGS} times are needed"
        raise CalibrationError(f"{seen}; {needed}: look for longer, or when more people pass one by one")
    aspect = float(np.median(sightings.heights / sightings.widths))
    if aspect < _LEAST_ASPECT:
        seen = f"people look {aspect:.1f} times as tall as wide, so the camera looks at them from straight above"
        raise CalibrationError(f"{seen}: their heights say nothing; measure four points of the ground instead")


def _corners(feet: Points) -> Points:
    """A rectangle of the picture around most feet, from its upper left on."""
    (left, top), (right, bottom) = np.quantile(feet, _EXTENT, axis=0)
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])


def _check_plane(calibration: Calibration) -> None:
    heights_px = calibration.camera.heights_px(np.array(calibration.picture_points), calibration.person_m)
    shrinking = 1 - float(np.nanmin(heights_px) / np.nanmax(heights_px))
    if not shrinking >= _LEAST_SHRINKING:
        seen = f"the farthest people look only {max(0.0, shrinking):.0%} smaller than the nearest"
        raise CalibrationError(f"{seen}: all are at one distance; let people pass nearer to the camera and farther from it")
    try:
        _ = calibration.plane
    except ConfigurationError as error:
        problem = f"the people stand too close together for a plane ({error.problem})"
        raise CalibrationError(f"{problem}: let them pass in more of the picture") from error


class _Fit:
    """The least squares behind a calibration, iteratively reweighted: a box far from its model counts for little.

    A solution is log focal length, tilt, roll and log height of the camera.
    """

    def __init__(self, sightings: Sightings, size: tuple[int, int], person_m: float, field_of_view_deg: float | None) -> None:
        self._feet = sightings.feet
        self._log_heights = np.log(sightings.heights)
        self._size = size
        self._person_m = person_m
        self._focal_px = size[0] / 2 / tan(radians((field_of_view_deg or _FIELD_OF_VIEW_DEG) / 2))
        self._focal_spread = _GIVEN_FOCAL_SPREAD if field_of_view_deg else _FOCAL_SPREAD
        _, counts = np.unique(sightings.people, return_counts=True)
        self._worth = float(np.minimum(counts, _SIGHTINGS_A_PERSON).sum() / len(sightings))

    def camera(self, solution: Floats) -> PinholeCamera:
        """The camera of a solution."""
        focal, tilt, roll, above = solution.tolist()
        return PinholeCamera(*self._size, focal_px=exp(focal), tilt=tilt, roll=roll, above_m=exp(above))

    def solved(self) -> Floats:
        """The best of several starts: the cost has other minima, such as a camera that looks up from the ground."""
        starts = [np.array([log(self._focal_px), tilt, 0.0, log(3 * self._person_m)]) for tilt in _STARTS_RAD]
        return min(map(self._reweighted, starts), key=self._cost)

    def errors(self, solution: Floats, place: Points) -> tuple[float, float]:
        """Standard deviations of the scale at a place, as shares: across the line of sight, and along it."""
        weights = self._weights(solution)
        jacobian = _slopes(lambda changed: self._residuals(changed, weights), solution)
        # Where boxes differ more from the model than they should, the fit is as much less sure.
        spread = max(1.0, _NORMAL_SPREAD * float(np.median(np.abs(self._misses(solution)))))
        covariance = spread**2 * np.linalg.pinv(jacobian.T @ jacobian)
        slopes = _slopes(lambda changed: np.log(self.camera(changed).scale_px(place)), solution)
        across, along = np.sqrt(np.diag(slopes @ covariance @ slopes.T)).tolist()
        return hypot(across, _MEAN_HEIGHT_SPREAD), hypot(along, _MEAN_HEIGHT_SPREAD)

    def _reweighted(self, solution: Floats) -> Floats:
        for _ in range(_REWEIGHTINGS):
            weights = self._weights(solution)
            solution = least_squares(self._residuals, solution, bounds=self._bounds, args=(weights,)).x
        return solution

    @property
    def _bounds(self) -> tuple[list[float], list[float]]:
        return (
            [log(self._focal_px / 5), radians(-10), radians(-20), log(self._person_m / 2)],
            [log(self._focal_px * 5), radians(85), radians(20), log(100 * self._person_m)],
        )

    def _misses(self, solution: Floats) -> Floats:
        """By how much boxes differ from the model, in standard deviations."""
        heights_px = self.camera(solution).heights_px(self._feet, self._person_m)
        # Above the horizon nobody stands: as far from the model as can be.
        modelled = np.log(np.maximum(np.nan_to_num(heights_px, nan=1.0), 1.0))
        return np.asarray((modelled - self._log_heights) / _BOX_SPREAD)

    def _weights(self, solution: Floats) -> Floats:
        return np.asarray(self._worth / (1 + (self._misses(solution) / _OUTLIER) ** 2))

    def _prior(self, solution: Floats) -> Floats:
        return np.array([(solution[0] - log(self._focal_px)) / self._focal_spread, solution[2] / _ROLL_SPREAD])

    def _residuals(self, solution: Floats, weights: Floats) -> Floats:
        return np.concatenate([np.sqrt(weights) * self._misses(solution), self._prior(solution)])

    def _cost(self, solution: Floats) -> float:
        misses = np.log1p((self._misses(solution) / _OUTLIER) ** 2)
        return float(self._worth * _OUTLIER**2 * misses.sum() + (self._prior(solution) ** 2).sum())


def _slopes(function: Callable[[Floats], Floats], at: Floats, step: float = 1e-5) -> Floats:
    """(values, parameters): the derivative of a function, by central differences."""
    steps = step * np.eye(len(at))
    return np.stack([(function(at + each) - function(at - each)) / (2 * step) for each in steps], axis=1)
