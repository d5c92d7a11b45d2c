"""`vigie bench detector`: what a model pack finds, and what it costs."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from statistics import median
from typing import Annotated

import cv2
import numpy as np
import onnxruntime
import typer

from cluster.inference.hardware import CPU_ONLY
from cluster.inference.pack import ModelPack, load_pack
from cluster.inference.preprocessing import InputTensor, Picture
from cluster.inference.session import ModelSession, session_options
from cluster.video.frame import Fit
from tools.errors import CommandError, ExitCode

Pack = Annotated[Path, typer.Argument(help="Folder of a model pack.")]
Pictures = Annotated[Path, typer.Option(help="Folder with `images` and their boxes in `instances.json` (COCO's format).")]


def detector(pack: Pack, pictures: Pictures) -> None:
    """Measures a pack's average precision, and its CPU time a picture on one core beside that of its network alone.

    Example: vigie bench detector my-pack --pictures coco
    """
    try:
        from tools.bench.precision import measured_precision  # needs a package that only developers have
    except ImportError as error:
        raise CommandError("needs pycocotools: build the environment with `make dev`") from error
    loaded = load_pack(pack)
    precision = measured_precision(loaded, pictures)
    whole_ms, network_ms = _cpu_ms(loaded, _fitting(pictures / "images", loaded))
    costs = {"cpu_ms": round(whole_ms, 2), "network_cpu_ms": round(network_ms, 2), "ratio": round(whole_ms / network_ms, 3)}
    print(
        json.dumps({"pack": loaded.manifest.name} | {name: round(value, 3) for name, value in asdict(precision).items()} | costs)
    )


def _fitting(folder: Path, pack: ModelPack) -> list[Picture]:
    """Pictures as the decoder of a stream gives them: scaled to fit the input."""
    fit = Fit(pack.manifest.input.width, pack.manifest.input.height)
    pictures = [cv2.imread(str(path)) for path in sorted(folder.iterdir())[:100]]
    found = [picture for picture in pictures if picture is not None]
    if not found:
        raise CommandError(f"{folder} holds no pictures", ExitCode.BAD_INPUT)
    return [np.asarray(cv2.resize(picture, fit.of(picture.shape[1], picture.shape[0])), np.uint8) for picture in found]


def _cpu_ms(pack: ModelPack, pictures: list[Picture]) -> tuple[float, float]:
    """Median CPU time a picture of a whole detection and of its network alone, in turn, so that both meet the same machine."""
    session = ModelSession(pack, hardware=CPU_ONLY)
    network = onnxruntime.InferenceSession(pack.model, session_options(), providers=["CPUExecutionProvider"])
    tensor = InputTensor(pack.manifest.input, 1)
    inputs = {network.get_inputs()[0].name: tensor.values}
    whole_ms, network_ms = [], []
    for picture in pictures:
        tensor.write(picture, 0)
        whole_ms.append(_timed_ms(partial(session.detect, [picture])))
        network_ms.append(_timed_ms(partial(network.run, None, inputs)))
    return median(whole_ms), median(network_ms)


def _timed_ms(act: Callable[[], object]) -> float:
    start_s = time.process_time()
    act()
    return (time.process_time() - start_s) * 1000
