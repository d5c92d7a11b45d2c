"""Recordings and HTTP streams, sound and broken, through FFmpeg."""

import itertools
import os
import socket
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest

from cluster.errors import StreamEndedError, StreamError, StreamOpenError, StreamRefusedError, StreamStalledError
from cluster.video.decoding import MAXIMUM_SIDE
from cluster.video.frame import Fit, Frame
from cluster.video.pyav import PyAvSource, open_source
from cluster.video.stream import Pace, StreamConfig, Timeouts
from cluster.video.url import resolve
from tests.cluster.video.clips import RATE_HZ, cut, damage, join, write_clip, write_sound
from tests.cluster.video.servers import Folder, Locked, MotionJpeg, Silent, http

FIT = Fit(32, 32)
NOW_S = 1.8e9
HASTE = Timeouts(open_s=0.5, read_s=0.5, stalled_s=0.5, first_frame_s=1)
SECRETS = {"GUARD": "guard@gate", "PASSWORD": "hunter2/é"}


def opened(template: str, *, start_time_s: float | None = 0, pace: Pace = Pace.FASTEST) -> PyAvSource:
    config = StreamConfig(template, start_time_s, pace)
    return open_source(config, url=resolve(template, SECRETS.get), fit=FIT, timeouts=HASTE, now=lambda: NOW_S)


def played(template: str, is_due: Callable[[float], bool] = lambda _: True) -> list[Frame]:
    with opened(template) as source:
        return list(source.frames(is_due))


def times(frames: list[Frame]) -> list[float]:
    return [round(frame.capture_time_s, 6) for frame in frames]


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.ts", "clip.avi", "clip.h264"])
def test_every_format_is_played_whole_in_order_from_its_start_time(tmp_path: Path, name: str) -> None:
    write_clip(tmp_path / name)
    frames = played(f"file:{tmp_path / name}")
    assert times(frames) == [round(index / RATE_HZ, 6) for index in range(50)]
    greys = [float(frame.picture.mean()) for frame in frames]
    assert all(later > earlier - 2 for earlier, later in itertools.pairwise(greys))
    assert greys[-1] > greys[0] + 100


def test_pictures_are_scaled_to_fit_and_kept_at_their_own_size_for_evidence(tmp_path: Path) -> None:
    frames = played(f"file:{write_clip(tmp_path / 'clip.mp4')}")
    assert {frame.picture.shape for frame in frames} == {(24, 32, 3)}
    assert {(frame.width, frame.height) for frame in frames} == {(64, 48)}
    assert frames[0].full().shape == (48, 64, 3)
    assert frames[0].full().mean() < frames[-1].full().mean()


def test_playing_twice_gives_the_same_frames(tmp_path: Path) -> None:
    first, second = (played(f"file:{write_clip(tmp_path / 'clip.mp4', frames=5)}") for _ in range(2))
    assert times(first) == times(second)
    assert all(np.array_equal(a.picture, b.picture) for a, b in zip(first, second, strict=True))


def test_frames_that_are_not_due_are_left_out(tmp_path: Path) -> None:
    answers = itertools.cycle([True] + [False] * 9)
    assert len(played(f"file:{write_clip(tmp_path / 'clip.mp4')}", lambda _: next(answers))) == 5


def test_recording_without_start_time_counts_from_now(tmp_path: Path) -> None:
    with opened(f"file:{write_clip(tmp_path / 'clip.mp4')}", start_time_s=None) as source:
        frame = next(iter(source.frames(lambda _: True)))
    assert NOW_S <= frame.capture_time_s < NOW_S + 60


def test_recording_in_real_time_is_not_played_faster_than_it_was_recorded(tmp_path: Path) -> None:
    with opened(f"file:{write_clip(tmp_path / 'clip.mp4', frames=6)}", pace=Pace.REAL_TIME) as source:
        began_s = time.monotonic()
        frames = list(source.frames(lambda _: True))
    assert times(frames) == [0, 0.04, 0.08, 0.12, 0.16, 0.2]
    assert time.monotonic() - began_s >= 0.2


def test_interrupt_ends_a_recording(tmp_path: Path) -> None:
    with opened(f"file:{write_clip(tmp_path / 'clip.mp4')}", pace=Pace.REAL_TIME) as source:
        frames = source.frames(lambda _: True)
        next(frames)
        source.interrupt()
        assert next(frames, None) is None


def test_resolution_may_change_in_the_middle(tmp_path: Path) -> None:
    first, second = write_clip(tmp_path / "a.h264", frames=10), write_clip(tmp_path / "b.h264", size=(96, 32), frames=10)
    frames = played(f"file:{join(tmp_path / 'clip.h264', first, second)}")
    assert [frame.width for frame in frames] == [64] * 10 + [96] * 10
    assert [frame.picture.shape for frame in frames] == [(24, 32, 3)] * 10 + [(11, 32, 3)] * 10


def test_damaged_packets_are_left_out_and_counted(tmp_path: Path) -> None:
    clip = damage(write_clip(tmp_path / "clip.mp4", options={"movflags": "faststart"}), start=0.5, end=0.6)
    with opened(f"file:{clip}") as source:
        frames = list(source.frames(lambda _: True))
        assert source.corrupt > 0
    assert 25 < len(frames) < 50


@pytest.mark.parametrize(("size", "codec"), [((1, 1), "mjpeg"), ((7680, 4320), "mjpeg")])
def test_smallest_and_8k_pictures_are_played(tmp_path: Path, size: tuple[int, int], codec: str) -> None:
    frames = played(f"file:{write_clip(tmp_path / 'clip.avi', size=size, codec=codec, frames=1)}")
    assert [(frame.width, frame.height) for frame in frames] == [size]
    assert frames[0].picture.shape[1] == 32


class TestPictureFolder:
    def test_pictures_are_played_in_order_of_their_names(self, tmp_path: Path) -> None:
        for index in (3, 1, 2):
            cv2.imwrite(str(tmp_path / f"{index}%d.png"), np.full((48, 64, 3), index * 50, np.uint8))
        (tmp_path / "notes.txt").write_text("no picture")
        frames = played(f"file:{tmp_path}?rate_hz=2")
        assert times(frames) == [0, 0.5, 1]
        assert [round(float(frame.picture.mean()), -1) for frame in frames] == [50, 100, 150]

    def test_sizes_may_differ(self, tmp_path: Path) -> None:
        for index, size in enumerate([(1, 1), (48, 64), (4320, 7680)]):
            cv2.imwrite(str(tmp_path / f"{index}.jpg"), np.zeros((*size, 3), np.uint8))
        frames = played(f"file:{tmp_path}")
        assert [(frame.height, frame.width) for frame in frames] == [(1, 1), (48, 64), (4320, 7680)]
        assert times(frames) == [0, 0.04, 0.08]

    def test_damaged_picture_is_left_out_and_counted(self, tmp_path: Path) -> None:
        for index in range(3):
            cv2.imwrite(str(tmp_path / f"{index}.png"), np.zeros((48, 64, 3), np.uint8))
        (tmp_path / "1.png").write_bytes(b"no picture")
        with opened(f"file:{tmp_path}") as source:
            assert times(list(source.frames(lambda _: True))) == [0, 0.08]
            assert source.corrupt == 1


def missing(folder: Path) -> Path:
    return folder / "missing.mp4"


def text(folder: Path) -> Path:
    (folder / "clip.txt").write_text("this is no video\n" * 50)
    return folder / "clip.txt"


def text_by_the_name_of_a_video(folder: Path) -> Path:
    return text(folder).rename(folder / "clip.mp4")


def playlist_of_other_protocols(folder: Path) -> Path:
    (folder / "clip.m3u8").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n")
    return folder / "clip.m3u8"


def empty(folder: Path) -> Path:
    (folder / "clip.mp4").touch()
    return folder / "clip.mp4"


def pipe(folder: Path) -> Path:
    os.mkfifo(folder / "clip.mp4")
    return folder / "clip.mp4"


def without_its_index(folder: Path) -> Path:
    return cut(write_clip(folder / "clip.mp4"), 0.5)


def without_pictures(folder: Path) -> Path:
    clip = write_clip(folder / "clip.mp4", frames=10, options={"movflags": "faststart"})
    content = clip.read_bytes()
    return damage(clip, start=(content.index(b"mdat") + 4) / len(content), end=1)


def sound_alone(folder: Path) -> Path:
    return write_sound(folder / "sound.mp4")


def cut_short(folder: Path) -> Path:
    return cut(write_clip(folder / "clip.mp4", frames=75, options={"movflags": "faststart"}), 0.5)


def empty_folder(folder: Path) -> Path:
    return folder


def folder_of_broken_pictures(folder: Path) -> Path:
    (folder / "a.jpg").write_bytes(b"no picture")
    return folder


def too_wide_picture(folder: Path) -> Path:
    cv2.imwrite(str(folder / "a.png"), np.zeros((1, MAXIMUM_SIDE + 1, 3), np.uint8))
    return folder


def too_wide_video(folder: Path) -> Path:
    return write_clip(folder / "clip.avi", size=(MAXIMUM_SIDE + 16, 16), frames=1, codec="mjpeg")


def noise_in_all_packets(folder: Path) -> Path:
    return damage(write_clip(folder / "clip.mp4", frames=200, options={"movflags": "faststart"}), start=0.3, end=1)


@pytest.mark.parametrize(
    ("make", "kind", "problem", "what_to_do"),
    [
        (missing, StreamRefusedError, "no such file or folder", "check the path"),
        (text, StreamRefusedError, "no video that can be read", "check that it plays"),
        (text_by_the_name_of_a_video, StreamRefusedError, "no video that can be read", "check that it plays"),
        (playlist_of_other_protocols, StreamRefusedError, "no video that can be read", "check that it plays"),
        (empty, StreamRefusedError, "is empty", "record it again"),
        (pipe, StreamRefusedError, "neither a file nor a folder", "name one"),
        (without_its_index, StreamRefusedError, "no video", "check"),
        (without_pictures, StreamRefusedError, "no picture that can be decoded", "check that it plays"),
        (sound_alone, StreamRefusedError, "holds no video", "check that it is the right file"),
        (cut_short, StreamError, "of the 3.0 s that it declares", "copy it again"),
        (empty_folder, StreamRefusedError, "holds no picture", "put files there that end in"),
        (
            folder_of_broken_pictures,
            StreamRefusedError,
            "none of its 1 pictures can be used; the last, a.jpg",
            "check that it plays",
        ),
        (too_wide_picture, StreamRefusedError, "8193 x 1 pixels are too large", "at most 8192 pixels a side"),
        (too_wide_video, StreamRefusedError, "8208 x 16 pixels are too large", "at most 8192 pixels a side"),
        (noise_in_all_packets, StreamError, "packets in a row cannot be decoded", "check"),
    ],
)
def test_bad_recording_is_told_by_what_where_and_what_to_do(
    tmp_path: Path, make: Callable[[Path], Path], kind: type[StreamError], problem: str, what_to_do: str
) -> None:
    path = make(tmp_path)
    with pytest.raises(kind) as caught:
        played(f"file:{path}")
    assert problem in caught.value.problem
    assert what_to_do in caught.value.problem
    assert caught.value.url == f"file:{path}"


def write_segments(folder: Path, *, is_live: bool) -> None:
    """An HLS stream of four segments of half a second each."""
    options = {"hls_time": "0.5", "hls_list_size": "0"} | ({"hls_flags": "omit_endlist"} if is_live else {})
    write_clip(folder / "stream.m3u8", options=options)


def test_hls_with_an_end_is_a_recording(tmp_path: Path) -> None:
    write_segments(tmp_path, is_live=False)
    with http(partial(Folder, directory=str(tmp_path))) as address:
        frames = played(f"http://{address}/stream.m3u8")
    assert times(frames) == [round(index / RATE_HZ, 6) for index in range(50)]


def test_hls_without_an_end_is_live_and_stalls_when_no_segment_follows(tmp_path: Path) -> None:
    write_segments(tmp_path, is_live=True)
    with http(partial(Folder, directory=str(tmp_path))) as address, opened(f"http://{address}/stream.m3u8") as source:
        assert source.is_live
        frames = list[Frame]()
        with pytest.raises(StreamStalledError, match="no frame came"):
            frames.extend(source.frames(lambda _: True))
    assert frames
    assert all(NOW_S < frame.capture_time_s < NOW_S + 60 for frame in frames)


def test_motion_jpeg_over_http_has_the_times_of_arrival() -> None:
    with http(MotionJpeg) as address, opened(f"http://{address}/video.cgi") as source:
        frames = list[Frame]()
        with pytest.raises(StreamEndedError):
            frames.extend(source.frames(lambda _: True))
    assert len(frames) == 10
    assert all(NOW_S < frame.capture_time_s < NOW_S + 1 for frame in frames)


def test_video_over_http_is_a_recording(tmp_path: Path) -> None:
    write_clip(tmp_path / "clip.mp4")
    with http(partial(Folder, directory=str(tmp_path))) as address:
        assert len(played(f"http://{address}/clip.mp4")) == 50


def test_path_that_is_not_served_is_told(tmp_path: Path) -> None:
    with http(partial(Folder, directory=str(tmp_path))) as address, pytest.raises(StreamOpenError, match="check the path"):
        opened(f"http://{address}/missing.m3u8")


def test_closed_port_is_told() -> None:
    with http(Silent) as address:
        pass
    with pytest.raises(StreamOpenError, match=r"nothing listens on port \d+; check"):
        opened(f"http://{address}/x.m3u8")


def test_host_without_an_address_is_told() -> None:
    with pytest.raises(StreamOpenError, match=r"the host camera\.invalid has no address; check its name"):
        opened("rtsp://camera.invalid/x")


def test_host_that_cannot_be_reached_is_told() -> None:
    with pytest.raises(StreamOpenError, match=r"the host cannot be reached \(.+\); check the address and the network"):
        opened("rtsp://255.255.255.255/x")


def test_host_that_takes_no_connection_is_told() -> None:
    with socket.socket() as server, socket.socket() as first:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        first.connect(server.getsockname())
        with pytest.raises(StreamOpenError, match=r"no connection to port \d+ within 0\.5 s; check the address"):
            opened(f"rtsp://127.0.0.1:{server.getsockname()[1]}/x")


def test_host_that_never_answers_is_stalled() -> None:
    with http(Silent) as address, pytest.raises(StreamStalledError, match=r"did not answer within 0\.5 s"):
        opened(f"http://{address}/x.m3u8")


def test_what_is_no_video_over_http_is_told(tmp_path: Path) -> None:
    text(tmp_path)
    with (
        http(partial(Folder, directory=str(tmp_path))) as address,
        pytest.raises(StreamOpenError, match="no video that can be read"),
    ):
        opened(f"http://{address}/clip.txt")


def test_refused_credentials_are_told_by_the_names_of_their_secrets(capfd: pytest.CaptureFixture[str]) -> None:
    with http(Locked) as address, pytest.raises(StreamRefusedError, match="secrets GUARD, PASSWORD were refused") as caught:
        opened(f"http://${{GUARD}}:${{PASSWORD}}@{address}/x.m3u8")
    shown = str(caught.value) + repr(caught.value) + "".join(capfd.readouterr())
    assert not any(secret in shown for secret in ("guard", "hunter2"))


def test_live_stream_that_ends_is_a_fault(tmp_path: Path) -> None:
    write_clip(tmp_path / "clip.h264")
    with http(partial(Folder, directory=str(tmp_path))) as address, opened(f"http://{address}/clip.h264") as source:
        assert source.is_live
        with pytest.raises(StreamEndedError, match="the stream ended"):
            list(source.frames(lambda _: True))
