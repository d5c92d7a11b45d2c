"""What cameras are to raise, and what they did raise."""

import sqlite3
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from cluster.analysis.attention import Attention, Look
from cluster.analysis.pipeline import CameraPipeline
from cluster.config import CameraConfig, camera_config
from cluster.detections import Detector
from cluster.inference.flames import rule_context
from cluster.inference.models import Models
from cluster.replay import ReplayedSignals, analyses, looks
from cluster.video.frame import Fit
from cluster.video.pyav import PyAvSource, open_source
from cluster.video.sampling import Sampler
from cluster.video.stream import Timeouts
from cluster.video.url import resolve
from tools.bench.encoding import Reel
from tools.evaluate.labels import Event
from tools.evaluate.matching import EARLY_S, LATE_S, Signal, matched
from tools.evaluate.setting import camera_message
from vigie.names import camera_name
from vigie.v1 import assignments_pb2, venues_pb2
from vigie.vocabulary import Kind


@dataclass(frozen=True, slots=True, order=True)
class Raised:
    """That a camera raised something.

    Attributes:
        at_s: when, in seconds of whatever clock it is told by.
        kind: what.
        zone: id of the zone; empty for the whole picture.
    """

    at_s: float
    kind: Kind
    zone: str


@dataclass(frozen=True, slots=True)
class Recall:
    """What became of signals that were to be raised.

    Attributes:
        expected: how many there were to be.
        missed: of those.
        extra: raised beyond them.
    """

    expected: int = 0
    missed: int = 0
    extra: int = 0

    def __add__(self, other: "Recall") -> "Recall":
        """Of two cameras together."""
        return Recall(self.expected + other.expected, self.missed + other.missed, self.extra + other.extra)


@dataclass(frozen=True, slots=True)
class Replay:
    """What a camera does that has all the time it needs.

    Attributes:
        raised: by the place in the reel.
        cpu_s_a_camera_s: CPU seconds of decoding, detection and rules, a second.
        analysed_rate_hz: frames analysed a second.
        looks_rate_hz: what of them a network looked at a second, in whole pictures.
    """

    raised: tuple[Raised, ...]
    cpu_s_a_camera_s: float
    analysed_rate_hz: float
    looks_rate_hz: float


def replayed(reel: Reel, models: Models, detector: Detector, rate_hz: float, *, gating: bool) -> Replay:
    """Plays a reel in this process, without a cluster.

    It is played twice, and the second time counts: rules know then what came before its beginning.
    """
    config = _config(reel, models.fits.plain, rate_hz)
    attention = Attention.of(config.rules, gating=gating)
    pipeline, signals = CameraPipeline(config, rule_context(config.rules)), ReplayedSignals()
    for start_s in (0.0, reel.length_s):
        shares: list[float] = []
        began_s = time.process_time()
        with _opened(config, start_s, models.fits.plain) as source:
            seen = _counted(looks(source.frames(Sampler(rate_hz).is_due), source, attention), shares)
            for _, analysis in analyses(seen, detector, pipeline, frozenset(Kind), attention):
                signals.add(analysis.revisions)
        cpu_s = time.process_time() - began_s
    opened = ((signal.last.opened_s - reel.length_s, signal.gravest) for signal in signals)
    return Replay(
        raised=tuple(sorted(Raised(at_s, signal.kind, signal.zone) for at_s, signal in opened if at_s >= 0)),
        cpu_s_a_camera_s=cpu_s / reel.length_s,
        analysed_rate_hz=len(shares) / reel.length_s,
        looks_rate_hz=sum(shares) / reel.length_s,
    )


def _counted(seen: Iterable[Look], shares: list[float]) -> Iterator[Look]:
    for look in seen:
        shares.append(look.share)
        yield look


def _opened(config: CameraConfig, start_s: float, fit: Fit) -> PyAvSource:
    stream, url = replace(config.stream, start_time_s=start_s), resolve(config.stream.url, lambda _: None)
    return open_source(stream, url=url, fit=fit, timeouts=Timeouts(), now=lambda: 0.0)


def _config(reel: Reel, fit: Fit, rate_hz: float) -> CameraConfig:
    label = reel.scene.label
    camera = camera_message(label, label.watched, rate_hz=rate_hz)
    camera.name = camera_name("bench", "replay")
    camera.stream.url, camera.stream.pace = f"file:{quote(str(reel.clip.resolve()))}", venues_pb2.PACE_FASTEST
    return camera_config(assignments_pb2.Assignment(camera=camera, time_zone="UTC"), fit=fit)


def seen_in(window: tuple[float, float], expected: Iterable[Raised], length_s: float, ahead_s: float) -> list[Raised]:
    """What a camera is to raise from one moment to another, in seconds since the epoch.

    Args:
        window: from when until when, not longer than the reel.
        expected: what its reel gives, by the place in the reel.
        length_s: of the reel.
        ahead_s: how far the camera is ahead of the clock.
    """
    start_s, end_s = window
    moments = ((start_s + (raised.at_s - start_s - ahead_s) % length_s, raised) for raised in expected)
    return sorted(replace(raised, at_s=at_s) for at_s, raised in moments if at_s < end_s)


def recall(window: tuple[float, float], expected: Sequence[Raised], raised: Iterable[Raised]) -> Recall:
    """How what a camera raised meets what it was to raise, as `vigie evaluate` has it: one to one, and not later than 5 s.

    What it raised shortly before or after the window may have been expected in it; if not, it does not count.
    """
    start_s, end_s = window
    signals = [
        Signal(each.kind, each.zone, each.at_s - start_s, None, 1.0, "", None)
        for each in raised
        if start_s - EARLY_S <= each.at_s <= end_s + LATE_S
    ]
    moments = ((each, each.at_s - start_s) for each in expected)
    events = [Event.model_construct(kind=each.kind, zone=each.zone, start_s=at_s, end_s=at_s) for each, at_s in moments]
    outcome = matched(events, signals, lambda event: event.start_s)
    extra = sum(1 for signal in outcome.false if 0 <= signal.opened_s < end_s - start_s)
    return Recall(len(events), len(outcome.missed), extra)


def recorded(record: Path) -> dict[str, list[Raised]]:
    """What is on record of cameras, by their ids, in seconds since the epoch. `record`: a service's SQLite file."""
    found = defaultdict[str, list[Raised]](list)
    with closing(sqlite3.connect(f"file:{record}?mode=ro", uri=True)) as database:
        for camera, kind, zone, opened in database.execute("SELECT camera_id, kind, zone, open_time FROM signals"):
            at_s = datetime.fromisoformat(opened).replace(tzinfo=UTC).timestamp()
            found[camera].append(Raised(at_s, Kind(kind), zone))
    return found
