"""How well a network finds things, by the measure of COCO's authors."""

import contextlib
import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from pycocotools.coco import COCO  # type: ignore[import-untyped]
from pycocotools.cocoeval import COCOeval  # type: ignore[import-untyped]

from cluster.inference.pack import ModelPack
from cluster.inference.session import ModelSession
from vigie.vocabulary import ObjectClass

# Average precision is an area over all thresholds, so that detections below the pack's own threshold count too.
_LOWEST_SCORE = 0.01

Categories = dict[ObjectClass, int]


@dataclass(frozen=True, slots=True)
class Precision:
    """Average precision over IoU .50 to .95, and at .50.

    Attributes:
        average: mean over the classes that Vigie knows.
        average_50: the same, at IoU .50.
        person: of people alone.
        person_50: the same, at IoU .50.
    """

    average: float
    average_50: float
    person: float
    person_50: float


def measured_precision(pack: ModelPack, folder: Path) -> Precision:
    """That of a pack's network on the pictures in `images`, whose boxes are in `instances.json` (COCO's format)."""
    session = ModelSession(replace(pack, manifest=pack.manifest.model_copy(update={"score_threshold": _LOWEST_SCORE})))
    with contextlib.redirect_stdout(io.StringIO()):  # where pycocotools reports its progress
        truth = COCO(folder / "instances.json")
        categories = _categories(truth)
        found = truth.loadRes(list(_found(session, truth, folder / "images", categories)))
        return Precision(*_scores(truth, found, categories.values()), *_scores(truth, found, [categories[ObjectClass.PERSON]]))


def _categories(truth: COCO) -> Categories:
    numbers = {category["name"]: category["id"] for category in truth.dataset["categories"]}
    return {kind: numbers[name] for kind in ObjectClass if (name := kind.name.lower()) in numbers}


def _found(session: ModelSession, truth: COCO, images: Path, categories: Categories) -> Iterator[dict[str, object]]:
    for image in truth.dataset["images"]:
        (found,) = session.detect([np.asarray(cv2.imread(str(images / image["file_name"])), np.uint8)])
        extents = np.concatenate([found.boxes[:, :2], found.boxes[:, 2:] - found.boxes[:, :2]], axis=1)
        for extent, score, kind in zip(extents.tolist(), found.scores.tolist(), found.classes.tolist(), strict=True):
            yield {"image_id": image["id"], "category_id": categories[ObjectClass(kind)], "bbox": extent, "score": score}


def _scores(truth: COCO, found: COCO, categories: Collection[int]) -> tuple[float, float]:
    evaluation = COCOeval(truth, found, "bbox")
    evaluation.params.catIds = sorted(categories)
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return float(evaluation.stats[0]), float(evaluation.stats[1])
