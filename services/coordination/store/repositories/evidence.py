"""Which pictures are on record, and which may be kept no longer."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from services.coordination.domain.lifecycle import EventState
from services.coordination.domain.retention import Bounds
from services.coordination.store.models import EventRow, EvidenceRow, SignalRevisionRow, SignalRow

# Any number that nothing else locks: the bytes of "vigie:e".
_LOCK = 0x76696769653A65


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture on record."""

    sha256: str
    size_bytes: int


class Pictures:
    """Pictures by hash."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def take_turn(self) -> bool:
        """Whether no other transaction erases pictures; if so, none does until this one ends."""
        if self._session.get_bind().dialect.name == "sqlite":
            return True
        return bool(await self._session.scalar(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": _LOCK}))

    async def expired(self, bounds: Bounds, *, after: str, most: int) -> list[Picture]:
        """Pictures that no event may show any more, by hash."""
        expired = _expired(bounds, EvidenceRow.sha256 > after).order_by(EvidenceRow.sha256).limit(most)
        return [Picture(sha256, size) for sha256, size in await self._session.execute(expired)]

    async def expired_of(self, bounds: Bounds, hashes: Collection[str]) -> list[Picture]:
        """Those of some pictures that no event may show any more."""
        rows = await self._session.execute(_expired(bounds, EvidenceRow.sha256.in_(hashes)))
        return [Picture(sha256, size) for sha256, size in rows]

    async def users(self, hashes: Collection[str]) -> tuple[set[str], set[UUID]]:
        """Ids of the venues and of the events to which pictures belong."""
        revision = SignalRevisionRow.signal_id == SignalRow.signal_id
        users = select(SignalRow.venue_id, SignalRow.event_id).join(SignalRevisionRow, revision)
        rows = (await self._session.execute(users.where(SignalRevisionRow.evidence.in_(hashes)).distinct())).all()
        return {venue for venue, _ in rows}, {event for _, event in rows}

    async def forget(self, hashes: Collection[str]) -> None:
        """Removes pictures from the record, and from all that shows them."""
        for model in (SignalRevisionRow, SignalRow):
            shown = update(model).where(model.evidence.in_(hashes)).values(evidence=None)
            await self._session.execute(shown, execution_options={"synchronize_session": False})
        await self._session.execute(delete(EvidenceRow).where(EvidenceRow.sha256.in_(hashes)))

    async def are_there(self) -> bool:
        """Whether there is any picture on record."""
        return await self._session.scalar(select(EvidenceRow.sha256).limit(1)) is not None

    async def unknown(self, hashes: Collection[str]) -> set[str]:
        """Those of the hashes that are not on record."""
        return set(hashes) - set(await self._session.scalars(select(EvidenceRow.sha256).where(EvidenceRow.sha256.in_(hashes))))

    async def claim(self, hashes: Collection[str], now: datetime) -> Sequence[str]:
        """Puts those of the hashes on record that are not, and returns them: who records one meanwhile waits for our end."""
        rows = [{"sha256": sha256, "size_bytes": 0, "record_time": now} for sha256 in sorted(hashes)]
        dialect: Any = postgresql if self._session.get_bind().dialect.name == "postgresql" else sqlite
        claim = dialect.insert(EvidenceRow).values(rows).on_conflict_do_nothing().returning(EvidenceRow.sha256)
        return (await self._session.scalars(claim)).all()


def _expired(bounds: Bounds, among: ColumnElement[bool]) -> Any:
    """Pictures of which no revision is left that may still be shown.

    What was recorded long ago was captured long ago, whatever the clock of its cluster said.
    """
    end_time = func.coalesce(EventRow.end_time, EventRow.update_time)
    shown = (
        select(SignalRevisionRow.signal_id)
        .join(SignalRow, SignalRow.signal_id == SignalRevisionRow.signal_id)
        .join(EventRow, EventRow.event_id == SignalRow.event_id)
        .where(
            SignalRevisionRow.evidence == EvidenceRow.sha256,
            SignalRevisionRow.update_time > bounds.captured,
            (EventRow.state != EventState.DISMISSED) | (end_time > bounds.dismissed),
        )
    )
    is_kept = (EvidenceRow.record_time > bounds.captured) & shown.exists()
    return select(EvidenceRow.sha256, EvidenceRow.size_bytes).where(among, ~is_kept)
