"""Pictures without decoding every packet, from clips as cameras and recorders write them."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from cluster.video import decoding
from cluster.video.decoding import Decoder
from cluster.video.frame import Fit, Frame
from cluster.video.pyav import PyAvSource, open_source
from cluster.video.sampling import Sampler
from cluster.video.stream import Pace, StreamConfig, Timeouts
from cluster.video.url import resolve
from tests.cluster.video.clips import RATE_HZ, Encoding, h264, write_awaited, write_visit

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.stream import VideoStream

FIT = Fit(64, 64)

ENCODINGS = {
    "group of 25": h264(25),
    "group of 50": h264(50),
    "group of 250": h264(250),
    "pictures that wait for later ones": Encoding(group=50, options={"preset": "veryfast", "bf": "3", "sc_threshold": "0"}),
    "open groups": Encoding(group=25, options={"bf": "2", "sc_threshold": "0", "x264-params": "open-gop=1"}),
    "constant bit rate": h264(50, b="500k", maxrate="500k", bufsize="250k"),
    "MPEG-4 in AVI": Encoding("mpeg4", ".avi", group=50, options={"b": "1500k"}),
    "MPEG-2 transport stream": Encoding(suffix=".ts", group=25, options={"preset": "veryfast", "bf": "2", "sc_threshold": "0"}),
    "no times": Encoding(suffix=".h264", group=25, options={"preset": "veryfast", "bf": "2", "sc_threshold": "0"}),
    "Motion JPEG": Encoding("mjpeg", ".avi"),
}

every_encoding = pytest.mark.parametrize("encoding", ENCODINGS.values(), ids=ENCODINGS)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many packets are decoded."""
    counted, pictures = Counter[str](), Decoder.pictures

    def counting(self: Decoder, packet: "Packet[VideoStream]") -> list[av.VideoFrame]:
        counted["packets"] += bool(packet.size)
        return pictures(self, packet)

    monkeypatch.setattr(Decoder, "pictures", counting)
    return counted


def opened(clip: Path) -> PyAvSource:
    url = resolve(f"file:{clip}", lambda _: None)
    return open_source(StreamConfig(url.value, 0, Pace.FASTEST), url=url, fit=FIT, timeouts=Timeouts(), now=lambda: 0)


def played(clip: Path, rate_hz: float) -> list[Frame]:
    with opened(clip) as source:
        return list(source.frames(Sampler(rate_hz).is_due))


def pictures(clip: Path) -> Iterator[NDArray[np.uint8]]:
    """What FFmpeg gives where every packet is decoded."""
    with av.open(clip) as container:
        for picture in container.decode(video=0):
            yield np.asarray(picture.to_ndarray(format="bgr24"), np.uint8)


@every_encoding
def test_pictures_that_are_due_are_those_of_a_player_that_decodes_everything(tmp_path: Path, encoding: Encoding) -> None:
    clip = write_visit(tmp_path / "clip", encoding, quiet_s=1, moving_s=2.2)
    whole = list(pictures(clip))
    frames = played(clip, rate_hz=5)
    assert [round(frame.capture_time_s * RATE_HZ) for frame in frames] == list(range(0, 80, 5))
    for frame in frames:
        assert np.array_equal(frame.full(), whole[round(frame.capture_time_s * RATE_HZ)])


@every_encoding
def test_every_picture_can_be_due(tmp_path: Path, encoding: Encoding) -> None:
    clip = write_visit(tmp_path / "clip", encoding, quiet_s=0.6, moving_s=1)
    frames = played(clip, rate_hz=1000)
    assert [round(frame.capture_time_s * RATE_HZ) for frame in frames] == list(range(len(frames)))
    assert len(frames) == 40


def test_of_motion_jpeg_only_what_is_due_is_decoded(tmp_path: Path, decoded: Counter[str]) -> None:
    frames = played(write_visit(tmp_path / "clip", ENCODINGS["Motion JPEG"], quiet_s=3.96, moving_s=0), rate_hz=5)
    assert decoded["packets"] == len(frames) == 20


def test_packets_after_the_last_picture_that_is_due_of_a_group_are_not_decoded(tmp_path: Path, decoded: Counter[str]) -> None:
    clip = write_visit(tmp_path / "clip", ENCODINGS["group of 25"], quiet_s=3.96, moving_s=0)
    played(clip, rate_hz=5)
    assert decoded["packets"] == 4 * 21
    decoded.clear()
    assert len(played(clip, rate_hz=1)) == 4
    assert decoded["packets"] == 4


def test_what_is_held_is_bounded_and_decoded_at_the_bound(
    tmp_path: Path, decoded: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "HELD_BYTES", 1)
    clip = write_visit(tmp_path / "clip", ENCODINGS["group of 25"], quiet_s=2, moving_s=0)
    assert len(played(clip, rate_hz=1)) == 2
    assert decoded["packets"] == 50


def test_a_stream_whose_key_frames_do_not_stand_alone_is_decoded_whole(tmp_path: Path, decoded: Counter[str]) -> None:
    gradual = h264(25, **{"intra-refresh": "1"})
    clip = write_visit(tmp_path / "clip", gradual, quiet_s=20, moving_s=0)
    times_s = [frame.capture_time_s for frame in played(clip, rate_hz=1)]
    assert times_s[-1] >= 18
    assert len(times_s) >= 15
    assert decoded["packets"] > 400


@pytest.mark.parametrize("name", ENCODINGS.keys() - {"no times"})
def test_dozing_or_woken_it_gives_pictures_as_they_are_at_their_times(tmp_path: Path, name: str) -> None:
    clip = write_visit(tmp_path / "clip", ENCODINGS[name], quiet_s=14.4, moving_s=1.6)
    whole, asked, sampler = list(pictures(clip)), list[float](), Sampler(5)

    def is_due(time_s: float) -> bool:
        asked.append(time_s)
        return sampler.is_due(time_s)

    with opened(clip) as source:
        source.drowsy = True
        frames = list(source.frames(is_due))
    assert len(asked) == len(whole) == 400
    for frame in frames:
        assert np.array_equal(frame.full(), whole[round(frame.capture_time_s * RATE_HZ)])


@pytest.mark.parametrize("name", ENCODINGS.keys() - {"constant bit rate"})
def test_dozing_it_gives_a_picture_now_and_then_and_all_that_are_due_once_something_moves(
    tmp_path: Path, name: str, decoded: Counter[str]
) -> None:
    clip = write_visit(tmp_path / "clip", ENCODINGS[name], quiet_s=14.4, moving_s=1.6)
    with opened(clip) as source:
        source.drowsy = True
        times_s = [frame.capture_time_s for frame in source.frames(Sampler(5).is_due)]
    quiet_s, moving_s = ([time_s for time_s in times_s if low <= time_s < high] for low, high in ((5, 14.4), (14.4, 16)))
    assert 4 <= len(quiet_s) <= 7
    assert moving_s[0] < 14.8
    assert len(moving_s) >= 6
    assert decoded["packets"] < 400


@pytest.mark.shared
@pytest.mark.parametrize(
    "name", ["aboda_video4.avi", "nofire_parkiran2.avi", "supermarket.mp4", "ucsd_ped2_test02.mp4", "umn_lawn.avi", "urfd_01.mp4"]
)
def test_real_motion_after_quiet_is_seen_within_some_frames(shared: Path, tmp_path: Path, name: str) -> None:
    quiet_s = 8.6
    clip = shared / "footage" / "clips" / name
    awaited = write_awaited(tmp_path / "clip", ENCODINGS["group of 50"], clip, quiet_s=quiet_s, moving_s=2)
    with opened(awaited) as source:
        source.drowsy = True
        times_s = [frame.capture_time_s for frame in source.frames(Sampler(5).is_due)]
    assert len([time_s for time_s in times_s if 5 <= time_s < quiet_s]) <= 3
    seen_s = [time_s for time_s in times_s if time_s >= quiet_s]
    assert seen_s[0] < quiet_s + 0.6
    assert len(seen_s) >= 6


def test_dozing_the_same_clip_twice_gives_the_same_frames(tmp_path: Path) -> None:
    clip = write_visit(tmp_path / "clip", ENCODINGS["group of 50"], quiet_s=9, moving_s=1)

    def times_s() -> list[float]:
        with opened(clip) as source:
            source.drowsy = True
            return [frame.capture_time_s for frame in source.frames(Sampler(5).is_due)]

    assert times_s() == times_s()
