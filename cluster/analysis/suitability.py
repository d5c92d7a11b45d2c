"""Whether a camera is good enough for what it watches for: by its configuration before it runs, by its pictures while it does.

A kind says what it needs (`Needs`, beside its rule). A camera that has less is told so, in words; one that is set to less than
half of it, everywhere, is refused, since nothing is known of how a kind does there.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from cluster.analysis.geometry import GroundPlane, Line, Points, Polygon, Zone
from cluster.analysis.scene import RuleParameters, Scene
from cluster.analysis.view import View
from cluster.errors import ConfigurationError
from cluster.video.frame import Fit
from vigie.vocabulary import Kind, ObjectClass

PERSON_M = 1.7
BODY_M = 0.4
# Below this share of what a kind needs a camera is refused. Rules are measured down to half of their frame rate and size.
_REFUSED = 0.5
# The ground seen at less than this angle hides people behind each other; above the other, people are heads and shoulders only.
_ELEVATIONS_DEG = (5.0, 75.0)
_CROWDS = frozenset({Kind.CROWD_DENSITY})
_UPRIGHT = frozenset({Kind.PERSON_DOWN})

_WINDOW_S = 60.0
_LOOK_S = 1.0
_TELL_S = 5.0
_LEAST_WINDOW_S = 20.0
_LEAST_PEOPLE = 20
_PEOPLE_A_LOOK = 64
# Frames due come a little late; nine in ten of them are all.
_RATE_TOLERANCE = 0.9
# Mean luma and saturation, of 255. A street under lamps has a luma of 40 and more; the colour noise of a grey camera is under 6.
_DARK = 30.0
_GREY = 6.0
# A view that moves by this share of its width from second to second, for half of the time, is not that of a fixed camera.
_MOVING = 0.01
_SHIFT_PX = Fit(96, 96)
_CLEAR_PEAK = 0.3


@dataclass(frozen=True, slots=True)
class Concern:
    """Why a kind cannot be fully trusted at a camera.

    Attributes:
        kind: which.
        problem: what is wrong, with figures, and what to do.
    """

    kind: Kind
    problem: str


@dataclass(frozen=True, slots=True)
class _Shortfall:
    """Something of which a camera has too little, at its best a share of what a kind needs."""

    share: float
    words: str


def configured(rules: Iterable[RuleParameters], view: View, *, rate_hz: float, fit: Fit, where: str) -> tuple[Concern, ...]:
    """What speaks against a camera as it is configured.

    Raises ConfigurationError with `where` when it has less than half of what a kind needs.

    Args:
        rules: what it watches for.
        view: what it looks at.
        rate_hz: frames analysed a second.
        fit: into which its pictures are scaled for the detector.
        where: names the camera's rules in an error.
    """
    return tuple(concern for rule in rules for concern in _configured(rule, view, rate_hz, fit, where))


def _configured(rule: RuleParameters, view: View, rate_hz: float, fit: Fit, where: str) -> Iterator[Concern]:
    for shortfall in _shortfalls(rule, view, rate_hz, fit):
        if shortfall.share < _REFUSED:
            raise ConfigurationError(where, f"{_subject(rule)}: {shortfall.words}; less than half of that is refused")
        yield Concern(rule.kind, shortfall.words)
    if view.plane is not None and (shape := view.zones.get(rule.zone)) is not None:
        yield from _angles(rule, view.plane, shape)


def _subject(rule: RuleParameters) -> str:
    return f"{rule.kind.name} in zone {rule.zone}" if rule.zone else rule.kind.name


def _shortfalls(rule: RuleParameters, view: View, rate_hz: float, fit: Fit) -> Iterator[_Shortfall]:
    if rate_hz < rule.NEEDS.rate_hz:
        yield _Shortfall(rate_hz / rule.NEEDS.rate_hz, _rate_words(rate_hz, rule.NEEDS.rate_hz, "set analysis_rate_hz to that"))
    shape = view.zones.get(rule.zone)
    if view.plane is None or shape is None or not rule.NEEDS.person_px:
        return
    scale = fit.of(view.width, view.height)[0] / view.width
    people_px = scale * _people_px(view.plane, _on_ground(view.plane, shape))
    if len(people_px) and people_px.min() < rule.NEEDS.person_px:
        words = _person_words(float(people_px.min()), rule.NEEDS.person_px)
        yield _Shortfall(float(people_px.max()) / rule.NEEDS.person_px, words)


def _rate_words(has_hz: float, needs_hz: float, remedy: str) -> str:
    return f"{has_hz:.3g} frames a second are analysed, it needs {needs_hz:.3g}; {remedy}"


def _person_words(has_px: float, needs_px: float) -> str:
    size = f"people are {has_px:.0f} pixels high at the detector's size, it needs {needs_px:.0f}"
    return f"{size}; bring the camera nearer, zoom in, or keep the zone to where they are larger"


def _corners(shape: Zone) -> Points:
    return np.array([shape.start, shape.end]) if isinstance(shape, Line) else shape.vertices


def _on_ground(plane: GroundPlane, shape: Zone) -> Points:
    """The corners of a zone that are below the horizon."""
    corners = _corners(shape)
    return corners[~np.isnan(plane.ground(corners)[:, 0])]


def _elevations_deg(plane: GroundPlane, points: Points) -> Points:
    """How steeply the camera looks down at each place: the ground is foreshortened along the line of sight by the sine of it."""
    across_m, along_m = plane.scales_m(points).T
    return np.asarray(np.degrees(np.arcsin(np.minimum(1.0, across_m / along_m))))


def _people_px(plane: GroundPlane, points: Points) -> Points:
    """How high the box of a person at each place is in the picture; from above, he is as long as he is thick."""
    across, along = 1 / plane.scales_m(points).T
    return np.asarray(PERSON_M * np.sqrt(np.maximum(0.0, across**2 - along**2)) + BODY_M * along)


def _angles(rule: RuleParameters, plane: GroundPlane, shape: Zone) -> Iterator[Concern]:
    elevations = _elevations_deg(plane, _on_ground(plane, shape))
    if not len(elevations):
        return
    flat_deg, steep_deg = _ELEVATIONS_DEG
    if rule.kind in _CROWDS and elevations.min() < flat_deg:
        seen = f"a part of the zone is seen at {elevations.min():.0f}° above the ground, where people hide each other"
        yield Concern(rule.kind, f"{seen}; mount the camera higher, or end the zone nearer to it")
    if rule.kind in _UPRIGHT and elevations.max() > steep_deg:
        seen = f"a part of the zone is seen from {elevations.max():.0f}° above, where who stands and who lies look alike"
        yield Concern(rule.kind, f"{seen}; tilt the camera less")


@dataclass(frozen=True, slots=True)
class _Look:
    """What one second of pictures is like."""

    time_s: float
    frames: int
    luma: float
    saturation: float
    shift: float


@dataclass(slots=True, eq=False)
class SuitabilityMonitor:
    """Watches whether what a camera shows is good enough, over the last minute.

    Args:
        rules: what it watches for.
        view: what it looks at.
    """

    rules: Sequence[RuleParameters]
    view: View
    _looks: deque[_Look] = field(default_factory=lambda: deque(maxlen=round(_WINDOW_S / _LOOK_S)))
    _people: deque[NDArray[np.float64]] = field(default_factory=lambda: deque(maxlen=round(_WINDOW_S / _LOOK_S)))
    _frames: int = 0
    _looked_s: float | None = None
    _last: NDArray[np.float32] | None = None
    _told: tuple[Concern, ...] = ()
    _told_s: float = 0.0

    def step(self, scene: Scene) -> None:
        """Takes a frame; looks at one a second."""
        self._frames += 1
        if self._looked_s is not None and 0 <= scene.time_s - self._looked_s < _LOOK_S:
            return
        self._looks.append(self._look(scene))
        self._people.append(self._seen_people(scene))
        self._looked_s, self._frames = scene.time_s, 0
        if abs(scene.time_s - self._told_s) >= _TELL_S:
            self._told, self._told_s = tuple(self._found()), scene.time_s

    def concerns(self) -> tuple[Concern, ...]:
        """What speaks against the camera, once it has been seen for long enough."""
        return self._told

    def reset(self) -> None:
        """Forgets what was seen."""
        self._looks.clear()
        self._people.clear()
        self._frames, self._looked_s, self._last, self._told = 0, None, None, ()

    def _found(self) -> Iterator[Concern]:
        looks = list(self._looks)
        if looks[-1].time_s - looks[0].time_s >= _LEAST_WINDOW_S:
            for rule in self.rules:
                yield from self._concerns(rule, looks)

    def _concerns(self, rule: RuleParameters, looks: list[_Look]) -> Iterator[Concern]:
        needs = rule.NEEDS
        rate_hz = sum(look.frames for look in looks[1:]) / (looks[-1].time_s - looks[0].time_s)
        if rate_hz < _RATE_TOLERANCE * needs.rate_hz:
            yield Concern(rule.kind, _rate_words(rate_hz, needs.rate_hz, "the camera or the cluster gives no more"))
        heights_px = self._heights_px(rule)
        if len(heights_px) >= _LEAST_PEOPLE and (median_px := float(np.median(heights_px))) < needs.person_px:
            yield Concern(rule.kind, _person_words(median_px, needs.person_px))
        if (luma := _median(looks, lambda look: look.luma)) < _DARK:
            yield Concern(rule.kind, f"the picture is dark (mean luma {luma:.0f} of 255, it needs {_DARK:.0f}); light the place")
        if needs.colour and (saturation := _median(looks, lambda look: look.saturation)) < _GREY:
            yield Concern(rule.kind, f"the picture has no colour (mean saturation {saturation:.0f} of 255), which it needs")
        if needs.fixed and (shift := _median(looks, lambda look: look.shift)) > _MOVING:
            yield Concern(rule.kind, f"the view moves by {100 * shift:.0f} % of its width a second; it needs a fixed camera")

    def _look(self, scene: Scene) -> _Look:
        size = _SHIFT_PX.of(scene.small.shape[1], scene.small.shape[0])
        tiny = cv2.resize(scene.small, size, interpolation=cv2.INTER_AREA)
        grey = np.asarray(cv2.cvtColor(tiny, cv2.COLOR_BGR2GRAY), np.float32)
        before, self._last = self._last, grey
        return _Look(
            time_s=scene.time_s,
            frames=self._frames,
            luma=float(grey.mean()),
            saturation=float(cv2.cvtColor(tiny, cv2.COLOR_BGR2HSV)[..., 1].mean()),
            shift=_shift(before, grey),
        )

    def _seen_people(self, scene: Scene) -> NDArray[np.float64]:
        """(n, 3): feet in pixels of the camera's picture size, and heights in pixels of the detector's."""
        people = scene.tracks[scene.tracks.unseen_s == 0].of({ObjectClass.PERSON})
        heights_px = (people.boxes[:, 3] - people.boxes[:, 1]) * (scene.picture.shape[0] / self.view.height)
        feet = self.view.standing_points(people.feet)
        return np.column_stack([feet, heights_px])[:_PEOPLE_A_LOOK].astype(np.float64)

    def _heights_px(self, rule: RuleParameters) -> NDArray[np.float64]:
        people = np.concatenate(self._people) if self._people else np.empty((0, 3))
        shape = self.view.zones.get(rule.zone)
        inside = shape.contains(people[:, :2]) if isinstance(shape, Polygon) else np.ones(len(people), np.bool_)
        return np.asarray(people[inside, 2])


def _median(looks: Sequence[_Look], value: Callable[[_Look], float]) -> float:
    return float(np.median([value(look) for look in looks]))


def _shift(before: NDArray[np.float32] | None, after: NDArray[np.float32]) -> float:
    """By which share of its width the view has moved, by the peak of the phase correlation; 0 where there is no clear one."""
    if before is None or before.shape != after.shape:
        return 0.0
    (x, y), response = cv2.phaseCorrelate(before, after, cv2.createHanningWindow(after.shape[::-1], cv2.CV_32F))
    return float(np.hypot(x, y) / after.shape[1]) if response > _CLEAR_PEAK else 0.0
