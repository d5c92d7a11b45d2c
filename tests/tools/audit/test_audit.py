"""The audit log as an auditor sees it, against a real service."""

import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from services.coordination.domain.audit import BEGINNING, GENESIS, Anchor, Entry, Trace, entry
from tests.tools.conftest import BEGUN, Outcome, raise_signal, serving
from tools.apply import apply_venue
from tools.errors import ExitCode
from tools.venue_file import load_venue

Vigie = Callable[..., Outcome]


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """Folder of the record of the service."""
    (tmp_path / "record").mkdir()
    return tmp_path / "record"


@pytest.fixture
def address(record: Path, venue_path: Path, vigie: Vigie) -> Iterator[str]:
    """A service with some entries in its log."""
    with serving(record) as address:
        apply_venue(load_venue(venue_path), address, author="Camille Roux")
        raise_signal(address)
        for _ in range(3):
            vigie("events", "list", "--coordination", address)
        yield address


def tamper(record: Path, *statements: str) -> None:
    """Does to the log what somebody with all rights to the database can do."""
    with closing(sqlite3.connect(record / "vigie.db")) as database:
        for statement in ("DROP TRIGGER audit_no_update", "DROP TRIGGER audit_no_delete", *statements):
            database.execute(statement)
        database.commit()


def checkpoint(outcome: Outcome) -> str:
    """What a run says to note."""
    found = re.search(r"--checkpoint (\d+:[0-9a-f]{64})$", outcome.out.strip())
    assert found, outcome
    return found[1]


def test_list_is_a_table_for_people_and_lines_for_programs(vigie: Vigie, address: str) -> None:
    table = vigie("audit", "list", "--action", "ApplyVenue", "--resource", "venues/arena", "--coordination", address)
    lines = vigie("audit", "list", "--action", "ListEvents", "--limit", "2", "--json", "--coordination", address)

    assert table.code == ExitCode.OK
    assert "Camille Roux" in table.out
    assert re.search(r" CES?T ", table.out)
    assert [json.loads(line)["action"] for line in lines.out.splitlines()] == ["ListEvents"] * 2


def test_filter_that_nothing_meets_lists_nothing(vigie: Vigie, address: str) -> None:
    assert vigie("audit", "list", "--actor", "Eve", "--coordination", address).out == "No such entries.\n"


def test_log_as_written_is_verified_and_gives_a_checkpoint_for_the_next_time(vigie: Vigie, address: str) -> None:
    first = vigie("audit", "verify", "--coordination", address)
    second = vigie("audit", "verify", "--checkpoint", checkpoint(first), "--coordination", address)

    assert first.code == second.code == ExitCode.OK
    assert re.match(r"Entries 1 to \d+ are as they were written", first.out)
    assert int(checkpoint(second).partition(":")[0]) > int(checkpoint(first).partition(":")[0])


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE audit_entries SET actor = 'Eve' WHERE number = 2", "audit entry 2: was changed"),
        ("DELETE FROM audit_entries WHERE number = 2", "audit entry 2: is missing in between"),
        ("DELETE FROM audit_entries WHERE number = 1", "audit entry 1: is missing at the beginning"),
    ],
)
def test_tampering_is_named_and_fails(vigie: Vigie, address: str, record: Path, statement: str, problem: str) -> None:
    tamper(record, statement)

    outcome = vigie("audit", "verify", "--coordination", address)

    assert outcome.code == ExitCode.FAILED
    assert outcome.out == f"{problem}\n"
    assert "1 problems" in outcome.err


def rewritten(entries: list[Entry]) -> list[Entry]:
    """The same log with another actor, each hash made anew."""
    made: list[Entry] = []
    for old in entries:
        trace = Trace("Eve", old.trace.action, old.trace.resource, old.trace.detail)
        made.append(entry(old.number, old.time, trace, made[-1].hash if made else GENESIS))
    return made


def chain(length: int) -> list[Entry]:
    entries: list[Entry] = []
    for number in range(1, length + 1):
        trace = Trace("Ada", "GetEvent", "venues/arena/events/1", "{}")
        entries.append(entry(number, BEGUN, trace, entries[-1].hash if entries else GENESIS))
    return entries


def written(path: Path, entries: list[Entry], anchor: Anchor = BEGINNING, last_number: int | None = None) -> str:
    """An export of entries; the path of its file."""
    lines: list[object] = [{"anchor": {"number": anchor.number, "hash": anchor.hash}, "last_number": last_number or len(entries)}]
    for each in entries:
        fields = {"number": each.number, "time": each.time.isoformat().replace("+00:00", "Z")}
        fields |= {"previous_hash": each.previous_hash, "hash": each.hash}
        fields |= {name: getattr(each.trace, name) for name in ("actor", "action", "resource", "detail")}
        lines.append(fields)
    path.write_text("\n".join(map(json.dumps, lines)) + "\n")
    return str(path)


def test_log_that_was_written_anew_whole_fails_only_at_a_checkpoint(vigie: Vigie, tmp_path: Path) -> None:
    entries = chain(4)
    file = written(tmp_path / "export.jsonl", rewritten(entries))

    assert vigie("audit", "verify", "--file", file).code == ExitCode.OK
    outcome = vigie("audit", "verify", "--file", file, "--checkpoint", f"3:{entries[2].hash}")

    assert outcome.code == ExitCode.FAILED
    assert "audit entry 3: is not the one whose checkpoint was noted" in outcome.out


def test_log_whose_end_was_cut_off_fails_only_at_a_checkpoint(vigie: Vigie, tmp_path: Path) -> None:
    entries = chain(4)
    file = written(tmp_path / "export.jsonl", entries[:3])

    assert vigie("audit", "verify", "--file", file).code == ExitCode.OK
    outcome = vigie("audit", "verify", "--file", file, "--checkpoint", f"4:{entries[3].hash}")

    assert outcome.code == ExitCode.FAILED
    assert "audit entry 4: is missing at the end, though its checkpoint was noted" in outcome.out


def test_entries_that_were_moved_in_a_file_are_named(vigie: Vigie, tmp_path: Path) -> None:
    first, second, third = chain(3)

    outcome = vigie("audit", "verify", "--file", written(tmp_path / "export.jsonl", [first, third, second]))

    assert outcome.out.splitlines() == [
        "audit entry 2: is missing in between",
        "audit entry 2: stands after entry 3: it was doubled or moved",
    ]


def test_anchor_that_no_act_set_is_named(vigie: Vigie, tmp_path: Path) -> None:
    entries = chain(3)

    outcome = vigie(
        "audit", "verify", "--file", written(tmp_path / "export.jsonl", entries[1:], Anchor(1, entries[0].hash), last_number=3)
    )

    assert outcome.code == ExitCode.FAILED
    assert "the anchor was forged" in outcome.out


def test_no_more_than_twenty_problems_are_named(vigie: Vigie, tmp_path: Path) -> None:
    entries = [replace(each, trace=replace(each.trace, actor="Eve")) for each in chain(30)]

    outcome = vigie("audit", "verify", "--file", written(tmp_path / "export.jsonl", entries))

    assert len(outcome.out.splitlines()) == 20
    assert "20 problems, and perhaps more" in outcome.err


def test_export_is_verified_without_the_service(vigie: Vigie, address: str, tmp_path: Path) -> None:
    file = tmp_path / "export.jsonl"

    exported = vigie("audit", "export", "--out", str(file), "--coordination", address)
    verified = vigie("audit", "verify", "--file", str(file), "--coordination", "127.0.0.1:9")

    assert (exported.code, verified.code) == (ExitCode.OK, ExitCode.OK)
    assert re.match(r".*: \d+ entries; verify it", exported.out)
    assert [path.name for path in tmp_path.glob("export*")] == ["export.jsonl"]


def test_export_that_was_changed_or_cut_fails(vigie: Vigie, address: str, tmp_path: Path) -> None:
    file = tmp_path / "export.jsonl"
    vigie("audit", "export", "--out", str(file), "--coordination", address)
    lines = file.read_text().splitlines(keepends=True)

    file.write_text("".join(lines).replace("Camille Roux", "Eve"))
    changed = vigie("audit", "verify", "--file", str(file))
    file.write_text("".join(lines[:-1]))
    cut = vigie("audit", "verify", "--file", str(file))

    assert (changed.code, cut.code) == (ExitCode.FAILED, ExitCode.FAILED)
    assert "was changed" in changed.out
    assert "is missing at the end" in cut.out


def test_export_overwrites_nothing_and_leaves_nothing_half_written(vigie: Vigie, address: str, tmp_path: Path) -> None:
    (tmp_path / "export.jsonl").write_text("precious")

    there = vigie("audit", "export", "--out", str(tmp_path / "export.jsonl"), "--coordination", address)
    nowhere = vigie("audit", "export", "--out", str(tmp_path / "none" / "export.jsonl"), "--coordination", address)
    unreachable = vigie("audit", "export", "--out", str(tmp_path / "other.jsonl"), "--coordination", "127.0.0.1:9")

    assert there.code == ExitCode.BAD_INPUT
    assert (tmp_path / "export.jsonl").read_text() == "precious"
    assert "No such file" in nowhere.err
    assert unreachable.code == ExitCode.UNREACHABLE
    assert not list(tmp_path.glob("other*"))


@pytest.mark.parametrize(
    ("content", "problem"),
    [("", "line 1"), ("{}\n", "vigie audit export"), ('{"anchor": {}, "last_number": 1}\n{"number": "x"}\n', "line 2")],
)
def test_file_that_is_no_export_is_named_by_its_line(vigie: Vigie, tmp_path: Path, content: str, problem: str) -> None:
    (tmp_path / "export.jsonl").write_text(content)

    outcome = vigie("audit", "verify", "--file", str(tmp_path / "export.jsonl"))

    assert outcome.code == ExitCode.BAD_INPUT
    assert problem in outcome.err


def test_file_that_is_not_there_is_named(vigie: Vigie, tmp_path: Path) -> None:
    assert vigie("audit", "verify", "--file", str(tmp_path / "none")).code == ExitCode.BAD_INPUT


@pytest.mark.parametrize("written", ["3", "3:abc", "x:" + "0" * 64])
def test_what_is_no_checkpoint_is_wrong_usage(vigie: Vigie, written: str) -> None:
    assert vigie("audit", "verify", "--checkpoint", written).code == ExitCode.USAGE


def test_entries_of_the_last_twelve_months_are_never_erased(vigie: Vigie, address: str) -> None:
    young = vigie("audit", "erase", "--before", f"{BEGUN:%Y-%m-%d}", "--coordination", address)
    old = vigie("audit", "erase", "--before", f"{BEGUN.year - 2}-01-01", "--coordination", address)
    dry = vigie("audit", "erase", "--before", f"{BEGUN.year - 2}-01-01", "--dry-run", "--json", "--coordination", address)

    assert young.code == ExitCode.BAD_INPUT
    assert "before_time" in young.err
    assert "twelve months" in young.err
    assert old.out == "0 entries were erased; the log begins after entry 0.\n"
    assert json.loads(dry.out)["erased"] == "0"
