"""Recording signals: batches of all callers together, a transaction at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from services.coordination.domain.admission import Rejection
from services.coordination.domain.aggregation import Proximity
from services.coordination.domain.ledger import CameraId, Excerpt, Ledger
from services.coordination.domain.proximity import proximity
from services.coordination.domain.signals import Signal, SignalRevision
from services.coordination.errors import CoordinationError
from services.coordination.evidence.store import EvidenceStore
from services.coordination.incidents import Incidents
from services.coordination.rpc.convert import event_message
from services.coordination.store.database import Database
from services.coordination.store.unit_of_work import UnitOfWork

MAX_GROUP = 2048
"""Revisions in one transaction."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Batch:
    """Well-formed revisions that one caller wants recorded, and the pictures that belong to them by hash."""

    revisions: Sequence[SignalRevision]
    pictures: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch: how many revisions it added to the record, and which were rejected."""

    recorded: int
    rejections: Sequence[tuple[SignalRevision, Rejection]]


class Recorder:
    """Records batches in one transaction, so that several share the cost of a commit. `recorded` is called after each."""

    def __init__(
        self,
        database: Database,
        evidence: EvidenceStore,
        *,
        now: Callable[[], datetime],
        ids: Callable[[], UUID],
        recorded: Callable[[], None],
    ) -> None:
        self._database = database
        self._evidence = evidence
        self._now = now
        self._ids = ids
        self._recorded = recorded
        self._proximities: dict[str, tuple[int, Proximity]] = {}

    async def record(self, batches: Sequence[Batch]) -> list[Outcome]:
        """Records all that can be, and says what became of each batch once it lasts. Raises UnavailableError."""
        revisions = [revision for batch in batches for revision in batch.revisions]
        if not revisions:
            return [Outcome(0, ()) for _ in batches]
        async with self._database.write() as work:
            venues = await work.venues.lock(revision.venue for revision in revisions)
            ledger = Ledger(await self._excerpt(work, revisions), ids=self._ids)
            ledger.close_orphans()
            outcomes = [_enter(ledger, batch) for batch in batches]
            await self._write(work, await self._incidents(work, ledger, venues), batches)
            await work.commit()
        self._recorded()
        return outcomes

    async def succeed(self, owners: Iterable[tuple[str, str, int]]) -> None:
        """Hears of owners of known cameras; what earlier owners left open is closed. Raises UnavailableError."""
        heard = set(owners)
        cameras = {(venue, camera) for venue, camera, _ in heard}
        async with self._database.write() as work:
            venues = await work.venues.lock(venue for venue, _ in cameras)
            await work.cameras.add_incarnations(heard)
            standings = await work.cameras.standings(cameras, since=self._now())
            ledger = Ledger(Excerpt(standings, _by_id(await work.signals.open_of(cameras))), ids=self._ids)
            ledger.close_orphans()
            await self._write(work, await self._incidents(work, ledger, venues), ())
            await work.commit()
        self._recorded()

    async def _excerpt(self, work: UnitOfWork, revisions: Sequence[SignalRevision]) -> Excerpt:
        cameras = {(revision.venue, revision.camera) for revision in revisions}
        newcomers = await self._hear(work, cameras, revisions)
        standings = await work.cameras.standings(cameras, since=min(_moments(revisions)))
        signals = await work.signals.known({revision.signal_id for revision in revisions})
        late = {revision.signal_id for revision in revisions if _is_late(revision, signals.get(revision.signal_id))}
        recorded = await work.signals.recorded(late) if late else set()
        left_open = _by_id(await work.signals.open_of(newcomers)) if newcomers else {}
        return Excerpt(standings, left_open | signals, frozenset(recorded))

    async def _hear(self, work: UnitOfWork, cameras: set[CameraId], revisions: Sequence[SignalRevision]) -> set[CameraId]:
        """Remembers ownerships that were not heard of, and returns the cameras that have one."""
        heard = await work.cameras.incarnations(cameras)
        speakers = {(revision.venue, revision.camera, revision.incarnation) for revision in revisions}
        new = {(venue, camera, number) for venue, camera, number in speakers if number not in heard.get((venue, camera), ())}
        known = await work.cameras.known({(venue, camera) for venue, camera, _ in new}) if new else set()
        await work.cameras.add_incarnations([speaker for speaker in new if speaker[:2] in known])
        return known

    async def _incidents(self, work: UnitOfWork, ledger: Ledger, venues: Mapping[str, int]) -> Incidents:
        proximities = await self._near(work, venues)
        incidents = Incidents(work, ledger, proximities, now=self._now(), ids=self._ids)
        await incidents.work_out()
        return incidents

    async def _near(self, work: UnitOfWork, venues: Mapping[str, int]) -> dict[str, Proximity]:
        """What counts as near at some venues, read anew where a venue has changed."""
        changed = [venue for venue, revision in venues.items() if self._proximities.get(venue, (-1,))[0] != revision]
        if changed:
            for venue, message in (await work.venues.some(changed)).items():
                self._proximities[venue] = venues[venue], proximity(message)
        return {venue: self._proximities[venue][1] for venue in venues}

    async def _write(self, work: UnitOfWork, incidents: Incidents, batches: Sequence[Batch]) -> None:
        now, revisions, events = self._now(), incidents.revisions, incidents.events
        pictures = [revision.evidence for revision in revisions if revision.evidence]
        kept = {picture.sha256 for picture in pictures}
        # Pictures are written once it is clear that they may be kept, and before the record says for others that they are. Their
        # rows come first: whoever erases the same picture meanwhile holds its row until it is done.
        await work.signals.add_evidence(pictures, now)
        await self._evidence.put({sha256: jpeg for batch in batches for sha256, jpeg in batch.pictures.items() if sha256 in kept})
        await work.events.put(events)
        await work.signals.move(incidents.moves)
        await work.signals.put(incidents.signals)
        await work.signals.add_revisions(revisions, now)
        await work.events.add_changes([event_message(event).SerializeToString() for event in events])


def _by_id(signals: Iterable[Signal]) -> dict[UUID, Signal]:
    return {signal.signal_id: signal for signal in signals}


def _is_late(revision: SignalRevision, known: Signal | None) -> bool:
    """Whether a revision may be on record already."""
    return known is not None and revision.revision <= known.revision


def _enter(ledger: Ledger, batch: Batch) -> Outcome:
    recorded, rejections = 0, []
    for revision in batch.revisions:
        result = ledger.enter(revision)
        if isinstance(result, Rejection):
            rejections.append((revision, result))
        else:
            recorded += result
    return Outcome(recorded, rejections)


def _moments(revisions: Iterable[SignalRevision]) -> Iterable[datetime]:
    return (min(revision.open_time, revision.raise_time) for revision in revisions)


@dataclass(frozen=True, slots=True)
class _Waiting:
    batch: Batch
    outcome: "asyncio.Future[Outcome]"


class GroupCommit:
    """One task that records what waits from all callers together. The queue is bounded: callers wait for room in it."""

    def __init__(self, record: Callable[[Sequence[Batch]], Awaitable[list[Outcome]]], *, capacity: int) -> None:
        self._record = record
        self._queue: asyncio.Queue[_Waiting | None] = asyncio.Queue(capacity)

    async def submit(self, batch: Batch) -> "asyncio.Future[Outcome]":
        """Waits for room and returns what will be the outcome."""
        waiting = _Waiting(batch, asyncio.get_running_loop().create_future())
        await self._queue.put(waiting)
        return waiting.outcome

    async def stop(self) -> None:
        """Lets `run` return once all that waits by now is recorded. Nothing may be submitted after."""
        await self._queue.put(None)

    async def run(self) -> None:
        """Records until stopped."""
        while await self.step():
            pass

    async def step(self) -> bool:
        """Waits for a batch and records it with all that wait by then; False once stopped."""
        group: list[_Waiting] = []
        size, going = 0, True
        while going and size < MAX_GROUP and (not group or not self._queue.empty()):
            waiting = await self._queue.get()
            if waiting is None:
                going = False
            else:
                group.append(waiting)
                size += len(waiting.batch.revisions)
        if group:
            await self._settle(group)
        return going

    async def _settle(self, group: Sequence[_Waiting]) -> None:
        try:
            outcomes = await self._record([waiting.batch for waiting in group])
        except CoordinationError as error:
            _fail(group, error)
        except Exception as error:  # noqa: BLE001 - the edge of the writer: it must go on for all other callers
            if len(group) == 1:
                _log.exception("batch cannot be recorded")
                _fail(group, error)
                return
            # Something in one batch cannot be recorded; the others must not suffer for it.
            for waiting in group:
                await self._settle([waiting])
        else:
            for waiting, outcome in zip(group, outcomes, strict=True):
                if not waiting.outcome.done():
                    waiting.outcome.set_result(outcome)


def _fail(group: Iterable[_Waiting], error: Exception) -> None:
    for waiting in group:
        if not waiting.outcome.done():
            waiting.outcome.set_exception(error)
            # A caller may have left without looking; asking for the error marks it as seen.
            waiting.outcome.exception()
