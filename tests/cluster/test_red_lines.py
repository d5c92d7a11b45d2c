"""Red line: nothing that is computed says who a person is or is like. Whoever adds to these lists has to change this page too."""

import inspect
from dataclasses import fields

from cluster.detections import Detections
from cluster.tracking.tracker import Tracker
from cluster.tracking.tracks import Tracks
from vigie.v1 import vocabulary_pb2
from vigie.vocabulary import ObjectClass


def names(columns: type) -> list[str]:
    return [column.name for column in fields(columns)]


def test_detection_is_a_place_a_score_and_a_class() -> None:
    assert names(Detections) == ["boxes", "scores", "classes"]


def test_track_is_a_moving_detection_with_a_number() -> None:
    assert names(Tracks) == ["ids", "boxes", "velocities", "scores", "classes", "ages_s", "unseen_s"]


def test_tracker_never_sees_a_picture_so_that_appearance_cannot_count() -> None:
    assert list(inspect.signature(Tracker.step).parameters) == ["self", "detections", "time_s"]


def test_things_that_a_detector_may_name_are_these() -> None:
    assert [thing.name for thing in ObjectClass] == [
        "PERSON",
        "BICYCLE",
        "MOTORCYCLE",
        "CAR",
        "BUS",
        "TRUCK",
        "TRAIN",
        "BACKPACK",
        "HANDBAG",
        "SUITCASE",
        "WEAPON",
        "FLAME",
        "SMOKE",
    ]


def test_vocabulary_is_that_of_the_contract() -> None:
    contract = {value.name.removeprefix("OBJECT_CLASS_"): value.number for value in vocabulary_pb2.ObjectClass.DESCRIPTOR.values}
    assert contract == {"UNSPECIFIED": 0} | {thing.name: thing.value for thing in ObjectClass}
