"""Crowd density: more people on a piece of ground than is safe, or more who pass a line than is safe.

The people of a polygon (`crowd_count`) stand on the square metres of ground that it covers; those who cross a line (`line_flow`)
pass the metres that it spans. Of the default thresholds, 4.7 people/m² for a standing crowd and 82 a metre and minute for one
that walks on the level are limits of the Guide to Safety at Sports Grounds; those below leave time to act, those above are dire.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import hypot
from typing import ClassVar, Self

import numpy as np

from cluster.analysis.crowd_count import Crowd, CrowdCounter
from cluster.analysis.geometry import GroundPlane, Line, Polygon, Zone
from cluster.analysis.levels import Change, Levels, Thresholds, rising
from cluster.analysis.line_flow import LineFlow, LineFlowRule, strip
from cluster.analysis.parameters import bounded, seconds
from cluster.analysis.scene import Finding, Needs, Phase, Rule, RuleContext, Scene
from cluster.analysis.view import View
from cluster.errors import ConfigurationError
from vigie.v1 import venues_pb2
from vigie.vocabulary import Kind, Severity

MOVING: Thresholds = ((Severity.NOTICE, 2.0), (Severity.WARNING, 3.5), (Severity.CRITICAL, 5.0))
STANDING: Thresholds = ((Severity.NOTICE, 3.5), (Severity.WARNING, 4.7), (Severity.CRITICAL, 5.5))
FLOW: Thresholds = ((Severity.WARNING, 60.0), (Severity.CRITICAL, 82.0))
SUSTAIN_S = 5.0
# How soon a situation is over, in the time that it takes to begin.
CLEAR_SHARE = 0.5
DURATION_LIMIT_S = 3600.0
DENSITY_LIMIT_PER_M2 = 20.0
FLOW_LIMIT_PER_M_MIN = 500.0
AREA_LIMITS_M2 = (1.0, 100_000.0)
LENGTH_LIMITS_M = (0.5, 1000.0)

# A crowd stands when its median speed on the ground is less than this. Free walking is 1.3 m/s, and a moving crowd slows to
# 0.2 m/s at 3.7 people/m² (Weidmann, Transporttechnik der Fussgänger, 1993).
_STANDING_M_PER_S = 0.2
_HIDDEN = "crowd_density.hidden"


@dataclass(frozen=True, slots=True, eq=False)
class CrowdDensity:
    """What to watch for.

    Attributes:
        view: of the camera.
        zone: id of the zone.
        shape: of the zone.
        counted: where people are counted: the polygon, or the ground along the line.
        plane: of the ground.
        extent: of the ground that the zone covers: square metres of a polygon, metres of a line.
        moving: thresholds of a moving crowd, in rising order, in people per square metre.
        standing: thresholds of a standing crowd.
        flow: thresholds of a line, in people per metre and minute.
        sustain_s: how long a threshold must be passed before it counts.
        clear_s: how long it must be under 0.9 of the lowest threshold before the signal closes.
    """

    NEEDS: ClassVar[Needs] = Needs(person_px=24)
    PARTS: ClassVar[Mapping[str, str]] = {_HIDDEN: "counts people whom others hide, by the ground that a crowd covers"}

    view: View
    zone: str
    shape: Zone
    counted: Polygon
    plane: GroundPlane
    extent: float
    moving: Thresholds
    standing: Thresholds
    flow: Thresholds
    sustain_s: float
    clear_s: float

    @classmethod
    def of(cls, message: venues_pb2.CrowdDensityRule, view: View, where: str) -> Self:
        """From the contract's message. Raises ConfigurationError with `where` and the field."""
        shape = view.named(message.zone, f"{where}.zone")
        if view.plane is None:
            raise ConfigurationError(where, "people on metres of ground need the camera's ground plane; give it four points")
        named = f"{where}.zone {message.zone!r}"
        sustain_s = seconds(message, "sustain", default_s=SUSTAIN_S, limit_s=DURATION_LIMIT_S, where=where)
        return cls(
            view=view,
            zone=message.zone,
            shape=shape,
            counted=strip(shape, view.plane, named) if isinstance(shape, Line) else shape,
            plane=view.plane,
            extent=_extent(shape, view.plane, named),
            moving=_density(message.moving, f"{where}.moving") if message.HasField("moving") else MOVING,
            standing=_density(message.standing, f"{where}.standing") if message.HasField("standing") else STANDING,
            flow=_flow(message.flow, f"{where}.flow") if message.HasField("flow") else FLOW,
            sustain_s=sustain_s,
            clear_s=seconds(message, "clear", default_s=CLEAR_SHARE * sustain_s, limit_s=DURATION_LIMIT_S, where=where),
        )

    @property
    def kind(self) -> Kind:
        """CROWD_DENSITY."""
        return Kind.CROWD_DENSITY

    def rule(self, context: RuleContext) -> Rule:
        """A rule that has seen nothing yet."""
        levels = Levels(self.sustain_s, self.clear_s)
        counter = CrowdCounter(self.view, self.counted, self.plane, sees_behind=_HIDDEN not in context.without)
        if isinstance(self.shape, Line):
            flow = LineFlow(self.view, self.zone, self.shape, self.extent, self.flow)
            return LineFlowRule(flow, counter, levels)
        return CrowdDensityRule(self, counter, levels)


def _extent(shape: Zone, plane: GroundPlane, where: str) -> float:
    if isinstance(shape, Polygon):
        return bounded(plane.area_m2(shape, where), *AREA_LIMITS_M2, f"{where}, ground covered (m²)")
    start, end = plane.ground([shape.start, shape.end])
    return bounded(hypot(*(end - start)), *LENGTH_LIMITS_M, f"{where}, ground spanned (m)")


def _density(message: venues_pb2.DensityThresholds, where: str) -> Thresholds:
    values = {
        Severity.NOTICE: message.notice_per_m2,
        Severity.WARNING: message.warning_per_m2,
        Severity.CRITICAL: message.critical_per_m2,
    }
    return rising(values, limit=DENSITY_LIMIT_PER_M2, unit="people per square metre", where=where)


def _flow(message: venues_pb2.FlowThresholds, where: str) -> Thresholds:
    values = {Severity.WARNING: message.warning_per_m_min, Severity.CRITICAL: message.critical_per_m_min}
    return rising(values, limit=FLOW_LIMIT_PER_M_MIN, unit="people per metre and minute", where=where)


@dataclass(slots=True, eq=False)
class CrowdDensityRule:
    """Watches one polygon."""

    parameters: CrowdDensity
    counter: CrowdCounter
    levels: Levels

    def step(self, scene: Scene) -> Sequence[Finding]:
        """What changed with this frame."""
        crowd = self.counter.count(scene)
        # One whose speed is unknown counts as moving, for which the thresholds are lower.
        stands = crowd.speed_m_per_s < _STANDING_M_PER_S
        thresholds = self.parameters.standing if stands else self.parameters.moving
        # Rounded, since the last digits of an area must not decide whether a threshold is reached.
        density_per_m2 = round(crowd.people / self.parameters.extent, 6)
        change = self.levels.step(density_per_m2, thresholds, scene.time_s)
        return () if change is None else (self._finding(change, crowd, "standing" if stands else "moving"),)

    def reset(self) -> None:
        """Forgets the crowd."""
        self.counter.reset()
        self.levels.reset()

    def _finding(self, change: Change, crowd: Crowd, motion: str) -> Finding:
        area_m2 = self.parameters.extent
        hidden = crowd.people - crowd.seen
        people = f"{crowd.people:.3g} on {area_m2:.1f} m², {motion}" + (f", {hidden:.0f} of them hidden" if hidden >= 1 else "")
        density = f"{crowd.people / area_m2:.3g} people/m² in zone {self.parameters.zone} ({people})"
        bound = f"under {change.threshold:.3g} for {self.parameters.clear_s:.1f} s"
        if change.phase is not Phase.CLOSED:
            bound = f"threshold {change.threshold:.3g} for {self.parameters.sustain_s:.1f} s"
        centre = self.parameters.counted.shape.representative_point()
        return Finding(
            key="zone",
            phase=change.phase,
            severity=change.severity,
            score=crowd.score,
            reason=f"{density}, {bound}",
            ground_point=self.parameters.view.ground_point(np.array([[centre.x, centre.y]])),
        )
