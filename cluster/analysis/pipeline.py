"""One camera: its frames and detections to tracks, findings and signals.

Pure: the same frames, detections and permissions give the same revisions, identities included.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from cluster.analysis.scene import PLAIN, Finding, Phase, Rule, RuleContext, Scene
from cluster.analysis.signals import SignalRevision, SignalSource
from cluster.analysis.suitability import Concern, SuitabilityMonitor
from cluster.config import CameraConfig
from cluster.detections import Detections
from cluster.tracking.tracker import Tracker, TrackerParameters
from cluster.video.frame import Frame
from vigie.vocabulary import Kind

# Rules ask for seconds of persistence before they say anything, so a track may be believed sooner than where tracks are the
# result: small and distant things, whose scores are low, are then followed too.
TRACKING = TrackerParameters(confident_score=0.4, birth_score=0.55)

# Frames further apart than this have nothing to do with each other.
GAP_LIMIT_S = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """What one frame gave.

    Attributes:
        revisions: of signals that opened, changed or closed with it.
        scene: what the rules saw.
    """

    revisions: tuple[SignalRevision, ...]
    scene: Scene


@dataclass(slots=True, eq=False)
class _Watch:
    """A rule and the signals that it has open, by the keys of their findings."""

    source: SignalSource
    rule: Rule
    open: dict[str, SignalRevision] = field(default_factory=dict)

    def step(self, scene: Scene) -> Iterator[SignalRevision]:
        for finding in self.rule.step(scene):
            yield self._revision(finding, scene.time_s)

    def _revision(self, finding: Finding, time_s: float) -> SignalRevision:
        if finding.phase is Phase.OPENED:
            revision = self.source.opened(finding, time_s)
        else:
            revision = self.open.pop(finding.key).revised(finding, time_s)
        if finding.phase is not Phase.CLOSED:
            self.open[finding.key] = revision
        return revision

    def stop(self, reason: str, time_s: float) -> Iterator[SignalRevision]:
        """Closes what is open and forgets what was seen."""
        self.rule.reset()
        while self.open:
            _, revision = self.open.popitem()
            yield revision.closed(reason, max(time_s, revision.updated_s))


class CameraPipeline:
    """Analyses the frames of one camera, in order of their capture times.

    Args:
        config: of the camera.
        context: what its rules may use.
    """

    def __init__(self, config: CameraConfig, context: RuleContext = PLAIN) -> None:
        self._view = config.view
        self._tracker = Tracker(TRACKING)
        self._watches = [
            _Watch(SignalSource(config.name, parameters.kind, parameters.zone), parameters.rule(context))
            for parameters in config.rules
        ]
        self._monitor = SuitabilityMonitor(config.rules, config.view)
        self._last_s: float | None = None

    def step(self, frame: Frame, detections: Detections, permitted: frozenset[Kind]) -> Analysis:
        """Takes one frame.

        Args:
            frame: the picture and its capture time.
            detections: in pixels of `frame.picture`.
            permitted: the kinds that some act allows at this moment. Rules of other kinds are not run, and what they had open is
                closed; when none is left, nothing is tracked either.
        """
        time_s = frame.capture_time_s
        revisions = [*self._after_a_jump(time_s), *self._without_permission(permitted, time_s)]
        scene = self._scene(frame, detections, is_watched=any(watch.source.kind in permitted for watch in self._watches))
        for watch in self._watches:
            if watch.source.kind in permitted:
                revisions += watch.step(scene)
        self._monitor.step(scene)
        self._last_s = time_s
        return Analysis(tuple(revisions), scene)

    def concerns(self) -> tuple[Concern, ...]:
        """What speaks against the camera, by the pictures of the last minute."""
        return self._monitor.concerns()

    def reset(self, time_s: float, reason: str = "the camera's analysis was stopped") -> tuple[SignalRevision, ...]:
        """Closes what is open and forgets what was seen, because no frame follows, or none that has to do with those before."""
        self._tracker.reset()
        self._monitor.reset()
        self._last_s = None
        return tuple(revision for watch in self._watches for revision in watch.stop(reason, time_s))

    def _after_a_jump(self, time_s: float) -> tuple[SignalRevision, ...]:
        if self._last_s is None or 0 < time_s - self._last_s <= GAP_LIMIT_S:
            return ()
        gap_s = time_s - self._last_s
        reason = f"frames went back by {abs(gap_s):.1f} s" if gap_s <= 0 else f"no frame for {gap_s:.1f} s"
        return self.reset(self._last_s, reason)

    def _without_permission(self, permitted: frozenset[Kind], time_s: float) -> Iterator[SignalRevision]:
        for watch in self._watches:
            if watch.source.kind not in permitted:
                yield from watch.stop(f"no act in force allows {watch.source.kind.name} here", time_s)

    def _scene(self, frame: Frame, detections: Detections, *, is_watched: bool) -> Scene:
        height, width = frame.picture.shape[:2]
        scaled = detections.scaled(self._view.width / width, self._view.height / height)
        if not is_watched:
            self._tracker.reset()
            scaled = Detections.empty()
        tracks = self._tracker.step(scaled, frame.capture_time_s)
        return Scene(frame.capture_time_s, frame.picture, scaled, tracks, frame.full)
