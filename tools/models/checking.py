"""`vigie models check`."""

import json
import statistics
import time
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from numpy.typing import NDArray

from cluster.detections import Detections, Detector
from cluster.inference.flames import FlameClassifier
from cluster.inference.pack import Manifest, ModelPack, Task, default_pack_path, load_pack
from cluster.inference.session import ModelSession
from tools.connection import AsJson
from tools.display import console
from tools.errors import CommandError, ExitCode
from tools.models.folder import PacksFolder, find_pack, packs_folder
from vigie.vocabulary import ObjectClass

_RUNS = 10

Pack = Annotated[str | None, typer.Argument(help="Folder or name of a pack [default: the small one that Vigie ships].")]
PicturePath = Annotated[
    Path | None, typer.Option("--picture", help="A picture to run on, instead of an empty one.", metavar="FILE")
]


def check_pack(pack: Pack = None, picture: PicturePath = None, as_json: AsJson = False, packs: PacksFolder = None) -> None:
    """Loads a pack, compares its network with its hash, and runs it on a picture.

    Example: vigie models check --picture street.jpg
    """
    loaded = load_pack(find_pack(pack, packs_folder(packs)) if pack else default_pack_path())
    network = _Verifier(loaded) if loaded.manifest.task is Task.FLAME_VERIFICATION else ModelSession(loaded)
    wanted = loaded.manifest.input
    pixels = _read(picture) if picture else np.full((wanted.height, wanted.width, 3), 114, np.uint8)
    detections, ms = _measured(network, pixels)
    fields = _fields(loaded.manifest, loaded.folder) | {"provider": network.provider, "ms_per_picture": round(ms, 2)}
    if as_json:
        print(json.dumps(fields | {"detections": _rows(detections)}, ensure_ascii=False))
        return
    for name, value in fields.items():
        shown = ", ".join(value) if isinstance(value, list) else value
        console().print(f"{name:>15}  {shown}", soft_wrap=True)
    for row in _rows(detections):
        console().print(f"{row['class']:>15}  {row['score']:.2f} at {row['box']}")
    if not len(detections):
        console().print("nothing found" if picture else "nothing found in an empty picture, as it should be")


class _Verifier:
    """A classifier of flames as a detector that finds them in the whole picture, from a likeness of a half on."""

    def __init__(self, pack: ModelPack) -> None:
        self._classifier = FlameClassifier(pack)
        self.provider = self._classifier.provider

    def detect(self, pictures: list[NDArray[np.uint8]]) -> list[Detections]:
        return [
            Detections(
                np.array([[0, 0, picture.shape[1], picture.shape[0]]], np.float32),
                np.array([likeness], np.float32),
                np.array([ObjectClass.FLAME], np.int16),
            )[slice(likeness >= 0.5)]
            for picture, likeness in zip(pictures, self._classifier(pictures), strict=True)
        ]


def _read(path: Path) -> NDArray[np.uint8]:
    picture = cv2.imread(str(path)) if path.is_file() else None
    if picture is None:
        raise CommandError(f"{path} is no picture that can be read: give a JPEG or PNG file", ExitCode.BAD_INPUT)
    return np.asarray(picture, np.uint8)


def _measured(network: Detector, picture: NDArray[np.uint8]) -> tuple[Detections, float]:
    """Detections, and the median time of some runs in milliseconds."""
    times_ms = []
    for _ in range(_RUNS):
        start = time.perf_counter()
        (detections,) = network.detect([picture])
        times_ms.append((time.perf_counter() - start) * 1000)
    return detections, statistics.median(times_ms)


def _fields(manifest: Manifest, folder: Path) -> dict[str, object]:
    return {
        "name": manifest.name,
        "version": manifest.version,
        "task": manifest.task.value,
        "finds": sorted({kind.name.lower() for kind in manifest.object_classes if kind}),
        "drops": sum(1 for kind in manifest.object_classes if not kind),
        "licence": manifest.licence.name,
        "provenance": manifest.provenance,
        "folder": str(folder),
        "sha256": manifest.sha256,
    }


def _rows(detections: Detections) -> list[dict[str, object]]:
    boxes = detections.boxes.astype(float).round(1).tolist()
    columns = zip(detections.classes.tolist(), detections.scores.tolist(), boxes, strict=True)
    return [{"class": ObjectClass(kind).name.lower(), "score": round(score, 4), "box": box} for kind, score, box in columns]
