"""What the classifier learns from: squares cut from labelled pictures, made as poor as a surveillance camera shows them.

Flames are the labelled ones of the training pictures. What is no flame comes from where a detector of warm colours errs: warm
regions of everyday photographs, the same photographs in warm colours, lamps in the dark, and what surrounds flames.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from cluster.analysis.flames import warm
from tools.model_training.flames.network import SIDE

Picture = NDArray[np.uint8]
_Pixel = TypeVar("_Pixel", np.uint8, np.bool_)
Window = tuple[int, int, int]
"""Left and upper edge and side of a square, in pixels."""

PER_FIRE_PICTURE = 12
PER_PHOTOGRAPH = 8
PER_PHOTOGRAPH_OBJECTS = 10
LAMPS = 1200

_FIRE = 0
_TRIES = 40
_LEAST_WINDOW_PX = 16
_LEAST_OBJECT_PX = 16
_SMEARED_SHARE = 0.3
# A window shows flames when this much of it is warm and labelled as fire.
_LEAST_FLAME_SHARE = 0.1
_LEAST_WARM_SHARE = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """One example.

    Attributes:
        pixels: (SIDE, SIDE, 3) uint8, BGR.
        shows_flames: what it is an example of.
        source: where it comes from: crops of one picture must not be on both sides of a comparison.
        sort: how it was chosen.
    """

    pixels: Picture
    shows_flames: bool
    source: str
    sort: str


@dataclass(frozen=True, slots=True, eq=False)
class FirePicture:
    """A picture and where it shows flames, (h, w) bool."""

    name: str
    pixels: Picture
    flames: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Photograph:
    """A picture without flames and the boxes of what it shows, (n, 4) float64: left, upper edge, width, height."""

    name: str
    pixels: Picture
    boxes: NDArray[np.float64]


Photographs = Sequence[Photograph]


def photographs(folder: Path) -> Photographs:
    """Pictures with boxes as COCO gives them: `images/` and `instances.json`."""
    instances = json.loads((folder / "instances.json").read_text())
    boxes: dict[int, list[list[float]]] = {image["id"]: [] for image in instances["images"]}
    for annotation in instances["annotations"]:
        boxes[annotation["image_id"]].append(annotation["bbox"])
    return [
        Photograph(image["file_name"], read(folder / "images" / image["file_name"]), np.array(boxes[image["id"]]).reshape(-1, 4))
        for image in sorted(instances["images"], key=lambda image: image["file_name"])
    ]


def fire_pictures(folder: Path) -> list[FirePicture]:
    """The labelled pictures: `images/*.jpg` and a `labels/*.txt` of YOLO boxes for each, whose class 0 is fire."""
    return [_fire_picture(path, folder / "labels" / f"{path.stem}.txt") for path in sorted((folder / "images").glob("*.jpg"))]


def _fire_picture(path: Path, label: Path) -> FirePicture:
    pixels = read(path)
    height, width = pixels.shape[:2]
    flames = np.zeros((height, width), np.bool_)
    for line in label.read_text().splitlines():
        number, *sides = line.split()
        x, y, w, h = (float(side) for side in sides)
        if int(number) == _FIRE:
            columns, rows = (
                (np.array([x - w / 2, x + w / 2]) * width).round(),
                (np.array([y - h / 2, y + h / 2]) * height).round(),
            )
            flames[max(0, int(rows[0])) : int(rows[1]), max(0, int(columns[0])) : int(columns[1])] = True
    return FirePicture(path.stem, pixels, flames)


def read(path: Path) -> Picture:
    """A picture, BGR. Raises FileNotFoundError when there is none."""
    pixels = cv2.imread(str(path))
    if pixels is None:
        raise FileNotFoundError(path)
    return np.asarray(pixels, np.uint8)


def crops_of_fires(pictures: Sequence[FirePicture], rng: np.random.Generator) -> Iterator[Crop]:
    """Flames, and what is around them."""
    for picture in pictures:
        flames = (warm(picture.pixels) == 1) & picture.flames
        for accepts, shows_flames, sort in (
            (partial(_has_share, flames, least=_LEAST_FLAME_SHARE), True, "flames"),
            # Some flames have no box: what is warm is left out.
            (partial(_has_share, ~picture.flames & (warm(picture.pixels) == 0), least=0.99), False, "around flames"),
        ):
            for window in _windows(picture.pixels, PER_FIRE_PICTURE if shows_flames else PER_FIRE_PICTURE // 2, accepts, rng):
                yield Crop(degraded(_cut(picture.pixels, window), rng), shows_flames, picture.name, sort)


def flames_elsewhere(pictures: Sequence[FirePicture], photographs: Photographs, rng: np.random.Generator) -> Iterator[Crop]:
    """Flames set into photographs: the training pictures show them against the sky, where few cameras look."""
    for picture in pictures:
        flames = (warm(picture.pixels) == 1) & picture.flames
        accepts = partial(_has_share, flames, least=_LEAST_FLAME_SHARE)
        for window in _windows(picture.pixels, PER_FIRE_PICTURE, accepts, rng):
            ground = _any_square(photographs[int(rng.integers(len(photographs)))].pixels, rng)
            pixels = _set_into(ground, _cut(picture.pixels, window), _cut(flames, window))
            yield Crop(degraded(pixels, rng), True, picture.name, "flames elsewhere")


def _any_square(pixels: Picture, rng: np.random.Generator) -> Picture:
    (window,) = _windows(pixels, 1, lambda _: True, rng)
    return _sized(_cut(pixels, window), SIDE)


def _set_into(ground: Picture, pixels: Picture, flames: NDArray[np.bool_]) -> Picture:
    front = cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR).astype(np.float32)
    # White-hot cores are no warm pixels: closing takes them in.
    mask = cv2.morphologyEx(cv2.resize(flames.astype(np.float32), (SIDE, SIDE)), cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    opacity = cv2.GaussianBlur(mask, (0, 0), 2)[..., None]
    return np.asarray(opacity * front + (1 - opacity) * ground, np.uint8)


def crops_of_photographs(photographs: Photographs, rng: np.random.Generator) -> Iterator[Crop]:
    """What is no flame: regions as they come, and warm ones."""
    for photograph in photographs:
        name, pixels = photograph.name, photograph.pixels
        for sort, least in (("photograph", 0.0), ("warm region", _LEAST_WARM_SHARE)):
            for window in _windows(pixels, PER_PHOTOGRAPH, partial(_has_share, warm(pixels) == 1, least=least), rng):
                yield Crop(degraded(_cut(pixels, window), rng), False, name, sort)
        for window in _windows(pixels, PER_PHOTOGRAPH, lambda _: True, rng):
            cut = _cut(pixels, window)
            everything = np.ones(cut.shape[:2], np.float32)
            yield Crop(degraded(_in_warm_colours(cut, everything, rng), rng), False, name, "photograph in warm colours")


def lamps(rng: np.random.Generator) -> Iterator[Crop]:
    """Lamps, headlights and their glow on plain grounds: what cameras see by night, and photographs rarely show."""
    for number in range(LAMPS):
        yield Crop(degraded(_lamp(rng), rng), False, f"lamp {number % 100}", "lamp")


def _windows(pixels: Picture, count: int, accepts: Callable[[Window], bool], rng: np.random.Generator) -> Iterator[Window]:
    """Up to so many random squares that are accepted."""
    height, width = pixels.shape[:2]
    for _ in range(count):
        for _ in range(_TRIES):
            side = round(float(np.exp(rng.uniform(np.log(_LEAST_WINDOW_PX), np.log(min(height, width))))))
            window = int(rng.integers(width - side + 1)), int(rng.integers(height - side + 1)), side
            if accepts(window):
                yield window
                break


def _has_share(mask: NDArray[np.bool_], window: Window, *, least: float) -> bool:
    return float(_cut(mask, window).mean()) >= least


def _cut(pixels: NDArray[_Pixel], window: Window) -> NDArray[_Pixel]:
    x, y, side = window
    return pixels[y : y + side, x : x + side]


def _sized(pixels: Picture, side: int) -> Picture:
    return np.asarray(cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def objects_in_warm_colours(photographs: Photographs, rng: np.random.Generator) -> Iterator[Crop]:
    """Things and people of the photographs, recoloured: jackets, bags and cars that only their shape tells from flames."""
    cv2.setRNGSeed(int(rng.integers(1 << 31)))  # of GrabCut
    for photograph in photographs:
        name, pixels, boxes = photograph.name, photograph.pixels, photograph.boxes
        large = boxes[boxes[:, 2:].min(axis=1) >= _LEAST_OBJECT_PX]
        for box in rng.permutation(large)[:PER_PHOTOGRAPH_OBJECTS]:
            window = _around(box, pixels, rng)
            cut = _sized(_cut(pixels, window), SIDE)
            mask = _object(cut, (box[:2] - window[:2]) * SIDE / window[2], box[2:] * SIDE / window[2])
            yield Crop(degraded(_in_warm_colours(cut, mask, rng), rng), False, name, "object in warm colours")


def _around(box: NDArray[np.float64], pixels: Picture, rng: np.random.Generator) -> Window:
    """A square that holds (most of) an object."""
    height, width = pixels.shape[:2]
    side = int(min(height, width, max(box[2:]) * rng.uniform(1.1, 2.0)))
    x, y = (box[:2] + box[2:] / 2 - side / 2).round().astype(int)
    return int(np.clip(x, 0, width - side)), int(np.clip(y, 0, height - side)), side


def _object(pixels: Picture, corner: NDArray[np.float64], size: NDArray[np.float64]) -> NDArray[np.float32]:
    """(SIDE, SIDE), 0 to 1: which pixels belong to the object in a box, as GrabCut (Rother et al. 2004) has it."""
    x0, y0 = np.clip(corner, 1, SIDE - 2).astype(int)
    x1, y1 = np.clip(corner + size, 1, SIDE - 2).astype(int)
    if min(x1 - x0, y1 - y0) < 2:
        return np.zeros((SIDE, SIDE), np.float32)
    mask = np.zeros((SIDE, SIDE), np.uint8)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(pixels, mask, (x0, y0, x1 - x0, y1 - y0), *models, 2, cv2.GC_INIT_WITH_RECT)
    return np.asarray(cv2.GaussianBlur((mask & 1).astype(np.float32), (0, 0), 1), np.float32)


def _in_warm_colours(pixels: Picture, mask: NDArray[np.float32], rng: np.random.Generator) -> Picture:
    hsv = cv2.cvtColor(pixels, cv2.COLOR_BGR2HSV).astype(np.float32)
    hue, saturation, value = rng.uniform(2, 30), rng.uniform(120, 240), rng.uniform(140, 240)
    gain = value / max(1.0, float(np.average(hsv[..., 2], weights=mask + 1e-3)))
    hsv[..., 0] = np.clip(hue + rng.uniform(0, 0.1) * (hsv[..., 0] - 90), 0, 34)
    hsv[..., 1] = np.clip(saturation + 0.4 * (hsv[..., 1] - 128), 0, 255)
    hsv[..., 2] = np.clip(hsv[..., 2] * gain, 0, 255)
    recoloured = cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2BGR)
    return np.asarray(mask[..., None] * recoloured + (1 - mask[..., None]) * pixels, np.uint8)


def _lamp(rng: np.random.Generator) -> Picture:
    """One to four round or long lights: white within, coloured around, and a fainter glow."""
    ground = rng.uniform(0, 140) * rng.uniform(0.7, 1.0, 3)
    light = np.tile(ground, (SIDE, SIDE, 1))
    rows, columns = np.mgrid[:SIDE, :SIDE]
    for _ in range(rng.integers(1, 5)):
        x, y = rng.uniform(0.15, 0.85, 2) * SIDE
        long, broad = np.exp(rng.uniform(np.log(3), np.log(40), 2))
        angle = rng.uniform(0, np.pi)
        across, along = (
            (columns - x) * np.cos(angle) + (rows - y) * np.sin(angle),
            (rows - y) * np.cos(angle) - (columns - x) * np.sin(angle),
        )
        distance = np.hypot(across / broad, along / long)
        color = np.array([rng.uniform(0, 160), rng.uniform(40, 230), 255.0])
        core, glow = (
            rng.uniform(100, 500) / (1 + np.exp(8 * (distance - 1))),
            rng.uniform(30, 200) * np.exp(-distance / rng.uniform(1, 3)),
        )
        light += core[..., None] + glow[..., None] * color / 255
    return np.clip(light, 0, 255).astype(np.uint8)


def degraded(pixels: Picture, rng: np.random.Generator) -> Picture:
    """A crop as a camera at a distance gives it: few pixels, another exposure and colour, noise, blur and JPEG's blocks."""
    small = _sized(pixels, round(float(np.exp(rng.uniform(np.log(20), np.log(SIDE)))))).astype(np.float32)
    if rng.random() < 0.5:
        small = small[:, ::-1]
    small = small * rng.uniform(0.6, 1.4) * rng.uniform(0.9, 1.1, 3).astype(np.float32) + rng.uniform(-20, 20)
    small += rng.normal(0, rng.uniform(0, 8), small.shape).astype(np.float32)
    small = _smeared(small, rng) if rng.random() < _SMEARED_SHARE else small
    blurred = np.clip(cv2.GaussianBlur(small, (0, 0), rng.uniform(0.1, 1.2)), 0, 255).astype(np.uint8)
    _, jpeg = cv2.imencode(".jpg", blurred, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 95))])
    shown = np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)
    return np.asarray(cv2.resize(shown, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR), np.uint8)


def _smeared(pixels: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Blurred along a line, as what moves while the shutter is open."""
    length = int(rng.integers(2, 1 + max(2, len(pixels) // 5)))
    turn = cv2.getRotationMatrix2D((length / 2, length / 2), rng.uniform(0, 180), 1)
    line = np.zeros((length + 1, length + 1), np.float32)
    line[length // 2] = 1
    turned = np.asarray(cv2.warpAffine(line, turn, line.shape), np.float32)
    return np.asarray(cv2.filter2D(pixels, -1, turned / max(1e-3, float(turned.sum()))), np.float32)
