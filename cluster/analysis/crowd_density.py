"""Crowd density: more people on a piece of ground than is safe.

People are the tracks seen with their feet in the zone; the density is the median of their number over a short window, on the
square metres of ground that the zone covers. Of the default thresholds, 4.7 for a standing crowd is the limit of the Guide to
Safety at Sports Grounds (47 people on 10 m²).
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import isnan, nan
from statistics import median
from typing import ClassVar, Self

import numpy as np

from cluster.analysis.geometry import GroundPlane, Polygon
from cluster.analysis.parameters import bounded, polygon, seconds
from cluster.analysis.scene import Finding, Needs, Phase, Rule, RuleContext, Scene
from cluster.analysis.view import View
from cluster.errors import ConfigurationError
from cluster.tracking.tracks import Tracks
from vigie.v1 import venues_pb2
from vigie.vocabulary import Kind, ObjectClass, Severity

Thresholds = tuple[tuple[Severity, float], ...]

MOVING: Thresholds = ((Severity.NOTICE, 2.0), (Severity.WARNING, 3.5), (Severity.CRITICAL, 5.0))
STANDING: Thresholds = ((Severity.NOTICE, 3.5), (Severity.WARNING, 4.7), (Severity.CRITICAL, 5.5))
SUSTAIN_S = 5.0
CLEAR_S = 5.0
DURATION_LIMIT_S = 3600.0
DENSITY_LIMIT_PER_M2 = 20.0
AREA_LIMITS_M2 = (1.0, 100_000.0)

# The window of the median: a miscount must last for half of it to be believed.
_WINDOW_S = 2.0
_WINDOW_FRAMES = 256
# A crowd stands when its median speed on the ground is less than this. Free walking is 1.3 m/s, and a moving crowd slows to
# 0.2 m/s at 3.7 people/m² (Weidmann, Transporttechnik der Fussgänger, 1993).
_STANDING_M_PER_S = 0.2
_SPEED_STEP_S = 0.1
_RELEASE = 0.9
_EPSILON_S = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class CrowdDensity:
    """What to watch for.

    Attributes:
        view: of the camera.
        zone: id of the zone.
        polygon: its shape.
        plane: of the ground.
        area_m2: of the ground that the zone covers.
        moving: thresholds of a moving crowd, in rising order, in people per square metre.
        standing: thresholds of a standing crowd.
        sustain_s: how long a threshold must be passed before it counts.
        clear_s: how long the density must be under 0.9 of the lowest threshold before the signal closes.
    """

    NEEDS: ClassVar[Needs] = Needs(person_px=24)
    PARTS: ClassVar[Mapping[str, str]] = {}

    view: View
    zone: str
    polygon: Polygon
    plane: GroundPlane
    area_m2: float
    moving: Thresholds
    standing: Thresholds
    sustain_s: float
    clear_s: float

    @classmethod
    def of(cls, message: venues_pb2.CrowdDensityRule, view: View, where: str) -> Self:
        """From the contract's message. Raises ConfigurationError with `where` and the field."""
        shape = polygon(view, message.zone, f"{where}.zone")
        if view.plane is None:
            raise ConfigurationError(where, "people per square metre need the camera's ground plane; give it four points")
        area_m2 = view.plane.area_m2(shape, f"{where}.zone {message.zone!r}")
        sustain = message.sustain if message.HasField("sustain") else None
        clear = message.clear if message.HasField("clear") else None
        return cls(
            view=view,
            zone=message.zone,
            polygon=shape,
            plane=view.plane,
            area_m2=bounded(area_m2, *AREA_LIMITS_M2, f"{where}.zone {message.zone!r}, ground covered (m²)"),
            moving=_thresholds(message.moving, f"{where}.moving") if message.HasField("moving") else MOVING,
            standing=_thresholds(message.standing, f"{where}.standing") if message.HasField("standing") else STANDING,
            sustain_s=seconds(sustain, default_s=SUSTAIN_S, limit_s=DURATION_LIMIT_S, where=f"{where}.sustain"),
            clear_s=seconds(clear, default_s=CLEAR_S, limit_s=DURATION_LIMIT_S, where=f"{where}.clear"),
        )

    @property
    def kind(self) -> Kind:
        """CROWD_DENSITY."""
        return Kind.CROWD_DENSITY

    def rule(self, context: RuleContext) -> Rule:
        """A rule that has seen nothing yet."""
        return CrowdDensityRule(self)


def _thresholds(message: venues_pb2.DensityThresholds, where: str) -> Thresholds:
    values = (
        (Severity.NOTICE, message.notice_per_m2),
        (Severity.WARNING, message.warning_per_m2),
        (Severity.CRITICAL, message.critical_per_m2),
    )
    given = tuple((severity, bounded(value, 0, DENSITY_LIMIT_PER_M2, where)) for severity, value in values if value != 0)
    if not given:
        raise ConfigurationError(where, "has no threshold; give at least one, in people per square metre")
    if any(lower >= higher for (_, lower), (_, higher) in pairwise(given)):
        raise ConfigurationError(where, "thresholds must rise from notice to warning to critical")
    return given


@dataclass(frozen=True, slots=True)
class _Sample:
    """The people of one frame. `speed_m_per_s` is their median, NaN where there is none."""

    time_s: float
    people: int
    speed_m_per_s: float
    score: float


@dataclass(frozen=True, slots=True)
class _Crowd:
    """The crowd of the window."""

    people: float
    density_per_m2: float
    speed_m_per_s: float
    score: float

    @property
    def stands(self) -> bool:
        """Whether it stands; one whose speed is unknown counts as moving, for which the thresholds are lower."""
        return self.speed_m_per_s < _STANDING_M_PER_S


@dataclass(slots=True, eq=False)
class CrowdDensityRule:
    """Watches one polygon."""

    parameters: CrowdDensity
    _window: deque[_Sample] = field(default_factory=lambda: deque(maxlen=_WINDOW_FRAMES))
    _above_since_s: dict[Severity, float] = field(default_factory=dict)
    _level: Severity | None = None
    _dense_s: float = 0.0

    def step(self, scene: Scene) -> Sequence[Finding]:
        """What changed with this frame."""
        crowd = self._crowd(scene)
        thresholds = self.parameters.standing if crowd.stands else self.parameters.moving
        reached = self._sustained(crowd, thresholds, scene.time_s)
        if reached is not None and (self._level is None or reached > self._level):
            self._dense_s = scene.time_s
            return (self._rise(crowd, reached, dict(thresholds)[reached]),)
        release_per_m2 = _RELEASE * thresholds[0][1]
        if self._level is None or crowd.density_per_m2 >= release_per_m2:
            self._dense_s = scene.time_s
            return ()
        if scene.time_s - self._dense_s < self.parameters.clear_s - _EPSILON_S:
            return ()
        return (self._fall(crowd, release_per_m2),)

    def reset(self) -> None:
        """Forgets the crowd."""
        self._window.clear()
        self._above_since_s.clear()
        self._level = None

    def _crowd(self, scene: Scene) -> _Crowd:
        """Takes the people of this frame into the window and looks at all of it."""
        self._window.append(self._sample(scene))
        while scene.time_s - self._window[0].time_s > _WINDOW_S:
            self._window.popleft()
        people = float(median(sample.people for sample in self._window))
        speeds = [sample.speed_m_per_s for sample in self._window if not isnan(sample.speed_m_per_s)]
        return _Crowd(
            people=people,
            # Rounded, since the last digits of an area must not decide whether a threshold is reached.
            density_per_m2=round(people / self.parameters.area_m2, 6),
            speed_m_per_s=median(speeds) if speeds else nan,
            score=self._window[-1].score,
        )

    def _sample(self, scene: Scene) -> _Sample:
        seen = scene.tracks[scene.tracks.unseen_s == 0].of({ObjectClass.PERSON})
        people = seen[self.parameters.polygon.contains(self.parameters.view.standing_points(seen.feet))]
        speeds = self._speeds(people)
        return _Sample(
            time_s=scene.time_s,
            people=len(people),
            speed_m_per_s=median(speeds) if speeds else nan,
            score=float(people.scores.mean()) if len(people) else 0.0,
        )

    def _speeds(self, people: Tracks) -> list[float]:
        """How fast those move whose ground is known, in metres a second."""
        feet = people.feet.astype(np.float64)
        moved = self.parameters.plane.ground(feet + _SPEED_STEP_S * people.velocities) - self.parameters.plane.ground(feet)
        speeds: list[float] = (np.linalg.norm(moved, axis=1) / _SPEED_STEP_S).tolist()
        return [speed for speed in speeds if not isnan(speed)]

    def _sustained(self, crowd: _Crowd, thresholds: Thresholds, time_s: float) -> Severity | None:
        """The gravest severity whose threshold has been passed for long enough."""
        passed = [severity for severity, per_m2 in thresholds if crowd.density_per_m2 >= per_m2]
        self._above_since_s = {severity: self._above_since_s.get(severity, time_s) for severity in passed}
        return max(
            (severity for severity in passed if time_s - self._above_since_s[severity] >= self.parameters.sustain_s - _EPSILON_S),
            default=None,
        )

    def _rise(self, crowd: _Crowd, level: Severity, threshold_per_m2: float) -> Finding:
        phase = Phase.OPENED if self._level is None else Phase.UPDATED
        self._level = level
        return self._finding(
            phase, crowd, f"{self._words(crowd)}, threshold {threshold_per_m2:.3g} for {self.parameters.sustain_s:.1f} s"
        )

    def _fall(self, crowd: _Crowd, release_per_m2: float) -> Finding:
        finding = self._finding(
            Phase.CLOSED, crowd, f"{self._words(crowd)}, under {release_per_m2:.3g} for {self.parameters.clear_s:.1f} s"
        )
        self._level = None
        return finding

    def _words(self, crowd: _Crowd) -> str:
        motion = "standing" if crowd.stands else "moving"
        ground = f"{crowd.people:g} on {self.parameters.area_m2:.1f} m², {motion}"
        return f"{crowd.density_per_m2:.3g} people/m² in zone {self.parameters.zone} ({ground})"

    def _finding(self, phase: Phase, crowd: _Crowd, reason: str) -> Finding:
        centre = self.parameters.polygon.shape.representative_point()
        return Finding(
            key="zone",
            phase=phase,
            severity=self._level or Severity.NOTICE,
            score=crowd.score,
            reason=reason,
            ground_point=self.parameters.view.ground_point(np.array([[centre.x, centre.y]])),
        )
