"""Evidence is erased at a person's word, or shown before."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tests.tools.conftest import PICTURE, Outcome, raise_signal, serving
from tools.apply import apply_venue
from tools.venue_file import load_venue


def test_run_erases_what_a_dry_run_shows(vigie: Callable[..., Outcome], tmp_path: Path, venue_path: Path) -> None:
    (tmp_path / "record").mkdir()
    with serving(tmp_path / "record") as address:
        apply_venue(load_venue(venue_path), address, author="test")
        raise_signal(address)
        with closing(sqlite3.connect(tmp_path / "record" / "vigie.db")) as database:
            database.execute("UPDATE evidence SET record_time = '2020-01-01 00:00:00'")
            database.commit()
        dry = vigie("retention", "run", "--dry-run", "--coordination", address)
        done = vigie("retention", "run", "--json", "--coordination", address)
        again = vigie("retention", "run", "--coordination", address)

    assert dry.out == f"1 pictures of 1 events ({len(PICTURE)} bytes) would be erased.\n"
    assert json.loads(done.out)["erased_pictures"] == "1"
    assert again.out == "0 pictures of 0 events (0 bytes) were erased.\n"
