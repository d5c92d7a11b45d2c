"""What networks run on: ONNX Runtime's execution providers, in the order in which they are wanted, and what each is told.

What is told to GPUs follows NVIDIA's and ONNX Runtime's documentation; it has been run on none.
"""

import platform
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from cluster.inference.gpu import visible_gpu

TENSORRT, CUDA, CPU = "TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"
PROVIDERS = {"tensorrt": TENSORRT, "cuda": CUDA, "cpu": CPU}
"""ONNX Runtime's names of the providers that Vigie knows, by ours."""

Precision: TypeAlias = Literal["float32", "float16", "int8"]
Options: TypeAlias = dict[str, str]

_PROCESSORS = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class Hardware:
    """What the networks of a process may use.

    Attributes:
        providers: ONNX Runtime's names, the most wanted first; those that it does not have are passed over.
        engines: folder in which TensorRT keeps what it built for a GPU. It builds for minutes, so without one it is passed over.
        gpu_share: how much of a GPU's memory is theirs, above 0 and at most 1.
    """

    providers: tuple[str, ...] = tuple(PROVIDERS.values())
    engines: Path | None = None
    gpu_share: float = 1.0

    def offered(self, available: Collection[str], precision: Precision) -> list[tuple[str, Options]]:
        """The providers that a network is to be given, each with what it is told."""
        usable = [name for name in self.providers if name in available and (name != TENSORRT or self.engines)]
        gpu = visible_gpu() if self.gpu_share < 1 and usable != [CPU] else None
        limit_bytes = int(gpu.memory_bytes * self.gpu_share) if gpu else None
        told = {TENSORRT: _tensorrt_options(self.engines, precision, limit_bytes), CUDA: _cuda_options(limit_bytes)}
        return [(name, told.get(name, {})) for name in usable]


ANY_HARDWARE = Hardware()
CPU_ONLY = Hardware((CPU,))


def device_name(provider: str) -> str:
    """What a provider runs on, as its maker calls it."""
    gpu = None if provider == CPU else visible_gpu()
    return gpu.name if gpu else _processor()


def _tensorrt_options(engines: Path | None, precision: Precision, limit_bytes: int | None) -> Options:
    """Its engines and what it learned of the GPU while it built them are kept. A quantised network may have parts in float16."""
    options = {
        "trt_engine_cache_enable": "1",
        "trt_engine_cache_path": str(engines),
        "trt_timing_cache_enable": "1",
        "trt_timing_cache_path": str(engines),
        "trt_fp16_enable": str(int(precision != "float32")),
        "trt_int8_enable": str(int(precision == "int8")),
    }
    return options | ({"trt_max_workspace_size": str(limit_bytes)} if limit_bytes else {})


def _cuda_options(limit_bytes: int | None) -> Options:
    """Memory is taken as it is needed, not doubled ahead of need, since shards may share a GPU."""
    options = {"arena_extend_strategy": "kSameAsRequested"}
    return options | ({"gpu_mem_limit": str(limit_bytes)} if limit_bytes else {})


def _processor() -> str:
    lines = _PROCESSORS.read_text(encoding="utf-8", errors="replace").splitlines() if _PROCESSORS.is_file() else []
    return _value(lines, "model name") or platform.processor() or platform.machine()


def _value(lines: Iterable[str], key: str) -> str:
    return next((value.strip() for name, _, value in (line.partition(":") for line in lines) if name.strip() == key), "")
