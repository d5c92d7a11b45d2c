"""`vigie models add`."""

import errno
import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from cluster.errors import ModelError
from cluster.inference.pack import MANIFEST, ModelPack, Task, load_pack
from cluster.inference.session import ModelSession
from tools.errors import CommandError, ExitCode
from tools.models import archive
from tools.models.folder import PacksFolder, packs_folder

Source = Annotated[str, typer.Argument(help="A .zip or .tar.gz of a pack, here or at a http(s) address, or a pack's folder.")]
Hash = Annotated[str, typer.Option("--sha256", help="Hash of the archive; for a folder, that of its ONNX file.", metavar="HEX")]


def add_pack(source: Source, sha256: Hash, packs: PacksFolder = None) -> None:
    """Adds a pack to the user's own. It is verified and run first; one that fails leaves nothing behind.

    Example: vigie models add https://models.example.org/yolox-m.tar.gz --sha256 6c1f…
    """
    added = packs_folder(packs)
    added.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=added, prefix=".adding-") as work:
        staged = Path(work) / "pack"
        staged.mkdir()
        _stage(source, sha256.lower(), staged)
        pack = _verified(staged, source)
        folder = added / f"{pack.manifest.name}-{pack.manifest.version}"
        _install(staged, folder)
    variable = "VIGIE_WEAPON_PACK" if pack.manifest.task is Task.WEAPON_DETECTION else "VIGIE_PACK"
    print(f"{pack.manifest.name} {pack.manifest.version} is in {folder}; use it with {variable}={folder}")


def _stage(source: str, sha256: str, staged: Path) -> None:
    if Path(source).is_dir():
        _stage_folder(Path(source), sha256, staged)
        return
    fetched = staged.with_name("archive")
    archive.fetch(source, fetched)
    archive.verify(fetched, sha256, source)
    archive.unpack(fetched, staged, source)


def _stage_folder(source: Path, sha256: str, staged: Path) -> None:
    pack = load_pack(source)
    manifest = pack.manifest
    if manifest.sha256 != sha256:
        problem = f"{source}: {manifest.file} has sha256 {manifest.sha256}, not {sha256}: ask its maker which is right"
        raise CommandError(problem, ExitCode.BAD_INPUT)
    shutil.copy(source / MANIFEST, staged)
    (staged / manifest.file).write_bytes(pack.model)
    if manifest.licence.file:
        shutil.copy(source / manifest.licence.file, staged)


def _verified(staged: Path, source: str) -> ModelPack:
    try:
        pack = load_pack(staged)
        ModelSession(pack)
    except ModelError as error:
        raise ModelError(source, error.problem) from error
    return pack


def _install(staged: Path, folder: Path) -> None:
    try:
        staged.rename(folder)
    except OSError as error:
        if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
            raise
        problem = f"{folder} is there already: remove it first, or give the pack another version"
        raise CommandError(problem, ExitCode.CONFLICT) from error
