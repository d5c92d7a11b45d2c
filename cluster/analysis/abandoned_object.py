"""Abandoned object: a thing that someone put down and left.

What stands before the scene is followed from when it appears, whatever it is. It is abandoned when someone was there as it
appeared, was seen to leave, and nobody has attended to it for long enough; unless it is no thing at all (a hole, a shadow, what
belongs to the scene), or not one that people carry.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np

from cluster.analysis.attendance import Nearness
from cluster.analysis.boxes import feet_apart
from cluster.analysis.geometry import Polygon
from cluster.analysis.imprint import Colours
from cluster.analysis.parameters import bounded, polygon_if_named, seconds
from cluster.analysis.scene import Box, Finding, Needs, Phase, Rule, RuleContext, Scene
from cluster.analysis.standing_thing import Group, StandingThing
from cluster.analysis.standing_things import StandingThings
from cluster.analysis.view import View
from vigie.v1 import venues_pb2
from vigie.vocabulary import Kind, Severity

STATIONARY_S = 30.0
OWNER_DISTANCE_M = 3.0
OWNER_DISTANCE_HEIGHTS = 1.75
DURATION_LIMIT_S = 3600.0
DISTANCE_LIMITS = (0.1, 100.0)

# Frames that come sooner are passed over: what stands is as well seen five times a second.
_STEP_S = 0.19
# An outline is judged once it has lasted, so that it is not that of half a thing.
_JUDGED_AFTER_S = 1.0
# How much weaker the edges around a hole are with it than without it, -1 to 1 (measured: -0.7 to -0.1; things 0.0 to 0.9).
_HOLE = -0.05
_SHADE = 0.9
_FAMILIAR = 0.7
# A hole and a thing of alike shape and colour, near each other in time and place: something was moved. Who moves a thing does not
# carry it for longer, nor farther than some heights of the body.
_MOVED_S = 10.0
_MOVED_HEIGHTS = 3.0
_MOVED_RATIO = 1.5
_MOVED_LEVELS = 20.0
_HOLES_LIMIT = 32
# How sure the detector must be, on average, that a thing is a person or a vehicle; that it is luggage.
_ANOTHER = 0.3
_LUGGAGE = 0.3
# What nobody brought becomes part of the scene; so does, in the end, what somebody brought, and what is out of sight for long.
_UNOWNED_S = 60.0
_OLD_S = 3600.0
_LOST_S = 60.0
# Someone who stays with a thing for as long has taken care of it.
_CARE_S = 10.0
_EPSILON_S = 1e-6

_PARTS: Mapping[str, str] = {
    "light": "follows exposure and white balance, and learns the scene anew when most of the picture changes at once",
    "owner": "asks for someone who was there when the thing appeared and who was seen to leave",
    "luggage": "does not ask for that where the detector sees luggage",
    "attended": "waits while an owner or anyone who stays is near",
    "ghost": "passes over the hole that something leaves: edges along its border are weaker with it than without it",
    "shade": "passes over shadows, puddles and patches of light: the place in its own tint, evenly darker or lighter",
    "memory": "passes over what looks as the place once did, such as a door that was open before",
    "moved": "passes over what left a hole of its size and colour elsewhere, such as a chair that was pushed",
    "person": "passes over what the detector takes for a person",
    "vehicle": "passes over what the detector takes for a vehicle",
    "size": "passes over what is larger than people carry, such as people who lie and cars",
    "calm": "waits while something moves at the thing most of the time, as it does where people sit or stand",
}


@dataclass(frozen=True, slots=True, eq=False)
class AbandonedObject:
    """What to watch for.

    Attributes:
        view: of the camera.
        zone: id of the zone; empty for the whole picture.
        polygon: its shape.
        stationary_s: how long a thing must have been left alone before it counts.
        owner_distance_m: someone as near attends to it, where the camera has a ground plane.
        owner_distance_heights: the same in heights of the person, where it has none.
    """

    NEEDS: ClassVar[Needs] = Needs(person_px=30)
    PARTS: ClassVar[Mapping[str, str]] = {f"abandoned_object.{name}": purpose for name, purpose in _PARTS.items()}

    view: View
    zone: str
    polygon: Polygon | None
    stationary_s: float
    owner_distance_m: float
    owner_distance_heights: float

    @classmethod
    def of(cls, message: venues_pb2.AbandonedObjectRule, view: View, where: str) -> Self:
        """From the contract's message. Raises ConfigurationError with `where` and the field."""
        distance_m = message.owner_distance_m if message.HasField("owner_distance_m") else OWNER_DISTANCE_M
        heights = message.owner_distance_heights if message.HasField("owner_distance_heights") else OWNER_DISTANCE_HEIGHTS
        return cls(
            view=view,
            zone=message.zone,
            polygon=polygon_if_named(view, message.zone, f"{where}.zone"),
            stationary_s=seconds(message, "stationary", default_s=STATIONARY_S, limit_s=DURATION_LIMIT_S, where=where),
            owner_distance_m=bounded(distance_m, *DISTANCE_LIMITS, f"{where}.owner_distance_m"),
            owner_distance_heights=bounded(heights, *DISTANCE_LIMITS, f"{where}.owner_distance_heights"),
        )

    @property
    def kind(self) -> Kind:
        """ABANDONED_OBJECT."""
        return Kind.ABANDONED_OBJECT

    def rule(self, context: RuleContext) -> Rule:
        """A rule that has seen nothing yet."""
        off = {part.removeprefix("abandoned_object.") for part in context.without}
        return AbandonedObjectRule(self, frozenset(_PARTS) - off)


@dataclass(frozen=True, slots=True, eq=False)
class _Hole:
    """Where something was that belonged to the scene, since when it is not, and what it looked like."""

    born_s: float
    box: Box
    area_px: int
    colour: Colours

    def is_of(self, thing: StandingThing) -> bool:
        """Whether a thing may be what was taken from here."""
        attendance = thing.attendance
        return (
            abs(self.born_s - attendance.born_s) <= _MOVED_S
            and feet_apart(self.box, thing.box) <= _MOVED_HEIGHTS * attendance.owner_height
            and _are_alike(self.area_px, thing.imprint.area_px)
            and _are_alike(self.box[3] - self.box[1], thing.box[3] - thing.box[1])
            and bool((np.abs(thing.imprint.colour - self.colour) <= _MOVED_LEVELS).all())
        )


def _are_alike(a: float, b: float) -> bool:
    return max(a, b) <= _MOVED_RATIO * min(a, b)


@dataclass(slots=True, eq=False)
class AbandonedObjectRule:
    """Watches one zone, or the whole picture.

    Args:
        parameters: what to watch for.
        parts: those of `_PARTS` that are switched on.
    """

    parameters: AbandonedObject
    parts: frozenset[str]
    _standing: StandingThings | None = None
    _holes: deque[_Hole] = field(default_factory=lambda: deque(maxlen=_HOLES_LIMIT))
    _last_s: float = 0.0

    def step(self, scene: Scene) -> Sequence[Finding]:
        """What changed with this frame."""
        elapsed_s = scene.time_s - self._last_s
        if self._standing is None or self._standing.background.picture.shape != scene.small.shape:
            return self._begin(scene)
        if elapsed_s < _STEP_S:
            return ()
        self._last_s = scene.time_s
        if not self._standing.step(scene, elapsed_s):
            return ()
        things = list(self._standing.things.values())
        return [finding for thing in things for finding in self._judge(thing, self._standing, scene.time_s)]

    def reset(self) -> None:
        """Forgets the scene and what stands before it."""
        self._standing = None
        self._holes.clear()

    def _begin(self, scene: Scene) -> Sequence[Finding]:
        """Begins with a first picture, or anew with one of another size."""
        things = self._standing.things.values() if self._standing else ()
        findings = [self._close(thing, "the picture has another size") for thing in things if thing.is_open]
        self.reset()
        self._last_s = scene.time_s
        self._standing = StandingThings.of(scene.small, self._nearness(scene), follows_light="light" in self.parts)
        return findings

    def _nearness(self, scene: Scene) -> Nearness:
        height, width = scene.small.shape[:2]
        view = self.parameters.view
        return Nearness(
            view=view,
            scale=np.array([width / view.width, height / view.height]),
            limit_m=self.parameters.owner_distance_m,
            limit_heights=self.parameters.owner_distance_heights,
        )

    def _judge(self, thing: StandingThing, standing: StandingThings, time_s: float) -> Sequence[Finding]:
        """What there is to say of one thing."""
        if thing.is_gone(time_s):
            standing.drop(thing)
            return [self._close(thing, "it is no longer there")] if thing.is_open else ()
        if not thing.is_judged and thing.is_clear and time_s - thing.outlined_s >= _JUDGED_AFTER_S:
            thing.is_judged = True
            if self._is_of_the_scene(thing):
                standing.absorb(thing)
                return ()
        if thing.is_open:
            end = self._end(thing, time_s)
            return [self._close(thing, end)] if end else ()
        if thing.told_s is None and self._is_abandoned(thing, time_s):
            return [self._open(thing, time_s)]
        if self._is_over(thing, time_s):
            standing.absorb(thing)
        return ()

    def _is_of_the_scene(self, thing: StandingThing) -> bool:
        """Whether what stands out is no thing: a hole, a shadow or light, or what was there before."""
        imprint = thing.imprint
        if "ghost" in self.parts and imprint.outline < _HOLE:
            self._holes.append(_Hole(thing.attendance.born_s, thing.box, imprint.area_px, imprint.colour_of_place))
            return True
        is_shade = "shade" in self.parts and imprint.shade >= _SHADE
        return is_shade or ("memory" in self.parts and imprint.familiarity >= _FAMILIAR)

    def _is_abandoned(self, thing: StandingThing, time_s: float) -> bool:
        return (
            thing.is_judged
            and thing.is_clear
            and (thing.is_calm or "calm" not in self.parts)
            and time_s - self._alone_since_s(thing) >= self.parameters.stationary_s - _EPSILON_S
            and self._was_left(thing)
            and not self._is_another(thing)
            and self._is_in_the_zone(thing)
        )

    def _alone_since_s(self, thing: StandingThing) -> float:
        """Since when nobody attends to a thing."""
        attended_s = thing.attendance.attended_s if "attended" in self.parts else -np.inf
        return max(thing.attendance.born_s, attended_s)

    def _was_left(self, thing: StandingThing) -> bool:
        """Whether someone brought a thing and went away: seen to, or taken for granted of luggage."""
        if "owner" not in self.parts or thing.attendance.left_s is not None:
            return True
        is_luggage = "luggage" in self.parts and thing.evidence[Group.LUGGAGE] >= _LUGGAGE
        return is_luggage and thing.attendance.owner_height > 0

    def _is_another(self, thing: StandingThing) -> bool:
        """Whether a thing is none that people carry about and leave."""
        return (
            ("person" in self.parts and thing.evidence[Group.PERSON] >= _ANOTHER)
            or ("vehicle" in self.parts and thing.evidence[Group.VEHICLE] >= _ANOTHER)
            or ("size" in self.parts and thing.is_too_large)
            or ("moved" in self.parts and any(hole.is_of(thing) for hole in self._holes))
        )

    def _is_in_the_zone(self, thing: StandingThing) -> bool:
        shape = self.parameters.polygon
        return shape is None or bool(shape.contains([self._base(thing)])[0])

    def _is_over(self, thing: StandingThing, time_s: float) -> bool:
        """Whether a thing may become part of the scene."""
        age_s = time_s - thing.attendance.born_s
        is_lost = time_s - max(thing.seen_s, thing.outlined_s) > _LOST_S
        return is_lost or age_s > _OLD_S or (not thing.attendance.owner_height and age_s > _UNOWNED_S)

    def _end(self, thing: StandingThing, time_s: float) -> str | None:
        """Why a signal ends though the thing is there."""
        if thing.attendance.stay_s >= _CARE_S:
            return f"someone has stayed with it for {thing.attendance.stay_s:.1f} s"
        if time_s - thing.seen_s > _LOST_S:
            return f"it has not been seen for {_LOST_S:.0f} s"
        if time_s - thing.attendance.born_s > _OLD_S:
            return f"it has stood there for {_OLD_S:.0f} s and counts as part of the scene"
        return None

    def _open(self, thing: StandingThing, time_s: float) -> Finding:
        thing.told_s, thing.is_open = time_s, True
        left_s = thing.attendance.left_s
        owner = "who brought it was not seen to leave" if left_s is None else f"who brought it left {time_s - left_s:.1f} s ago"
        alone = f"alone for {time_s - self._alone_since_s(thing):.1f} s, threshold {self.parameters.stationary_s:.1f} s"
        size = f"{thing.heights:.1f} body heights in size"
        return self._finding(thing, Phase.OPENED, f"{self._name(thing)} {alone}; {owner}; {size}")

    def _close(self, thing: StandingThing, reason: str) -> Finding:
        thing.is_open = False
        return self._finding(thing, Phase.CLOSED, reason)

    def _name(self, thing: StandingThing) -> str:
        return "luggage" if thing.evidence[Group.LUGGAGE] >= _LUGGAGE else "thing"

    def _finding(self, thing: StandingThing, phase: Phase, reason: str) -> Finding:
        x0, y0, x1, y1 = (np.array(thing.box) / np.tile(thing.attendance.nearness.scale, 2)).tolist()
        return Finding(
            key=str(thing.key),
            phase=phase,
            severity=Severity.WARNING,
            # Half by what the pixels say, half by what the detector does.
            score=0.5 + 0.5 * min(1.0, thing.evidence[Group.LUGGAGE]),
            reason=reason,
            box=(x0, y0, x1, y1),
            ground_point=self.parameters.view.ground_point(np.array([self._base(thing)])),
        )

    def _base(self, thing: StandingThing) -> tuple[float, float]:
        """The point on which a thing stands, in pixels of the camera's picture."""
        x, y = (np.array(thing.attendance.base) / thing.attendance.nearness.scale).tolist()
        return x, y
