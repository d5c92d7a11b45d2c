"""Reads the weights that PyTorch saved before its version 1.6, without PyTorch and without running what the file says.

Such a file is five pickles (a magic number, the format's version, the machine's byte order, the state, the storages' keys) and
then the storages: a count of eight bytes and the values, in the order of the keys.
"""

import pickle
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

MAGIC = 0x1950A86A20F9469CFC6C
VERSION = 1001
# Counters of batches are the only integers in such a file.
_DTYPES: Mapping[str, np.dtype[Any]] = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}

Weights = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class _Tensor:
    """Where a tensor's values are: which of the storages, from which on, and how far apart along each axis."""

    storage: tuple[str, str]
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Unpickler(pickle.Unpickler):
    """Makes descriptions of tensors and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, shape, strides, *_: _Tensor(storage, offset, shape, strides)
        if module == "torch" and name in _DTYPES:
            return name
        raise pickle.UnpicklingError(f"the file wants {module}.{name}, which no weights need")

    def persistent_load(self, pid: Any) -> tuple[str, str]:
        _, storage_type, key, *_ = pid
        return storage_type, key


def read_weights(path: Path) -> Weights:
    """The tensors of floats by their names. Raises pickle.UnpicklingError for a file of another form."""
    with path.open("rb") as file:
        magic, version, _, state, keys = (_Unpickler(file).load() for _ in range(5))
        if (magic, version) != (MAGIC, VERSION):
            raise pickle.UnpicklingError(f"{path} is no file of weights in PyTorch's old format")
        types = dict(reversed(tensor.storage) for tensor in state.values())
        storages = {key: _storage(file, _DTYPES[types[key]]) for key in keys}
    return {
        name: np.ascontiguousarray(_values(tensor, storages[tensor.storage[1]]))
        for name, tensor in state.items()
        if tensor.storage[0] == "FloatStorage"
    }


def _storage(file: BinaryIO, dtype: np.dtype[Any]) -> NDArray[Any]:
    (count,) = np.frombuffer(file.read(8), "<i8")
    return np.frombuffer(file.read(int(count) * dtype.itemsize), dtype)


def _values(tensor: _Tensor, storage: NDArray[Any]) -> NDArray[Any]:
    strides = tuple(stride * storage.itemsize for stride in tensor.strides)
    return np.lib.stride_tricks.as_strided(storage[tensor.offset :], tensor.shape, strides)
