"""Fire: flames burn.

Three witnesses must agree. Warm pixels are restless; they flicker as flames do, all over, each by itself and without rhythm; and
a small network, which sees nothing but a crop of them, says that they look like flames. What one of them is sure of counts for as
much as the others allow: the evidence is the product of the network's probability and the share of pixels that flicker. It must
hold on the average of the time that the rule asks for, at one place.

One signal a rule for as long as anything burns: flames near one another are one fire, and so is what burns again soon.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import hypot
from typing import ClassVar, Self

import numpy as np

from cluster.analysis.flames import Flicker, Region, RestlessWarmth
from cluster.analysis.geometry import Polygon
from cluster.analysis.parameters import polygon_if_named, seconds
from cluster.analysis.scene import Box, Finding, Needs, Phase, Picture, Rule, RuleContext, Scene
from cluster.analysis.view import View
from vigie.v1 import venues_pb2
from vigie.vocabulary import Kind, ObjectClass, Severity

SUSTAIN_S = 1.2
CLEAR_S = 10.0
DURATION_LIMIT_S = 3600.0

# Candidates are looked at so often; a network's call for each frame would cost more and tell little more.
_LOOK_S = 0.4
# Evidence from which on it burns, and down to which it still does. On the labelled clips flames reach .43 and more, all else .13
# and less; over half the frame rate, half the size, JPEG at 30 and other brightness .27 and more, .24 and less.
_BURNS = 0.25
_STILL_BURNS = 0.12
# Fewer warm pixels than these, at the size at which rules look at pixels, tell nothing of how they flicker.
_LEAST_PIXELS = 40
# Fewer of the pixels than this flicker where a light is steady, cloth hangs or a thing passes: the network is not asked.
_FLICKERING_SHARE = 0.2
# From this on the flicker has a rhythm. Two seconds of flames reach .67, a beacon is above .8.
_RHYTHM = 0.75
# From this on the pixels change as one, as a lamp does that is switched, also before a camera that shakes: .35 and more where the
# rhythm is lost. From .25 to .45 nothing changes on the labelled clips.
_UNISON = 0.35
# Unrest within the box of a person who moves, in heights a second, and so far around it in heights, is theirs: what they wear,
# carry or walk past. The detector takes some flames for people, but these stay where they are.
_PERSON_MOVES = 0.05
_PERSON_REACH = 0.1
_PERSON_UNSEEN_S = 1.0
# The crop that the network sees, in sides of the region, and its least side in pixels of the picture.
_CROP_SIDES = 1.3
_LEAST_CROP_PX = 16
# Regions a look that the network sees, and places that are remembered.
_VERIFIED_LIMIT = 3
_PLACES_LIMIT = 8
# A fire that has grown to twice what was told is worth telling again, but not more often than this.
_GROWTH = 2.0
_UPDATE_S = 2.0
_EPSILON_S = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Fire:
    """What to watch for.

    Attributes:
        view: of the camera.
        zone: id of the zone; empty for the whole picture.
        polygon: its shape; None for the whole picture.
        sustain_s: how long flames must burn before they count.
        clear_s: how long no flame must be seen before the signal closes.
    """

    NEEDS: ClassVar[Needs] = Needs(rate_hz=10, colour=True, fixed=False)
    PARTS: ClassVar[Mapping[str, str]] = {
        "fire.flicker": "drops what does not flicker: steady lights, hanging cloth, things that pass",
        "fire.rhythm": "drops what flickers in a rhythm: beacons, neon, the pulse of a video's key frames",
        "fire.unison": "drops what changes as one: lamps that are switched, also irregularly",
        "fire.people": "leaves out unrest where people move: what they wear, carry or walk past",
        "fire.verifier": "asks a network whether a crop looks like flames",
    }

    view: View
    zone: str
    polygon: Polygon | None
    sustain_s: float
    clear_s: float

    @classmethod
    def of(cls, message: venues_pb2.FireRule, view: View, where: str) -> Self:
        """From the contract's message. Raises ConfigurationError with `where` and the field."""
        return cls(
            view=view,
            zone=message.zone,
            polygon=polygon_if_named(view, message.zone, f"{where}.zone"),
            sustain_s=seconds(message, "sustain", default_s=SUSTAIN_S, limit_s=DURATION_LIMIT_S, where=where),
            clear_s=seconds(message, "clear", default_s=CLEAR_S, limit_s=DURATION_LIMIT_S, where=where),
        )

    @property
    def kind(self) -> Kind:
        """FIRE."""
        return Kind.FIRE

    def rule(self, context: RuleContext) -> Rule:
        """A rule that has seen nothing yet. Raises ValueError without a network for flames, unless that part is switched off."""
        if context.flames is None and "fire.verifier" not in context.without:
            raise ValueError("a rule for fire needs a network that tells flames: set RuleContext.flames")
        return FireRule(self, context.without, None if "fire.verifier" in context.without else context.flames)


@dataclass(frozen=True, slots=True)
class _Sight:
    """What one look saw of a region.

    Attributes:
        box: in pixels of the camera's picture size.
        likeness: how likely the network calls it flames.
        flicker: how it flickers.
        evidence: of flames, 0 to 1.
    """

    box: Box
    likeness: float
    flicker: Flicker
    evidence: float


@dataclass(slots=True, eq=False)
class _Place:
    """Where flames may burn: what the last looks made of it."""

    sight: _Sight
    looks: deque[tuple[float, float]]

    def evidence(self, since_s: float) -> float:
        """Of the looks since then, on the average; 0 before there were looks so long ago."""
        if self.looks[0][0] > since_s + _EPSILON_S:
            return 0.0
        return float(np.mean([evidence for time_s, evidence in self.looks if time_s >= since_s - _EPSILON_S]))


@dataclass(slots=True)
class _Blaze:
    """The signal while it is open."""

    last_s: float
    told_s: float
    told_area: float
    finding: Finding


@dataclass(slots=True, eq=False)
class FireRule:
    """Watches the picture, or one polygon."""

    parameters: Fire
    without: frozenset[str]
    flames: Callable[[Sequence[Picture]], Sequence[float]] | None
    _warmth: RestlessWarmth = field(default_factory=RestlessWarmth)
    _places: list[_Place] = field(default_factory=list)
    _looked_s: float | None = None
    _blaze: _Blaze | None = None

    def step(self, scene: Scene) -> Sequence[Finding]:
        """What changed with this frame."""
        people = () if "fire.people" in self.without else self._people(scene)
        self._warmth.step(scene.small, scene.small_grey, scene.time_s, people)
        if self._looked_s is not None and scene.time_s - self._looked_s < _LOOK_S - _EPSILON_S:
            return ()
        self._looked_s = scene.time_s
        self._remember(self._sights(scene), scene.time_s)
        return self._judge(scene.time_s)

    def reset(self) -> None:
        """Forgets what was seen."""
        self._warmth.reset()
        self._places.clear()
        self._looked_s = None
        self._blaze = None

    def _people(self, scene: Scene) -> Sequence[Region]:
        """Where moving people are, in pixels of the small picture."""
        people = scene.tracks[scene.tracks.unseen_s <= _PERSON_UNSEEN_S].of({ObjectClass.PERSON})
        heights = people.boxes[:, 3:] - people.boxes[:, 1:2]
        moving = np.linalg.norm(people.velocities, axis=1) >= _PERSON_MOVES * heights[:, 0]
        height, width = scene.small_grey.shape
        zoom = np.array([width / self.parameters.view.width, height / self.parameters.view.height] * 2)
        corners = ((people.boxes + _PERSON_REACH * heights * [-1, -1, 1, 1]) * zoom)[moving]
        return [tuple(corner) for corner in corners.clip(0, [width, height] * 2).round().astype(int).tolist()]

    def _sights(self, scene: Scene) -> list[_Sight]:
        """What this look sees of the regions that flicker like flames."""
        scale = self.parameters.view.width / scene.small.shape[1], self.parameters.view.height / scene.small.shape[0]
        seen: list[tuple[Region, Box, Flicker]] = []
        for region in self._warmth.regions():
            box, flicker = _scaled(region, scale), self._warmth.flicker(region)
            if flicker is not None and self._is_watched(box) and self._may_be_flames(flicker):
                seen.append((region, box, flicker))
        del seen[_VERIFIED_LIMIT:]
        likenesses = self._likenesses(scene, [region for region, _, _ in seen])
        return [
            _Sight(box, likeness, flicker, likeness * (1.0 if "fire.flicker" in self.without else flicker.share))
            for (_, box, flicker), likeness in zip(seen, likenesses, strict=True)
        ]

    def _is_watched(self, box: Box) -> bool:
        x0, y0, x1, y1 = box
        zone = self.parameters.polygon
        return zone is None or bool(zone.contains([((x0 + x1) / 2, (y0 + y1) / 2)])[0])

    def _may_be_flames(self, flicker: Flicker) -> bool:
        return (
            flicker.pixels >= _LEAST_PIXELS
            and ("fire.flicker" in self.without or flicker.share >= _FLICKERING_SHARE)
            and ("fire.rhythm" in self.without or flicker.rhythm < _RHYTHM)
            and ("fire.unison" in self.without or flicker.unison < _UNISON)
        )

    def _likenesses(self, scene: Scene, regions: Sequence[Region]) -> Sequence[float]:
        if self.flames is None or not regions:
            return [1.0] * len(regions)
        zoom = scene.picture.shape[1] / scene.small.shape[1]
        return self.flames([_crop(scene.picture, _scaled(region, (zoom, zoom))) for region in regions])

    def _remember(self, sights: Sequence[_Sight], time_s: float) -> None:
        """Brings the places up to this look; a place of which nothing was seen gets no evidence."""
        seen, unseen = [], list(self._places)
        for sight in sorted(sights, key=lambda sight: -sight.evidence):
            place = min(unseen, key=lambda place: _apart(place.sight.box, sight.box), default=None)
            if place is None or _apart(place.sight.box, sight.box) > 1:
                place = _Place(sight, deque(maxlen=int(self.parameters.sustain_s / _LOOK_S) + 2))
            else:
                unseen.remove(place)
            place.sight = sight
            place.looks.append((time_s, sight.evidence))
            seen.append(place)
        for place in unseen:
            place.looks.append((time_s, 0.0))
        lasting = [place for place in unseen if any(evidence for _, evidence in place.looks)]
        self._places = [*seen, *lasting][:_PLACES_LIMIT]

    def _judge(self, time_s: float) -> Sequence[Finding]:
        threshold = _BURNS if self._blaze is None else _STILL_BURNS
        burning = [place for place in self._places if place.evidence(time_s - self.parameters.sustain_s) >= threshold]
        if self._blaze is None:
            return self._tell(Phase.OPENED, burning, time_s) if burning else ()
        if not burning:
            return self._clear(time_s)
        self._blaze.last_s = time_s
        if _burning_area(burning) >= _GROWTH * self._blaze.told_area and time_s - self._blaze.told_s >= _UPDATE_S - _EPSILON_S:
            return self._tell(Phase.UPDATED, burning, time_s)
        return ()

    def _clear(self, time_s: float) -> Sequence[Finding]:
        if self._blaze is None or time_s - self._blaze.last_s < self.parameters.clear_s - _EPSILON_S:
            return ()
        closed = replace(self._blaze.finding, phase=Phase.CLOSED, reason=f"no flames for {time_s - self._blaze.last_s:.1f} s")
        self._blaze = None
        return (closed,)

    def _tell(self, phase: Phase, burning: Sequence[_Place], time_s: float) -> Sequence[Finding]:
        since_s = time_s - self.parameters.sustain_s
        main = max(burning, key=lambda place: place.evidence(since_s))
        x0, _, x1, y1 = main.sight.box
        finding = Finding(
            key="fire",
            phase=phase,
            severity=Severity.CRITICAL,
            score=main.sight.likeness,
            reason=self._reason(main, len(burning), main.evidence(since_s)),
            box=main.sight.box,
            ground_point=self.parameters.view.ground_point(np.array([[(x0 + x1) / 2, y1]])),
        )
        self._blaze = _Blaze(time_s, time_s, _burning_area(burning), finding)
        return (finding,)

    def _reason(self, place: _Place, places: int, evidence: float) -> str:
        sight = place.sight
        where = f"flames at {places} places" if places > 1 else "flames"
        held = f"evidence {evidence:.2f} over {self.parameters.sustain_s:.1f} s, threshold {_BURNS:.2f}"
        seen = f"{100 * sight.likeness:.0f} % like flames, {100 * sight.flicker.share:.0f} % of the pixels flicker"
        return f"{where}: {held}; {seen}"


def _scaled(region: Region, scale: tuple[float, float]) -> Box:
    x, y = scale
    return region[0] * x, region[1] * y, region[2] * x, region[3] * y


def _burning_area(places: Sequence[_Place]) -> float:
    return sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in (place.sight.box for place in places))


def _apart(a: Box, b: Box) -> float:
    """How far the centres of two boxes are apart, in diagonals of the larger one."""
    apart = hypot(a[0] + a[2] - b[0] - b[2], a[1] + a[3] - b[1] - b[3]) / 2
    return apart / max(hypot(box[2] - box[0], box[3] - box[1]) for box in (a, b))


def _crop(picture: Picture, box: Box) -> Picture:
    """A square around a box, as far as the picture goes."""
    half = max(box[2] - box[0], box[3] - box[1], _LEAST_CROP_PX) * _CROP_SIDES / 2
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return picture[max(0, int(y - half)) : int(y + half) + 1, max(0, int(x - half)) : int(x + half) + 1]
