"""How a picture moves: dense optical flow, free of the camera's own movement, and only where it explains what changed.

The flow is dense inverse search (Kroeger et al., "Fast Optical Flow using Dense Inverse Search", 2016). A light that switches,
rain and the noise of compression change pixels without moving anything: warping the earlier picture along the flow does not bring
the change back to nothing, so such changes weigh nothing.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from cluster.analysis.scene import Picture

Field = NDArray[np.float32]

# Frames nearer than this tell slow walking from noise badly; those further apart show a runner as two people.
_STEP_LIMITS_S = (0.05, 0.45)
# Patches of four pixels, overlapping by one, down to half the size: a person of ten pixels has one of his own, and in the
# coarsest picture, of an eighth of the size, someone who runs has moved by less than a patch.
_PATCH_PX = 4
_PATCH_STRIDE_PX = 3
_FINEST_SCALE = 1
_DESCENTS = 12
# Grey levels by which the flow must explain the changes around a place, and the share of them: sensor noise is 1 to 3 levels.
_CHANGE_LEVELS = 2.0
_EXPLAINED = 0.35
# The camera's movement: fitted to every eighth pixel that has an edge, of so many grey levels; fewer edges say nothing, and a
# median shift below a tenth of a pixel is none.
_GRID_PX = 8
_EDGE_LEVELS = 8
_EDGES = 12
_STILL_PX = 0.1
# How far from the fit a sample still counts, from the first pass to the last.
_INLIER_PX = (2.0, 1.0, 0.5, 0.3)


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """How a picture moved since the one before.

    Attributes:
        velocities: (h, w, 2) float32, of what is seen at each pixel against the background, in pixels a second.
        is_sure: (h, w) bool, where the velocities explain how the picture changed.
        elapsed_s: between the two pictures.
    """

    velocities: Field
    is_sure: NDArray[np.bool_]
    elapsed_s: float


@dataclass(slots=True, eq=False)
class MotionField:
    """Compares each picture with the one before.

    Args:
        follows_camera: whether the camera's own movement is taken off.
    """

    follows_camera: bool = True
    _flow: cv2.DISOpticalFlow = field(default_factory=lambda: _flow())
    _before: Picture | None = None
    _before_s: float = 0.0

    def step(self, grey: Picture, time_s: float, window_px: int) -> Motion | None:
        """The motion that leads to this picture, averaged over windows of `window_px`.

        None where there is nothing to compare it with: at the start, after a change of size, and for frames too near or too far
        apart in time.
        """
        before, elapsed_s = self._before, time_s - self._before_s
        if before is not None and before.shape == grey.shape and 0 <= elapsed_s < _STEP_LIMITS_S[0]:
            return None
        self._before, self._before_s = grey, time_s
        if before is None or before.shape != grey.shape or not 0 < elapsed_s <= _STEP_LIMITS_S[1]:
            return None
        return self._motion(before, grey, elapsed_s, window_px)

    def reset(self) -> None:
        """Forgets the picture before."""
        self._before = None

    def _motion(self, before: Picture, grey: Picture, elapsed_s: float, window_px: int) -> Motion:
        # From this picture back to the one before, so that each velocity stands where its thing is now.
        flow = np.asarray(self._flow.calc(grey, before, np.zeros((*grey.shape, 2), np.float32)), np.float32)
        warped = _warped(before, flow)
        camera = _camera(flow, grey) if self.follows_camera else None
        if camera is not None:
            before = _warped(before, camera)
            flow -= camera
        changed = cv2.absdiff(grey, before).astype(np.float32)
        explained = np.maximum(changed - cv2.absdiff(grey, warped), 0)
        weight = _mean(explained, window_px)
        moved = _mean(flow * explained[..., None], window_px)
        return Motion(
            velocities=np.asarray(moved * (-1 / elapsed_s / np.maximum(weight, 1e-3))[..., None], np.float32),
            is_sure=weight >= np.maximum(_CHANGE_LEVELS, _EXPLAINED * _mean(changed, window_px)),
            elapsed_s=elapsed_s,
        )


def _flow() -> cv2.DISOpticalFlow:
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    flow.setFinestScale(_FINEST_SCALE)
    flow.setPatchSize(_PATCH_PX)
    flow.setPatchStride(_PATCH_STRIDE_PX)
    flow.setGradientDescentIterations(_DESCENTS)
    flow.setVariationalRefinementIterations(0)
    return flow


def _mean(values: Field, window_px: int) -> Field:
    return np.asarray(cv2.blur(values, (window_px, window_px)), np.float32)


def _warped(picture: Picture, flow: Field) -> Picture:
    height, width = picture.shape
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    moved = cv2.remap(picture, flow[..., 0] + x, flow[..., 1] + y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)


def _camera(flow: Field, grey: Picture) -> Field | None:
    """(h, w, 2): the affine flow that most edges share, where the camera pans, shakes or zooms; None where it is still."""
    height, width = grey.shape
    edges = cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))[::_GRID_PX, ::_GRID_PX] >= _EDGE_LEVELS
    samples = flow[::_GRID_PX, ::_GRID_PX][edges]
    if len(samples) < _EDGES or np.median(np.abs(samples).sum(axis=1)) < _STILL_PX:
        return None
    rows, columns = np.nonzero(edges)
    places = np.stack([np.ones(len(rows)), _GRID_PX * columns / width - 0.5, _GRID_PX * rows / height - 0.5], axis=1)
    affine = _robust_fit(places, samples)
    x, y = np.arange(width) / width - 0.5, np.arange(height) / height - 0.5
    shared = affine[0] + x[:, None] * affine[1] + y[:, None, None] * affine[2]
    return np.asarray(shared, np.float32)


def _robust_fit(places: NDArray[np.float64], samples: Field) -> NDArray[np.float64]:
    """(3, 2): coefficients, by least squares reweighted as Geman and McClure do, begun at the median and narrowed down."""
    affine = np.zeros((3, 2))
    affine[0] = np.median(samples, axis=0)
    for inlier_px in _INLIER_PX:
        off = samples - places @ affine
        weights = 1 / (1 + (off**2).sum(axis=1) / inlier_px**2) ** 2
        weighted = places * weights[:, None]
        affine = np.linalg.solve(weighted.T @ places + 1e-6 * np.eye(3), weighted.T @ samples)
    return affine
