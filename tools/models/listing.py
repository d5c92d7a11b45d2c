"""`vigie models list`."""

import json
from pathlib import Path

from rich import box
from rich.table import Table

from cluster.errors import ModelError
from cluster.inference.pack import Manifest, read_manifest
from tools.connection import AsJson
from tools.display import console
from tools.models.folder import PacksFolder, known_packs, packs_folder


def list_packs(as_json: AsJson = False, packs: PacksFolder = None) -> None:
    """Lists the pack that ships and those that were added; their networks are not looked at, see `vigie models check`.

    Example: vigie models list
    """
    found = [(folder, _manifest(folder)) for folder in known_packs(packs_folder(packs))]
    if as_json:
        for folder, manifest in found:
            print(json.dumps({"folder": str(folder)} | _fields(manifest), ensure_ascii=False))
    else:
        console().print(_table(found))


def _manifest(folder: Path) -> Manifest | ModelError:
    try:
        return read_manifest(folder)
    except ModelError as error:
        return error


def _fields(manifest: Manifest | ModelError) -> dict[str, str]:
    if isinstance(manifest, ModelError):
        return {"problem": manifest.problem}
    return {
        "name": manifest.name,
        "version": manifest.version,
        "task": manifest.task.value,
        "licence": manifest.licence.name,
        "sha256": manifest.sha256,
    }


def _table(packs: list[tuple[Path, Manifest | ModelError]]) -> Table:
    table = Table("name", "version", "task", "licence", "folder", box=box.SIMPLE)
    for folder, manifest in packs:
        if isinstance(manifest, ModelError):
            table.add_row(folder.name, "unusable", manifest.problem, "", str(folder), style="red")
        else:
            table.add_row(manifest.name, manifest.version, manifest.task.value, manifest.licence.name, str(folder))
    return table
