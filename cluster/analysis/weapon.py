"""Weapon: somebody carries one.

A weapon counts once it was seen in several of the last frames, each time within reach of the same person: one frame proves
nothing, and what nobody holds threatens nobody. One signal a person, always CRITICAL, for as long as the weapon comes to sight
again. The detector is that of an installed pack; no figures of it are known here.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

import numpy as np

from cluster.analysis.geometry import Points, Polygon
from cluster.analysis.parameters import bounded, polygon_if_named, seconds
from cluster.analysis.scene import Box, Finding, Needs, Phase, Rule, RuleContext, Scene, box_of
from cluster.analysis.view import View
from cluster.detections import Detections
from vigie.v1 import venues_pb2
from vigie.vocabulary import Kind, ObjectClass, Severity

CONFIRMATIONS = 4
FRAMES = 8
CLEAR_S = 5.0
FRAMES_LIMIT = 64
DURATION_LIMIT_S = 3600.0

# A detection below is no sighting: the tracker does not believe a fainter one either.
_SIGHTING_SCORE = 0.4
# How far beyond the box of a person a weapon may begin, in the box's longer side: an arm held out ends about as far out.
_REACH = 0.25
# A person whom the detector misses for so long is still where the track expects him.
_UNSEEN_S = 1.0
# For how long a carrier outlives his track, and how far from his last place another track may take him on, in the box's longer
# side, at once and a second later: a person walks his height in about a second.
_BRIDGE_S = 2.0
_BRIDGE = 0.5
_BRIDGE_PER_S = 1.0
# Weapons looked at in one frame, the surest ones; signals open at the same time, of which a further one closes the oldest.
_WEAPONS_LIMIT = 16
_OPEN_LIMIT = 64
_EPSILON_S = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Weapon:
    """What to watch for.

    Attributes:
        view: of the camera.
        zone: id of the zone; empty for the whole picture.
        polygon: its shape; None for the whole picture.
        confirmations: in how many of the last frames a weapon must be seen.
        frames: how many frames are the last ones.
        clear_s: how long it must be out of sight before the signal closes.
    """

    # A hand gun of 0.2 m is 9 pixels long where a person is 80 high.
    NEEDS: ClassVar[Needs] = Needs(person_px=80, look_s=0)
    PARTS: ClassVar[Mapping[str, str]] = {}

    view: View
    zone: str
    polygon: Polygon | None
    confirmations: int
    frames: int
    clear_s: float

    @classmethod
    def of(cls, message: venues_pb2.WeaponRule, view: View, where: str) -> Self:
        """From the contract's message. Raises ConfigurationError with `where` and the field."""
        frames = int(bounded(message.frames or FRAMES, 1, FRAMES_LIMIT, f"{where}.frames"))
        return cls(
            view=view,
            zone=message.zone,
            polygon=polygon_if_named(view, message.zone, f"{where}.zone"),
            confirmations=int(bounded(message.confirmations or CONFIRMATIONS, 1, frames, f"{where}.confirmations")),
            frames=frames,
            clear_s=seconds(message, "clear", default_s=CLEAR_S, limit_s=DURATION_LIMIT_S, where=where),
        )

    @property
    def kind(self) -> Kind:
        """WEAPON."""
        return Kind.WEAPON

    def rule(self, context: RuleContext) -> Rule:
        """A rule that has seen nothing yet."""
        return WeaponRule(self)


@dataclass(slots=True)
class _Person:
    """Someone in reach of whom a weapon may be."""

    box: Box
    feet: Points
    seen_s: float

    @property
    def size(self) -> float:
        """The longer side of the box: who lies reaches as far as who stands."""
        x0, y0, x1, y1 = self.box
        return max(x1 - x0, y1 - y0)

    def distance(self, weapon: Box) -> float:
        """From the middle of the box to that of a weapon, in sizes; infinite where it is out of reach."""
        x0, y0, x1, y1 = self.box
        reach = _REACH * self.size
        if weapon[0] > x1 + reach or weapon[2] < x0 - reach or weapon[1] > y1 + reach or weapon[3] < y0 - reach:
            return np.inf
        across, down = (weapon[0] + weapon[2] - x0 - x1) / 2, (weapon[1] + weapon[3] - y0 - y1) / 2
        return float(np.hypot(across, down)) / self.size

    def may_be(self, other: "_Person") -> bool:
        """Whether someone who was seen before is this one."""
        elapsed_s = self.seen_s - other.seen_s
        reach = (_BRIDGE + _BRIDGE_PER_S * elapsed_s) * other.size
        return elapsed_s <= _BRIDGE_S and float(np.linalg.norm(self.feet - other.feet)) <= reach


@dataclass(slots=True)
class _Carrier:
    """Someone with whom a weapon was seen.

    Attributes:
        person: as last seen.
        scores: of the last frames, 0 where no weapon was seen.
        weapon: as last seen.
        armed_s: when that was.
        finding: what was told, while the signal is open.
    """

    person: _Person
    scores: deque[float]
    weapon: Box
    armed_s: float
    finding: Finding | None = None

    @property
    def sightings(self) -> list[float]:
        """Scores of those of the last frames in which a weapon was seen."""
        return [score for score in self.scores if score > 0]


@dataclass(slots=True, eq=False)
class WeaponRule:
    """Watches the people of one zone or of the whole picture."""

    parameters: Weapon
    _carriers: dict[int, _Carrier] = field(default_factory=dict)

    def step(self, scene: Scene) -> Sequence[Finding]:
        """What changed with this frame."""
        people = self._people(scene)
        sightings = self._sightings(scene.detections.of({ObjectClass.WEAPON}), people)
        self._follow(people, sightings)
        self._note(sightings, scene.time_s)
        return [*self._opened(scene.time_s), *self._closed(scene.time_s)]

    def reset(self) -> None:
        """Forgets who was seen."""
        self._carriers.clear()

    def _people(self, scene: Scene) -> dict[int, _Person]:
        """Those who are watched, by their tracks."""
        tracks = scene.tracks.of({ObjectClass.PERSON})
        tracks = tracks[tracks.unseen_s <= _UNSEEN_S]
        feet = self.parameters.view.standing_points(tracks.feet)
        if self.parameters.polygon is not None:
            inside = self.parameters.polygon.contains(feet)
            tracks, feet = tracks[inside], feet[inside]
        return {
            track: _Person(box_of(tracks, row), feet[row], scene.time_s - float(tracks.unseen_s[row]))
            for row, track in enumerate(tracks.ids.tolist())
        }

    def _sightings(self, weapons: Detections, people: Mapping[int, _Person]) -> dict[int, tuple[float, Box]]:
        """The surest weapon with each of those who have one, as score and box."""
        weapons = weapons[weapons.scores >= _SIGHTING_SCORE]
        best = np.argsort(-weapons.scores, kind="stable")[:_WEAPONS_LIMIT]
        found: dict[int, tuple[float, Box]] = {}
        for score, (x0, y0, x1, y1) in zip(weapons.scores[best].tolist(), weapons.boxes[best].tolist(), strict=True):
            holder = self._holder((x0, y0, x1, y1), people)
            if holder is not None:
                found.setdefault(holder, (score, (x0, y0, x1, y1)))
        return found

    def _holder(self, weapon: Box, people: Mapping[int, _Person]) -> int | None:
        """Who holds a weapon: the nearest in reach, but first of all someone who held one before."""
        distances = {track: person.distance(weapon) for track, person in people.items()}
        in_reach = [track for track, distance in distances.items() if distance < np.inf]
        return min(in_reach, key=lambda track: (track not in self._carriers, distances[track]), default=None)

    def _follow(self, people: Mapping[int, _Person], sightings: Mapping[int, tuple[float, Box]]) -> None:
        """Brings the carriers up to this frame: who has a weapon now is one, new or one whose track was lost."""
        for track, (_, weapon) in sightings.items():
            if track not in self._carriers:
                person = people[track]
                lost = self._lost(person, people)
                new = _Carrier(person, deque(maxlen=self.parameters.frames), weapon, person.seen_s)
                self._carriers[track] = new if lost is None else self._carriers.pop(lost)
        for track, carrier in self._carriers.items():
            carrier.person = people.get(track, carrier.person)

    def _lost(self, person: _Person, people: Mapping[int, _Person]) -> int | None:
        """The track of the nearest carrier who is out of sight and may be this person."""
        lost = {
            track: float(np.linalg.norm(person.feet - carrier.person.feet))
            for track, carrier in self._carriers.items()
            if track not in people and person.may_be(carrier.person)
        }
        return min(lost, key=lost.__getitem__, default=None)

    def _note(self, sightings: Mapping[int, tuple[float, Box]], time_s: float) -> None:
        """Takes this frame into the last ones of every carrier, and forgets those who have nothing left in them."""
        for track, carrier in self._carriers.items():
            score, weapon = sightings.get(track, (0.0, carrier.weapon))
            carrier.scores.append(score)
            if score > 0:
                carrier.weapon, carrier.armed_s = weapon, time_s
        self._carriers = {track: each for track, each in self._carriers.items() if each.finding or each.sightings}

    def _opened(self, time_s: float) -> list[Finding]:
        findings: list[Finding] = []
        for track, carrier in list(self._carriers.items()):
            if carrier.finding is None and len(carrier.sightings) >= self.parameters.confirmations:
                findings += self._make_room()
                carrier.finding = self._finding(f"{track} {time_s:.3f}", carrier)
                findings.append(carrier.finding)
        return findings

    def _make_room(self) -> list[Finding]:
        is_open = [track for track, carrier in self._carriers.items() if carrier.finding]
        if len(is_open) < _OPEN_LIMIT:
            return []
        return self._close(min(is_open, key=lambda track: self._carriers[track].armed_s), f"more than {_OPEN_LIMIT} are open")

    def _closed(self, time_s: float) -> list[Finding]:
        findings: list[Finding] = []
        for track, carrier in list(self._carriers.items()):
            hidden_s = time_s - carrier.armed_s
            if carrier.finding and hidden_s > 0 and hidden_s >= self.parameters.clear_s - _EPSILON_S:
                findings += self._close(track, f"no weapon has been seen with this person for {hidden_s:.1f} s")
        return findings

    def _close(self, track: int, reason: str) -> list[Finding]:
        finding = self._carriers.pop(track).finding
        return [replace(finding, phase=Phase.CLOSED, reason=reason)] if finding else []

    def _finding(self, key: str, carrier: _Carrier) -> Finding:
        score = sum(carrier.sightings) / len(carrier.sightings)
        return Finding(
            key=key,
            phase=Phase.OPENED,
            severity=Severity.CRITICAL,
            score=score,
            reason=self._reason(carrier, score),
            box=_around(carrier.person.box, carrier.weapon),
            ground_point=self.parameters.view.ground_point(carrier.person.feet),
        )

    def _reason(self, carrier: _Carrier, score: float) -> str:
        seen = f"weapon seen in {len(carrier.sightings)} of the last {len(carrier.scores)} frames, {score:.2f} on average"
        where = f" in zone {self.parameters.zone}" if self.parameters.zone else ""
        return f"{seen}, carried by a person{where}; threshold {self.parameters.confirmations} of {self.parameters.frames} frames"


def _around(one: Box, other: Box) -> Box:
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])
