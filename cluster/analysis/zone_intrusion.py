"""Zone intrusion: someone or something stays in a zone, or crosses a line, where it must not.

One signal a zone, for as long as intruders are there. An intruder is who has been in the zone for the dwell time: whoever only
cuts a corner raises nothing and keeps nothing open.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

import numpy as np

from cluster.analysis.geometry import Line, Points, Polygon, Zone
from cluster.analysis.line_crossing import LineCrossingRule
from cluster.analysis.parameters import schedule, seconds
from cluster.analysis.scene import Box, Finding, Needs, Phase, Rule, RuleContext, Scene, box_of
from cluster.analysis.schedule import Schedule
from cluster.analysis.view import View
from cluster.analysis.wording import counted
from cluster.errors import ConfigurationError
from vigie.v1 import venues_pb2
from vigie.vocabulary import INTRUDERS, Kind, ObjectClass, Severity

DWELL_S = 1.0
CLEAR_S = 2.0
DURATION_LIMIT_S = 3600.0

# How far beyond the border a visitor still counts as inside, in heights of its box: the feet of a box jitter by a few hundredths.
_MARGIN = 0.1
# For how long a visit outlives its track, and how far from its last place another track may take it on: in heights of the box, at
# once and a second later. A person of 1.75 m walks his height in about a second.
_BRIDGE_S = 2.0
_REACH = 0.5
_REACH_PER_S = 1.0
# A rising count is told no more often than this.
_UPDATE_S = 2.0
_EPSILON_S = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class ZoneIntrusion:
    """What to watch for.

    Attributes:
        view: of the camera.
        zone: id of the zone.
        shape: of the zone.
        who: must not be there.
        dwell_s: how long one must be in a polygon to be an intruder.
        clear_s: how long no intruder must be there before the signal closes; after a crossing, how long its signal stays open.
        schedule: when it must not be.
    """

    NEEDS: ClassVar[Needs] = Needs(person_px=24)
    PARTS: ClassVar[Mapping[str, str]] = {}

    view: View
    zone: str
    shape: Zone
    who: frozenset[ObjectClass]
    dwell_s: float
    clear_s: float
    schedule: Schedule

    @classmethod
    def of(cls, message: venues_pb2.ZoneIntrusionRule, view: View, where: str) -> Self:
        """From the contract's message. Raises ConfigurationError with `where` and the field."""
        dwell = message.dwell if message.HasField("dwell") else None
        clear = message.clear if message.HasField("clear") else None
        return cls(
            view=view,
            zone=message.zone,
            shape=view.named(message.zone, f"{where}.zone"),
            who=_who(message.who, f"{where}.who"),
            dwell_s=seconds(dwell, default_s=DWELL_S, limit_s=DURATION_LIMIT_S, where=f"{where}.dwell"),
            clear_s=seconds(clear, default_s=CLEAR_S, limit_s=DURATION_LIMIT_S, where=f"{where}.clear"),
            schedule=schedule(list(message.schedule), view, f"{where}.schedule"),
        )

    @property
    def kind(self) -> Kind:
        """ZONE_INTRUSION."""
        return Kind.ZONE_INTRUSION

    def rule(self, context: RuleContext) -> Rule:
        """A rule that has seen nothing yet."""
        if isinstance(self.shape, Line):
            return LineCrossingRule(
                view=self.view, zone=self.zone, line=self.shape, who=self.who, open_s=self.clear_s, schedule=self.schedule
            )
        return ZoneIntrusionRule(self, self.shape)


def _who(values: Sequence[int], where: str) -> frozenset[ObjectClass]:
    for value in values:
        if value not in INTRUDERS:
            names = ", ".join(sorted(intruder.name for intruder in INTRUDERS))
            raise ConfigurationError(where, f"{_class_name(value)} cannot intrude; choose from {names}")
    return frozenset(map(ObjectClass, values)) or frozenset({ObjectClass.PERSON})


def _class_name(value: int) -> str:
    return ObjectClass(value).name if value in set(ObjectClass) else f"class {value}"


@dataclass(slots=True)
class _Visit:
    """One stay of someone in the zone; it outlives a track that is lost or gets another id."""

    since_s: float
    last_s: float
    box: Box
    feet: Points
    score: float
    object_class: ObjectClass
    is_inside: bool

    @property
    def height(self) -> float:
        return self.box[3] - self.box[1]

    def is_reached(self, feet: Points, time_s: float) -> bool:
        """Whether someone who stands at `feet` now may be this visitor."""
        reach = (_REACH + _REACH_PER_S * (time_s - self.last_s)) * self.height
        return float(np.linalg.norm(feet - self.feet)) <= reach


@dataclass(slots=True)
class _Occupation:
    """The signal of a zone while it is open."""

    last_s: float
    told: int
    told_s: float
    finding: Finding


@dataclass(slots=True, eq=False)
class ZoneIntrusionRule:
    """Watches one polygon."""

    parameters: ZoneIntrusion
    polygon: Polygon
    _visits: dict[int, _Visit] = field(default_factory=dict)
    _occupation: _Occupation | None = None

    def step(self, scene: Scene) -> Sequence[Finding]:
        """What changed with this frame."""
        if not self.parameters.schedule.holds(scene.time_s):
            self._visits.clear()
            return self._close("the rule's schedule ended")
        self._follow(scene)
        intruders = [visit for visit in self._visits.values() if self._intrudes(visit, scene.time_s)]
        if intruders:
            return self._occupied(intruders, scene.time_s)
        return self._empty(scene.time_s)

    def reset(self) -> None:
        """Forgets who was seen."""
        self._visits.clear()
        self._occupation = None

    def _follow(self, scene: Scene) -> None:
        """Brings the visits up to this frame."""
        seen = scene.tracks[scene.tracks.unseen_s == 0].of(self.parameters.who)
        feet = self.parameters.view.standing_points(seen.feet)
        outside = self.polygon.distances(feet)
        margins = _MARGIN * (seen.boxes[:, 3] - seen.boxes[:, 1])
        present = set(seen.ids.tolist())
        for row, track in enumerate(seen.ids.tolist()):
            visit = self._visits.pop(track, None)
            if outside[row] > (margins[row] if visit else 0):
                continue
            visit = visit or self._orphan(feet[row], scene.time_s, present)
            since_s = visit.since_s if visit else scene.time_s
            self._visits[track] = _Visit(
                since_s=since_s,
                last_s=scene.time_s,
                box=box_of(seen, row),
                feet=feet[row],
                score=float(seen.scores[row]),
                object_class=ObjectClass(int(seen.classes[row])),
                is_inside=bool(outside[row] == 0),
            )
        self._visits = {track: visit for track, visit in self._visits.items() if scene.time_s - visit.last_s <= _BRIDGE_S}

    def _orphan(self, feet: Points, time_s: float, present: set[int]) -> _Visit | None:
        """Takes away the nearest visit whose track is lost and whose visitor may stand at `feet` now."""
        lost = {
            track: float(np.linalg.norm(feet - visit.feet))
            for track, visit in self._visits.items()
            if track not in present and visit.is_reached(feet, time_s)
        }
        return self._visits.pop(min(lost, key=lost.__getitem__)) if lost else None

    def _intrudes(self, visit: _Visit, time_s: float) -> bool:
        return visit.last_s == time_s and time_s - visit.since_s >= self.parameters.dwell_s - _EPSILON_S

    def _occupied(self, intruders: list[_Visit], time_s: float) -> Sequence[Finding]:
        if self._occupation is None:
            # The margin keeps a signal open, and opens none for who walks along the border.
            inside = [visit for visit in intruders if visit.is_inside]
            return self._tell(Phase.OPENED, inside, time_s) if inside else ()
        self._occupation.last_s = time_s
        if len(intruders) > self._occupation.told and time_s - self._occupation.told_s >= _UPDATE_S:
            return self._tell(Phase.UPDATED, intruders, time_s)
        return ()

    def _empty(self, time_s: float) -> Sequence[Finding]:
        if self._occupation is None:
            return ()
        empty_s = time_s - self._occupation.last_s
        if empty_s < self.parameters.clear_s - _EPSILON_S:
            return ()
        return self._close(f"nobody has been in zone {self.parameters.zone} for {empty_s:.1f} s")

    def _tell(self, phase: Phase, intruders: list[_Visit], time_s: float) -> Sequence[Finding]:
        first = min(intruders, key=lambda visit: visit.since_s)
        finding = Finding(
            key="zone",
            phase=phase,
            severity=Severity.WARNING,
            score=max(visit.score for visit in intruders),
            reason=self._reason(intruders, time_s - first.since_s),
            box=first.box,
            ground_point=self.parameters.view.ground_point(first.feet),
        )
        self._occupation = _Occupation(time_s, len(intruders), time_s, finding)
        return (finding,)

    def _reason(self, intruders: list[_Visit], longest_s: float) -> str:
        who = counted(visit.object_class for visit in intruders)
        stay = " for" if len(intruders) == 1 else ", the first for"
        return f"{who} in zone {self.parameters.zone}{stay} {longest_s:.1f} s, threshold {self.parameters.dwell_s:.1f} s"

    def _close(self, reason: str) -> Sequence[Finding]:
        if self._occupation is None:
            return ()
        closed = replace(self._occupation.finding, phase=Phase.CLOSED, reason=reason)
        self._occupation = None
        return (closed,)
