"""Heights come from the people seen: their own where they stand, those of others on the same rows elsewhere."""

import numpy as np

from cluster.analysis.body_heights import BodyHeights
from cluster.analysis.motion_field import Field

SHAPE = (90, 160)
FAR = (20.0, 10.0, 24.0, 20.0)
NEAR = (80.0, 50.0, 92.0, 80.0)


def heights(*boxes: tuple[float, ...], shown: tuple[tuple[float, ...], ...] = (), frames: int = 6) -> Field | None:
    """What is learnt from boxes that are seen in each of some frames, of which some are shown in the last one."""
    learnt, found = BodyHeights(), None
    rows = np.array(boxes, np.float64).reshape(-1, 4)
    for second in range(frames):
        now = np.array(shown, np.float64).reshape(-1, 4)
        found = learnt.step(now, rows, np.full(len(rows), 0.5, np.float32), float(second), SHAPE)
    return found


def test_nothing_is_known_before_people_were_seen() -> None:
    assert heights() is None
    assert heights(FAR, frames=3) is None


def test_rows_have_the_heights_of_people_seen_there() -> None:
    found = heights(FAR, NEAR)
    assert found is not None
    assert found[15, 150] == 10
    assert found[65, 10] == 30
    assert 10 < found[35, 0] < 30
    assert found[0, 0] == 10
    assert found[89, 0] == 30


def test_within_a_box_of_this_frame_its_own_height_holds() -> None:
    child = (100.0, 60.0, 106.0, 75.0)
    found = heights(FAR, NEAR, shown=(child,))
    assert found is not None
    assert found[70, 103] == 15
    assert found[70, 20] == 30


def test_who_stands_in_front_hides_who_stands_behind() -> None:
    found = heights(FAR, NEAR, shown=(NEAR, (80.0, 40.0, 92.0, 60.0)))
    assert found is not None
    assert found[55, 85] == 30


def test_a_few_huge_boxes_around_nothing_change_no_height() -> None:
    learnt = BodyHeights()
    found = None
    for second in range(20):
        boxes = [FAR] * 4 + [NEAR] * 4 + ([(0.0, 0.0, 160.0, 90.0)] if second % 4 == 0 else [])
        seen = np.array(boxes)
        found = learnt.step(np.empty((0, 4)), seen, np.full(len(seen), 0.3, np.float32), float(second), SHAPE)
    assert found is not None
    assert found.min() == 10
    assert found.max() == 30
