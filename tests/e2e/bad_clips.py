"""Recordings with which something is wrong, or that are at the edge of what is right; each made in a folder of its own."""

from pathlib import Path

from tests.cluster.video.clips import cut, join, write_clip


def missing(folder: Path) -> Path:
    return folder / "clip.mp4"


def no_video(folder: Path) -> Path:
    (folder / "clip.mp4").write_text("this is no video\n" * 50)
    return folder / "clip.mp4"


def empty(folder: Path) -> Path:
    (folder / "clip.mp4").touch()
    return folder / "clip.mp4"


def truncated(folder: Path) -> Path:
    return cut(write_clip(folder / "clip.mp4", frames=75, options={"movflags": "faststart"}), 0.5)


def too_large(folder: Path) -> Path:
    return write_clip(folder / "clip.avi", size=(8208, 16), codec="mjpeg", frames=1)


def one_pixel(folder: Path) -> Path:
    return write_clip(folder / "clip.avi", size=(1, 1), codec="mjpeg", frames=3)


def eight_k(folder: Path) -> Path:
    return write_clip(folder / "clip.avi", size=(7680, 4320), codec="mjpeg", frames=1)


def changing_resolution(folder: Path) -> Path:
    parts = write_clip(folder / "a.h264", frames=20), write_clip(folder / "b.h264", size=(96, 32), frames=20)
    return join(folder / "clip.h264", *parts)
