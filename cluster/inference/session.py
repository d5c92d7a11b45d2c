"""A network at work: ONNX Runtime around a verified model pack."""

import os
from collections.abc import Sequence

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as runtime_errors

from cluster.detections import Detections
from cluster.errors import ModelError
from cluster.inference.binding import bind
from cluster.inference.decoding import Values, within
from cluster.inference.pack import Input, Manifest, ModelPack
from cluster.inference.preprocessing import InputTensor, Picture
from cluster.video.frame import Fit

PROVIDERS = ("TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider")

_ERRORS_ONLY = 3
_TYPES = {"uint8": "tensor(uint8)", "float32": "tensor(float)"}
UNUSABLE = (
    runtime_errors.EPFail,
    runtime_errors.Fail,
    runtime_errors.InvalidArgument,
    runtime_errors.InvalidGraph,
    runtime_errors.InvalidProtobuf,
    runtime_errors.NoSuchFile,
    runtime_errors.NotImplemented,
    runtime_errors.RuntimeException,
)


class ModelSession:
    """A Detector that runs a pack's network on one core, or on a GPU where ONNX Runtime has one.

    Belongs to one thread: the input tensor is written anew for each batch.
    """

    def __init__(self, pack: ModelPack, *, providers: Sequence[str] = PROVIDERS, max_batch: int = 8) -> None:
        """Loads the network and runs it once, so that the first picture waits for nothing.

        Raises ModelError where the network is not what the pack says.

        Args:
            pack: a verified pack.
            providers: in order of preference; those that this ONNX Runtime does not have are passed over.
            max_batch: most pictures a run. A network exported for one picture gets them one by one.
        """
        self._name = pack.manifest.name
        self._session = open_network(pack, providers)
        self._input_name, batch = check_input(self._session, pack.manifest, max_batch)
        self._tensor = InputTensor(pack.manifest.input, batch)
        self._batch = batch
        self._decode = bind(pack.manifest, [output.shape[1:] for output in self._run(batch)])
        self.fit = Fit(pack.manifest.input.width, pack.manifest.input.height)

    @property
    def provider(self) -> str:
        """What really runs the network, which is not always what was asked for."""
        return str(self._session.get_providers()[0])

    def detect(self, pictures: list[Picture]) -> list[Detections]:
        """Detections of each picture ((h, w, 3) uint8, BGR), in pixels of that picture and within it."""
        starts = range(0, len(pictures), self._batch)
        return [detections for start in starts for detections in self._detect(pictures[start : start + self._batch])]

    def _detect(self, pictures: Sequence[Picture]) -> list[Detections]:
        zooms = [self._tensor.write(picture, slot) for slot, picture in enumerate(pictures)]
        outputs = self._run(len(pictures))
        return [
            within(self._decode([output[slot] for output in outputs]).scaled(*zoom), picture.shape[1], picture.shape[0])
            for slot, (picture, zoom) in enumerate(zip(pictures, zooms, strict=True))
        ]

    def _run(self, count: int) -> list[Values]:
        try:
            outputs: list[Values] = self._session.run(None, {self._input_name: self._tensor.values[:count]})
        except UNUSABLE as error:
            raise ModelError(self._name, f"the network fails on a picture: {error}") from error
        return outputs


def open_network(pack: ModelPack, providers: Sequence[str]) -> onnxruntime.InferenceSession:
    """The network of a verified pack. Raises ModelError where it cannot be loaded."""
    available = onnxruntime.get_available_providers()
    chosen = [name for name in providers if name in available]
    if not chosen:
        problem = f"ONNX Runtime has {', '.join(available)}, but not one of {', '.join(providers)}"
        raise ModelError(pack.manifest.name, f"{problem}; install the extra cpu or gpu")
    try:
        return onnxruntime.InferenceSession(pack.model, session_options(), providers=chosen)
    except UNUSABLE as error:
        raise ModelError(pack.manifest.name, f"{pack.manifest.file} cannot be loaded: {error}") from error


def session_options() -> onnxruntime.SessionOptions:
    """One thread that sleeps while it waits, and no weights but those in the hashed file."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Weights kept outside the ONNX file escape its hash: look for them where nothing can be.
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", os.devnull)
    return options


def check_input(session: onnxruntime.InferenceSession, manifest: Manifest, max_batch: int) -> tuple[str, int]:
    """The input's name, and how many pictures a run it takes. Raises ModelError where it is not what the manifest says."""
    tensors = session.get_inputs()
    if len(tensors) != 1:
        raise ModelError(manifest.name, f"{manifest.file} takes {len(tensors)} inputs; export it with pictures as the only one")
    shape = list(tensors[0].shape)
    batch = 1 if shape[:1] == [1] else max_batch
    expected = [batch, *_picture_shape(manifest.input)]
    fits = len(shape) == 4 and all(has == wants for has, wants in zip(shape, expected, strict=True) if isinstance(has, int))
    if not fits or tensors[0].type != _TYPES[manifest.input.dtype]:
        takes = f"{manifest.file} takes {shape} {tensors[0].type}"
        says = f"input in pack.yaml makes {expected} {_TYPES[manifest.input.dtype]}"
        raise ModelError(manifest.name, f"{takes}, but {says}; correct input, and let the first dimension be 1 or free")
    return tensors[0].name, batch


def _picture_shape(spec: Input) -> tuple[int, int, int]:
    return (spec.height, spec.width, 3) if spec.layout == "nhwc" else (3, spec.height, spec.width)
