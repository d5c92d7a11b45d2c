from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.coordination.domain.audit import GENESIS, BrokenChainError, Entry, Trace, entry, verify

Tampering = Callable[[list[Entry]], list[Entry]]


def chain(length: int) -> list[Entry]:
    entries: list[Entry] = []
    for number in range(1, length + 1):
        trace = Trace("Ada", "GetEvent", f"venues/arena/events/{number}", "{}")
        entries.append(entry(number, datetime(2026, 6, 1, tzinfo=UTC), trace, entries[-1].hash if entries else GENESIS))
    return entries


def rewritten(entries: list[Entry]) -> list[Entry]:
    changed = entry(2, entries[1].time, replace(entries[1].trace, actor="Eve"), entries[1].previous_hash)
    return [entries[0], changed, *entries[2:]]


def relinked(entries: list[Entry]) -> list[Entry]:
    first, second, *others = rewritten(entries)
    return [first, second, replace(others[0], previous_hash=second.hash), *others[1:]]


TAMPERINGS: dict[str, Tampering] = {
    "another actor": lambda entries: [
        entries[0],
        replace(entries[1], trace=replace(entries[1].trace, actor="Eve")),
        *entries[2:],
    ],
    "another actor with a new hash": rewritten,
    "another actor with a new hash that the next entry names": relinked,
    "another time": lambda entries: [replace(entries[0], time=datetime(2025, 6, 1, tzinfo=UTC)), *entries[1:]],
    "one removed": lambda entries: [entries[0], *entries[2:]],
    "the first removed": lambda entries: entries[1:],
    "the last removed": lambda entries: entries[:-1],
    "two exchanged": lambda entries: [entries[0], entries[2], entries[1], entries[3]],
    "one doubled": lambda entries: [entries[0], entries[0], *entries[1:]],
}


def test_an_untouched_log_gives_its_last_hash() -> None:
    entries = chain(4)
    assert verify(entries, 4) == entries[-1].hash
    assert verify([], 0) == GENESIS


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_tampering_shows(tampering: str) -> None:
    with pytest.raises(BrokenChainError):
        verify(TAMPERINGS[tampering](chain(4)), 4)
