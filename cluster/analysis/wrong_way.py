"""Wrong way: someone goes against the direction that a zone allows.

What counts is how far one has come, along the way, behind the place where the zone was entered: who stands about, turns round or
steps aside has gone nowhere, and who crosses slantwise has gone as far as that leads along the way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from cluster.analysis.encounters import Encounters
from cluster.analysis.geometry import GroundPlane, Points, Polygon
from cluster.analysis.parameters import bounded, movers, polygon, schedule, seconds
from cluster.analysis.scene import Finding, Needs, Phase, Rule, RuleContext, Scene
from cluster.analysis.schedule import Schedule
from cluster.analysis.view import View
from cluster.analysis.visits import Presence, Sight, Visit, Visits
from cluster.analysis.wording import counted
from cluster.errors import ConfigurationError
from vigie.v1 import venues_pb2
from vigie.vocabulary import Kind, ObjectClass, Severity

MIN_DISTANCE_M = 2.5
MIN_DISTANCE_HEIGHTS = 1.5
MIN_DURATION_S = 1.0
CLEAR_S = 2.0
EXCHANGE = "wrong_way.exchange"
DISTANCE_LIMITS = (0.1, 100.0)
DURATION_LIMIT_S = 3600.0

# The duration counts from this share of the distance on: a box that jumps for a moment goes nowhere.
_UNDER_WAY = 0.5
# Who steps out of the zone for no longer than this comes back to where he was on his way, and does not begin a new one.
_ABSENCE_S = 1.5
_EPSILON_S = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """The direction in which people may go through a zone.

    Attributes:
        direction: (2,) of length 1; on the ground where there is a plane, in the picture else.
        plane: of the ground.
    """

    direction: Points
    plane: GroundPlane | None

    @classmethod
    def of(cls, arrow: tuple[float, float], zone: Polygon, plane: GroundPlane | None, where: str) -> Self:
        """The way that an arrow in the picture means.

        It leads from the middle of the half of the zone that the arrow comes from to the middle of the half that it points to. So
        it keeps to a lane that the arrow follows only roughly, as one does that is drawn on a picture of sloping ground.

        Raises ConfigurationError with `where` when the arrow has no length or leads nowhere.
        """
        length = float(np.hypot(*arrow))
        if not 0 < length < np.inf:
            raise ConfigurationError(
                where, f"({arrow[0]:g}, {arrow[1]:g}) points nowhere; give it a length, such as (-1, 0) for leftwards"
            )
        middles = np.concatenate([shapely.get_coordinates(half.centroid) for half in _halves(zone, np.array(arrow) / length)])
        start, end = middles if plane is None else plane.ground(middles)
        return cls((end - start) / np.linalg.norm(end - start), plane)

    def step(self, before: Sight, after: Sight) -> float:
        """How far along the way someone went between two sights: in metres, in heights of the box where there is no plane."""
        feet = np.stack([before.feet, after.feet])
        places = feet if self.plane is None else self.plane.ground(feet)
        along = float((places[1] - places[0]) @ self.direction)
        if self.plane is None:
            return 2 * along / (before.height + after.height)
        return 0.0 if np.isnan(along) else along


def _halves(zone: Polygon, arrow: Points) -> tuple[BaseGeometry, BaseGeometry]:
    """The part of a zone behind its middle and the part in front of it, for one who looks along an arrow of length 1."""
    x0, y0, x1, y1 = zone.shape.bounds
    reach = np.hypot(x1 - x0, y1 - y0)
    centre, side = np.array([zone.shape.centroid.x, zone.shape.centroid.y]), np.array([-arrow[1], arrow[0]])
    left, right = centre - reach * side, centre + reach * side
    behind, front = (shapely.Polygon([left, right, right + step, left + step]) for step in (-reach * arrow, reach * arrow))
    return zone.shape.intersection(behind), zone.shape.intersection(front)


@dataclass(frozen=True, slots=True, eq=False)
class WrongWay:
    """What to watch for.

    Attributes:
        view: of the camera.
        zone: id of the zone.
        polygon: its shape.
        way: how people may go through it.
        who: must keep to it.
        min_distance: how far one must get behind where one came in, along the way: in metres; in heights of the box where the
            camera has no ground plane.
        min_duration_s: how long one must have been behind by half of that.
        clear_s: how long one must be gone from the zone before one's signal closes.
        schedule: when the direction holds.
    """

    NEEDS: ClassVar[Needs] = Needs(person_px=24)
    PARTS: ClassVar[Mapping[str, str]] = {
        EXCHANGE: "gives two who met their own ways back where their tracks were exchanged",
    }

    view: View
    zone: str
    polygon: Polygon
    way: Way
    who: frozenset[ObjectClass]
    min_distance: float
    min_duration_s: float
    clear_s: float
    schedule: Schedule

    @classmethod
    def of(cls, message: venues_pb2.WrongWayRule, view: View, where: str) -> Self:
        """From the contract's message. Raises ConfigurationError with `where` and the field."""
        shape = polygon(view, message.zone, f"{where}.zone")
        if view.plane is not None:
            # Raises where the zone is not all on the ground.
            view.plane.area_m2(shape, f"{where}.zone {message.zone!r}")
        arrow = message.allowed_direction.x, message.allowed_direction.y
        return cls(
            view=view,
            zone=message.zone,
            polygon=shape,
            way=Way.of(arrow, shape, view.plane, f"{where}.allowed_direction"),
            who=movers(message.who, f"{where}.who"),
            min_distance=_min_distance(message, view, where),
            min_duration_s=seconds(message, "min_duration", default_s=MIN_DURATION_S, limit_s=DURATION_LIMIT_S, where=where),
            clear_s=seconds(message, "clear", default_s=CLEAR_S, limit_s=DURATION_LIMIT_S, where=where),
            schedule=schedule(list(message.schedule), view, f"{where}.schedule"),
        )

    @property
    def kind(self) -> Kind:
        """WRONG_WAY."""
        return Kind.WRONG_WAY

    @property
    def unit(self) -> str:
        """Of distances."""
        return "heights" if self.view.plane is None else "m"

    def rule(self, context: RuleContext) -> Rule:
        """A rule that has seen nothing yet."""
        visits = Visits(self.view, self.polygon, self.who, absence_s=_ABSENCE_S)
        return WrongWayRule(self, visits, None if EXCHANGE in context.without else Encounters())


def _min_distance(message: venues_pb2.WrongWayRule, view: View, where: str) -> float:
    if view.plane is None:
        given = message.min_distance_heights if message.HasField("min_distance_heights") else MIN_DISTANCE_HEIGHTS
        return bounded(given, *DISTANCE_LIMITS, f"{where}.min_distance_heights")
    given = message.min_distance_m if message.HasField("min_distance_m") else MIN_DISTANCE_M
    return bounded(given, *DISTANCE_LIMITS, f"{where}.min_distance_m")


@dataclass(slots=True, eq=False)
class _Walk:
    """How far one visitor has come.

    Attributes:
        sight: the last one in the zone.
        against: how far he is behind where he began.
        furthest: the most that he was.
        under_way_s: since when he has been behind by more than a share of the distance that counts.
        finding: of his signal while it is open.
    """

    sight: Sight
    against: float = 0.0
    furthest: float = 0.0
    under_way_s: float = 0.0
    finding: Finding | None = None

    def move(self, sight: Sight, way: Way, min_distance: float) -> None:
        """Takes him to where he is seen now."""
        self.against -= way.step(self.sight, sight)
        self.furthest = max(self.furthest, self.against)
        if self.against < _UNDER_WAY * min_distance:
            self.under_way_s = sight.time_s
        self.sight = sight


@dataclass(slots=True, eq=False)
class WrongWayRule:
    """Watches one polygon: a signal for each visitor who goes the wrong way."""

    parameters: WrongWay
    visits: Visits
    encounters: Encounters | None
    _walks: dict[int, _Walk] = field(default_factory=dict)

    def step(self, scene: Scene) -> Sequence[Finding]:
        """What changed with this frame."""
        if not self.parameters.schedule.holds(scene.time_s):
            self._forget()
            return self._closed(list(self._walks), "the rule's schedule ended")
        self._exchange(scene)
        self.visits.step(scene)
        here = [visit for visit in self.visits if visit.presence is Presence.HERE]
        findings = [finding for visit in here for finding in self._follow(visit)]
        gone = [number for number, walk in self._walks.items() if self._is_gone(walk, scene.time_s)]
        return [
            *findings,
            *self._closed(gone, f"has not been seen in zone {self.parameters.zone} for {self.parameters.clear_s:.1f} s"),
        ]

    def reset(self) -> None:
        """Forgets who was seen."""
        self._forget()
        self._walks.clear()

    def _forget(self) -> None:
        self.visits.clear()
        if self.encounters is not None:
            self.encounters.clear()

    def _exchange(self, scene: Scene) -> None:
        if self.encounters is not None:
            for pair in self.encounters.step(scene.tracks.of(self.parameters.who), scene.time_s):
                self.visits.exchange(*pair)

    def _follow(self, visit: Visit) -> Sequence[Finding]:
        walk = self._walks.setdefault(visit.number, _Walk(visit.sight, under_way_s=visit.sight.time_s))
        walk.move(visit.sight, self.parameters.way, self.parameters.min_distance)
        if walk.finding is None:
            return self._opened(visit.number, walk)
        if walk.furthest - walk.against < self.parameters.min_distance:
            return ()
        return self._closed([visit.number], f"turned back after {walk.furthest:.1f} {self.parameters.unit}")

    def _opened(self, number: int, walk: _Walk) -> Sequence[Finding]:
        under_way_s = walk.sight.time_s - walk.under_way_s
        if walk.against < self.parameters.min_distance or under_way_s < self.parameters.min_duration_s - _EPSILON_S:
            return ()
        walk.finding = Finding(
            key=str(number),
            phase=Phase.OPENED,
            severity=Severity.WARNING,
            score=walk.sight.score,
            reason=self._reason(walk, under_way_s),
            box=walk.sight.box,
            ground_point=self.parameters.view.ground_point(walk.sight.feet),
        )
        return (walk.finding,)

    def _is_gone(self, walk: _Walk, time_s: float) -> bool:
        gone_s = time_s - walk.sight.time_s
        return gone_s > 0 and gone_s >= self.parameters.clear_s - _EPSILON_S

    def _reason(self, walk: _Walk, under_way_s: float) -> str:
        way = f"{walk.against:.1f} {self.parameters.unit} against the direction of zone {self.parameters.zone}"
        threshold = (
            f"threshold {self.parameters.min_distance:.1f} {self.parameters.unit} and {self.parameters.min_duration_s:.1f} s"
        )
        return f"{counted([walk.sight.object_class])} went {way} for {under_way_s:.1f} s, {threshold}"

    def _closed(self, numbers: list[int], reason: str) -> list[Finding]:
        """Forgets some walks, and closes their signals."""
        findings = [self._walks.pop(number).finding for number in numbers]
        return [replace(finding, phase=Phase.CLOSED, reason=reason) for finding in findings if finding]
