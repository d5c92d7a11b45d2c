"""A network at work: ONNX Runtime around a verified model pack."""

import os
from collections.abc import Sequence

import onnxruntime
import structlog
from onnxruntime.capi import onnxruntime_pybind11_state as runtime_errors

from cluster.detections import Detections
from cluster.errors import ModelError
from cluster.inference.binding import bind
from cluster.inference.bound_network import BoundNetwork
from cluster.inference.calibration import read_calibrations, saturating_batch
from cluster.inference.decoding import Values, within
from cluster.inference.hardware import ANY_HARDWARE, CPU, TENSORRT, Hardware, device_name
from cluster.inference.pack import Input, Manifest, ModelPack
from cluster.inference.preprocessing import Picture
from cluster.video.frame import Fit

# A processor runs pictures one after the other however many a batch has; a GPU runs some at the same time.
CPU_BATCH, GPU_BATCH = 1, 8

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

_log = structlog.get_logger(__name__)


class ModelSession:
    """A Detector that runs a pack's network on one core, or on a GPU where ONNX Runtime has one.

    Belongs to one thread: the input tensor is written anew for each batch.
    """

    def __init__(self, pack: ModelPack, *, hardware: Hardware = ANY_HARDWARE, batch: int | None = None) -> None:
        """Loads the network and runs it once, so that the first picture waits for nothing.

        Raises ModelError where the network is not what the pack says.

        Args:
            pack: a verified pack.
            hardware: what it may use.
            batch: pictures a run; None: as many as were found best on this make of machine, else one on a processor and 8 on a
                GPU. A network exported for one picture gets them one by one. A run that is not full costs as much as a full one.
        """
        self._name = pack.manifest.name
        session = open_network(pack, hardware)
        self.provider = str(session.get_providers()[0])
        _, self.batch = check_input(session, pack.manifest, batch or _best_batch(pack, self.provider))
        self._network = self._bound(session, pack.manifest.input)
        self._decode = bind(pack.manifest, [output.shape[1:] for output in self._run()])
        self.fit = Fit(pack.manifest.input.width, pack.manifest.input.height)

    def detect(self, pictures: list[Picture]) -> list[Detections]:
        """Detections of each picture ((h, w, 3) uint8, BGR, of any size), in pixels of that picture and within it."""
        starts = range(0, len(pictures), self.batch)
        return [detections for start in starts for detections in self._detect(pictures[start : start + self.batch])]

    def _detect(self, pictures: Sequence[Picture]) -> list[Detections]:
        zooms = [self._network.tensor.write(picture, slot) for slot, picture in enumerate(pictures)]
        outputs = self._run()
        return [
            within(self._decode([output[slot] for output in outputs]).scaled(*zoom), picture.shape[1], picture.shape[0])
            for slot, (picture, zoom) in enumerate(zip(pictures, zooms, strict=True))
        ]

    def _bound(self, session: onnxruntime.InferenceSession, spec: Input) -> BoundNetwork:
        try:
            return BoundNetwork(session, spec, self.batch)
        except (*UNUSABLE, RuntimeError) as error:
            raise ModelError(self._name, f"the network fails on an empty picture: {error}") from error

    def _run(self) -> list[Values]:
        try:
            return self._network.run()
        except (*UNUSABLE, RuntimeError) as error:
            raise ModelError(self._name, f"the network fails on a picture: {error}") from error


def open_network(pack: ModelPack, hardware: Hardware) -> onnxruntime.InferenceSession:
    """The network of a verified pack. Raises ModelError where it cannot be loaded."""
    available = onnxruntime.get_available_providers()
    offered = hardware.offered(available, pack.manifest.precision)
    if not offered:
        problem = f"ONNX Runtime has {', '.join(available)}, but not one of {', '.join(hardware.providers)}"
        raise ModelError(pack.manifest.name, f"{problem}; install the extra cpu or gpu")
    if hardware.engines and TENSORRT in dict(offered):
        hardware.engines.mkdir(parents=True, exist_ok=True)
    try:
        return onnxruntime.InferenceSession(pack.model, session_options(), providers=offered)
    except UNUSABLE as error:
        raise ModelError(pack.manifest.name, f"{pack.manifest.file} cannot be loaded: {error}") from error


def _best_batch(pack: ModelPack, provider: str) -> int:
    """What was measured on this make of machine. A file that says nothing usable costs speed, which is no reason not to watch."""
    usual = CPU_BATCH if provider == CPU else GPU_BATCH
    try:
        calibrations = read_calibrations(pack.folder)
    except ModelError as error:
        _log.warning("a calibration is not used", problem=str(error))
        return usual
    device = device_name(provider)
    found = saturating_batch(calibrations, provider=provider, device=device, sha256=pack.manifest.sha256)
    if found is None and calibrations:
        _log.warning("no calibration is of this machine and network", pack=str(pack.folder), provider=provider, device=device)
    return found or usual


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
