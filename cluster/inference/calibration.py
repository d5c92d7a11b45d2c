"""From which batch on a network gets no faster, as `vigie bench model` measured it on a machine of the same make.

It is kept beside the pack, in `calibration.yaml`, which speaks for any number of makes: the pack's maker may ship it, and whoever
runs the pack may add to it. The pack itself, and its hash, stay as they are.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cluster.errors import ModelError

CALIBRATION = "calibration.yaml"
MAX_BATCH = 256
MAX_BYTES = 64 * 1024
# A smaller batch that is nearly as fast answers sooner and is filled more often.
ENOUGH = 0.95


class _Section(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class Point(_Section):
    """What one size of batch gives.

    Attributes:
        batch: pictures a run.
        frames_per_s: pictures a second, one run after the other.
        cpu_ms_per_frame: processor time of this machine a picture.
        latency_ms: how long a run takes.
    """

    batch: Annotated[int, Field(ge=1, le=MAX_BATCH)]
    frames_per_s: Annotated[float, Field(gt=0)]
    cpu_ms_per_frame: Annotated[float, Field(ge=0)]
    latency_ms: Annotated[float, Field(gt=0)]


class Calibration(_Section):
    """What was measured of one network on one make of machine.

    Attributes:
        provider: ONNX Runtime's name of what ran it.
        device: the processor or GPU, as its maker calls it.
        sha256: of the network.
        points: of growing batches.
    """

    provider: str
    device: str
    sha256: str
    points: Annotated[tuple[Point, ...], Field(min_length=1, max_length=64)]

    @model_validator(mode="after")
    def _grows(self) -> Self:
        batches = [point.batch for point in self.points]
        if batches != sorted(set(batches)):
            raise ValueError("points are not in order of their batches")
        return self

    @property
    def saturation(self) -> Point:
        """The smallest batch that gives nearly as many pictures a second as the best."""
        best = max(point.frames_per_s for point in self.points)
        return next(point for point in self.points if point.frames_per_s >= ENOUGH * best)

    def is_of(self, provider: str, device: str) -> bool:
        """Whether it was measured on this make of machine."""
        return (self.provider, self.device) == (provider, device)


class _File(_Section):
    calibrations: Annotated[tuple[Calibration, ...], Field(max_length=256)]


def read_calibrations(folder: Path) -> tuple[Calibration, ...]:
    """Those beside a pack; none where there is no file. Raises ModelError where it is not one of calibrations."""
    path = folder / CALIBRATION
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise ModelError(str(folder), f"{CALIBRATION} is larger than {MAX_BYTES // 1024} KiB; delete it and measure anew")
        return _File.model_validate_json(json.dumps(yaml.safe_load(content))).calibrations
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise ModelError(str(folder), f"{CALIBRATION} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        problem = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise ModelError(str(folder), f"{CALIBRATION}: {problem}; delete it and run `vigie bench model --write`") from error
    except (yaml.YAMLError, UnicodeDecodeError, TypeError, ValueError, RecursionError) as error:
        raise ModelError(str(folder), f"{CALIBRATION} is not YAML: {error}; delete it and measure anew") from error


def write_calibration(folder: Path, calibration: Calibration) -> None:
    """Puts one beside a pack, in the place of an older one of the same make of machine. Raises ModelError."""
    kept = [one for one in read_calibrations(folder) if not one.is_of(calibration.provider, calibration.device)]
    content = _File(calibrations=(*kept, calibration)).model_dump(mode="json")
    path = folder / CALIBRATION
    written = path.with_suffix(".new")
    try:
        written.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        written.replace(path)
    except OSError as error:
        raise ModelError(str(folder), f"{CALIBRATION} cannot be written: {error.strerror}; copy the pack elsewhere") from error


def saturating_batch(calibrations: Sequence[Calibration], *, provider: str, device: str, sha256: str) -> int | None:
    """The batch to use, where it was measured on this make of machine with this very network."""
    measured = (one for one in calibrations if one.is_of(provider, device) and one.sha256 == sha256)
    return next((one.saturation.batch for one in measured), None)
