"""What a venue says of which of its signals are near to each other."""

from collections import defaultdict
from dataclasses import replace
from datetime import timedelta

from services.coordination.domain.aggregation import CLOSENESS, Closeness, Proximity
from vigie.names import parse_camera
from vigie.v1 import venues_pb2
from vigie.vocabulary import Kind


def proximity(venue: venues_pb2.Venue) -> Proximity:
    """What counts as near at a venue: the defaults, where it says nothing else. Neighbours are so in both directions."""
    neighbors: dict[str, set[str]] = defaultdict(set)
    for camera in venue.cameras:
        for neighbor in camera.neighbors:
            one, other = parse_camera(camera.name)[1], parse_camera(neighbor)[1]
            neighbors[one].add(other)
            neighbors[other].add(one)
    own = {Kind(rule.kind): _closeness(rule) for rule in venue.aggregation}
    return Proximity(CLOSENESS | own, {camera: frozenset(others) for camera, others in neighbors.items()})


def _closeness(rule: venues_pb2.AggregationRule) -> Closeness:
    usual = CLOSENESS[Kind(rule.kind)]
    return replace(
        usual,
        gap=timedelta(seconds=rule.gap.ToNanoseconds() / 1e9) if rule.HasField("gap") else usual.gap,
        distance_m=rule.distance_m if rule.HasField("distance_m") else usual.distance_m,
        flood_signals=rule.flood_signals or usual.flood_signals,
    )
