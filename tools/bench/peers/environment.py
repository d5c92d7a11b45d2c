"""The environment in which the others run: made once, kept in the user's cache, and no part of ours."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from platformdirs import user_cache_path

import vigie
from tools.bench.peers.detector import OPENCV
from tools.errors import CommandError

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
_REPOSITORY = Path(__file__).parents[3]
_SHOWN_LINES = 5


def peer_python(tell: Callable[[str], None]) -> Path:
    """The interpreter of an environment that has the others' packages, which is made where there is none.

    Raises CommandError where it cannot be made.
    """
    pins = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = user_cache_path("vigie") / f"bench-peers-{pins}"
    python, ready = folder / "bin" / "python", folder / ".ready"
    if not ready.exists():
        tell("installing the others' packages, which takes some minutes and 7 GB")
        uv = _uv()
        _run(uv, "venv", "--clear", "--python", sys.executable, str(folder))
        _run(uv, "pip", "install", "--python", str(python), "--requirement", str(REQUIREMENTS))
        ready.touch()
    return python


def peer_environment() -> dict[str, str]:
    """What a contender is told: where our own modules are, and how OpenCV is to read a stream."""
    return {**os.environ, **OPENCV, "PYTHONPATH": os.pathsep.join([str(_REPOSITORY), str(Path(vigie.__path__[0]).parent)])}


def _uv() -> str:
    uv = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    if uv is None:
        raise CommandError("needs uv, which makes an environment for the others: build ours with `make dev`")
    return uv


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments
    if done.returncode:
        lines = "\n".join(f"  {line}" for line in done.stderr.strip().splitlines()[-_SHOWN_LINES:])
        raise CommandError(f"the others' packages cannot be installed; this needs a package index that can be reached:\n{lines}")
