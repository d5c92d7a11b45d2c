from uuid import UUID

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cluster.analysis.geometry import Line, Polygon, Zone
from cluster.analysis.scene import Scene
from cluster.analysis.signals import SignalRevision
from cluster.detections import Detections
from cluster.privacy.redaction import evidence_jpeg, people_of, redacted
from tests.cluster.analysis.scenes import Thing, scene_of, view_of
from vigie.vocabulary import Kind, ObjectClass, Severity

Picture = NDArray[np.uint8]

NOBODY = np.empty((0, 4))
ZONES: dict[str, Zone] = {
    "grass": Polygon.of([(100, 100), (300, 100), (300, 300)], "zone grass"),
    "gate": Line((10, 20), (600, 20)),
}
VIEW = view_of(ZONES)


def noise(width: int, height: int) -> Picture:
    return np.random.default_rng(1).integers(0, 2, (height, width, 3), dtype=np.uint8) * np.uint8(255)


def revision_of(zone: str = "", box: tuple[float, float, float, float] | None = None) -> SignalRevision:
    return SignalRevision(UUID(int=0), 1, Kind.ZONE_INTRUSION, zone, Severity.WARNING, 0.5, "why", 1.0, 1.0, None, box, None)


def decoded(jpeg: bytes) -> Picture:
    return np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR), np.uint8)


def values_in(picture: Picture, x0: int, y0: int, x1: int, y1: int) -> int:
    return len(np.unique(picture[y0:y1, x0:x1].reshape(-1, 3), axis=0))


def test_standing_person_is_at_most_16_blocks_high() -> None:
    person = np.array([[0.40, 0.25, 0.45, 0.75]])

    picture = redacted(noise(640, 480), person)

    assert values_in(picture, 256, 120, 288, 360) <= 17 * 3


def test_face_that_fills_its_box_keeps_at_most_6_by_8_blocks() -> None:
    face = np.array([[0.25, 0.25, 0.25 + 120 / 640, 0.25 + 160 / 480]])

    picture = redacted(noise(640, 480), face)

    assert values_in(picture, 160, 120, 280, 280) <= 7 * 9


def test_finer_box_within_a_coarse_one_shows_no_more_of_it() -> None:
    large, small = (0.2, 0.2, 0.6, 0.9), (0.3, 0.3, 0.34, 0.4)

    one, both = (redacted(noise(640, 480), np.array(boxes)) for boxes in ([large], [large, small]))

    # Averages of averages are rounded once more.
    np.testing.assert_allclose(one.astype(int), both, atol=1)


def test_margin_covers_what_sticks_out_of_the_box() -> None:
    person = np.array([[0.4, 0.4, 0.5, 0.8]])

    before, after = redacted(noise(640, 480), NOBODY), redacted(noise(640, 480), person)
    changed = np.argwhere((before != after).any(axis=2))

    assert tuple(changed.min(axis=0)) == (163, 243)
    assert tuple(changed.max(axis=0)) == (412, 332)


def test_whole_picture_keeps_240_dots_of_detail() -> None:
    picture = redacted(noise(1920, 1080), NOBODY).astype(np.float64).mean(axis=2)

    spectrum = np.abs(np.fft.rfft(picture - picture.mean(), axis=1)) ** 2
    assert picture.shape == (720, 1280)
    assert spectrum[:, 240:].sum() < 0.02 * spectrum.sum()


def test_everyone_detected_however_unsure_or_tracked_also_unseen_is_covered() -> None:
    scene = scene_of(0, [Thing(1, 100, 200), Thing(2, 300, 200, unseen_s=1.0), Thing(3, 500, 200, object_class=ObjectClass.CAR)])
    detections = Detections(
        np.array([[0, 0, 9, 9], [1, 1, 9, 9], [2, 2, 9, 9]], np.float32),
        np.array([0.1, 0.09, 0.9], np.float32),
        np.array([ObjectClass.PERSON, ObjectClass.PERSON, ObjectClass.BUS], np.int16),
    )

    people = people_of(Scene(0, scene.picture, detections, scene.tracks))

    np.testing.assert_allclose(people, [[0, 0, 9, 9], [92, 160, 108, 200], [292, 160, 308, 200]])


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [(7680, 4320, (1280, 720)), (2160, 3840, (720, 1280)), (320, 240, (320, 240)), (1, 1, (1, 1)), (8192, 1, (1280, 1))],
)
def test_picture_of_any_size_gives_evidence_within_its_limits(width: int, height: int, size: tuple[int, int]) -> None:
    crowd = scene_of(0, [Thing(track, 13.0 * (track % 49), 2.0 * track, height=9) for track in range(200)])

    jpeg = evidence_jpeg(noise(width, height), scene=crowd, revision=revision_of("grass", (9, 9, 99, 99)), view=VIEW)

    assert decoded(jpeg).shape[1::-1] == size
    assert len(jpeg) <= 1 << 20


def test_box_outside_the_picture_is_no_harm() -> None:
    np.testing.assert_array_equal(
        redacted(noise(64, 48), np.array([[1.5, 0.2, 1.9, 0.8], [-0.9, -0.9, -0.5, -0.5]])), redacted(noise(64, 48), NOBODY)
    )


@pytest.mark.parametrize(
    ("zone", "box", "at"), [("grass", None, (200, 100)), ("gate", None, (300, 20)), ("", (200, 200, 260, 300), (230, 300))]
)
def test_cause_is_outlined(zone: str, box: tuple[float, float, float, float] | None, at: tuple[int, int]) -> None:
    grey = np.full((480, 640, 3), 128, np.uint8)

    picture = decoded(evidence_jpeg(grey, scene=scene_of(0, []), revision=revision_of(zone, box), view=VIEW))

    assert np.abs(picture[at[1], at[0]].astype(int) - 128).max() > 40
    assert np.abs(picture[400, 500].astype(int) - 128).max() < 5


def test_same_scene_gives_the_same_bytes() -> None:
    scene = scene_of(0, [Thing(1, 200, 200)])

    one, other = (evidence_jpeg(noise(640, 480), scene=scene, revision=revision_of("grass"), view=VIEW) for _ in range(2))

    assert one == other
