"""Model packs: the only way in which a network gets into Vigie.

A pack is a folder that holds `pack.yaml` and one ONNX file. `pack.yaml` says what the network is for, what it takes and gives,
where it comes from, and the hash of the file. A pack is used only if its task is one of `Task` and its file matches that hash.
"""

import hashlib
import json
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cluster.errors import ModelError
from cluster.inference.hardware import Precision
from vigie.vocabulary import ObjectClass

MANIFEST = "pack.yaml"
MAX_MANIFEST_BYTES = 256 * 1024
MAX_MODEL_BYTES = 512 * 1024 * 1024

_PACKS = Path(__file__).parent / "packs"


class Task(Enum):
    """What a network may be for: a closed list. No task here tells who a person is or what a person is like."""

    OBJECT_DETECTION = "object_detection"
    WEAPON_DETECTION = "weapon_detection"
    FLAME_VERIFICATION = "flame_verification"

    @property
    def classes(self) -> frozenset[ObjectClass]:
        """What a network of this task may name; whatever else it names is dropped."""
        match self:
            case Task.OBJECT_DETECTION:
                return frozenset(ObjectClass) - {ObjectClass.WEAPON}
            case Task.WEAPON_DETECTION:
                return frozenset({ObjectClass.WEAPON})
            case Task.FLAME_VERIFICATION:
                return frozenset({ObjectClass.FLAME})


class _Section(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


Text = Annotated[str, Field(min_length=1, max_length=4096)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Strides = Annotated[tuple[Annotated[int, Field(ge=1, le=256)], ...], Field(min_length=1, max_length=8)]
Triple = tuple[float, float, float]


class Input(_Section):
    """What the network takes: one picture whose values are (pixel · scale − mean) / std, in the order of its colours.

    Attributes:
        width: in pixels.
        height: in pixels.
        layout: `nhwc` (colours last) or `nchw` (a plane a colour).
        dtype: `uint8` takes the pixels as they are.
        colors: `bgr` or `rgb`.
        fit: `letterbox` keeps the aspect and puts the picture at the top left; `stretch` does not keep it.
        pad_value: fills what a letterboxed picture leaves free.
        scale: see above.
        mean: see above.
        std: see above.
    """

    width: int = Field(ge=32, le=4096)
    height: int = Field(ge=32, le=4096)
    layout: Literal["nchw", "nhwc"] = "nchw"
    dtype: Literal["float32", "uint8"] = "float32"
    colors: Literal["bgr", "rgb"] = "bgr"
    fit: Literal["letterbox", "stretch"] = "letterbox"
    pad_value: int = Field(default=114, ge=0, le=255)
    scale: float = Field(default=1.0, gt=0)
    mean: Triple = (0.0, 0.0, 0.0)
    std: tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]] = (1.0, 1.0, 1.0)

    @property
    def takes_pixels(self) -> bool:
        """Whether values are pixels as they are."""
        return self.scale == 1.0 and self.mean == (0.0, 0.0, 0.0) and self.std == (1.0, 1.0, 1.0)

    @model_validator(mode="after")
    def _pixels_need_no_arithmetic(self) -> Self:
        if self.dtype == "uint8" and not self.takes_pixels:
            raise ValueError("uint8 is for pixels as they are: leave out scale, mean and std, or set dtype to float32")
        return self


class Yolox(_Section):
    """Rows of x, y, w, h, objectness and class scores, a row a cell of each stride; scores are already between 0 and 1."""

    family: Literal["yolox"]
    strides: Strides = (8, 16, 32)
    nms_iou: Fraction = 0.65


class Nanodet(_Section):
    """Class scores and four distances as distributions over bins, a row a cell of each stride.

    `cell_offset` is where in a cell the distances start from: .5 in NanoDet, 0 in NanoDet-Plus.
    """

    family: Literal["nanodet"]
    strides: Strides = (8, 16, 32)
    bins: int = Field(ge=2, le=64)
    cell_offset: Fraction = 0.5
    nms_iou: Fraction = 0.6


class Centernet(_Section):
    """Rows of x0, y0, x1, y1 in pixels of the input, score and class: the network itself has picked the peaks."""

    family: Literal["centernet"]


class Detr(_Section):
    """Class logits and boxes (centre and size, as fractions of the input), a row a query.

    `activation` is `sigmoid` (RT-DETR, D-FINE) or `softmax` (DETR, whose last column means nothing there).
    """

    family: Literal["detr"]
    activation: Literal["sigmoid", "softmax"]


class Classifier(_Section):
    """One probability a crop, (n, 1), that it shows the one class, and no other output: no embedding leaves the network."""

    family: Literal["classifier"]


class Licence(_Section):
    """Under what terms the network is used, and the file of the pack that holds them, if any."""

    name: Text
    file: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,120}$")] | None = None


class Validation(_Section):
    """How well the network does: average precision on labelled pictures, over the classes that Vigie knows and on people.

    Attributes:
        variant: which file was measured, where there are several.
        pictures: which.
        average_precision: COCO's, over IoU .50 to .95.
        average_precision_50: at IoU .50.
        person_average_precision: of people alone.
        person_average_precision_50: of people alone, at IoU .50.
    """

    variant: Text
    pictures: Text
    average_precision: Fraction
    average_precision_50: Fraction
    person_average_precision: Fraction
    person_average_precision_50: Fraction


class Verification(_Section):
    """How well a classifier tells crops apart: which share of a sort of crops it says yes to, at a probability of a half.

    Attributes:
        variant: which file was measured, where there are several.
        crops: which.
        said_yes: the share.
    """

    variant: Text
    crops: Text
    said_yes: Fraction


class Manifest(_Section):
    """The content of `pack.yaml`; `classes` stand in the order of the network's outputs.

    `precision` is the coarsest in which TensorRT may compute on a GPU, since the network was found good in it: `int8` is for a
    network that carries its own scales, whose zeros lie at 0. Elsewhere a network computes as it was exported.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")
    version: str = Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z.+-]{0,31}$")
    task: Task
    file: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,120}\.onnx$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    classes: Annotated[tuple[Text, ...], Field(min_length=1, max_length=4096)]
    input: Input
    precision: Precision = "float32"
    decoder: Annotated[Yolox | Nanodet | Centernet | Detr | Classifier, Field(discriminator="family")]
    score_threshold: float = Field(default=0.1, ge=0.001, lt=1)
    licence: Licence
    provenance: Text
    validation: tuple[Validation, ...] = ()
    verification: tuple[Verification, ...] = ()

    @property
    def object_classes(self) -> tuple[ObjectClass | None, ...]:
        """What each of the network's classes is to Vigie; None is dropped."""
        known = {kind.name.lower(): kind for kind in self.task.classes}
        return tuple(known.get(name.strip().lower().replace(" ", "_")) for name in self.classes)

    @model_validator(mode="after")
    def _finds_something(self) -> Self:
        if not any(self.object_classes):
            names = ", ".join(sorted(kind.name.lower() for kind in self.task.classes))
            raise ValueError(f"classes names nothing that {self.task.value} may find: {names}")
        return self

    @model_validator(mode="after")
    def _classifies_only_to_verify(self) -> Self:
        if isinstance(self.decoder, Classifier) != (self.task is Task.FLAME_VERIFICATION):
            raise ValueError(f"decoder.family {self.decoder.family} is not for {self.task.value}: a classifier verifies flames")
        return self


@dataclass(frozen=True, slots=True)
class ModelPack:
    """A pack that may be used: its task is allowed, and `model` is what its hash says.

    Attributes:
        folder: where it lies.
        manifest: what it says of itself.
        model: the verified content of the ONNX file. What runs is these bytes, so that a file changed later cannot slip in.
    """

    folder: Path
    manifest: Manifest
    model: bytes = field(repr=False)


def default_pack_path() -> Path:
    """The folder of the small object detector that Vigie ships."""
    return _PACKS / "nanodet-g-coco"


def flames_pack_path() -> Path:
    """The folder of the classifier of flames that Vigie ships."""
    return _PACKS / "flames-efficientnet-lite0"


def load_pack(folder: Path, *, task: Task | None = None) -> ModelPack:
    """A pack, verified. Raises ModelError, which names the file, the field and what to do.

    Args:
        folder: where it lies.
        task: what it must be for; None: any task of the closed list.
    """
    manifest = read_manifest(folder)
    if task is not None and manifest.task is not task:
        problem = f"its task is {manifest.task.value}, where {task.value} is wanted"
        raise ModelError(str(folder), f"{problem}; name a pack of that task")
    return ModelPack(folder, manifest, _read_model(folder, manifest))


def read_manifest(folder: Path) -> Manifest:
    """What a pack says of itself, without its network. Raises ModelError."""
    if not folder.is_dir():
        raise ModelError(str(folder), "is no folder; give the folder that holds pack.yaml and the ONNX file")
    text = _read_file(folder, MANIFEST, MAX_MANIFEST_BYTES)
    try:
        # JSON lets pydantic be strict and still take lists as tuples and names as enumeration members.
        return Manifest.model_validate_json(json.dumps(yaml.safe_load(text)))
    except ValidationError as error:
        raise ModelError(str(folder), f"{MANIFEST}: {_explained(error)}") from error
    except (yaml.YAMLError, UnicodeDecodeError, TypeError, ValueError, RecursionError) as error:
        raise ModelError(str(folder), f"{MANIFEST} is not the YAML of a pack: {error}") from error


def _read_model(folder: Path, manifest: Manifest) -> bytes:
    model = _read_file(folder, manifest.file, MAX_MODEL_BYTES)
    digest = hashlib.sha256(model).hexdigest()
    if digest != manifest.sha256:
        problem = f"{manifest.file} has sha256 {digest}, but {MANIFEST} says {manifest.sha256}"
        raise ModelError(str(folder), f"{problem}; fetch the pack anew from its maker")
    return model


def _read_file(folder: Path, name: str, max_bytes: int) -> bytes:
    path = folder / name
    if path.resolve().parent != folder.resolve():
        raise ModelError(str(folder), f"{name} is a link that leaves the folder; put the file itself there")
    try:
        with path.open("rb") as file:
            content = file.read(max_bytes + 1)
    except OSError as error:
        problem = f"{name} cannot be read ({error.strerror}); a pack holds {MANIFEST} and its ONNX file"
        raise ModelError(str(folder), problem) from error
    if len(content) > max_bytes:
        raise ModelError(str(folder), f"{name} is larger than {max_bytes // 1024} KiB, the most that is allowed")
    return content


def _explained(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(map(str, item['loc'])) or 'the whole'}: {item['msg'].removeprefix('Value error, ')}{_given(item['input'])}"
        for item in error.errors(include_url=False)
    )


def _given(value: object) -> str:
    return f" (it is {value!r})" if isinstance(value, str | int | float) else ""
