import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cluster.video.frame import Fit, Frame
from tests.fakes.sources import FakeSource
from tests.tools.evaluate.labelled import GROUND, INTRUSION, fields, intrusion
from tools.evaluate.conditions import CONDITIONS, UNCHANGED
from tools.evaluate.labels import Label
from tools.evaluate.setting import camera_of
from tools.venue_file.rules import WrongWay
from vigie.vocabulary import Kind

WRONG_WAY = {"kind": "WRONG_WAY", "zone": "door", "allowed_direction": [-1, 0.5], "min_distance_m": 2.5}
TIMES_S = [number / 4 for number in range(12)]


def shown(name: str, is_due: Callable[[float], bool] = lambda _: True) -> list[Frame]:
    return list(CONDITIONS[name].frames(FakeSource(TIMES_S), is_due, Fit(8, 8)))


def picture(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (48, 64, 3), dtype=np.uint8)


def label(**more: object) -> Label:
    return Label.model_validate_json(json.dumps(fields(**more)))


def test_at_half_the_rate_every_second_frame_is_shown_whatever_is_due() -> None:
    asked: list[float] = []

    def is_due(time_s: float) -> bool:
        asked.append(time_s)
        return time_s != 1.0

    frames = shown("half-rate", is_due)

    assert asked == TIMES_S[::2]
    assert [frame.capture_time_s for frame in frames] == [time_s for time_s in TIMES_S[::2] if time_s != 1.0]


def test_late_clip_begins_after_a_second_and_keeps_its_times() -> None:
    assert [frame.capture_time_s for frame in shown("late")] == [time_s for time_s in TIMES_S if time_s >= 1]


def test_plain_clip_is_shown_as_it_is() -> None:
    assert [frame.capture_time_s for frame in shown(UNCHANGED)] == TIMES_S
    assert CONDITIONS[UNCHANGED].changed is None


def test_changed_picture_is_scaled_to_the_detector_as_a_decoded_one() -> None:
    frame = shown("half-size")[0]

    assert (frame.width, frame.height) == (1, 1)
    assert frame.full().shape == (1, 1, 3)
    assert frame.picture.shape == (8, 8, 3)


@pytest.mark.parametrize(("name", "factor"), [("brighter", 1.3), ("darker", 0.7)])
def test_brightness_is_scaled_and_stays_within_what_a_picture_can_show(name: str, factor: float) -> None:
    changed = CONDITIONS[name].changed
    assert changed is not None

    assert np.abs(changed(picture()) - np.clip(picture() * factor, 0, 255)).max() < 1


def test_compressed_picture_keeps_its_size_and_loses_detail() -> None:
    changed = CONDITIONS["jpeg-30"].changed
    assert changed is not None

    assert changed(picture()).shape == picture().shape
    assert not np.array_equal(changed(picture()), picture())


def test_mirror_of_a_mirror_is_the_clip_itself() -> None:
    changed, labelled = CONDITIONS["mirrored"].changed, CONDITIONS["mirrored"].labelled
    assert changed is not None
    whole = label(watch=[INTRUSION, WRONG_WAY], events=[intrusion(1, 2, box=[1, 2, 30, 40])], ground_plane=GROUND)

    assert np.array_equal(changed(changed(picture())), picture())
    assert labelled(labelled(whole)) == whole
    assert labelled(whole) != whole


def test_zones_boxes_directions_and_ground_are_mirrored_with_the_picture() -> None:
    zone = {**INTRUSION, "polygon": [[4, 0], [20, 0], [20, 48]]}
    whole = label(watch=[zone, WRONG_WAY], events=[intrusion(1, 2, box=[1, 2, 30, 40])], ground_plane=GROUND)

    mirrored = CONDITIONS["mirrored"].labelled(whole)
    view = camera_of(mirrored, Path("door.mp4"), frozenset({Kind.ZONE_INTRUSION})).view

    assert mirrored.watch[0].polygon == ((60, 0), (44, 0), (44, 48))
    assert mirrored.events[0].box == (34, 2, 63, 40)
    assert isinstance(mirrored.watch[1].rule, WrongWay)
    assert mirrored.watch[1].rule.allowed_direction == (1, 0.5)
    assert view.plane is not None
    assert view.plane.ground([(64 - 16, 12)])[0] == pytest.approx((-1.5, 1))
