"""What this machine must have: Python, packages, a decoder, a model, memory and disk."""

import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from tools.demo.scene import CLIP
from tools.doctor.checks import Check, Finding, Verdict

if TYPE_CHECKING:
    from cluster.inference.pack import Task

_GIB = 1 << 30
_LEAST_DISK_BYTES = 2 * _GIB
_LEAST_MEMORY_BYTES = 2 * _GIB
_RUNTIMES = ("onnxruntime", "onnxruntime-gpu")


def machine_checks(state_dir: Path, pack: Path | None, weapon_pack: Path | None) -> Mapping[str, Check]:
    """The checks of this machine by what they look at."""
    return {
        "Python": _python,
        "packages": _packages,
        "ONNX Runtime": _onnx_runtime,
        "video decoder": _decoder,
        "model pack": partial(_model_pack, pack),
        "weapon pack": partial(_weapon_pack, weapon_pack),
        "state folder": partial(_state_folder, state_dir),
        "memory": _memory,
    }


def _python() -> Iterator[Finding]:
    is_new_enough = sys.version_info >= (3, 11)
    verdict = Verdict.GOOD if is_new_enough else Verdict.FAILURE
    advice = "" if is_new_enough else "install Python 3.11 or newer"
    yield Finding("Python", f"{platform.python_version()} at {sys.executable}", verdict, advice)


def _packages() -> Iterator[Finding]:
    required = [entry for entry in metadata.requires("vigie") or () if "extra ==" not in entry]
    names = [match[0] for entry in required if (match := re.match(r"[A-Za-z0-9_.-]+", entry))]
    installed = {name: _version(name) for name in names}
    missing = [name for name, version in installed.items() if version is None]
    if missing:
        yield Finding("packages", f"not installed: {', '.join(missing)}", Verdict.FAILURE, "install Vigie anew with `make env`")
    else:
        shown = ", ".join(f"{name} {installed.get(name)}" for name in ("ray", "grpcio", "av"))
        yield Finding("packages", f"all {len(installed)} are installed, among them {shown}")


def _onnx_runtime() -> Iterator[Finding]:
    versions = {name: version for name in _RUNTIMES if (version := _version(name))}
    if len(versions) != 1:
        found = "onnxruntime and onnxruntime-gpu together" if versions else "neither onnxruntime nor onnxruntime-gpu"
        yield Finding("ONNX Runtime", found, Verdict.FAILURE, "install exactly one: `make env`, or `make env EXTRA=gpu`")
        return
    import onnxruntime  # heavy: only a check needs it

    ((name, version),) = versions.items()
    providers = ", ".join(provider.removesuffix("ExecutionProvider") for provider in onnxruntime.get_available_providers())
    yield Finding("ONNX Runtime", f"{name} {version} with {providers}")


def _decoder() -> Iterator[Finding]:
    import av  # heavy: only a check needs it

    with av.open(CLIP) as video:
        frame = next(video.decode(video=0))
        yield Finding("video decoder", f"PyAV {av.__version__} decodes H.264 ({frame.width}x{frame.height})")


def _model_pack(folder: Path | None) -> Iterator[Finding]:
    from cluster.inference.pack import Task, default_pack_path  # heavy: only a check needs it

    advice = "install Vigie anew, or name another pack in VIGIE_PACK"
    yield _pack_found("model pack", folder or default_pack_path(), Task.OBJECT_DETECTION, advice)


def _weapon_pack(folder: Path | None) -> Iterator[Finding]:
    from cluster.inference.pack import Task  # heavy: only a check needs it

    if folder is None:
        yield Finding("weapon pack", "none: cameras that watch for weapons are refused, since no validated pack exists")
    else:
        yield _pack_found("weapon pack", folder, Task.WEAPON_DETECTION, "name another pack in VIGIE_WEAPON_PACK, or unset it")


def _pack_found(subject: str, folder: Path, task: "Task", advice: str) -> Finding:
    from cluster.errors import ModelError
    from cluster.inference.pack import load_pack
    from cluster.inference.session import ModelSession

    try:
        loaded = load_pack(folder, task=task)
        session = ModelSession(loaded)
    except ModelError as error:
        return Finding(subject, str(error), Verdict.FAILURE, advice)
    manifest = loaded.manifest
    return Finding(subject, f"{manifest.name} {manifest.version} is what its hash says and runs on {session.provider}")


def _state_folder(folder: Path) -> Iterator[Finding]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".doctor-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        found = f"{folder} cannot be written: {error.strerror}"
        yield Finding("state folder", found, Verdict.FAILURE, "let this user write it, or name another in VIGIE_STATE_DIR")
        return
    free = shutil.disk_usage(folder).free
    verdict = Verdict.GOOD if free >= _LEAST_DISK_BYTES else Verdict.WARNING
    advice = "" if verdict is Verdict.GOOD else f"free some: signals wait here, keep {_LEAST_DISK_BYTES // _GIB} GiB"
    yield Finding("state folder", f"{folder} can be written; {free / _GIB:.1f} GiB are free", verdict, advice)


def _memory() -> Iterator[Finding]:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    free = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")
    verdict = Verdict.GOOD if total >= _LEAST_MEMORY_BYTES else Verdict.WARNING
    advice = "" if verdict is Verdict.GOOD else f"give it {_LEAST_MEMORY_BYTES // _GIB} GiB, or fewer cameras"
    yield Finding(
        "memory", f"{total / _GIB:.1f} GiB, of which {free / _GIB:.1f} are unused; {os.cpu_count()} cores", verdict, advice
    )


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
