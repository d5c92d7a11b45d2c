"""The line of a zone intrusion: who crosses it in a watched direction raises one signal, which closes by itself."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from cluster.analysis.crossings import Crossings
from cluster.analysis.geometry import Crossing, Line
from cluster.analysis.scene import Finding, Phase, Scene, box_of
from cluster.analysis.schedule import Schedule
from cluster.analysis.view import View
from cluster.analysis.wording import counted
from cluster.tracking.tracks import Tracks
from vigie.vocabulary import ObjectClass, Severity

# Signals open at the same time; a further crossing closes the oldest before its time.
_OPEN_LIMIT = 64
_EPSILON_S = 1e-6

_WORDS = {Crossing.LEFT_TO_RIGHT: "from left to right", Crossing.RIGHT_TO_LEFT: "from right to left"}


@dataclass(slots=True, eq=False)
class LineCrossingRule:
    """Watches one directed line.

    A track that crosses again while its signal is open keeps it open for longer and raises no second one.
    """

    view: View
    zone: str
    line: Line
    who: frozenset[ObjectClass]
    open_s: float
    schedule: Schedule
    _crossings: Crossings = field(init=False)
    _open: dict[int, tuple[float, Finding]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._crossings = Crossings(self.view, self.line)

    def step(self, scene: Scene) -> Sequence[Finding]:
        """What changed with this frame."""
        if not self.schedule.holds(scene.time_s):
            self._crossings.reset()
            return self._closed(list(self._open), "the rule's schedule ended")
        findings = self._crossed(scene.tracks.of(self.who), scene.time_s)
        over = [track for track, (crossed_s, _) in self._open.items() if scene.time_s - crossed_s >= self.open_s - _EPSILON_S]
        return [*findings, *self._closed(over, f"{self.open_s:.1f} s have passed since the crossing")]

    def reset(self) -> None:
        """Forgets who was seen."""
        self._crossings.reset()
        self._open.clear()

    def _crossed(self, tracks: Tracks, time_s: float) -> list[Finding]:
        findings: list[Finding] = []
        for row, crossing in self._crossings.step(tracks):
            track = int(tracks.ids[row])
            if track in self._open:
                self._open[track] = (time_s, self._open[track][1])
                continue
            if len(self._open) >= _OPEN_LIMIT:
                findings += self._closed([next(iter(self._open))], f"more than {_OPEN_LIMIT} crossings are open")
            findings.append(self._finding(tracks, row, crossing))
            self._open[track] = (time_s, findings[-1])
        return findings

    def _finding(self, tracks: Tracks, row: int, crossing: Crossing) -> Finding:
        who = counted([ObjectClass(int(tracks.classes[row]))])
        return Finding(
            key=str(tracks.ids[row]),
            phase=Phase.OPENED,
            severity=Severity.WARNING,
            score=float(tracks.scores[row]),
            reason=f"{who} crossed line {self.zone} {_WORDS[crossing]}",
            box=box_of(tracks, row),
            ground_point=self.view.ground_point(self.view.standing_points(tracks.feet[row])),
        )

    def _closed(self, tracks: list[int], reason: str) -> list[Finding]:
        return [replace(self._open.pop(track)[1], phase=Phase.CLOSED, reason=reason) for track in tracks]
