"""Made scenes are what they say: the same for the same seed, and with boxes where their figures are."""

from dataclasses import replace

import numpy as np
import pytest

from cluster.analysis.geometry import GroundPlane
from tools.synthetic.actors import Path, luggage, walk
from tools.synthetic.camera import Camera
from tools.synthetic.disturbance import Beacon, Disturbance
from tools.synthetic.scenes import SCENES
from tools.synthetic.stage import Stage
from vigie.vocabulary import ObjectClass

STANDING = Path.through((0, 0, 11), (5, 0, 11))


def stage(**traits: object) -> Stage:
    return replace(Stage([walk(STANDING, seed=2)], 1.0), **traits)  # type: ignore[arg-type]


def pictures(scene: Stage) -> np.ndarray:
    return np.stack([frame.picture for frame, _ in scene.frames()])


@pytest.mark.parametrize("name", SCENES)
def test_same_seed_gives_the_same_scene_and_another_seed_another(name: str) -> None:
    first, same, other = (next(SCENES[name](seed).frames())[0].picture for seed in (3, 3, 4))
    assert (first == same).all()
    assert (first != other).any()


def test_box_holds_what_is_drawn() -> None:
    empty, (frame, detections) = pictures(stage(actors=()))[0], next(stage().frames())
    changed = np.argwhere(np.abs(frame.picture.astype(int) - empty).max(axis=2) > 40)
    (x0, y0, x1, y1) = detections.boxes[0]
    assert changed[:, 0].min() == pytest.approx(y0, abs=2)
    assert (changed[:, 1] >= x0 - 2).all()
    assert y1 - y0 > 2 * (x1 - x0)


def test_mirrored_scene_mirrors_pictures_and_boxes() -> None:
    plain, mirrored = next(stage().frames()), next(stage(is_mirrored=True).frames())
    assert (plain[0].picture[:, ::-1] == mirrored[0].picture).all()
    assert mirrored[1].boxes[0, 0] == pytest.approx(320 - plain[1].boxes[0, 2])


def test_who_is_hidden_is_not_detected() -> None:
    behind, before = walk(Path.through((0, 0, 14), (5, 0, 14))), walk(Path.through((0, 0.05, 13.5), (5, 0.05, 13.5)))
    assert len(next(stage(actors=[behind, before]).frames())[1]) == 1


def test_thing_without_a_class_is_drawn_and_not_detected() -> None:
    frame, detections = next(stage(actors=[luggage((0, 11), 0, 5)]).frames())
    assert len(detections) == 0
    assert (frame.picture != pictures(stage(actors=()))[0]).any()


def test_who_lies_is_wider_than_high() -> None:
    person = walk(STANDING, lies_down=(0.2, 0.5))
    boxes = [detections.boxes[0] for _, detections in stage(actors=[person]).frames()]
    shapes = [float((x1 - x0) / (y1 - y0)) for x0, y0, x1, y1 in boxes]
    assert shapes[0] < 0.5
    assert shapes[-1] > 2
    assert sorted(shapes) == shapes


@pytest.mark.parametrize(
    "disturbance",
    [
        Disturbance(noise=8),
        Disturbance(rain=40),
        Disturbance(shake_px=4),
        Disturbance(exposure=((0.0, 0.6),)),
        Disturbance(beacons=(Beacon((50, 50)),)),
        Disturbance(trees=2),
        Disturbance(jpeg_quality=20),
    ],
)
def test_each_disturbance_changes_the_picture_and_not_the_truth(disturbance: Disturbance) -> None:
    plain, disturbed = stage(), stage(disturbance=disturbance)
    assert (pictures(plain) != pictures(disturbed)).any()
    assert all((a[1].boxes == b[1].boxes).all() for a, b in zip(plain.frames(), disturbed.frames(), strict=True))


def test_beacon_is_on_for_half_of_its_period() -> None:
    lamp = Beacon((50, 50), period_s=1.0)
    assert [lamp.is_on(time_s) for time_s in (0.0, 0.4, 0.6, 0.9, 1.1)] == [True, True, False, False, True]


def test_camera_sees_the_ground_as_a_ground_plane_has_it() -> None:
    camera, corners = Camera(), np.array([(-2.0, 8.0), (2.0, 8.0), (2.0, 20.0), (-2.0, 20.0)])
    plane = GroundPlane.of([(x, y) for x, y in camera.project(corners).tolist()], [(x, y) for x, y in corners.tolist()], "plane")
    place = np.array([(1.0, 12.0)])
    assert plane.ground(camera.project(place)) == pytest.approx(place)
    assert camera.project(np.array([(0.0, camera.nearest_m)]))[0, 1] == pytest.approx(camera.height)


def test_scenes_use_classes_that_detectors_name() -> None:
    _, detections = next(SCENES["stroll"](0).frames())
    assert set(detections.classes.tolist()) == {ObjectClass.PERSON}
