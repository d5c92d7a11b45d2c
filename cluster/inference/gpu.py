"""The GPU that a process sees, as the library of its driver tells (CUDA driver API), so that no package is needed."""

import ctypes
from dataclasses import dataclass
from typing import Any

LIBRARY = "libcuda.so.1"

_NAME_BYTES = 256


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU.

    Attributes:
        name: as its maker calls it.
        memory_bytes: all that it has.
    """

    name: str
    memory_bytes: int


def visible_gpu() -> Gpu | None:
    """The first GPU that `CUDA_VISIBLE_DEVICES` leaves to this process; None where there is none, or no driver for it."""
    try:
        driver = ctypes.CDLL(LIBRARY)
    except OSError:
        return None
    return first_gpu(driver)


def first_gpu(driver: Any) -> Gpu | None:
    """The first GPU that the driver's library knows, if it knows one."""
    device, memory, name = ctypes.c_int(), ctypes.c_size_t(), ctypes.create_string_buffer(_NAME_BYTES)
    failed = (
        driver.cuInit(0)
        or driver.cuDeviceGet(ctypes.byref(device), 0)
        or driver.cuDeviceTotalMem_v2(ctypes.byref(memory), device)
        or driver.cuDeviceGetName(name, _NAME_BYTES, device)
    )
    return None if failed else Gpu(name.value.decode(errors="replace"), memory.value)
