"""Person down: a person who was upright lies on the ground and stays there.

`falls` says when somebody comes down; this rule waits whether they stay. Lying people are seen faintly, so whoever is seen low at
the place, however faintly, lies there still; a helper who stands beside them changes nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import ClassVar, Self

import numpy as np

from cluster.analysis.falls import LEAST_HEIGHT_PX, LYING_LEVEL, PARTS, PEOPLE_LIMIT, TALL_ASPECT, Fall, FallDetector, Look, whole
from cluster.analysis.geometry import Points, Polygon
from cluster.analysis.parameters import polygon_if_named, seconds
from cluster.analysis.past import Past, changed_share
from cluster.analysis.scene import Finding, Needs, Phase, Picture, Rule, RuleContext, Scene
from cluster.analysis.view import View
from cluster.detections import Detections
from vigie.v1 import venues_pb2
from vigie.vocabulary import Kind, ObjectClass, Severity

LYING_S = 3.0
LYING_LIMIT_S = 3600.0

# Somebody is low, or upright, whose top and whose height are below, or above, these, in upright heights. What is between (knees
# drawn up, an arm raised, one who sits up) says neither.
_LOW_LEVEL = LYING_LEVEL + 0.1
_UPRIGHT_LEVEL = 0.75
# What a box must have in common with the last look at the lying person, as IoU, and how far from where they came down its middle
# may be, in upright heights.
_PLACE_OVERLAP = 0.1
_STAYS = 0.5
# In how many of the frames since they came down they must have been seen low.
_SEEN_SHARE = 0.5
# How much of the place must look otherwise than ever before the fall. Who came to lie there changes half of it, also in dark
# clothes on a dark floor; a thing that stood there changes less than a sixth.
_ARRIVED_SHARE = 0.3
# Who is seen neither low nor upright for so long is no longer waited for; once the signal is open, no longer believed to lie.
_BRIDGE_S = 3.0
_GONE_S = 10.0
# Where somebody is seen upright at the place, and nobody low, for so long, the person has got up.
_UP_S = 1.0
# One who lies for so long presses more.
_CRITICAL_S = 30.0
# Of two falls nearer than this, in upright heights, the second is of the same person.
_SAME_PERSON = 1.0
_LYING_LIMIT = 16
_EPSILON_S = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class PersonDown:
    """What to watch for.

    Attributes:
        view: of the camera.
        zone: id of the zone; empty for the whole picture.
        polygon: its shape; None for the whole picture.
        lying_s: how long one must lie before it counts.
    """

    # At 10 frames a second every fall is seen in several frames; at 5 a fall in twenty was missed.
    NEEDS: ClassVar[Needs] = Needs(rate_hz=10, person_px=48)
    PARTS: ClassVar[Mapping[str, str]] = {
        **{f"person_down.{name}": purpose for name, purpose in PARTS.items()},
        "person_down.arrival": "nobody lies where it looks as before the fall: a box went over to a thing that stood there",
    }

    view: View
    zone: str
    polygon: Polygon | None
    lying_s: float

    @classmethod
    def of(cls, message: venues_pb2.PersonDownRule, view: View, where: str) -> Self:
        """From the contract's message. Raises ConfigurationError with `where` and the field."""
        return cls(
            view=view,
            zone=message.zone,
            polygon=polygon_if_named(view, message.zone, f"{where}.zone"),
            lying_s=seconds(message, "lying", default_s=LYING_S, limit_s=LYING_LIMIT_S, where=where),
        )

    @property
    def kind(self) -> Kind:
        """PERSON_DOWN."""
        return Kind.PERSON_DOWN

    def rule(self, context: RuleContext) -> Rule:
        """A rule that has seen nothing yet."""
        return PersonDownRule(self, frozenset(part.removeprefix("person_down.") for part in context.without))

    def contains(self, look: Look) -> bool:
        """Whether a person seen so is in the zone."""
        return self.polygon is None or bool(self.polygon.contains(self._feet(look))[0])

    def ground_point(self, look: Look) -> tuple[float, float] | None:
        """Where on the ground a person seen so is, in metres."""
        return self.view.ground_point(self._feet(look))

    def _feet(self, look: Look) -> Points:
        return self.view.standing_points(np.array([[look.centre[0], look.box[3]]], np.float32))


@dataclass(slots=True)
class _Person:
    """One who came down.

    Attributes:
        key: tells people apart.
        fall: how.
        before: what the picture looked like until then.
        lying: the latest look at the person low.
        frames: looked at since the fall.
        low_frames: in which the person was seen low.
        up_since_s: since when somebody is seen upright at the place and nobody low; None while it is otherwise.
        finding: the latest, once told.
    """

    key: str
    fall: Fall
    before: tuple[Picture, ...]
    lying: Look
    frames: int = 1
    low_frames: int = 1
    up_since_s: float | None = None
    finding: Finding | None = None

    def look(self, people: Detections, time_s: float) -> None:
        """Looks whether the person still lies there."""
        upright, boxes = self.fall.upright, people.boxes
        levels = (upright.box[3] - boxes[:, 1]) / upright.height
        heights = (boxes[:, 3] - boxes[:, 1]) / upright.height
        distances = np.abs((boxes[:, :2] + boxes[:, 2:]) / 2 - self.fall.lying.centre) / upright.height
        low = (levels <= _LOW_LEVEL) & (heights <= _UPRIGHT_LEVEL) & (distances <= _STAYS).all(axis=1)
        low &= boxes[:, 3] - boxes[:, 1] < TALL_ASPECT * (boxes[:, 2] - boxes[:, 0])
        low &= self.lying.overlaps(boxes) >= _PLACE_OVERLAP
        is_low = bool(low.any())
        self.frames += 1
        self.low_frames += is_low
        if is_low:
            best = int(np.where(low, people.scores, 0).argmax())
            x0, y0, x1, y1 = boxes[best].tolist()
            self.lying = Look(time_s, (x0, y0, x1, y1), float(people.scores[best]))
            self.up_since_s = None
        elif ((levels >= _UPRIGHT_LEVEL) & (heights >= _UPRIGHT_LEVEL) & (distances[:, 0] <= _SAME_PERSON)).any():
            self.up_since_s = time_s if self.up_since_s is None else self.up_since_s

    def is_same(self, fall: Fall) -> bool:
        """Whether another fall is of this person."""
        apart = np.abs(np.subtract(self.lying.centre, fall.lying.centre))
        return bool((apart <= _SAME_PERSON * self.fall.upright.height).all())

    def has_lain(self, lying_s: float, time_s: float) -> bool:
        """Whether the person is seen low, and was so for long enough."""
        is_long = time_s - self.fall.lying.time_s >= lying_s - _EPSILON_S
        return is_long and self.lying.time_s == time_s and self.low_frames >= _SEEN_SHARE * self.frames

    def end(self, time_s: float) -> str | None:
        """Why the person is no longer watched; None while they are."""
        if self.up_since_s is not None and time_s - self.up_since_s >= _UP_S - _EPSILON_S:
            return "somebody is upright where the person lay, and nobody lies there"
        unseen_s = time_s - self.lying.time_s
        if unseen_s > (_BRIDGE_S if self.finding is None else _GONE_S):
            return f"nobody has been seen lying there for {unseen_s:.0f} s"
        return None


@dataclass(slots=True, eq=False)
class PersonDownRule:
    """Watches one camera, or a polygon of it."""

    parameters: PersonDown
    without: frozenset[str] = frozenset()
    _falls: FallDetector = field(init=False)
    _past: Past = field(default_factory=Past)
    _people: list[_Person] = field(default_factory=list)
    _keys: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self._falls = FallDetector(self.without)

    def step(self, scene: Scene) -> Sequence[Finding]:
        """What changed with this frame."""
        people = scene.detections.of({ObjectClass.PERSON})
        people = people[np.argsort(-people.scores, kind="stable")[:PEOPLE_LIMIT]]
        if "body_parts" not in self.without:
            people = whole(people)
        for person in self._people:
            person.look(people, scene.time_s)
        self._add(scene, people)
        self._past.add(scene)
        findings = [finding for person in tuple(self._people) for finding in self._tell(person, scene)]
        self._people = [person for person in self._people if person.end(scene.time_s) is None]
        return findings

    def reset(self) -> None:
        """Forgets who was seen."""
        self._falls.reset()
        self._past.reset()
        self._people.clear()

    def _add(self, scene: Scene, people: Detections) -> None:
        least_height_px = LEAST_HEIGHT_PX * self.parameters.view.height / scene.picture.shape[0]
        for fall in self._falls.step(people, scene.time_s, least_height_px):
            is_known = any(person.is_same(fall) for person in self._people)
            if not is_known and len(self._people) < _LYING_LIMIT and self.parameters.contains(fall.lying):
                before = self._past.until(fall.upright.time_s)
                self._people.append(_Person(str(next(self._keys)), fall, before, fall.lying))

    def _tell(self, person: _Person, scene: Scene) -> Iterator[Finding]:
        """What is new of a person."""
        told, ended = person.finding, person.end(scene.time_s)
        if ended:
            if told:
                yield replace(told, phase=Phase.CLOSED, reason=ended)
        elif told is None and person.has_lain(self.parameters.lying_s, scene.time_s):
            if self._has_arrived(person, scene):
                yield self._finding(person, Phase.OPENED, Severity.WARNING)
            else:
                self._people.remove(person)
        elif told and told.severity < Severity.CRITICAL and person.has_lain(_CRITICAL_S, scene.time_s):
            yield self._finding(person, Phase.UPDATED, Severity.CRITICAL)

    def _has_arrived(self, person: _Person, scene: Scene) -> bool:
        """Whether the place looks otherwise than before the fall."""
        if "arrival" in self.without:
            return True
        return changed_share(person.before, scene, person.lying.box, self.parameters.view) >= _ARRIVED_SHARE

    def _finding(self, person: _Person, phase: Phase, severity: Severity) -> Finding:
        fall, lying = person.fall, person.lying
        person.finding = Finding(
            key=person.key,
            phase=phase,
            severity=severity,
            score=max(fall.upright.score, lying.score),
            reason=(
                f"a person who stood has lain for {lying.time_s - fall.lying.time_s:.1f} s,"
                f" threshold {self.parameters.lying_s:.1f} s: the top of the box came down to {max(fall.level, 0):.2f}"
                f" of the upright height within {fall.lasted_s:.1f} s"
            ),
            box=lying.box,
            ground_point=self.parameters.ground_point(lying),
        )
        return person.finding
