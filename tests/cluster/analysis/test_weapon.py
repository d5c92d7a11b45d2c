"""When a weapon is one: seen again and again, with a person."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest

from cluster.analysis.geometry import Crossing, Line, Polygon, Zone
from cluster.analysis.scene import PLAIN, Finding, Phase
from cluster.analysis.weapon import Weapon
from cluster.detections import Detections
from cluster.errors import ConfigurationError
from tests.cluster.analysis.scenes import Thing, scene_of, view_of
from vigie.v1 import venues_pb2
from vigie.vocabulary import ObjectClass, Severity

ZONES: dict[str, Zone] = {
    "hall": Polygon.of([(0, 0), (300, 0), (300, 480), (0, 480)], "hall"),
    "fence": Line.of([(0, 0), (300, 0)], frozenset(Crossing), "fence"),
}
RATE_HZ = 5


@dataclass(frozen=True)
class Gun:
    """A detected weapon: its middle, its score."""

    x: float
    y: float
    score: float = 0.6

    @property
    def box(self) -> tuple[float, float, float, float]:
        return self.x - 3, self.y - 3, self.x + 3, self.y + 3


Frame = tuple[Sequence[Thing], Sequence[Gun]]


def parameters(**fields: object) -> Weapon:
    return Weapon.of(venues_pb2.WeaponRule(**fields), view_of(ZONES), "rules[0].weapon")  # type: ignore[arg-type]


def play(frames: Iterable[Frame], **fields: object) -> list[tuple[float, Finding]]:
    """What the rule finds in frames at a steady rate, with the times at which it does."""
    rule = parameters(**fields).rule(PLAIN)
    found: list[tuple[float, Finding]] = []
    for place, (things, guns) in enumerate(frames):
        seen = Detections(
            np.array([gun.box for gun in guns], np.float32).reshape(-1, 4),
            np.array([gun.score for gun in guns], np.float32),
            np.full(len(guns), ObjectClass.WEAPON, np.int16),
        )
        scene = replace(scene_of(place / RATE_HZ, things), detections=seen)
        found += [(place / RATE_HZ, finding) for finding in rule.step(scene)]
    return found


def phases(found: Iterable[tuple[float, Finding]]) -> list[Phase]:
    return [finding.phase for _, finding in found]


ANNE, BERT = Thing(1, 200, 300, height=100), Thing(2, 260, 300, height=100)
HELD = Gun(222, 250)  # at the side of Anne, who stands from 180 to 220
CALM: Frame = ([ANNE], [])
ARMED: Frame = ([ANNE], [HELD])


def test_weapon_counts_once_it_was_seen_often_enough() -> None:
    ((time_s, finding),) = play([CALM, ARMED, CALM, ARMED, ARMED, CALM, ARMED, ARMED])

    assert time_s == 6 / RATE_HZ
    assert (finding.phase, finding.severity) == (Phase.OPENED, Severity.CRITICAL)
    assert finding.score == pytest.approx(0.6)
    assert finding.reason == (
        "weapon seen in 4 of the last 6 frames, 0.60 on average, carried by a person; threshold 4 of 8 frames"
    )


def test_weapon_that_is_seen_too_seldom_raises_nothing() -> None:
    assert play([ARMED, ARMED, ARMED, *[CALM] * 6] * 5) == []


def test_sighting_is_one_however_many_weapons_there_are() -> None:
    assert play([([ANNE], [HELD, Gun(200, 250), Gun(210, 250)])] * 3) == []


def test_faint_weapon_is_no_sighting() -> None:
    assert play([([ANNE], [replace(HELD, score=0.39)])] * 20) == []


def test_surest_of_several_weapons_counts() -> None:
    ((_, finding),) = play([([ANNE], [HELD, Gun(200, 250, score=0.9)])] * 4)

    assert finding.score == pytest.approx(0.9)


@pytest.mark.parametrize("gun", [Gun(500, 250), Gun(200, 50), Gun(250, 250)])
def test_weapon_out_of_reach_of_everyone_raises_nothing(gun: Gun) -> None:
    assert play([([ANNE], [gun])] * 20) == []


def test_weapon_without_anyone_raises_nothing() -> None:
    assert play([([], [HELD])] * 20) == []


def test_weapon_held_out_at_arms_length_is_carried() -> None:
    assert phases(play([([ANNE], [Gun(243, 250)])] * 4)) == [Phase.OPENED]


def test_person_is_still_there_where_the_detector_misses_him_for_a_moment() -> None:
    assert phases(play([([replace(ANNE, unseen_s=0.8)], [HELD])] * 4)) == [Phase.OPENED]
    assert play([([replace(ANNE, unseen_s=1.2)], [HELD])] * 8) == []


def test_one_person_with_a_weapon_is_one_signal_however_long() -> None:
    assert phases(play([ARMED] * 100)) == [Phase.OPENED]


def test_signal_closes_when_the_weapon_has_been_out_of_sight_for_the_clear_time() -> None:
    opened, (time_s, closed) = play([*[ARMED] * 4, *[CALM] * 20], clear={"seconds": 2})

    assert (closed.phase, closed.key, closed.severity) == (Phase.CLOSED, opened[1].key, Severity.CRITICAL)
    assert time_s == 3 / RATE_HZ + 2
    assert closed.reason == "no weapon has been seen with this person for 2.0 s"


def test_signal_stays_open_while_the_weapon_comes_to_sight_again() -> None:
    assert phases(play([*[ARMED] * 4, *([*[CALM] * 20, ARMED] * 5)])) == [Phase.OPENED]


def test_signal_closes_though_the_person_has_gone() -> None:
    assert phases(play([*[ARMED] * 4, *[([], [])] * 30])) == [Phase.OPENED, Phase.CLOSED]


def test_signal_without_clear_time_closes_with_the_first_frame_without_a_sighting() -> None:
    assert phases(play([*[ARMED] * 6, CALM], clear={})) == [Phase.OPENED, Phase.CLOSED]


def test_two_people_with_a_weapon_each_are_two_signals() -> None:
    found = play([([ANNE, replace(BERT, x=400)], [HELD, Gun(400, 250)])] * 8)

    assert phases(found) == [Phase.OPENED, Phase.OPENED]
    assert len({finding.key for _, finding in found}) == 2


def test_weapon_between_two_people_is_carried_by_whom_it_was_seen_with_first() -> None:
    nearer_to_anne, nearer_to_bert = Gun(228, 250), Gun(232, 250)

    found = play([([ANNE, BERT], [gun]) for gun in [nearer_to_anne, nearer_to_bert] * 10])

    assert phases(found) == [Phase.OPENED]


def test_weapon_handed_on_is_a_signal_of_the_next_person() -> None:
    far = replace(BERT, x=400)

    found = play([*[([ANNE, far], [HELD])] * 5, *[([ANNE, far], [Gun(400, 250)])] * 5])

    assert [finding.key for _, finding in found] == ["1 0.600", "2 1.600"]


def test_carrier_whose_track_is_lost_goes_on_as_another() -> None:
    again = replace(ANNE, track=9, x=220)

    found = play([*[ARMED] * 3, *[([], [])] * 2, *[([again], [replace(HELD, x=242)])] * 40])

    assert phases(found) == [Phase.OPENED]
    assert found[0][0] == 5 / RATE_HZ


def test_someone_elsewhere_is_not_taken_for_the_carrier_who_was_lost() -> None:
    elsewhere = replace(ANNE, track=9, x=500)

    found = play([*[ARMED] * 4, *[([elsewhere], [Gun(500, 250)])] * 4])

    assert phases(found) == [Phase.OPENED, Phase.OPENED]


def test_only_people_in_the_zone_count() -> None:
    outside: Frame = ([replace(ANNE, x=400)], [Gun(400, 250)])

    ((_, finding),) = play([*[outside] * 8, *[ARMED] * 8], zone="hall")

    assert "carried by a person in zone hall;" in finding.reason


def test_signal_shows_the_person_and_the_weapon() -> None:
    ((_, finding),) = play([ARMED] * 4)

    assert finding.box == (180, 200, 225, 300)


def test_what_was_seen_before_a_reset_does_not_count() -> None:
    rule = parameters().rule(PLAIN)
    seen = Detections(np.array([HELD.box], np.float32), np.array([0.6], np.float32), np.array([ObjectClass.WEAPON], np.int16))
    for time_s in (0.0, 0.2, 0.4):
        assert rule.step(replace(scene_of(time_s, [ANNE]), detections=seen)) == []
    rule.reset()
    assert rule.step(replace(scene_of(0.6, [ANNE]), detections=seen)) == []


def test_crowd_of_weapons_has_bounds() -> None:
    crowd = [Thing(track, 97 * track % 600, 300, height=10) for track in range(1, 128)]

    found = play([([thing], [Gun(thing.x, 295)] * 30) for thing in crowd for _ in range(4)], clear={"seconds": 3600})

    is_open = sum({Phase.OPENED: 1, Phase.CLOSED: -1}[phase] for phase in phases(found))
    assert (phases(found).count(Phase.OPENED), is_open) == (127, 64)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"zone": "roof"}, "rules[0].weapon.zone: the camera has no zone 'roof'; it has: fence, hall"),
        ({"zone": "fence"}, "rules[0].weapon.zone: zone 'fence' is a line; this kind needs a polygon"),
        ({"frames": 65}, "rules[0].weapon.frames: is 65; give 1 to 64"),
        ({"confirmations": 9}, "rules[0].weapon.confirmations: is 9; give 1 to 8"),
        ({"confirmations": 4, "frames": 3}, "rules[0].weapon.confirmations: is 4; give 1 to 3"),
        ({"clear": {"seconds": -1}}, "rules[0].weapon.clear (seconds): is -1; give 0 to 3600"),
    ],
)
def test_what_cannot_be_is_refused_with_its_field(fields: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        parameters(**fields)

    assert str(raised.value) == says
