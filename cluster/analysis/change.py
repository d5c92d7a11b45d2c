"""Where a camera's picture has changed by more than noise, compression and light do. Pure.

Two small grey pictures are compared as they would be under the same light, each place with those around it. What counts as noise
is measured on the two pictures themselves, so a camera at dusk is not taken for a busy one; yet never more counts as noise than
what dark clothes differ by from a dark floor.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.uint8]

# Grey levels, averaged over 3x3 pixels. Sensors and key frames of good streams stay below the first (measured: 2 to 5); dark
# clothes on a dark floor differ by the second.
_LEAST_LEVELS = 8.0
_MOST_LEVELS = 15.0
# The largest of some ten thousand values of normal noise is four and a half deviations from none; coding is less regular.
_NOISE_DEVIATIONS = 6.0
_MEDIAN_TO_DEVIATION = 1.4826
# What exposure and daylight do between two looks; beyond, the picture is another one.
_GAIN_LIMITS = (0.6, 1.6)
# Light and noise are measured on every so many pixels each way.
_SAMPLING = 3


def changes(before: Luma, now: Luma) -> NDArray[np.bool_]:
    """(h, w): where two pictures of the same size, (h, w) uint8, show something else.

    Pictures of which more than half has changed have no light in common, and differ nearly everywhere.
    """
    smooth_before, smooth_now = _smoothed(before), _smoothed(now)
    some = slice(None, None, _SAMPLING)
    # One level more on both sides, so that black stays black.
    gain = float(np.median((smooth_now[some, some] + 1) / (smooth_before[some, some] + 1)))
    difference = cv2.absdiff(smooth_now, smooth_before * np.float32(np.clip(gain, *_GAIN_LIMITS)))
    deviation = _MEDIAN_TO_DEVIATION * float(np.median(difference[some, some]))
    limit = min(max(_LEAST_LEVELS, _NOISE_DEVIATIONS * deviation), _MOST_LEVELS)
    changed = np.zeros(now.shape, np.bool_)
    # Along the border there is less to average, so more noise is left.
    changed[1:-1, 1:-1] = difference[1:-1, 1:-1] > limit
    return changed


def _smoothed(picture: Luma) -> NDArray[np.float32]:
    return np.asarray(cv2.boxFilter(picture, cv2.CV_32F, (3, 3)), np.float32)
