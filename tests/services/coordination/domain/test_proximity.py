"""What a venue says of which of its signals are near to each other."""

from datetime import timedelta

from services.coordination.domain.aggregation import CLOSENESS, Closeness
from services.coordination.domain.proximity import proximity
from tests.services.coordination.builders import venue
from vigie.v1 import vocabulary_pb2
from vigie.vocabulary import Kind


def test_a_venue_that_says_nothing_has_the_defaults() -> None:
    found = proximity(venue())
    assert (dict(found.closeness), dict(found.neighbors)) == (CLOSENESS, {})


def test_what_a_rule_leaves_out_is_the_default_of_its_kind() -> None:
    message = venue()
    message.aggregation.add(kind=vocabulary_pb2.KIND_FIRE, distance_m=0).gap.FromMilliseconds(1500)
    message.aggregation.add(kind=vocabulary_pb2.KIND_WEAPON, flood_signals=7)
    closeness = proximity(message).closeness
    assert closeness[Kind.FIRE] == Closeness(timedelta(seconds=1.5), 0, CLOSENESS[Kind.FIRE].flood_signals)
    assert closeness[Kind.WEAPON] == Closeness(CLOSENESS[Kind.WEAPON].gap, CLOSENESS[Kind.WEAPON].distance_m, 7)
    assert closeness[Kind.CROWD_DENSITY] == CLOSENESS[Kind.CROWD_DENSITY]


def test_a_neighbour_is_one_in_both_directions() -> None:
    message = venue(cameras=("gate", "stand", "roof"))
    message.cameras[0].neighbors.append(message.cameras[1].name)
    message.cameras[1].neighbors.append(message.cameras[2].name)
    assert proximity(message).neighbors == {"gate": {"stand"}, "stand": {"gate", "roof"}, "roof": {"stand"}}
