"""Streams opened with PyAV: decoded, timed, and scaled by FFmpeg straight to the model's size."""

import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import Protocol, Self, cast

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from cluster.video.capture_time import CaptureClock, LiveClock, RecordingClock
from cluster.video.container import Container, Patience
from cluster.video.diagnosis import recording_refusal
from cluster.video.dozing import Doze
from cluster.video.frame import Fit, Frame
from cluster.video.pacing import Pacer
from cluster.video.picture_folder import PictureFolder
from cluster.video.presentation import TimeIfWanted, Turn
from cluster.video.stream import Pace, StreamConfig, Timeouts
from cluster.video.url import StreamUrl


class Pictures(Protocol):
    """Decoded pictures of one stream at their own size."""

    @property
    def is_live(self) -> bool:
        """Whether it goes on for ever."""
        ...

    @property
    def comes_in_bursts(self) -> bool:
        """Whether many pictures come at once, so that they have to be spread over time."""
        ...

    @property
    def period_s(self) -> float:
        """The usual time between two pictures."""
        ...

    @property
    def corrupt(self) -> int:
        """How many packets and pictures could not be decoded."""
        ...

    def pictures(self, time_if_wanted: TimeIfWanted) -> Generator[tuple[VideoFrame, float]]:
        """The pictures that are wanted, with their capture times, in the order in which they are shown. Raises StreamError."""
        ...

    def close(self) -> None:
        """Closes what is open."""
        ...


class PyAvSource:
    """A Source over FFmpeg."""

    def __init__(self, pictures: Pictures, timing: "Timing", *, fit: Fit, interrupted: threading.Event) -> None:
        """`interrupted`: once set, `pictures` ends as well."""
        self.drowsy = False
        self._pictures = pictures
        self._timing = timing
        self._fit = fit
        self._interrupted = interrupted
        self._reformatter = VideoReformatter()

    @property
    def is_live(self) -> bool:
        """See Source."""
        return self._pictures.is_live

    @property
    def corrupt(self) -> int:
        """See Source."""
        return self._pictures.corrupt

    def frames(self, is_due: Callable[[float], bool]) -> Iterator[Frame]:
        """See Source."""
        doze = Doze()

        def time_if_wanted(turn: Turn) -> float | None:
            if (wait_s := self._timing.wait_s(turn.pts_s)) and self._interrupted.wait(wait_s):
                return None
            time_s = self._timing.capture_time_s(turn.pts_s)
            is_wanted = doze.step(turn, time_s, is_due=is_due(time_s), is_drowsy=self.drowsy)
            return time_s if is_wanted else None

        with closing(self._pictures.pictures(time_if_wanted)) as pictures:
            for picture, time_s in pictures:
                yield self._frame(picture, time_s)

    def interrupt(self) -> None:
        """See Source."""
        self._interrupted.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pictures.close()

    def _frame(self, picture: VideoFrame, time_s: float) -> Frame:
        width, height = self._fit.of(picture.width, picture.height)
        return Frame(
            capture_time_s=time_s,
            picture=_bgr(self._reformatter, picture, width, height),
            width=picture.width,
            height=picture.height,
            full=lambda: _bgr(VideoReformatter(), picture, picture.width, picture.height),
        )


class Timing:
    """When a picture is shown and when it was taken. The wall clock is read once, so that setting it disturbs no open stream."""

    def __init__(
        self, clock: CaptureClock, pacer: Pacer | None, *, now: Callable[[], float], monotonic: Callable[[], float]
    ) -> None:
        """`pacer`: None where pictures are taken as they come."""
        self._clock = clock
        self._pacer = pacer
        self._monotonic = monotonic
        self._epoch_s = now() - monotonic()

    def wait_s(self, pts_s: float | None) -> float:
        """Seconds until a picture of this presentation time is to be shown."""
        return self._pacer.wait_s(pts_s, self._monotonic()) if self._pacer else 0.0

    def capture_time_s(self, pts_s: float | None) -> float:
        """When a picture of this presentation time, come now, was taken."""
        return self._clock.time_of(pts_s, self._epoch_s + self._monotonic())


def open_source(
    config: StreamConfig,
    *,
    url: StreamUrl,
    fit: Fit,
    timeouts: Timeouts,
    now: Callable[[], float],
    monotonic: Callable[[], float] = time.monotonic,
) -> PyAvSource:
    """Opens a camera or a recording. `now`: seconds since the epoch. `monotonic`: of a clock that never jumps.

    Frames of a recording count from its start time, or from now where it has none; live ones have the time of this machine.
    Raises StreamRefusedError where only a change of the configuration or the file can help, StreamOpenError where trying again
    can, StreamStalledError where the host takes the connection and does not answer.
    """
    interrupted = threading.Event()
    pictures = _open_pictures(url, Patience(timeouts, monotonic, interrupted.is_set))
    is_paced = pictures.comes_in_bursts if pictures.is_live else config.pace is Pace.REAL_TIME
    timing = Timing(
        LiveClock() if pictures.is_live else RecordingClock(config.start_time_s, pictures.period_s),
        Pacer(pictures.period_s) if is_paced else None,
        now=now,
        monotonic=monotonic,
    )
    return PyAvSource(pictures, timing, fit=fit, interrupted=interrupted)


def _open_pictures(url: StreamUrl, patience: Patience) -> Pictures:
    if url.scheme != "file":
        return Container(url, url.value, patience)
    if refusal := recording_refusal(url):
        raise refusal
    return PictureFolder(url, patience) if url.path.is_dir() else Container(url, f"file:{url.path}", patience)


def _bgr(reformatter: VideoReformatter, picture: VideoFrame, width: int, height: int) -> NDArray[np.uint8]:
    scaled = reformatter.reformat(picture, width, height, "bgr24", interpolation=Interpolation.FAST_BILINEAR, threads=1)
    return cast("NDArray[np.uint8]", scaled.to_ndarray())
