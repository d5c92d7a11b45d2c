"""The outbox of a process, and those that were left behind on its machine and that it delivers beside its own.

A process takes any folder that has no owner as its own, with what waits in it, so there are never more folders than there were
processes at one time. Folders that nobody took are looked for now and then, delivered, and let go.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import structlog

from cluster.reporting.folders import FolderClaim, claim_new_folder, free_folders
from cluster.reporting.outbox import Outbox, OutboxCounts, Parcel

_log = structlog.get_logger(__name__)


class Reporter(Protocol):
    """Delivers an outbox, as SignalReporter does."""

    def start(self) -> None:
        """Starts to deliver."""
        ...

    def wake(self) -> None:
        """Says that there is something new to deliver."""
        ...

    def stop(self, grace_s: float) -> None:
        """Delivers what still waits for at most `grace_s`, then ends."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class _Delivery:
    """A folder that this process owns, open and being delivered."""

    claim: FolderClaim
    outbox: Outbox
    reporter: Reporter

    def end(self, grace_s: float) -> int:
        """Lets the folder go; returns how many entries are left in it."""
        self.reporter.stop(grace_s)
        left = self.outbox.counts().pending
        self.outbox.close()
        self.claim.release()
        return left


class Outboxes:
    """What a process puts signals into.

    Args:
        root: the folder of the machine's outboxes.
        limit_bytes: what may wait in each.
        reporter: makes what delivers an outbox.
    """

    def __init__(self, root: Path, *, limit_bytes: int, reporter: Callable[[Outbox], Reporter]) -> None:
        self._root = root
        self._limit_bytes = limit_bytes
        self._reporter = reporter
        self._lock = threading.Lock()
        self._own = self._delivered(*(next(self._left_behind(), None) or self._new()))
        self._before = self._own.outbox.counts()
        self._adopted: list[_Delivery] = []
        _log.info("outbox taken", folder=str(self._own.claim.path), pending=self._before.pending)

    def put(self, parcels: Sequence[Parcel]) -> None:
        """Keeps parcels and has them delivered. Raises OutboxFullError when they cannot be kept."""
        self._own.outbox.put(parcels)
        self._own.reporter.wake()

    def adopt(self) -> None:
        """Lets go of the folders left behind that are empty by now, and takes those that have something to deliver."""
        with self._lock:
            for delivery in [delivery for delivery in self._adopted if not delivery.outbox.counts().pending]:
                self._adopted.remove(delivery)
                delivery.end(0)
            for claim, outbox in self._left_behind():
                if outbox.counts().pending:
                    _log.info("outbox adopted", folder=str(claim.path), pending=outbox.counts().pending)
                    self._adopted.append(self._delivered(claim, outbox))
                else:
                    outbox.close()
                    claim.release()

    def counts(self) -> OutboxCounts:
        """What waits, and what happened since this process began, in its own outbox; what waits in adopted ones counts too."""
        own, before = self._own.outbox.counts(), self._before
        with self._lock:
            adopted = [delivery.outbox.counts() for delivery in self._adopted]
        return OutboxCounts(
            pending=own.pending + sum(counts.pending for counts in adopted),
            pending_bytes=own.pending_bytes + sum(counts.pending_bytes for counts in adopted),
            raised=own.raised - before.raised,
            recorded=own.recorded - before.recorded,
            rejected=own.rejected - before.rejected,
            pictures_dropped=own.pictures_dropped - before.pictures_dropped,
        )

    def stop(self, grace_s: float) -> int:
        """Delivers for at most `grace_s` more, then lets all folders go; returns how many entries are left in them."""
        left = self._own.end(grace_s)
        with self._lock:
            return left + sum(delivery.end(0) for delivery in self._adopted)

    def _delivered(self, claim: FolderClaim, outbox: Outbox) -> _Delivery:
        reporter = self._reporter(outbox)
        reporter.start()
        return _Delivery(claim, outbox, reporter)

    def _new(self) -> tuple[FolderClaim, Outbox]:
        claim = claim_new_folder(self._root)
        return claim, Outbox(claim.path, self._limit_bytes)

    def _left_behind(self) -> Iterator[tuple[FolderClaim, Outbox]]:
        """The outboxes without an owner, each claimed. One that cannot be read is left where it is, for a person to look at."""
        for claim in free_folders(self._root):
            try:
                yield claim, Outbox(claim.path, self._limit_bytes)
            except sqlite3.DatabaseError as error:
                _log.error(
                    "outbox cannot be read; move it away, its signals may be in it", folder=str(claim.path), problem=str(error)
                )
                claim.release()
