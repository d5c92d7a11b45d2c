"""What a decision does to the cameras, in words."""

import pytest

from tests.services.coordination.builders import authorization, utc_now, venue
from tools.authorizations.effect import Allowed, allowed, effect
from vigie.v1.authorizations_pb2 import Suspension
from vigie.vocabulary import Kind

A, B = frozenset({Kind.FIRE, Kind.WEAPON}), frozenset({Kind.FIRE})
NONE: frozenset[Kind] = frozenset()


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ({"a": A, "b": A, "c": A}, {"a": NONE, "b": NONE, "c": NONE}, "3 cameras stop within seconds"),
        ({"a": A, "b": A}, {"a": NONE, "b": A}, "1 camera stops within seconds"),
        ({"a": A, "b": A}, {"a": B, "b": B}, "2 cameras stop looking for WEAPON within seconds"),
        ({"a": A, "b": B}, {"a": B, "b": NONE}, "1 camera stops, 1 camera stops looking for WEAPON within seconds"),
        ({"a": NONE, "b": B}, {"a": B, "b": A}, "1 camera starts, 1 camera begins to look for WEAPON within seconds"),
        ({"a": A}, {}, "1 camera stops within seconds"),
        ({"a": A}, {"a": A}, "nothing changes at the cameras for now"),
        ({}, {}, "nothing changes at the cameras for now"),
    ],
)
def test_effect_is_said_of_the_cameras(before: Allowed, after: Allowed, says: str) -> None:
    assert effect(before, after) == says


def test_what_another_act_allows_goes_on_if_the_camera_watches_for_it() -> None:
    message = venue()
    other = authorization([message.cameras[0].name])
    del other.kinds[:]
    other.kinds.extend((int(Kind.FIRE), int(Kind.CROWD_DENSITY)))  # type: ignore[arg-type] # their numbers
    message.authorizations.append(other)
    message.authorizations[0].suspensions.append(Suspension())
    gate, stand = (camera.name for camera in message.cameras)
    assert allowed(message, utc_now()) == {gate: {Kind.CROWD_DENSITY}, stand: set()}
