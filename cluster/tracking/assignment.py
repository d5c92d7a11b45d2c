"""Which detection belongs to which track: overlap that allows for doubt, and an optimal one-to-one assignment."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

Floats = NDArray[np.float64]
Pairs = tuple[NDArray[np.intp], NDArray[np.intp]]


def overlaps(tracks: Floats, detections: Floats, margins: Floats) -> Floats:
    """Intersection over union of boxes that are both enlarged about their centres.

    For each pair the margin is the track's, on every side. Enlarging two boxes by a factor leaves the same ratio as bringing
    their centres together by it, which is what is computed. Yang et al., "Hard To Track Objects with Irregular Motions and
    Similar Appearances? Make It Easier by Buffering the Matching Space" (WACV 2023), have such a margin of constant width.

    Args:
        tracks: (4, n): centre x, y, width and height; no size is 0.
        detections: (4, m), the same.
        margins: (n,), in box sizes.

    Returns:
        (n, m), 0 to 1.
    """
    track_sizes, sizes = tracks[2:, :, None], detections[2:, None, :]
    distances = np.abs(tracks[:2, :, None] - detections[:2, None, :])
    distances /= (1 + 2 * margins)[:, None]
    sides = np.minimum((track_sizes + sizes) / 2 - distances, np.minimum(track_sizes, sizes))
    np.maximum(sides, 0, out=sides)
    intersection: Floats = sides[0] * sides[1]
    union: Floats = track_sizes[0] * track_sizes[1] + sizes[0] * sizes[1] - intersection
    intersection /= union
    return intersection


def assign(similarity: Floats, minimum: float) -> Pairs:
    """Pairs of row and column, each at most once, with the greatest sum of similarities that are at least `minimum`.

    Args:
        similarity: (n, m); what is not a number pairs with nothing.
        minimum: above 0.
    """
    worth = np.where(similarity >= minimum, similarity, 0)
    rows, columns = linear_sum_assignment(worth, maximize=True)
    paired = worth[rows, columns] > 0
    return rows[paired], columns[paired]


def assign_in_turn(similarity: Floats, confident: int, minimums: tuple[float, float]) -> Pairs:
    """Pairs tracks with confident detections first, then the tracks left over with faint ones.

    So a faint detection prolongs a track that nothing better explains, after Zhang et al., "ByteTrack: Multi-Object Tracking by
    Associating Every Detection Box" (ECCV 2022).

    Args:
        similarity: (n, m), tracks by detections, of which the first `confident` are the confident ones.
        confident: how many they are.
        minimums: what two must have in common at least: for confident detections, for faint ones.
    """
    rows, columns = assign(similarity[:, :confident], minimums[0])
    left = np.ones(len(similarity), np.bool_)
    left[rows] = False
    waiting = left.nonzero()[0]
    if not len(waiting) or confident == similarity.shape[1]:
        return rows, columns
    more_rows, more_columns = assign(similarity[waiting, confident:], minimums[1])
    return np.concatenate([rows, waiting[more_rows]]), np.concatenate([columns, more_columns + confident])
