"""What is wrong with pictures, on real footage as it is and with each fault made."""

from collections.abc import Callable, Iterator
from functools import cache
from itertools import chain, cycle, islice
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cluster.video.faults import GAP_S, FaultWatch, StreamFaultKind
from cluster.video.frame import Fit, Frame
from cluster.video.picture_health import (
    BEGINS_AFTER_S,
    ENDS_AFTER_S,
    LOOK_S,
    MOST_MOVES,
    PictureHealth,
)
from cluster.video.pyav import open_source
from cluster.video.stream import Pace, StreamConfig, Timeouts
from cluster.video.url import resolve

Picture = NDArray[np.uint8]
Change = Callable[[Picture], Picture]

CLIPS = ("aboda_video4", "empty_road", "pets2006_3", "supermarket", "umn_lawn", "vtest")
STEP_S = 1.0
WELL_S = 40.0
NOISE = cycle(np.random.default_rng(0).normal(0, 1, (5, 624, 416, 3)).astype(np.float32))


@cache
def pictures(clip: Path) -> list[Picture]:
    """A picture a second of a clip, at the detector's size."""
    url = resolve(f"file:{clip}", lambda name: None)
    config = StreamConfig(url.value, start_time_s=0.0, pace=Pace.FASTEST)
    last_s = float("-inf")

    def is_due(time_s: float) -> bool:
        nonlocal last_s
        if time_s - last_s < STEP_S:
            return False
        last_s = time_s
        return True

    with open_source(config, url=url, fit=Fit(416, 416), timeouts=Timeouts(), now=lambda: 0.0) as source:
        return [frame.picture for frame in islice(source.frames(is_due), 80)]


@pytest.fixture(params=CLIPS)
def clip(request: pytest.FixtureRequest, shared: Path) -> list[Picture]:
    (path,) = (shared / "footage" / "clips").glob(f"{request.param}.*")
    return pictures(path)


def to_and_fro(shown: list[Picture]) -> Iterator[Picture]:
    """Without an end, and without a jump."""
    return cycle(chain(shown, reversed(shown[1:-1])))


def frame(picture: Picture, time_s: float) -> Frame:
    return Frame(time_s, picture, picture.shape[1], picture.shape[0], lambda: picture)


class Camera:
    """Shows pictures to a watch of their health."""

    def __init__(self, shown: list[Picture]) -> None:
        self.health = PictureHealth()
        self.time_s = 0.0
        self.last = shown[0]
        self._shown = to_and_fro(shown)

    def play(self, seconds: float, change: Change = lambda picture: picture, *, rate_hz: float = 25.0) -> None:
        """Goes on for so long with changed pictures."""
        until_s = self.time_s + seconds
        while self.time_s < until_s:
            self.last = next(self._shown)
            self.health.step(frame(np.ascontiguousarray(change(self.last)), self.time_s), rate_hz)
            self.time_s += STEP_S

    @property
    def kinds(self) -> set[StreamFaultKind]:
        return {fault.kind for fault in self.health.faults()}


def noise(picture: Picture, level: float) -> Picture:
    drawn = next(NOISE)[: picture.shape[0], : picture.shape[1]]
    return np.asarray(np.clip(picture + level * drawn, 0, 255), np.uint8)


def frozen(picture: Picture) -> Change:
    return lambda _: picture


def black(picture: Picture) -> Picture:
    return noise(np.full_like(picture, 4), 1.5)


def blurred(picture: Picture) -> Picture:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 2.5), np.uint8)


def covered(picture: Picture) -> Picture:
    """A board, out of focus, over four fifths of the view."""
    before = picture.copy()
    width = round(0.8 * picture.shape[1])
    before[:, :width] = noise(np.full_like(picture[:, :width], 90), 2.0)
    return before


def handled(picture: Picture) -> Picture:
    """A hand on the lens: nothing but a shade of red that gets darker to one side."""
    shade = np.linspace(60, 110, picture.shape[1])[None, :, None] * np.array([0.6, 0.7, 1.2])
    return noise(np.broadcast_to(shade, picture.shape).astype(np.uint8), 1.5)


def shifted(picture: Picture) -> Picture:
    """By 6 % of the width, what was at the edge wrapped round."""
    return np.roll(picture, (8, 25), axis=(0, 1))


def turned(picture: Picture) -> Picture:
    """By eight degrees about its middle."""
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 8, 1.2)
    return np.asarray(cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REFLECT), np.uint8)


def darkened(picture: Picture) -> Picture:
    return noise((picture * 0.15).astype(np.uint8), 6.0)


def dimmed(picture: Picture) -> Picture:
    """As clouds do."""
    return (picture * 0.6).astype(np.uint8)


FAULTS = {
    "black": (black, StreamFaultKind.BLACK),
    "blurred": (blurred, StreamFaultKind.BLURRED),
    "covered by a board": (covered, StreamFaultKind.COVERED),
    "covered by a hand": (handled, StreamFaultKind.COVERED),
    "shifted": (shifted, StreamFaultKind.MOVED),
    "turned": (turned, StreamFaultKind.MOVED),
    "darkened": (darkened, StreamFaultKind.LOW_LIGHT),
}


@pytest.mark.shared
def test_footage_as_it_is_has_no_fault(clip: list[Picture]) -> None:
    camera = Camera(clip)
    for _ in range(20):
        camera.play(2 * LOOK_S)
        assert camera.kinds == set()


@pytest.mark.shared
def test_clouds_are_no_fault(clip: list[Picture]) -> None:
    camera = Camera(clip)
    camera.play(WELL_S)
    camera.play(30.0, dimmed)
    assert camera.kinds == set()


@pytest.mark.shared
@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_said_in_time_alone_and_no_more_once_it_is_over(clip: list[Picture], fault: str) -> None:
    change, kind = FAULTS[fault]
    camera = Camera(clip)
    camera.play(WELL_S)
    camera.play(BEGINS_AFTER_S[kind] - LOOK_S, change)
    assert camera.kinds == set()
    camera.play(3 * LOOK_S, change)
    (found,) = camera.health.faults()
    assert found.kind is kind
    assert WELL_S <= found.since_s <= WELL_S + LOOK_S
    camera.play(20.0, change)
    assert camera.kinds == {kind}
    camera.play(ENDS_AFTER_S + 2 * LOOK_S)
    assert camera.kinds == set()


@pytest.mark.shared
def test_picture_that_repeats_is_frozen_also_where_an_encoder_adds_to_it(clip: list[Picture]) -> None:
    camera = Camera(clip)
    camera.play(WELL_S)
    last = camera.last
    for change in (frozen(last), lambda _: np.minimum(last, 254) + np.uint8(1) if int(camera.time_s) % 2 else last):
        camera.play(BEGINS_AFTER_S[StreamFaultKind.FROZEN] + 3 * LOOK_S, change)
        assert camera.kinds == {StreamFaultKind.FROZEN}
        camera.play(2 * ENDS_AFTER_S + 2 * LOOK_S)
        assert camera.kinds == set()


@pytest.mark.shared
def test_camera_that_dozes_has_no_fault_and_its_faults_are_found(clip: list[Picture]) -> None:
    shown, health = to_and_fro(clip), PictureHealth()
    for index in range(40):
        health.step(frame(next(shown), 2.1 * index), 25.0)
    assert health.faults() == ()
    for index in range(40, 50):
        health.step(frame(clip[0], 2.1 * index), 25.0)
    assert [fault.kind for fault in health.faults()] == [StreamFaultKind.FROZEN]


@pytest.mark.shared
def test_camera_that_is_turned_on_purpose_does_not_say_so_all_day(shared: Path) -> None:
    wide = pictures(shared / "footage" / "clips" / "shopping_street.mp4")
    height, width = wide[0].shape[:2]
    shown, health, begun, had = to_and_fro(wide), PictureHealth(), 0, False
    for index in range(1800):
        preset = index // 15 % 4
        x, y = (preset % 2) * width // 3, (preset // 2) * height // 4
        view = np.ascontiguousarray(next(shown)[y : y + height // 2, x : x + width // 2])
        health.step(frame(view, LOOK_S * index), 25.0)
        has = any(fault.kind is StreamFaultKind.MOVED for fault in health.faults())
        begun, had = begun + (has and not had), has
    assert 1 <= begun <= MOST_MOVES


def textured(seed: int) -> Picture:
    grown = np.random.default_rng(seed).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(grown, (416, 312), interpolation=cv2.INTER_LINEAR), np.uint8)


def noisy(count: int = 20) -> list[Picture]:
    """A scene in which nothing moves."""
    return [noise(textured(1), 3.0) for _ in range(count)]


@pytest.mark.parametrize(("rate_hz", "is_wrong"), [(25.0, False), (21.0, False), (12.5, True), (50.0, True)])
def test_rate_is_wrong_where_it_is_far_from_the_usual(rate_hz: float, *, is_wrong: bool) -> None:
    camera = Camera(noisy())
    camera.play(WELL_S, rate_hz=25.0)
    camera.play(BEGINS_AFTER_S[StreamFaultKind.WRONG_RATE] + 2 * LOOK_S, rate_hz=rate_hz)
    assert camera.kinds == ({StreamFaultKind.WRONG_RATE} if is_wrong else set())
    camera.play(ENDS_AFTER_S + 2 * LOOK_S, rate_hz=25.0)
    assert camera.kinds == set()


def test_rate_that_says_nothing_is_not_wrong() -> None:
    camera = Camera(noisy())
    camera.play(WELL_S, rate_hz=25.0)
    for index in range(60):
        camera.health.step(frame(noisy(1)[0], camera.time_s + index), None)
    assert StreamFaultKind.WRONG_RATE not in camera.kinds


def test_figures_and_what_to_do_are_said() -> None:
    camera = Camera(noisy())
    camera.play(WELL_S, rate_hz=25.0)
    camera.play(30.0, rate_hz=12.5)
    (fault,) = camera.health.faults()
    assert "12.5 frames a second come, usually 25.0; look at its network" in fault.detail


def test_what_lasts_too_briefly_is_not_said() -> None:
    watch = FaultWatch(StreamFaultKind.BLACK, begins_after_s=5.0, ends_after_s=5.0)
    for time_s in range(100):
        watch.step(time_s, is_so=time_s % 6 != 0, detail="black")
    assert watch.fault is None


def test_what_is_interrupted_briefly_goes_on() -> None:
    watch = FaultWatch(StreamFaultKind.BLACK, begins_after_s=5.0, ends_after_s=5.0)
    for time_s in range(100):
        watch.step(time_s, is_so=time_s < 10 or time_s % 4 != 0, detail="black")
    assert watch.fault is not None
    assert watch.fault.since_s == 0


def test_nothing_is_known_of_a_gap() -> None:
    watch = FaultWatch(StreamFaultKind.BLACK, begins_after_s=5.0, ends_after_s=5.0)
    watch.step(0.0, is_so=True, detail="black")
    watch.step(GAP_S + 1.0, is_so=True, detail="black")
    assert watch.fault is None
