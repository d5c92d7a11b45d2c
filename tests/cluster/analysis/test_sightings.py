import numpy as np

from cluster.analysis.sightings import Sightings
from cluster.detections import Detections
from tests.cluster.analysis.scenes import Thing, scene_of
from vigie.vocabulary import ObjectClass


def seen(things: list[Thing], others: list[Thing]) -> Sightings:
    boxes = np.array([thing.box for thing in [*things, *others]], np.float32).reshape(-1, 4)
    scores = np.full(len(boxes), 0.5, np.float32)
    detections = Detections(boxes, scores, np.full(len(boxes), ObjectClass.PERSON, np.int16))
    return Sightings.of(scene_of(0, things).tracks, detections, (640, 480))


def test_only_people_seen_whole_and_clear_count() -> None:
    sightings = seen(
        [
            Thing(1, 100, 200),
            Thing(2, 200, 200, unseen_s=0.5),
            Thing(3, 300, 200, score=0.4),
            Thing(4, 4, 200),
            Thing(5, 400, 479),
            Thing(6, 500, 200, height=15),
            Thing(7, 550, 200, object_class=ObjectClass.CAR),
            Thing(8, 100, 400),
        ],
        [Thing(9, 110, 405)],
    )

    assert sightings.people.tolist() == [1]
    assert sightings.feet.tolist() == [[100, 200]]
