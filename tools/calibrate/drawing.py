"""The proposed ground, drawn as a grid over a picture, so that one can see whether it lies right."""

import cv2
import numpy as np
from numpy.typing import NDArray

from cluster.analysis.calibration import Calibration
from cluster.analysis.scene import Picture

_STEPS_M = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
# Lines nearer to each other than this hide the picture.
_LEAST_STEP_PX = 12.0
_LINES_LIMIT = 200
_POINTS_A_LINE = 40
_GRID_COLOR = (255, 200, 0)
_CORNER_COLOR = (0, 140, 255)
_PERSON_COLOR = (80, 220, 80)


def step_m(calibration: Calibration) -> float:
    """How far apart the lines are: a metre, or as many as let one see between them."""
    fitting = [step for step in _STEPS_M if step * min(calibration.scale_px) >= _LEAST_STEP_PX]
    return fitting[0] if fitting else _STEPS_M[-1]


def with_grid(picture: Picture, calibration: Calibration) -> Picture:
    """A copy with the grid, the four points, and at each of them how tall a person would look who stands there.

    Args:
        picture: (h, w, 3) uint8, of any size.
        calibration: in pixels of the camera's own picture.
    """
    canvas = picture.copy()
    scale = np.array(canvas.shape[1::-1]) / (calibration.camera.width, calibration.camera.height)
    for line in grid_lines(calibration):
        _draw(canvas, line * scale, _GRID_COLOR, 1)
    corners = np.array(calibration.picture_points)
    _draw(canvas, np.vstack([corners, corners[:1]]) * scale, _CORNER_COLOR, 2)
    heights_px = calibration.camera.heights_px(corners, calibration.person_m)
    for foot, height_px in zip(corners, heights_px, strict=True):
        _draw(canvas, np.array([foot, foot - (0, height_px)]) * scale, _PERSON_COLOR, 3)
    return canvas


def grid_lines(calibration: Calibration) -> list[NDArray[np.float64]]:
    """Lines on the ground around the four points, each (n, 2) in pixels of the camera's own picture."""
    step = step_m(calibration)
    ground = np.array(calibration.ground_points)
    low, high = np.floor(ground.min(axis=0) / step) * step, np.ceil(ground.max(axis=0) / step) * step
    lines = []
    for axis in (0, 1):
        along = np.linspace(low[1 - axis], high[1 - axis], _POINTS_A_LINE)
        for place in np.arange(low[axis], high[axis] + step / 2, step)[:_LINES_LIMIT]:
            metres = np.insert(along[:, None], axis, place, axis=1)
            points = calibration.plane.picture(metres)
            lines.append(points[~np.isnan(points[:, 0])])
    return lines


def _draw(canvas: Picture, points: NDArray[np.float64], color: tuple[int, int, int], thickness: int) -> None:
    # Far outside the picture, OpenCV's integers would overflow.
    rounded = np.round(np.clip(points, -10_000, 10_000)).astype(np.int32)
    cv2.polylines(canvas, [rounded], isClosed=False, color=color, thickness=thickness, lineType=cv2.LINE_AA)
