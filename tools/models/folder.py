"""Where a user's model packs lie."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import platformdirs
import typer

from cluster.inference.pack import MANIFEST, default_pack_path, flames_pack_path
from tools.errors import CommandError, ExitCode

PacksFolder = Annotated[
    Path | None,
    typer.Option("--packs", envvar="VIGIE_PACKS_DIR", metavar="FOLDER", help="Where added packs lie [default: the user's own]."),
]


def packs_folder(named: Path | None) -> Path:
    """The folder of added packs: the one that is named, or else the user's own."""
    return named or platformdirs.user_data_path("vigie") / "packs"


def known_packs(added: Path) -> Iterator[Path]:
    """The packs that ship, then those that were added, by name."""
    yield default_pack_path()
    yield flames_pack_path()
    yield from sorted(manifest.parent for manifest in added.glob(f"[!.]*/{MANIFEST}"))


def find_pack(name: str, added: Path) -> Path:
    """A pack by its folder, or by the name of one that is known."""
    if Path(name).is_dir():
        return Path(name)
    known = {folder.name: folder for folder in known_packs(added)}
    if name in known:
        return known[name]
    raise CommandError(f"no model pack {name}: give its folder, or one of {', '.join(known)}", ExitCode.NOT_FOUND)
