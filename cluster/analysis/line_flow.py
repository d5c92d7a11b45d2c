"""The line of a crowd density: people per metre of it and minute who pass.

Those are counted who crossed within a window that ends now. It is as long as 20 people take at the lowest threshold, so that
their number is sure to a quarter, but neither shorter than 10 s nor longer than a minute. What came before the first frame counts
as nobody. A dense crowd hides most of those who cross: each who is followed across stands for as many as there are, of late, to
one that is followed on the ground along the line.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import exp
from statistics import mean

import numpy as np

from cluster.analysis.crossings import Crossings
from cluster.analysis.crowd_count import CrowdCounter
from cluster.analysis.geometry import GroundPlane, Line, Polygon
from cluster.analysis.levels import Change, Levels, Thresholds
from cluster.analysis.scene import Finding, Phase, Scene
from cluster.analysis.view import View
from cluster.errors import ConfigurationError
from vigie.vocabulary import ObjectClass

_SURE_PEOPLE = 20
_WINDOW_LIMITS_S = (10.0, 60.0)
_CROSSINGS_LIMIT = 4096
# The ground along the line on which people are counted, on each side of it: about a stride, so that they are those who cross.
_STRIP_M = 1.0
_RECENT_S = 5.0


def strip(line: Line, plane: GroundPlane, where: str) -> Polygon:
    """The ground within a metre of a line. Raises ConfigurationError with `where` when the camera does not see it."""
    start, end = plane.ground([line.start, line.end])
    length_m = float(np.hypot(*(end - start)))
    if not length_m > 0:
        raise ConfigurationError(where, "reaches beyond the horizon of the ground plane; keep the line on the ground")
    aside = np.array([start[1] - end[1], end[0] - start[0]]) * _STRIP_M / length_m
    corners = plane.picture([start + aside, end + aside, end - aside, start - aside])
    if np.isnan(corners).any():
        raise ConfigurationError(where, "is nearer than a metre to where the camera's sight of the ground ends; move it away")
    return Polygon.of([(x, y) for x, y in corners.tolist()], f"{where}, the ground along it")


@dataclass(frozen=True, slots=True)
class LineFlow:
    """What to watch for.

    Attributes:
        view: of the camera.
        zone: id of the line.
        line: in the picture; crossings in its watched directions count, all together.
        length_m: of the ground that it spans.
        thresholds: in people per metre and minute.
    """

    view: View
    zone: str
    line: Line
    length_m: float
    thresholds: Thresholds

    @property
    def window_s(self) -> float:
        """Time over which those who pass are counted."""
        lowest_per_s = self.thresholds[0][1] * self.length_m / 60
        least_s, most_s = _WINDOW_LIMITS_S
        return min(max(_SURE_PEOPLE / lowest_per_s, least_s), most_s)


@dataclass(slots=True, eq=False)
class _Visibility:
    """How many people there are to one that is followed, of late."""

    people: float = 0.0
    followed: float = 0.0
    last_s: float | None = None

    def step(self, people: float, followed: int, time_s: float) -> float:
        """Takes the next frame; at least 1."""
        share = 1.0 if self.last_s is None else 1 - exp(-(time_s - self.last_s) / _RECENT_S)
        self.last_s = time_s
        self.people += share * (people - self.people)
        self.followed += share * (followed - self.followed)
        return max(1.0, self.people / self.followed) if self.followed else 1.0


@dataclass(slots=True, eq=False)
class LineFlowRule:
    """Watches one line."""

    parameters: LineFlow
    counter: CrowdCounter
    levels: Levels
    _crossings: Crossings = field(init=False)
    _visibility: _Visibility = field(default_factory=_Visibility)
    # When each crossed, for how many it stands, and with which score it was seen.
    _passed: deque[tuple[float, float, float]] = field(default_factory=lambda: deque(maxlen=_CROSSINGS_LIMIT))

    def __post_init__(self) -> None:
        self._crossings = Crossings(self.parameters.view, self.parameters.line)

    def step(self, scene: Scene) -> Sequence[Finding]:
        """What changed with this frame."""
        crowd = self.counter.count(scene)
        people = self._visibility.step(crowd.people, crowd.followed, scene.time_s)
        tracks = scene.tracks.of({ObjectClass.PERSON})
        self._passed.extend((scene.time_s, people, float(tracks.scores[row])) for row, _ in self._crossings.step(tracks))
        while self._passed and scene.time_s - self._passed[0][0] >= self.parameters.window_s:
            self._passed.popleft()
        change = self.levels.step(round(self._flow_per_m_min, 6), self.parameters.thresholds, scene.time_s)
        return () if change is None else (self._finding(change),)

    def reset(self) -> None:
        """Forgets who passed."""
        self.counter.reset()
        self.levels.reset()
        self._crossings.reset()
        self._visibility = _Visibility()
        self._passed.clear()

    @property
    def _people(self) -> float:
        return sum(people for _, people, _ in self._passed)

    @property
    def _flow_per_m_min(self) -> float:
        return self._people / self.parameters.length_m / self.parameters.window_s * 60

    def _finding(self, change: Change) -> Finding:
        parameters = self.parameters
        hidden = self._people - len(self._passed)
        people = f"{self._people:.0f} in {parameters.window_s:.0f} s over {parameters.length_m:.1f} m"
        people += f", {hidden:.0f} of them hidden" if hidden >= 1 else ""
        bound = f"under {change.threshold:.3g} for {self.levels.clear_s:.1f} s"
        if change.phase is not Phase.CLOSED:
            bound = f"threshold {change.threshold:.3g} for {self.levels.sustain_s:.1f} s"
        middle = (np.array(parameters.line.start) + parameters.line.end) / 2
        return Finding(
            key="zone",
            phase=change.phase,
            severity=change.severity,
            score=mean(score for _, _, score in self._passed) if self._passed else 0.0,
            reason=f"{self._flow_per_m_min:.0f} people a metre and minute over line {parameters.zone} ({people}), {bound}",
            ground_point=parameters.view.ground_point(middle[None]),
        )
