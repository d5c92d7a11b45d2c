from services.coordination.domain.venue_changes import changes
from tests.services.coordination.builders import camera, venue
from vigie.v1 import vocabulary_pb2


def test_a_new_venue_is_added_with_all_it_has() -> None:
    message = venue()
    assert changes(None, message, message.authorizations) == [
        "venue: added",
        "camera gate: added",
        "camera stand: added",
        "authorization derby: added",
    ]


def test_the_same_venue_changes_nothing() -> None:
    message = venue()
    assert changes(message, message) == []


def test_each_change_says_what_changed() -> None:
    before, after = venue(), venue()
    after.CopyFrom(before)
    after.display_name = "The Arena"
    after.cameras[0].analysis_rate_hz = 5
    after.cameras[0].neighbors.append("venues/arena/cameras/roof")
    before.aggregation.add(kind=vocabulary_pb2.KIND_FIRE, distance_m=5)
    after.aggregation.add(kind=vocabulary_pb2.KIND_FIRE, distance_m=6)
    after.aggregation.add(kind=vocabulary_pb2.KIND_WEAPON, distance_m=6)
    del after.cameras[1]
    after.cameras.append(camera("venues/arena/cameras/roof"))
    assert changes(before, after) == [
        "display_name: 'Arena' becomes 'The Arena'",
        "camera gate: analysis_rate_hz, neighbors changed",
        "camera roof: added",
        "camera stand: withdrawn",
        "aggregation of FIRE: distance_m changed",
        "aggregation of WEAPON: added",
    ]
