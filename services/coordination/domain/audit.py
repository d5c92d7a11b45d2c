"""The log of what was read and decided, chained so that a changed, removed or moved entry shows.

Each entry carries the SHA-256 of itself and of the entry before it. Whoever notes the last hash elsewhere can prove later that
nothing up to it was rewritten.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Trace:
    """Something that someone did.

    Attributes:
        actor: who.
        action: what, as the name of a call such as `ReviewEvent`.
        resource: on what, as a resource name.
        detail: how, in one line of JSON.
    """

    actor: str
    action: str
    resource: str
    detail: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A trace at its place in the log."""

    number: int
    time: datetime
    trace: Trace
    previous_hash: str
    hash: str


class BrokenChainError(Exception):
    """The log is not what was written: an entry was changed, removed or moved."""

    def __init__(self, number: int, problem: str) -> None:
        super().__init__(f"audit entry {number}: {problem}")
        self.number = number


def entry(number: int, time: datetime, trace: Trace, previous_hash: str) -> Entry:
    """The entry that a trace makes after another."""
    return Entry(number, time, trace, previous_hash, _hash(number, time, trace, previous_hash))


def verify(entries: Iterable[Entry], last_number: int) -> str:
    """The hash of the last entry, if entries from the first on are as they were written; `last_number` is how many there must be.

    Raises BrokenChainError at the first that is not.
    """
    expected, previous = 1, GENESIS
    for found in entries:
        if found.number != expected:
            raise BrokenChainError(expected, f"is missing; {found.number} stands in its place")
        if found.previous_hash != previous:
            raise BrokenChainError(found.number, "does not follow the entry before it")
        if found.hash != _hash(found.number, found.time, found.trace, found.previous_hash):
            raise BrokenChainError(found.number, "was changed")
        expected, previous = expected + 1, found.hash
    if expected != last_number + 1:
        raise BrokenChainError(expected, f"is missing at the end; there must be {last_number}")
    return previous


def _hash(number: int, time: datetime, trace: Trace, previous_hash: str) -> str:
    content = [number, time.isoformat(), trace.actor, trace.action, trace.resource, trace.detail, previous_hash]
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()
