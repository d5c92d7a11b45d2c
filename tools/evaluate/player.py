"""One labelled clip, decoded and detected once and watched by as many pipelines as are compared."""

import hashlib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from uuid import UUID

import cv2

from cluster.analysis.attention import Attention, Look
from cluster.analysis.pipeline import Analysis, CameraPipeline
from cluster.config import CameraConfig
from cluster.detections import Detections
from cluster.errors import ClusterError
from cluster.inference.flames import rule_context
from cluster.inference.models import ArmableDetector, Fits, Models
from cluster.privacy.redaction import evidence_jpeg
from cluster.replay import ReplayedSignal, ReplayedSignals, looks
from cluster.video.frame import Fit, Frame
from cluster.video.pyav import PyAvSource, open_source
from cluster.video.sampling import Sampler
from cluster.video.stream import Timeouts
from cluster.video.url import resolve
from tools.evaluate.conditions import CONDITIONS
from tools.evaluate.labels import LabelFile
from tools.evaluate.matching import Signal
from tools.evaluate.setting import camera_of
from tools.evaluate.variations import kinds_of
from vigie.vocabulary import Kind

Parts = frozenset[str]


@dataclass(frozen=True, slots=True)
class Job:
    """What to do with one clip.

    Attributes:
        file: its label.
        under: name of the condition under which it is shown.
        without: for each pipeline the parts of rules that are switched off in it.
        kinds: what is watched for, of what the label names.
        rate_hz: frames analysed a second; None: as the camera's rules need.
        gating: whether the detector looks only where something has changed.
        pack: folder of the model pack; None: the small one that Vigie ships.
        weapon_pack: folder of the model pack that finds weapons; None: there is none.
        with_pictures: whether the signals of the first pipeline have pictures.
    """

    file: LabelFile
    under: str
    without: tuple[Parts, ...]
    kinds: frozenset[Kind]
    rate_hz: float | None
    gating: bool
    pack: Path | None
    weapon_pack: Path | None
    with_pictures: bool


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a job.

    Attributes:
        rate_hz: frames analysed a second.
        watched_s: how long the clip was watched.
        looks: how many pictures the detector looked at; a part of one counts as its share of the whole.
        signals: those of each pipeline, in the order of their opening.
    """

    rate_hz: float
    watched_s: float
    looks: float
    signals: tuple[tuple[Signal, ...], ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """Why a clip could not be played."""

    problem: str


@dataclass(frozen=True, slots=True)
class Equipment:
    """What a process plays clips with.

    Attributes:
        fits: the sizes into which pictures are scaled for the detector.
        detector: finds things in them.
    """

    fits: Fits
    detector: ArmableDetector


@cache
def equipment(pack: Path | None, weapon_pack: Path | None) -> Equipment:
    """Loaded once a process. Raises ModelError."""
    cv2.setNumThreads(1)  # the other cores play other clips
    models = Models.load(pack, weapon_pack)
    return Equipment(models.fits, models.detector())


def play(job: Job) -> Played | Failed:
    """Plays one clip, in whatever process. The same job gives the same signals."""
    try:
        return _played(job, equipment(job.pack, job.weapon_pack))
    except ClusterError as error:
        return Failed(str(error))


def _played(job: Job, used: Equipment) -> Played | Failed:
    if problem := _changed_clip(job.file):
        return Failed(problem)
    condition = CONDITIONS[job.under]
    label = condition.labelled(job.file.label)
    config = camera_of(label, job.file.clip, job.kinds, fit=used.fits.plain, rate_hz=job.rate_hz)
    fit = used.fits.of(config)
    watchers = [
        _Watcher.of(config, without, with_pictures=job.with_pictures and place == 0) for place, without in enumerate(job.without)
    ]
    attention, looked = Attention.of(config.rules, gating=job.gating), 0.0
    with _opened(config, fit) as source:
        frames = condition.frames(source, Sampler(config.analysis_rate_hz).is_due, fit)
        for look in looks(frames, source, attention):
            detections = attention.found(look, _detected(look, used.detector, is_armed=Kind.WEAPON in job.kinds))
            looked += look.share
            for watcher in watchers:
                watcher.step(look.frame, detections)
    return Played(
        rate_hz=config.analysis_rate_hz,
        watched_s=max(0.0, label.length_s - condition.start_s),
        looks=looked,
        signals=tuple(watcher.seen() for watcher in watchers),
    )


def _detected(look: Look, detector: ArmableDetector, *, is_armed: bool) -> list[Detections]:
    parts = [part.picture for part in look.parts]
    return detector.detect(parts, [is_armed] * len(parts)) if parts else []


@dataclass(slots=True, eq=False)
class _Watcher:
    """One pipeline and what it raised."""

    config: CameraConfig
    pipeline: CameraPipeline
    permitted: frozenset[Kind]
    with_pictures: bool
    _signals: ReplayedSignals = field(default_factory=ReplayedSignals)
    _pictures: dict[UUID, bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, config: CameraConfig, without: Parts, *, with_pictures: bool) -> "_Watcher":
        """One whose rules lack some parts. It looks only for kinds that these are parts of, since others stay as they are."""
        watched = frozenset(rule.kind for rule in config.rules)
        pipeline = CameraPipeline(config, rule_context(config.rules, without))
        return cls(config, pipeline, watched & kinds_of(without) if without else watched, with_pictures)

    def step(self, frame: Frame, detections: Detections) -> None:
        """Takes one frame."""
        if not self.permitted:
            return
        analysis = self.pipeline.step(frame, detections, self.permitted)
        self._signals.add(analysis.revisions)
        if self.with_pictures:
            self._keep_openings(frame, analysis)

    def seen(self) -> tuple[Signal, ...]:
        """The signals, in the order of their opening."""
        return tuple(self._signal(signal) for signal in self._signals)

    def _keep_openings(self, frame: Frame, analysis: Analysis) -> None:
        for revision in analysis.revisions:
            if revision.revision == 1:
                jpeg = evidence_jpeg(frame.picture, scene=analysis.scene, revision=revision, view=self.config.view)
                self._pictures[revision.signal_id] = jpeg

    def _signal(self, signal: ReplayedSignal) -> Signal:
        gravest = signal.gravest
        return Signal(
            kind=gravest.kind,
            zone=gravest.zone,
            opened_s=signal.last.opened_s,
            closed_s=signal.last.closed_s,
            score=gravest.score,
            reason=gravest.reason,
            box=gravest.box,
            picture=self._pictures.get(gravest.signal_id),
        )


def _changed_clip(file: LabelFile) -> str | None:
    """What is wrong with a clip that is not the one that was labelled."""
    try:
        with file.clip.open("rb") as content:
            found = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        return f"{file.clip}: cannot be read: {error.strerror}; put the clip there"
    if found != file.label.sha256:
        problem = f"has sha256 {found}, but its label says {file.label.sha256}"
        return f"{file.clip}: {problem}; put back the clip that was labelled, or label this one"
    return None


def _opened(config: CameraConfig, fit: Fit) -> PyAvSource:
    url = resolve(config.stream.url, lambda _: None)
    return open_source(config.stream, url=url, fit=fit, timeouts=Timeouts(), now=lambda: 0.0)
