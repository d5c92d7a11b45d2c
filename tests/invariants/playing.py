"""Made scenes through the analysis, with what a perfect detector would find in them."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from cluster.analysis.attention import Attention
from cluster.analysis.pipeline import CameraPipeline
from cluster.analysis.scene import Box, RuleContext
from cluster.analysis.signals import SignalRevision
from cluster.config import CameraConfig
from cluster.detections import Detections
from cluster.inference.decoding import within
from cluster.inference.flames import flame_classifier
from cluster.replay import ReplayedSignals
from tools.evaluate.labels import Label
from tools.evaluate.setting import camera_of
from tools.synthetic.stage import Stage
from vigie.vocabulary import Kind

ALL = frozenset(Kind)


def opened(stage: Stage) -> list[SignalRevision]:
    """The signals of a scene as they opened, in order."""
    config = camera_of_stage(stage)
    pipeline, attention, signals = CameraPipeline(config, context()), Attention.of(config.rules, gating=True), ReplayedSignals()
    for frame, detections in stage.frames():
        if look := attention.look(frame):
            found = attention.found(look, [_in_part(detections, part.box) for part in look.parts])
            signals.add(pipeline.step(frame, found, ALL).revisions)
    return [signal.gravest for signal in signals]


def _in_part(detections: Detections, box: Box) -> Detections:
    """What a perfect detector finds in a part of a picture."""
    x0, y0, x1, y1 = box
    moved = Detections(detections.boxes - np.array([x0, y0, x0, y0], np.float32), detections.scores, detections.classes)
    return within(moved, round(x1 - x0), round(y1 - y0))


def looked_at(stage: Stage) -> tuple[float, float]:
    """The share of a scene's pictures that a network looks at, parts of them counted by area, and the share that is analysed."""
    attention = Attention.of(camera_of_stage(stage).rules, gating=True)
    looks = [attention.look(frame) for frame, _ in stage.frames()]
    analysed = [look for look in looks if look]
    return sum(look.share for look in analysed) / len(looks), len(analysed) / len(looks)


def as_words(signals: list[SignalRevision]) -> list[str]:
    """Signals as a test that fails should show them."""
    return [f"{signal.opened_s:.1f} s {signal.kind.name}: {signal.reason}" for signal in signals]


@cache
def context() -> RuleContext:
    """What the rules may use: the classifier of flames that ships."""
    return RuleContext(flames=flame_classifier())


def camera_of_stage(stage: Stage) -> CameraConfig:
    """The camera that shows a scene, set to watch for what the scene says."""
    watch = [_mirrored(dict(rule), stage.camera.width) if stage.is_mirrored else dict(rule) for rule in stage.watch]
    label = {
        "clip": "made.avi",
        "fps": stage.rate_hz,
        "width": stage.camera.width,
        "height": stage.camera.height,
        "frames": round(stage.duration_s * stage.rate_hz),
        "sha256": "0" * 64,
        "watch": watch,
        "events": [],
    }
    return camera_of(Label.model_validate_json(json.dumps(label)), Path("made.avi"), ALL)


def _mirrored(rule: dict[str, Any], width: int) -> dict[str, Any]:
    if "polygon" in rule:
        rule["polygon"] = [[width - x, y] for x, y in rule["polygon"]]
    if "allowed_direction" in rule:
        x, y = rule["allowed_direction"]
        rule["allowed_direction"] = [-x, y]
    return rule
