"""Zone intrusion: someone or something stays in a zone, or crosses a line, where it must not.

One signal a zone, for as long as intruders are there. An intruder is who has been in the zone for the dwell time: whoever only
cuts a corner raises nothing and keeps nothing open.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from cluster.analysis.geometry import Line, Zone
from cluster.analysis.line_crossing import LineCrossingRule
from cluster.analysis.parameters import movers, schedule, seconds
from cluster.analysis.scene import Finding, Needs, Phase, Rule, RuleContext, Scene
from cluster.analysis.schedule import Schedule
from cluster.analysis.view import View
from cluster.analysis.visits import Presence, Visit, Visits
from cluster.analysis.wording import counted
from vigie.v1 import venues_pb2
from vigie.vocabulary import Kind, ObjectClass, Severity

DWELL_S = 1.0
CLEAR_S = 2.0
EDGE = "zone_intrusion.edge"
DURATION_LIMIT_S = 3600.0

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
            Who was seen to leave is gone; whose track was lost inside may still be there for 2 s more.
        schedule: when it must not be.
    """

    NEEDS: ClassVar[Needs] = Needs(person_px=24)
    PARTS: ClassVar[Mapping[str, str]] = {EDGE: "who walks out over the lower edge of the picture has left the zone"}

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
        return cls(
            view=view,
            zone=message.zone,
            shape=view.named(message.zone, f"{where}.zone"),
            who=movers(message.who, f"{where}.who"),
            dwell_s=seconds(message, "dwell", default_s=DWELL_S, limit_s=DURATION_LIMIT_S, where=where),
            clear_s=seconds(message, "clear", default_s=CLEAR_S, limit_s=DURATION_LIMIT_S, where=where),
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
        ends_at_edge = EDGE not in context.without
        return ZoneIntrusionRule(self, Visits(self.view, self.shape, self.who, ends_at_edge=ends_at_edge))


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
    visits: Visits
    _occupation: _Occupation | None = None

    def step(self, scene: Scene) -> Sequence[Finding]:
        """What changed with this frame."""
        if not self.parameters.schedule.holds(scene.time_s):
            self.visits.clear()
            return self._close("the rule's schedule ended")
        self.visits.step(scene)
        there = [visit for visit in self.visits if visit.presence is not Presence.LEFT and self._intrudes(visit)]
        return self._occupied(there, scene.time_s) if there else self._empty(scene.time_s)

    def reset(self) -> None:
        """Forgets who was seen."""
        self.visits.clear()
        self._occupation = None

    def _intrudes(self, visit: Visit) -> bool:
        return visit.here_s - visit.since_s >= self.parameters.dwell_s - _EPSILON_S

    def _occupied(self, intruders: list[Visit], time_s: float) -> Sequence[Finding]:
        seen = [visit for visit in intruders if visit.presence is Presence.HERE]
        if self._occupation is None:
            # The margin keeps a signal open, and opens none for who walks along the border.
            inside = [visit for visit in seen if visit.sight.outside_px == 0]
            return self._tell(Phase.OPENED, inside, time_s) if inside else ()
        self._occupation.last_s = time_s
        if len(seen) > self._occupation.told and time_s - self._occupation.told_s >= _UPDATE_S:
            return self._tell(Phase.UPDATED, seen, time_s)
        return ()

    def _empty(self, time_s: float) -> Sequence[Finding]:
        if self._occupation is None:
            return ()
        empty_s = time_s - self._occupation.last_s
        if empty_s < self.parameters.clear_s - _EPSILON_S:
            return ()
        return self._close(f"nobody has been in zone {self.parameters.zone} for {empty_s:.1f} s")

    def _tell(self, phase: Phase, intruders: list[Visit], time_s: float) -> Sequence[Finding]:
        first = min(intruders, key=lambda visit: visit.since_s)
        finding = Finding(
            key="zone",
            phase=phase,
            severity=Severity.WARNING,
            score=max(visit.sight.score for visit in intruders),
            reason=self._reason(intruders, time_s - first.since_s),
            box=first.sight.box,
            ground_point=self.parameters.view.ground_point(first.sight.feet),
        )
        self._occupation = _Occupation(time_s, len(intruders), time_s, finding)
        return (finding,)

    def _reason(self, intruders: list[Visit], longest_s: float) -> str:
        who = counted(visit.sight.object_class for visit in intruders)
        stay = " for" if len(intruders) == 1 else ", the first for"
        return f"{who} in zone {self.parameters.zone}{stay} {longest_s:.1f} s, threshold {self.parameters.dwell_s:.1f} s"

    def _close(self, reason: str) -> Sequence[Finding]:
        if self._occupation is None:
            return ()
        closed = replace(self._occupation.finding, phase=Phase.CLOSED, reason=reason)
        self._occupation = None
        return (closed,)
