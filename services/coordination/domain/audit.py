"""The log of what was read and decided, chained so that a changed, removed or moved entry shows.

Each entry carries the SHA-256 of itself and of the entry before it. Whoever notes the last hash elsewhere can prove later that
nothing up to it was rewritten. The règlement (UE) 2024/1689 wants events recorded (article 12) and logs kept, for six months at
least (article 26(6)): here it is twelve. Older entries are erased, and the last of them is the anchor from which the chain is
verified.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

GENESIS = "0" * 64
ERASURE = "EraseAuditEntries"
# How far an entry is looked for that stands where it does not belong.
_NEAR = 1000


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


@dataclass(frozen=True, slots=True)
class Anchor:
    """The last entry that was erased: the chain goes on from its hash.

    Attributes:
        number: of the entry; 0 while nothing was erased.
        hash: of the entry.
        time: when it was erased; None while nothing was.
        author: by whom.
    """

    number: int
    hash: str
    time: datetime | None = None
    author: str = ""


BEGINNING = Anchor(0, GENESIS)


@dataclass(frozen=True, slots=True)
class Break:
    """A place at which the log is not what was written.

    Attributes:
        number: of the entry.
        problem: what is wrong with it.
    """

    number: int
    problem: str

    def __str__(self) -> str:
        return f"audit entry {self.number}: {self.problem}"


class BrokenChainError(Exception):
    """The log is not what was written: an entry was changed, removed or moved."""

    def __init__(self, found: Break) -> None:
        super().__init__(str(found))
        self.number = found.number


def entry(number: int, time: datetime, trace: Trace, previous_hash: str) -> Entry:
    """The entry that a trace makes after another."""
    return Entry(number, time, trace, previous_hash, _hash(number, time, trace, previous_hash))


def erasure(anchor: Anchor, before_time: datetime, erased: int) -> Trace:
    """What stays in the log of the act that erased its entries up to an anchor: without it the anchor counts for nothing."""
    detail = {"number": anchor.number, "hash": anchor.hash, "before_time": before_time.isoformat(), "erased": erased}
    return Trace(anchor.author, ERASURE, "audit", json.dumps(detail, sort_keys=True))


def erasable_before(now: datetime) -> datetime:
    """Entries that are older than this may be erased: it lies twelve calendar months back."""
    try:
        return now.replace(year=now.year - 1)
    except ValueError:
        # The 29th of February.
        return now.replace(year=now.year - 1, day=28)


class Chain:
    """Follows a log entry by entry from its anchor on, and says where it is not what was written. It never holds the log."""

    def __init__(self, anchor: Anchor = BEGINNING) -> None:
        self._anchor = anchor
        self._number, self._hash = anchor.number, anchor.hash
        self._erasure_seen = anchor == BEGINNING
        # Whether the last entry is what was written: one that is not says nothing of the next.
        self._is_sound = True

    @property
    def number(self) -> int:
        """Number of the last entry that was followed, or of the anchor."""
        return self._number

    @property
    def hash(self) -> str:
        """Its hash."""
        return self._hash

    def follow(self, found: Entry) -> list[Break]:
        """Takes the next entry, and returns what is wrong with it or before it."""
        if found.number <= self._number:
            return [Break(found.number, f"stands after entry {self._number}: it was doubled or moved")]
        breaks = [*self._gap(found), *self._problems(found)]
        self._number, self._hash = found.number, found.hash
        self._is_sound = not breaks
        self._erasure_seen |= _tells_of(found.trace, self._anchor)
        return breaks

    def end(self, last_number: int) -> list[Break]:
        """What is wrong once no entry is left; `last_number` is how many were ever written."""
        breaks = []
        if self._number < last_number:
            breaks.append(_missing(self._number + 1, last_number, "at the end"))
        if self._number > last_number:
            breaks.append(Break(last_number + 1, f"was added: only {last_number} were ever written"))
        if not self._erasure_seen:
            problem = "is said to be the last that was erased, but the log tells of no such act: the anchor was forged"
            breaks.append(Break(self._anchor.number, problem))
        return breaks

    def _gap(self, found: Entry) -> Iterator[Break]:
        if found.number > self._number + 1:
            where = "at the beginning" if self._number == self._anchor.number else "in between"
            yield _missing(self._number + 1, found.number - 1, where)

    def _problems(self, found: Entry) -> Iterator[Break]:
        if found.hash != _hash(found.number, found.time, found.trace, found.previous_hash):
            origin = _origin(found)
            yield Break(found.number, f"was exchanged: entry {origin} stands in its place" if origin else "was changed")
        elif self._is_sound and found.number == self._number + 1 and found.previous_hash != self._hash:
            yield Break(found.number, f"does not follow entry {self._number}: one of the two was written anew")


def verify(entries: Iterable[Entry], last_number: int, anchor: Anchor = BEGINNING) -> str:
    """The hash of the last entry, if entries from the anchor on are as they were written.

    `last_number` is how many were ever written. Raises BrokenChainError at the first that is not as it was.
    """
    chain = Chain(anchor)
    for found in entries:
        if breaks := chain.follow(found):
            raise BrokenChainError(breaks[0])
    if breaks := chain.end(last_number):
        raise BrokenChainError(breaks[0])
    return chain.hash


def _hash(number: int, time: datetime, trace: Trace, previous_hash: str) -> str:
    moment = time.astimezone(UTC).isoformat()
    content = [number, moment, trace.actor, trace.action, trace.resource, trace.detail, previous_hash]
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def _origin(found: Entry) -> int | None:
    """The number near by under which an entry was written that now has another."""
    numbers = range(max(1, found.number - _NEAR), found.number + _NEAR)
    return next((number for number in numbers if found.hash == _hash(number, found.time, found.trace, found.previous_hash)), None)


def _tells_of(trace: Trace, anchor: Anchor) -> bool:
    if trace.action != ERASURE:
        return False
    try:
        detail = json.loads(trace.detail)
    except ValueError:
        return False
    return isinstance(detail, dict) and (detail.get("number"), detail.get("hash")) == (anchor.number, anchor.hash)


def _missing(first: int, last: int, where: str) -> Break:
    return Break(first, f"is missing {where}" + (f", and so are all up to {last}" if last > first else ""))
