"""Crowd movement: people suddenly run, scatter, surge, converge or meet others head on, as they did not before.

People are counted by the area of the picture that moves, and speed is measured in heights of the people seen there, so that
nobody needs to be followed: whoever runs is hard to detect. The detector says how tall people are, that a crowd is there, and
that what moves is people.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from cluster.analysis.crowd_cues import CUES, Normal
from cluster.analysis.crowd_flow import CrowdFlow
from cluster.analysis.crowd_sight import PEOPLE, VEHICLES, CrowdSight
from cluster.analysis.geometry import Polygon
from cluster.analysis.parameters import bounded, polygon_if_named, seconds
from cluster.analysis.scene import Finding, Needs, Phase, Rule, RuleContext, Scene
from cluster.analysis.view import View
from vigie.v1 import venues_pb2
from vigie.vocabulary import Kind, Severity

MIN_PEOPLE = 5
MIN_PEOPLE_LIMITS = (2, 1000)
SUSTAIN_S = 1.0
SUSTAIN_LIMIT_S = 60.0
CLEAR_S = 5.0
CLEAR_LIMIT_S = 3600.0

# The crowd is the number of people that three in four of the frames of so many seconds stay below: who runs is hard to detect, so
# those of a moment ago count.
_PRESENCE_S = 10.0
_PRESENCE_FRAMES = 320
_PRESENCE_QUANTILE = 0.75
# Where people are too small or too dark to be tracked, half of the detector's faint boxes of people stand for as many; not where
# vehicles passed in the last minute, which get such boxes too.
_FAINT_SHARE = 0.5
_VEHICLE_FREE_S = 60.0
# Twelve motion fields a second, at most, by the longest time that a movement must last.
_WINDOW_FRAMES = 800
_EPSILON_S = 1e-6

_VETOES = {
    "people": "asks for a crowd that the detector sees",
    "normal": "leaves out what is normal here",
    "camera": "takes off the movement of a camera that pans, shakes or zooms",
    "one_thing": "leaves out large things in which nobody is seen: trains, lorries, trees",
    "vehicles": "leaves out vehicles and cyclists that the detector sees",
}


@dataclass(frozen=True, slots=True, eq=False)
class CrowdMovement:
    """What to watch for.

    Attributes:
        view: of the camera.
        zone: id of the zone; empty for the whole picture.
        polygon: its shape; None for the whole picture.
        min_people: how many people make a crowd.
        sustain_s: how long the movement must last before it counts.
        clear_s: how long it must be over before the signal closes.
    """

    NEEDS: ClassVar[Needs] = Needs(rate_hz=10, person_px=16)
    PARTS: ClassVar[Mapping[str, str]] = {
        **{f"crowd_movement.{name}": f"finds people who {cue.words}" for name, cue in CUES.items()},
        **{f"crowd_movement.{name}": purpose for name, purpose in _VETOES.items()},
    }

    view: View
    zone: str
    polygon: Polygon | None
    min_people: int
    sustain_s: float
    clear_s: float

    @classmethod
    def of(cls, message: venues_pb2.CrowdMovementRule, view: View, where: str) -> Self:
        """From the contract's message. Raises ConfigurationError with `where` and the field."""
        return cls(
            view=view,
            zone=message.zone,
            polygon=polygon_if_named(view, message.zone, f"{where}.zone"),
            min_people=round(bounded(message.min_people or MIN_PEOPLE, *MIN_PEOPLE_LIMITS, f"{where}.min_people")),
            sustain_s=seconds(message, "sustain", default_s=SUSTAIN_S, limit_s=SUSTAIN_LIMIT_S, where=where),
            clear_s=seconds(message, "clear", default_s=CLEAR_S, limit_s=CLEAR_LIMIT_S, where=where),
        )

    @property
    def kind(self) -> Kind:
        """CROWD_MOVEMENT."""
        return Kind.CROWD_MOVEMENT

    def rule(self, context: RuleContext) -> Rule:
        """A rule that has seen nothing yet."""
        return CrowdMovementRule(self, frozenset(part.removeprefix("crowd_movement.") for part in context.without))


@dataclass(frozen=True, slots=True)
class _Movement:
    """A cue that holds: its name, how many take part, and how many usually do."""

    cue: str
    people: float
    usual: float
    speed: float


class CrowdMovementRule:
    """Watches one zone, or the whole picture.

    Args:
        parameters: what to watch for.
        without: names of cues and vetoes that are switched off.
    """

    def __init__(self, parameters: CrowdMovement, without: frozenset[str] = frozenset()) -> None:
        self._parameters = parameters
        self._without = without
        self._sight = CrowdSight(parameters.view, parameters.polygon, without)
        self.reset()

    def reset(self) -> None:
        """Forgets the crowd and what is normal."""
        self._sight.reset()
        self._present: deque[tuple[float, float]] = deque(maxlen=_PRESENCE_FRAMES)
        self._flows: deque[tuple[float, CrowdFlow]] = deque(maxlen=_WINDOW_FRAMES)
        self._normal = {name: Normal() for name in CUES if name not in self._without}
        self._open: Finding | None = None
        self._moved_s = 0.0
        self._vehicle_s = -np.inf

    def step(self, scene: Scene) -> Sequence[Finding]:
        """What changed with this frame."""
        self._count(scene)
        flow = self._sight.step(scene)
        movement = None if flow is None else self._movement(flow, scene.time_s)
        if movement is not None:
            self._moved_s = scene.time_s
            return self._begin(movement) if self._open is None else ()
        return self._end(scene.time_s)

    def _count(self, scene: Scene) -> None:
        """Counts the people in the zone."""
        now = scene.tracks[scene.tracks.unseen_s == 0]
        if len(now.of(VEHICLES)):
            self._vehicle_s = scene.time_s
        count = float(self._inside(now.of(PEOPLE).boxes))
        if scene.time_s - self._vehicle_s > _VEHICLE_FREE_S:
            count = max(count, _FAINT_SHARE * self._inside(scene.detections.of(PEOPLE).boxes))
        self._present.append((scene.time_s, count))
        while scene.time_s - self._present[0][0] > _PRESENCE_S:
            self._present.popleft()

    def _inside(self, boxes: NDArray[np.float32]) -> int:
        """How many boxes stand in the zone."""
        if self._parameters.polygon is None:
            return len(boxes)
        feet = np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]], axis=1)
        return int(self._parameters.polygon.contains(self._parameters.view.standing_points(feet)).sum())

    def _movement(self, flow: CrowdFlow, time_s: float) -> _Movement | None:
        """What sets the crowd of the last moments apart, if anything does."""
        self._flows.append((time_s, flow))
        while len(self._flows) > 1 and time_s - self._flows[1][0] >= self._parameters.sustain_s - _EPSILON_S:
            self._flows.popleft()
        typical = CrowdFlow(*np.median([one for _, one in self._flows], axis=0).tolist())
        movements = [self._cue(name, normal, typical, time_s) for name, normal in self._normal.items()]
        is_crowd = "people" in self._without or self._people() >= self._parameters.min_people
        return next((movement for movement in movements if movement is not None), None) if is_crowd else None

    def _cue(self, name: str, normal: Normal, flow: CrowdFlow, time_s: float) -> _Movement | None:
        """A cue, if it holds."""
        people = CUES[name].people(flow)
        normal.learn(people, time_s)
        usual = normal.usual(time_s) if people >= self._parameters.min_people else None
        if usual is None or ("normal" not in self._without and people < usual.unusual):
            return None
        return _Movement(name, people, usual.people, flow.speed)

    def _people(self) -> float:
        return float(np.quantile([count for _, count in self._present], _PRESENCE_QUANTILE))

    def _begin(self, movement: _Movement) -> Sequence[Finding]:
        least = self._parameters.min_people
        self._open = Finding(
            key="crowd",
            phase=Phase.OPENED,
            severity=Severity.WARNING,
            score=min(1.0, movement.people / (2 * least)),
            reason=(
                f"about {movement.people:.0f} people {CUES[movement.cue].words}, {movement.usual:.0f} usually do; speeds up to "
                f"{movement.speed:.1f} body heights/s; threshold {least} for {self._parameters.sustain_s:.1f} s"
            ),
            box=self._sight.box(),
        )
        return (self._open,)

    def _end(self, time_s: float) -> Sequence[Finding]:
        calm_s = time_s - self._moved_s
        if self._open is None or calm_s < self._parameters.clear_s - _EPSILON_S:
            return ()
        closed = replace(self._open, phase=Phase.CLOSED, reason=f"the crowd has moved as usual for {calm_s:.1f} s")
        self._open = None
        return (closed,)
