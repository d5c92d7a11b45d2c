"""Decoding and inference with nothing around them: what the libraries alone cost for the same frames.

Run as a process of its own, `python -m tools.bench.bare decode|infer CLIP...`; prints the CPU seconds and the frames as JSON. One
runs on each core at the same time: what busy cores cost each other (memory, clock, shared units) is then in the figure, as it is
in that of the whole path.
"""

import json
import sys
import time
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

import av
import numpy as np
import onnxruntime
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from cluster.inference.pack import ModelPack, default_pack_path, load_pack
from cluster.inference.preprocessing import InputTensor
from cluster.video.frame import Fit

INFERRED_FRAMES = 150


def decode(clips: list[Path], pack: ModelPack) -> Iterator[NDArray[np.uint8]]:
    """Every picture, scaled to fit into the model's input by PyAV alone: one of each camera in turn, as cameras send them."""
    return chain.from_iterable(zip(*(_decode(clip, pack) for clip in clips), strict=True))


def _decode(clip: Path, pack: ModelPack) -> Iterator[NDArray[np.uint8]]:
    fit, reformatter = Fit(pack.manifest.input.width, pack.manifest.input.height), VideoReformatter()
    with av.open(clip) as video:
        stream = video.streams.video[0]
        stream.thread_type = "NONE"
        width, height = fit.of(stream.width, stream.height)
        for frame in video.decode(stream):
            scaled = reformatter.reformat(frame, width, height, "bgr24", interpolation=Interpolation.FAST_BILINEAR, threads=1)
            yield np.asarray(scaled.to_ndarray(), np.uint8)


def measure_decoding(clips: list[Path], pack: ModelPack) -> tuple[float, int]:
    """CPU seconds and frames of decoding alone."""
    started_s = time.process_time()
    frames = sum(1 for _ in decode(clips, pack))
    return time.process_time() - started_s, frames


def measure_inference(clips: list[Path], pack: ModelPack) -> tuple[float, int]:
    """CPU seconds and frames of inference alone: a picture a run, as tensors that are made before."""
    tensor = InputTensor(pack.manifest.input, 1)
    tensors = []
    for picture in islice(decode(clips, pack), INFERRED_FRAMES):
        tensor.write(picture, 0)
        tensors.append(tensor.values.copy())
    session = onnxruntime.InferenceSession(pack.model, _options(), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    session.run(None, {name: tensors[0]})
    started_s = time.process_time()
    for values in tensors:
        session.run(None, {name: values})
    return time.process_time() - started_s, len(tensors)


def _options() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def main() -> None:
    """Measures what the first argument names over the clips that follow."""
    clips = [Path(clip) for clip in sys.argv[2:]]
    pack = load_pack(default_pack_path())
    cpu_s, frames = {"decode": measure_decoding, "infer": measure_inference}[sys.argv[1]](clips, pack)
    print(json.dumps({"cpu_s": cpu_s, "frames": frames}))


if __name__ == "__main__":
    main()
