"""Packets to pictures, and of the packets only those that are needed for the pictures that are wanted.

Packets are held until a picture is wanted, then decoded together. A key frame makes those that are held needless: what follows it
builds on it alone. So a stream of which little is wanted (a low rate, a camera that dozes) costs little more than its key frames,
one of key frames alone (Motion JPEG) costs just what is wanted, and from any moment on everything can be had without waiting for
the next key frame.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import av
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from cluster.errors import StreamError, StreamRefusedError
from cluster.video.presentation import PresentationOrder, TimeIfWanted, Turn
from cluster.video.url import StreamUrl

if TYPE_CHECKING:
    from av.packet import Packet

MAXIMUM_SIDE = 8192
"""Pixels of the longer side of a picture; larger ones are refused. 8K is 7680 x 4320."""

CORRUPT_IN_A_ROW = 100
"""So many packets that cannot be decoded, one after another, are a fault of the stream."""

HELD_BYTES = 2 << 20
"""Packets that are held are decoded once they come to this: 2 s of 8 Mbit/s. That loses no picture, only the saving."""

BAD_KEYS = 2
"""After so many key frames in a row that did not stand on their own (gradual refresh, wrong flags) all packets are decoded."""


class Decoder:
    """Gives the sound pictures of packets.

    Attributes:
        corrupt: how many packets and pictures could not be decoded.
        sound: how many pictures were.
    """

    def __init__(self, stream: VideoStream, url: StreamUrl, broken: Callable[[str], StreamError]) -> None:
        """`broken`: what to raise where the stream cannot be used, by its problem. Raises StreamRefusedError."""
        self._context = stream.codec_context
        self._url = url
        self._broken = broken
        self._corrupt_in_a_row = 0
        self.corrupt = self.sound = 0
        stream.thread_type = "NONE"
        self._context.options = {"max_pixels": str(MAXIMUM_SIDE**2)}
        self._check_size(self._context.width, self._context.height)

    @property
    def depth(self) -> int:
        """How many pictures it holds back to bring them into order."""
        return self._context.reorder_depth

    def pictures(self, packet: "Packet[VideoStream]") -> list[VideoFrame]:
        """What a packet gives. Raises StreamError."""
        try:
            pictures = packet.decode()
        except av.FFmpegError:
            self._count(sound=0, corrupt=1)
            return []
        sound = [picture for picture in pictures if not picture.is_corrupt]
        self._count(sound=len(sound), corrupt=len(pictures) - len(sound))
        for picture in sound:
            self._check_size(picture.width, picture.height)
        return sound

    def restart(self) -> None:
        """Forgets the pictures before: what comes now does not follow them."""
        self._context.flush_buffers()

    def _count(self, *, sound: int, corrupt: int) -> None:
        self.corrupt += corrupt
        self.sound += sound
        self._corrupt_in_a_row = 0 if sound else self._corrupt_in_a_row + corrupt
        if self._corrupt_in_a_row >= CORRUPT_IN_A_ROW:
            raise self._broken(
                f"{CORRUPT_IN_A_ROW} packets in a row cannot be decoded; check the network, and the camera's codec"
            )

    def _check_size(self, width: int, height: int) -> None:
        if max(width, height) > MAXIMUM_SIDE:
            problem = f"its pictures of {width} x {height} pixels are too large; set it to at most {MAXIMUM_SIDE} pixels a side"
            raise StreamRefusedError(self._url.redacted, problem)


@dataclass(frozen=True, slots=True)
class Ticks:
    """How a stream counts time.

    Attributes:
        base: seconds a tick.
        is_by_decoding: it has no presentation times: those that FFmpeg gives are in the order of decoding (AVI).
        is_made_up: it has no times at all: FFmpeg gives some from a rate that it guesses.

    In both cases a picture after others that were left out may be as many periods early as the decoder holds pictures back.
    """

    base: Fraction
    is_by_decoding: bool = False
    is_made_up: bool = False

    def of(self, thing: "Packet[VideoStream] | VideoFrame") -> int | None:
        """The presentation time of a packet or a picture."""
        if self.is_made_up:
            return None
        return thing.dts if self.is_by_decoding else thing.pts

    def seconds(self, ticks: int | None) -> float | None:
        """The same in seconds."""
        return None if ticks is None else ticks * self.base.numerator / self.base.denominator


class LazyDecoder:
    """Gives the pictures that are wanted of one stream."""

    def __init__(self, decoder: Decoder, ticks: Ticks) -> None:
        self._decoder = decoder
        self._ticks = ticks
        self._order = PresentationOrder()
        self._held: deque[Packet[VideoStream]] = deque()
        self._held_bytes = 0
        self._wanted: list[tuple[int | None, float]] = []
        self._has_skipped = self._is_proving = False
        self._bad_keys = 0

    def step(self, packet: "Packet[VideoStream]", time_if_wanted: TimeIfWanted) -> Iterator[tuple[VideoFrame, float]]:
        """The pictures that are wanted and that this packet lets be given, with their capture times. Raises StreamError."""
        if not self._decoder.sound:  # before a picture came nothing says whether any ever will
            yield from self._begin(packet, time_if_wanted)
        elif packet.size:
            yield from self._go_on(packet, time_if_wanted)
        else:
            yield from self._end(packet, time_if_wanted)

    @property
    def is_holding(self) -> bool:
        """Whether packets came that nobody has needed so far."""
        return bool(self._held)

    def _begin(self, packet: "Packet[VideoStream]", time_if_wanted: TimeIfWanted) -> Iterator[tuple[VideoFrame, float]]:
        deque(self._order.put(self._turn(packet), depth=self._depth), maxlen=0)  # what has no picture is never shown
        yield from self._asked(packet, time_if_wanted)

    def _go_on(self, packet: "Packet[VideoStream]", time_if_wanted: TimeIfWanted) -> Iterator[tuple[VideoFrame, float]]:
        if packet.is_keyframe:
            self._ask(self._order.rest(), time_if_wanted)
            self._skip()
        self._ask(self._order.put(self._turn(packet), depth=self._depth), time_if_wanted)
        self._held.append(packet)
        self._held_bytes += packet.size
        if self._wanted or self._held_bytes >= HELD_BYTES:
            yield from self._decoded()

    def _end(self, packet: "Packet[VideoStream]", time_if_wanted: TimeIfWanted) -> Iterator[tuple[VideoFrame, float]]:
        turns = list(self._order.rest())
        self._ask(turns, time_if_wanted)
        if self._wanted or self._decoder.depth:
            yield from self._decoded()
            yield from self._given(self._decoder.pictures(packet)) if turns else self._asked(packet, time_if_wanted)

    @property
    def _depth(self) -> int:
        """How many turns wait. Where times are in the order of decoding, what a packet releases has the time of that packet."""
        return 0 if self._ticks.is_by_decoding else self._decoder.depth

    def _turn(self, packet: "Packet[VideoStream]") -> Turn:
        ticks = self._ticks.of(packet)
        return Turn(ticks, self._ticks.seconds(ticks), packet.size, packet.is_keyframe)

    def _asked(self, packet: "Packet[VideoStream]", time_if_wanted: TimeIfWanted) -> Iterator[tuple[VideoFrame, float]]:
        """Decodes first and asks afterwards."""
        for picture in self._decoder.pictures(packet):
            ticks = self._ticks.of(picture)
            if (time_s := time_if_wanted(Turn(ticks, self._ticks.seconds(ticks)))) is not None:
                yield picture, time_s

    def _ask(self, turns: Iterable[Turn], time_if_wanted: TimeIfWanted) -> None:
        for turn in turns:
            if (time_s := time_if_wanted(turn)) is not None:
                self._wanted.append((turn.ticks, time_s))

    def _skip(self) -> None:
        """Lets go of what is held, unless it is wanted or this stream's key frames do not stand on their own."""
        if self._held and not self._wanted and not self._is_proving and self._bad_keys < BAD_KEYS:
            self._held.clear()
            self._held_bytes, self._has_skipped = 0, True

    def _decoded(self) -> Iterator[tuple[VideoFrame, float]]:
        if self._has_skipped:
            self._decoder.restart()
            self._has_skipped, self._is_proving = False, True
        self._held_bytes = 0
        while self._held:
            yield from self._given(self._decoder.pictures(self._held.popleft()))

    def _given(self, pictures: Iterable[VideoFrame]) -> Iterator[tuple[VideoFrame, float]]:
        for picture in pictures:
            if self._is_proving:
                self._prove(picture)
            ticks = self._ticks.of(picture)
            if ticks is None and self._held:
                continue  # without times, what is wanted is what the last packet releases
            for index, (wanted, time_s) in reversed(list(enumerate(self._wanted))):
                lateness = 0 if ticks is None or wanted is None else ticks - wanted
                if lateness >= 0:
                    del self._wanted[: index + 1]  # with those that were wanted before and did not come
                    yield picture, time_s + float(lateness * self._ticks.base)
                    break

    def _prove(self, picture: VideoFrame) -> None:
        """Looks whether the first picture after others were left out is a key frame."""
        self._is_proving = False
        self._bad_keys = 0 if picture.key_frame else self._bad_keys + 1
