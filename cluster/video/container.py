"""Packets to pictures with FFmpeg: one container, one video stream, one thread."""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import av
from av.container import InputContainer
from av.stream import Discard
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from cluster.errors import StreamEndedError, StreamError, StreamRefusedError, StreamStalledError
from cluster.video.decoding import Decoder, LazyDecoder, Ticks
from cluster.video.diagnosis import opening_failure
from cluster.video.presentation import TimeIfWanted, Turn
from cluster.video.stream import Timeouts
from cluster.video.url import StreamUrl

if TYPE_CHECKING:
    from av.packet import Packet

CUT_SHORT_S = 1.0
"""A recording that ends earlier than this before the end that it declares was cut short."""

_FILE_FORMATS = "asf,avi,dv,flv,h264,hevc,ivf,m4v,matroska,mjpeg,mov,mpeg,mpegts,mpegvideo,mxf,ogg"
_PICTURE_FORMATS = "bmp_pipe,image2,jpeg_pipe,png_pipe,tiff_pipe,webp_pipe"
_HTTP_FORMATS = f"aac,hls,mpjpeg,webvtt,{_FILE_FORMATS}"
_LIVE = {"fpsprobesize": "0", "analyzeduration": "1000000"}  # opens in 0.4 s instead of 1.2 s: no guess at the frame rate
_RTSP = _LIVE | {"rtsp_transport": "tcp", "allowed_media_types": "video", "format_whitelist": "rtsp"}
_HTTP = _LIVE | {"format_whitelist": _HTTP_FORMATS, "protocol_whitelist": "http,https,tcp,tls,crypto,data"}
_OPTIONS = {
    "rtsp": _RTSP | {"protocol_whitelist": "rtp,tcp,udp"},
    "rtsps": _RTSP | {"protocol_whitelist": "rtp,tcp,tls,udp"},
    "http": _HTTP,
    "https": _HTTP,
    "file": {"format_whitelist": f"{_FILE_FORMATS},{_PICTURE_FORMATS}", "protocol_whitelist": "file", "pattern_type": "none"},
}
"""What FFmpeg may open, and nothing else: a playlist reaches no other protocol, and a text file is not played as a video."""

_UNTIMED_FORMATS = ("mpjpeg",)
"""Formats without presentation times; FFmpeg makes some up, from a rate that it guesses."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a stream: the time-outs, the clock by which they run, and whether to give up at once."""

    timeouts: Timeouts
    monotonic: Callable[[], float]
    is_interrupted: Callable[[], bool]


class Container:
    """An open container: a file, or what comes over a network. To be closed by the thread that reads it.

    Attributes:
        is_live: whether it goes on for ever: what comes over RTSP, and over HTTP without a known duration.
        comes_in_bursts: whether many pictures come at once (the segments of HLS), so that they have to be spread over time.
    """

    def __init__(self, url: StreamUrl, location: str, patience: Patience) -> None:
        """`location`: what FFmpeg opens for the URL. Raises StreamOpenError or StreamStalledError."""
        self._url = url
        self._patience = patience
        self._container = _open(url, location, patience)
        self._format = self._container.format.name
        self.is_live = url.scheme in ("rtsp", "rtsps") or (url.scheme != "file" and self._container.duration is None)
        self.comes_in_bursts = self._format == "hls"
        self._first_s: float | None = None
        self._last_s: float | None = None
        try:
            self._stream = self._video_stream()
            self._time_base = self._stream.time_base or Fraction(1, av.time_base)
            self._decoder = Decoder(self._stream, url, self._broken)
        except StreamError:
            self.close()
            raise

    @property
    def corrupt(self) -> int:
        """How many packets and pictures could not be decoded."""
        return self._decoder.corrupt

    @property
    def period_s(self) -> float:
        """The usual time between two pictures."""
        return float(1 / (self._stream.average_rate or Fraction(25)))

    def pictures(self, time_if_wanted: TimeIfWanted) -> Generator[tuple[VideoFrame, float]]:
        """The pictures that are wanted, with their capture times, in the order in which they are shown.

        Ends at the end of a recording. Raises StreamEndedError, StreamStalledError and StreamError.
        """
        timeouts, monotonic = self._patience.timeouts, self._patience.monotonic
        lazy, sound = LazyDecoder(self._decoder, self._ticks()), 0
        deadline_s = monotonic() + timeouts.first_frame_s
        for packet in self._packets():
            yield from lazy.step(packet, lambda turn: time_if_wanted(self._noted(turn)))
            if self._decoder.sound > sound or lazy.is_holding:
                sound, deadline_s = self._decoder.sound, monotonic() + timeouts.stalled_s
            elif self.is_live and monotonic() > deadline_s:
                raise self._stalled()
        if not self._patience.is_interrupted():
            self._check_end()

    def close(self) -> None:
        """Closes the file or the connection."""
        self._container.close()

    def _video_stream(self) -> VideoStream:
        stream = self._container.streams.best("video")
        if not isinstance(stream, VideoStream):
            raise StreamRefusedError(self._url.redacted, "holds no video; check that it is the right file or path")
        if stream.codec_context is None:
            raise StreamRefusedError(self._url.redacted, "its codec is unknown here; set the camera to H.264 or H.265")
        for other in self._container.streams:
            other.discard = Discard.default if other is stream else Discard.all
        return stream

    def _packets(self) -> "Iterator[Packet[VideoStream]]":
        packets = self._container.demux(self._stream)
        while not self._patience.is_interrupted() and (packet := self._next(packets)):
            yield packet

    def _next(self, packets: "Iterator[Packet[VideoStream]]") -> "Packet[VideoStream] | None":
        asked_s, failure = self._patience.monotonic(), None
        try:
            packet = next(packets, None)
        except av.FFmpegError as error:
            packet, failure = None, error.strerror
        # A read that timed out may look like an end of the stream, or still give a packet: only its length tells.
        if self._url.scheme != "file" and self._patience.monotonic() - asked_s >= self._patience.timeouts.read_s:
            raise self._stalled()
        if failure:
            raise self._broken(f"cannot be read further ({failure})")
        return packet

    def _ticks(self) -> Ticks:
        return Ticks(self._time_base, is_by_decoding=self._format == "avi", is_made_up=self._format in _UNTIMED_FORMATS)

    def _noted(self, turn: Turn) -> Turn:
        if turn.pts_s is not None:
            self._first_s, self._last_s = turn.pts_s if self._first_s is None else self._first_s, turn.pts_s
        return turn

    def _check_end(self) -> None:
        if self.is_live:
            raise StreamEndedError(self._url.redacted, "the stream ended; check the camera or its server")
        if not self._decoder.sound:
            raise StreamRefusedError(self._url.redacted, "holds no picture that can be decoded; check that it plays")
        if self._first_s is None or self._last_s is None:
            return
        length_s, declared_s = self._last_s - self._first_s + self.period_s, self._declared_s()
        if length_s + CUT_SHORT_S < declared_s:
            raise self._broken(
                f"ends after {length_s:.1f} s of the {declared_s:.1f} s that it declares: it is cut short; copy it again"
            )

    def _declared_s(self) -> float:
        if self._stream.duration is not None:
            return float(self._stream.duration * self._time_base)
        return (self._container.duration or 0) / av.time_base

    def _stalled(self) -> StreamStalledError:
        seconds = f"{self._patience.timeouts.stalled_s:g} s"
        return StreamStalledError(
            self._url.redacted, f"connected, but no frame came for {seconds}; restart the camera if it stays so"
        )

    def _broken(self, problem: str) -> StreamError:
        return (StreamEndedError if self.is_live else StreamError)(self._url.redacted, problem)


def _open(url: StreamUrl, location: str, patience: Patience) -> InputContainer:
    av.logging.set_level(None)  # FFmpeg's own lines hold the URL with its credentials.
    timeouts, began_s = patience.timeouts, patience.monotonic()
    limits = None if url.scheme == "file" else (timeouts.open_s, timeouts.read_s)
    try:
        return av.open(location, options=_OPTIONS[url.scheme], timeout=limits, metadata_errors="replace")
    except av.FFmpegError as error:
        raise opening_failure(error, url, waited_s=patience.monotonic() - began_s, timeout_s=timeouts.open_s) from None
