from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from services.coordination.domain.audit import (
    BEGINNING,
    GENESIS,
    Anchor,
    BrokenChainError,
    Chain,
    Entry,
    Trace,
    entry,
    erasable_before,
    erasure,
    verify,
)

Tampering = Callable[[list[Entry]], list[Entry]]

TIME = datetime(2026, 6, 1, tzinfo=UTC)


def chain(length: int) -> list[Entry]:
    entries: list[Entry] = []
    for number in range(1, length + 1):
        append(entries, Trace("Ada", "GetEvent", f"venues/arena/events/{number}", "{}"))
    return entries


def append(entries: list[Entry], trace: Trace) -> None:
    entries.append(entry(len(entries) + 1, TIME, trace, entries[-1].hash if entries else GENESIS))


def erased(entries: list[Entry], number: int) -> tuple[list[Entry], Anchor]:
    """The log once its first entries were erased by an act."""
    anchor = Anchor(number, entries[number - 1].hash, TIME, "Ada")
    whole = [*entries]
    append(whole, erasure(anchor, TIME, number))
    return whole[number:], anchor


def rewritten(entries: list[Entry]) -> list[Entry]:
    changed = entry(2, entries[1].time, replace(entries[1].trace, actor="Eve"), entries[1].previous_hash)
    return [entries[0], changed, *entries[2:]]


def relinked(entries: list[Entry]) -> list[Entry]:
    first, second, *others = rewritten(entries)
    return [first, second, replace(others[0], previous_hash=second.hash), *others[1:]]


def exchanged(entries: list[Entry]) -> list[Entry]:
    first, second, third, *others = entries
    return [first, replace(third, number=2), replace(second, number=3), *others]


def inserted(entries: list[Entry]) -> list[Entry]:
    made = entry(3, TIME, Trace("Eve", "GetEvent", "", "{}"), entries[1].hash)
    return [*entries[:2], made, *(replace(other, number=other.number + 1) for other in entries[2:])]


TAMPERINGS: dict[str, tuple[Tampering, list[str]]] = {
    "another actor": (
        lambda entries: [entries[0], replace(entries[1], trace=replace(entries[1].trace, actor="Eve")), *entries[2:]],
        ["audit entry 2: was changed"],
    ),
    "another actor with a new hash": (
        rewritten,
        ["audit entry 3: does not follow entry 2: one of the two was written anew"],
    ),
    "another actor with a new hash that the next entry names": (relinked, ["audit entry 3: was changed"]),
    "another time": (
        lambda entries: [replace(entries[0], time=TIME + timedelta(1)), *entries[1:]],
        ["audit entry 1: was changed"],
    ),
    "one removed": (lambda entries: [entries[0], *entries[2:]], ["audit entry 2: is missing in between"]),
    "two removed": (
        lambda entries: [entries[0], *entries[3:]],
        ["audit entry 2: is missing in between, and so are all up to 3"],
    ),
    "the first removed": (lambda entries: entries[1:], ["audit entry 1: is missing at the beginning"]),
    "the last removed": (lambda entries: entries[:-1], ["audit entry 4: is missing at the end"]),
    "all removed": (lambda entries: [], ["audit entry 1: is missing at the end, and so are all up to 4"]),
    "two exchanged": (
        exchanged,
        [
            "audit entry 2: was exchanged: entry 3 stands in its place",
            "audit entry 3: was exchanged: entry 2 stands in its place",
        ],
    ),
    "two exchanged in a file": (
        lambda entries: [entries[0], entries[2], entries[1], entries[3]],
        [
            "audit entry 2: is missing in between",
            "audit entry 2: stands after entry 3: it was doubled or moved",
        ],
    ),
    "one doubled": (
        lambda entries: [entries[0], entries[0], *entries[1:]],
        ["audit entry 1: stands after entry 1: it was doubled or moved"],
    ),
    "one inserted": (
        inserted,
        [
            "audit entry 4: was exchanged: entry 3 stands in its place",
            "audit entry 5: was exchanged: entry 4 stands in its place",
            "audit entry 5: was added: only 4 were ever written",
        ],
    ),
}


def breaks(entries: list[Entry], last_number: int, anchor: Anchor = BEGINNING) -> list[str]:
    log = Chain(anchor)
    found = [problem for each in entries for problem in log.follow(each)]
    return [str(problem) for problem in (*found, *log.end(last_number))]


def test_an_untouched_log_gives_its_last_hash() -> None:
    entries = chain(4)
    assert verify(entries, 4) == entries[-1].hash
    assert verify([], 0) == GENESIS


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_tampering_shows_and_is_named(tampering: str) -> None:
    tamper, problems = TAMPERINGS[tampering]
    assert breaks(tamper(chain(4)), 4) == problems
    with pytest.raises(BrokenChainError) as caught:
        verify(tamper(chain(4)), 4)
    assert str(caught.value) == problems[0]


def test_a_log_is_verified_from_its_anchor_on() -> None:
    entries, anchor = erased(chain(4), 2)
    assert breaks(entries, 5, anchor) == []
    assert breaks(entries, 5) == ["audit entry 1: is missing at the beginning, and so are all up to 2"]


def test_an_anchor_with_another_hash_shows() -> None:
    entries, anchor = erased(chain(4), 2)
    assert breaks(entries, 5, replace(anchor, hash="f" * 64)) == [
        "audit entry 3: does not follow entry 2: one of the two was written anew",
        "audit entry 2: is said to be the last that was erased, but the log tells of no such act: the anchor was forged",
    ]


@pytest.mark.parametrize("detail", ["{}", "[]", "no JSON", '{"number": 3, "hash": ""}'])
def test_an_anchor_that_no_act_in_the_log_set_is_forged(detail: str) -> None:
    entries = chain(4)
    append(entries, Trace("Eve", "EraseAuditEntries", "audit", detail))
    (problem,) = breaks(entries[3:], 5, Anchor(3, entries[2].hash, TIME, "Eve"))
    assert "the anchor was forged" in problem


def test_an_entry_is_the_same_wherever_its_time_was_told() -> None:
    paris = TIME.astimezone(timezone(timedelta(hours=2)))
    trace = Trace("Ada", "GetEvent", "venues/arena/events/1", '{"comment": "vu à 9 h"}')
    assert entry(1, paris, trace, GENESIS).hash == entry(1, TIME, trace, GENESIS).hash


def test_the_hash_of_an_entry_never_changes_between_versions() -> None:
    trace = Trace("Ada", "GetEvent", "venues/arena/events/1", '{"comment": "vu à 9 h"}')
    made = entry(1, datetime(2026, 6, 1, 9, 0, 0, 123456, UTC), trace, GENESIS)
    assert made.hash == "cec1f8a8a37b40e41cc547fc4c654278eab2116fe1b77482e3c712499398dde8"


@pytest.mark.parametrize(
    ("now", "before"),
    [
        ("2026-06-01T10:00:00+00:00", "2025-06-01T10:00:00+00:00"),
        ("2028-02-29T10:00:00+00:00", "2027-02-28T10:00:00+00:00"),
        ("2029-02-28T10:00:00+00:00", "2028-02-28T10:00:00+00:00"),
    ],
)
def test_entries_are_kept_for_twelve_calendar_months(now: str, before: str) -> None:
    assert erasable_before(datetime.fromisoformat(now)) == datetime.fromisoformat(before)
