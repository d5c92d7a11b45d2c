"""People who pass a made camera, as a detector would box them."""

from math import radians

import numpy as np

from cluster.analysis.pinhole import PinholeCamera
from cluster.analysis.sightings import Sightings

SIZE = (1280, 720)
CAMERA = PinholeCamera(*SIZE, focal_px=1100, tilt=radians(20), roll=0.0, above_m=6.0)


def passers_by(
    camera: PinholeCamera = CAMERA,
    *,
    people: int = 40,
    times: int = 10,
    noise: float = 0.04,
    outliers: float = 0.0,
    top: float = 0.35,
    person_m: float = 1.7,
    seed: int = 0,
) -> Sightings:
    """Sightings of people, each of a height of his own, at random in the picture from `top` of its height down.

    Args:
        camera: that sees them.
        people: how many.
        times: how often each is seen.
        noise: standard deviation of a box's height, as a share; of the people's heights it is 0.04.
        outliers: share of boxes that are half or twice as tall as they should be.
        top: share of the picture above which nobody stands.
        person_m: mean height.
        seed: of all that is random.
    """
    random = np.random.default_rng(seed)
    count = people * times
    feet = random.uniform((0.1 * camera.width, top * camera.height), (0.9 * camera.width, 0.95 * camera.height), (count, 2))
    heights = camera.heights_px(feet, person_m) * np.exp(random.normal(0, noise, count))
    heights *= np.repeat(np.exp(random.normal(0, 0.04, people)), times)
    wrong = random.random(count) < outliers
    heights[wrong] *= random.choice([0.5, 2.0], int(wrong.sum()))
    widths = 0.35 * heights
    boxes = np.column_stack([feet[:, 0] - widths / 2, feet[:, 1] - heights, feet[:, 0] + widths / 2, feet[:, 1]])
    seen = ~np.isnan(heights)
    return Sightings(boxes[seen], np.repeat(np.arange(people), times)[seen])
