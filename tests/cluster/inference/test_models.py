"""A network for things and one for weapons, and which pictures each of them sees."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cluster.config import camera_config
from cluster.detections import Detections
from cluster.errors import ConfigurationError, ModelError
from cluster.inference.models import ArmableDetector, Fits, Models
from cluster.video.frame import Fit
from tests.cluster.inference.networks import constant_network, write_pack
from tests.fakes.cameras import assignment, weapon_assignment
from vigie.vocabulary import ObjectClass

PERSON_AND_KNIFE = constant_network([[3.0, 3.0]], [[0.25, 0.25, 0.5, 0.5]])
ARMED = camera_config(weapon_assignment(start_s=0, end_s=1))
UNARMED = camera_config(assignment())


class Finds:
    """Finds one thing of a class in every picture, and notes which pictures it was given, by their first pixels."""

    def __init__(self, thing: ObjectClass) -> None:
        self._thing = thing
        self.seen: list[int] = []

    def detect(self, pictures: list[NDArray[np.uint8]]) -> list[Detections]:
        self.seen += [int(picture[0, 0, 0]) for picture in pictures]
        return [Detections(np.ones((1, 4), np.float32), np.ones(1, np.float32), np.array([self._thing], np.int16))] * len(
            pictures
        )


def pictures(count: int) -> list[NDArray[np.uint8]]:
    return [np.full((2, 2, 3), number, np.uint8) for number in range(count)]


def classes(found: list[Detections]) -> list[list[int]]:
    return [detections.classes.tolist() for detections in found]


@pytest.fixture
def weapons(tmp_path: Path) -> Path:
    return write_pack(tmp_path / "weapons", PERSON_AND_KNIFE, task="weapon_detection", classes=["person", "weapon"])


def test_weapons_are_looked_for_only_in_the_pictures_that_are_said() -> None:
    things, weapons = Finds(ObjectClass.PERSON), Finds(ObjectClass.WEAPON)

    found = ArmableDetector(things, weapons, provider="").detect(pictures(4), [False, True, False, True])

    assert classes(found) == [[1], [1, 11], [1], [1, 11]]
    assert (things.seen, weapons.seen) == ([0, 1, 2, 3], [1, 3])


def test_network_for_weapons_rests_while_nobody_asks_for_it() -> None:
    weapons = Finds(ObjectClass.WEAPON)

    ArmableDetector(Finds(ObjectClass.PERSON), weapons, provider="").detect(pictures(2), [False, False])

    assert weapons.seen == []


@pytest.mark.parametrize(("weapons", "found"), [(None, [[1]]), (Finds(ObjectClass.WEAPON), [[1, 11]])])
def test_without_being_told_it_looks_for_all_that_it_can_find(weapons: Finds | None, found: list[list[int]]) -> None:
    detector = ArmableDetector(Finds(ObjectClass.PERSON), weapons, provider="")

    assert classes(detector.detect(pictures(1))) == found


def test_weapons_without_a_network_for_them_are_refused() -> None:
    with pytest.raises(ModelError, match="no validated weapon pack exists, so none ships; install one"):
        ArmableDetector(Finds(ObjectClass.PERSON), None, provider="").detect(pictures(1), [True])


def test_two_packs_work_side_by_side(tmp_path: Path, weapons: Path) -> None:
    things = write_pack(tmp_path / "things", PERSON_AND_KNIFE, classes=["person", "weapon"])

    (found,) = Models.load(things, weapons).detector().detect([np.zeros((64, 64, 3), np.uint8)], [True])

    assert sorted(found.classes.tolist()) == [ObjectClass.PERSON, ObjectClass.WEAPON]


def test_pack_for_things_never_names_a_weapon(tmp_path: Path) -> None:
    """Red line: a network runs for its own task alone."""
    things = write_pack(tmp_path / "things", PERSON_AND_KNIFE, classes=["person", "weapon"])

    (found,) = Models.load(things, None).detector().detect([np.zeros((64, 64, 3), np.uint8)])

    assert found.classes.tolist() == [ObjectClass.PERSON]


def test_pack_for_another_task_is_refused(tmp_path: Path, weapons: Path) -> None:
    """Red line: a network runs for its own task alone."""
    things = write_pack(tmp_path / "things", PERSON_AND_KNIFE)

    with pytest.raises(ModelError, match="its task is weapon_detection, where object_detection is wanted"):
        Models.load(weapons, None)
    with pytest.raises(ModelError, match="its task is object_detection, where weapon_detection is wanted; name a pack of that"):
        Models.load(None, things)


def test_pictures_are_large_enough_for_both_networks_only_where_both_see_them(weapons: Path) -> None:
    models = Models.load(None, weapons)

    assert models.name == "nanodet-g-coco 1.0.0 and tiny 1"
    assert models.fits.of(UNARMED) == Fit(416, 416)
    assert models.fits == Fits(Fit(416, 416), Fit(416, 416))
    assert Fits(Fit(416, 416), Fit(640, 480)).of(ARMED) == Fit(640, 480)


def test_camera_that_watches_for_weapons_is_refused_where_no_network_can() -> None:
    with pytest.raises(ConfigurationError) as raised:
        Models.load(None, None).fits.of(ARMED)

    assert str(raised.value) == (
        "venues/v/cameras/c: rules[1].weapon: no validated weapon pack exists, so none ships; install one whose task is "
        "weapon_detection and set VIGIE_WEAPON_PACK, or take the rule out"
    )
