from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cluster.inference import hardware
from cluster.inference.gpu import Gpu, first_gpu, visible_gpu
from cluster.inference.hardware import CPU, CUDA, TENSORRT, Hardware, device_name

GIB = 1 << 30
ALL = (TENSORRT, CUDA, CPU)


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Gpu:
    gpu = Gpu("NVIDIA L4", 24 * GIB)
    monkeypatch.setattr(hardware, "visible_gpu", lambda: gpu)
    return gpu


def names(offered: list[tuple[str, dict[str, str]]]) -> list[str]:
    return [name for name, _ in offered]


def test_providers_are_offered_as_they_are_wanted_and_only_where_they_are(tmp_path: Path) -> None:
    assert names(Hardware((CUDA, TENSORRT, CPU), tmp_path).offered(ALL, "float32")) == [CUDA, TENSORRT, CPU]
    assert names(Hardware(ALL, tmp_path).offered((CPU, "AzureExecutionProvider"), "float32")) == [CPU]
    assert Hardware((CUDA,), tmp_path).offered((CPU,), "float32") == []


def test_tensorrt_is_passed_over_where_it_could_keep_nothing_that_it_builds() -> None:
    assert names(Hardware().offered(ALL, "float32")) == [CUDA, CPU]


@pytest.mark.parametrize(("precision", "flags"), [("float32", ("0", "0")), ("float16", ("1", "0")), ("int8", ("1", "1"))])
def test_tensorrt_keeps_engines_and_computes_no_coarser_than_the_pack_says(
    tmp_path: Path, precision: Any, flags: tuple[str, str]
) -> None:
    told = dict(Hardware(engines=tmp_path).offered(ALL, precision))[TENSORRT]
    assert (told["trt_fp16_enable"], told["trt_int8_enable"]) == flags
    assert told["trt_engine_cache_path"] == told["trt_timing_cache_path"] == str(tmp_path)


@pytest.mark.usefixtures("gpu")
def test_shard_that_shares_a_gpu_is_held_to_its_part_of_the_memory(tmp_path: Path) -> None:
    told = dict(Hardware(engines=tmp_path, gpu_share=0.25).offered(ALL, "float32"))
    assert told[CUDA]["gpu_mem_limit"] == told[TENSORRT]["trt_max_workspace_size"] == str(6 * GIB)


@pytest.mark.usefixtures("gpu")
def test_shard_that_has_a_gpu_alone_is_held_to_nothing() -> None:
    assert "gpu_mem_limit" not in dict(Hardware().offered(ALL, "float32"))[CUDA]


def test_device_is_called_as_its_maker_calls_it(gpu: Gpu) -> None:
    assert device_name(CUDA) == gpu.name
    assert device_name(CPU) not in ("", gpu.name)


class Driver:
    """Answers as the driver's library does, for one GPU; each call fails from `failing` on."""

    def __init__(self, failing: str = "") -> None:
        self._failing = failing

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: self._answer(name, arguments)

    def _answer(self, name: str, arguments: Any) -> int:
        if name == self._failing:
            return 100
        if name == "cuDeviceTotalMem_v2":
            arguments[0]._obj.value = 24 * GIB
        elif name == "cuDeviceGetName":
            arguments[0].value = b"NVIDIA L4"
        return 0


def test_gpu_is_what_its_driver_says() -> None:
    assert first_gpu(Driver()) == Gpu("NVIDIA L4", 24 * GIB)


@pytest.mark.parametrize("call", ["cuInit", "cuDeviceGet", "cuDeviceTotalMem_v2", "cuDeviceGetName"])
def test_driver_that_cannot_answer_means_no_gpu(call: str) -> None:
    assert first_gpu(Driver(failing=call)) is None


def test_machine_without_a_driver_has_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> SimpleNamespace:
        raise OSError(name)

    monkeypatch.setattr("cluster.inference.gpu.ctypes.CDLL", missing)
    assert visible_gpu() is None
