"""An event as the service keeps it, and how signals change it."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.coordination.domain.lifecycle import Decision, DismissalReason, EventState
from services.coordination.domain.priority import Priority, priority
from services.coordination.domain.signals import Signal, SignalRevision
from vigie.vocabulary import Kind, Severity


@dataclass(frozen=True, slots=True)
class Event:
    """One incident at one venue; `vigie/v1/events.proto` says what each field means.

    Attributes:
        version: rises by one with every change.
        open_signals: how many of its signals are open.
        last_close_time: the latest moment at which one of its signals closed, or was taken to have because its owner was lost.
        end_time: when people had done with it: dismissed or closed it. None while they have not.
        reopen_time: when a late signal last opened it again after that.
        merged_into: the event that it became a part of.
        acknowledge_time: when somebody first acknowledged it, or decided more.
    """

    event_id: UUID
    venue: str
    kind: Kind
    state: EventState
    severity: Severity
    score: float
    reason: str
    cameras: tuple[str, ...]
    zones: tuple[str, ...]
    open_time: datetime
    last_close_time: datetime | None
    raise_time: datetime
    record_time: datetime
    update_time: datetime
    signal_count: int
    open_signals: int
    version: int
    priority: Priority
    drill: bool = False
    dismissal_reason: DismissalReason | None = None
    end_time: datetime | None = None
    reopen_count: int = 0
    reopen_time: datetime | None = None
    folded_signal_count: int = 0
    merged_into: UUID | None = None
    acknowledge_time: datetime | None = None

    @property
    def close_time(self) -> datetime | None:
        """When it was over; None while a signal of it is open."""
        return None if self.open_signals else self.last_close_time

    @property
    def etag(self) -> str:
        """A text that changes with every change."""
        return f"{self.version:x}"


@dataclass(frozen=True, slots=True)
class Review:
    """A person's decision on an event.

    Attributes:
        event_version: the version of the event that it made.
    """

    decision: Decision
    reviewer: str
    comment: str
    review_time: datetime
    request_id: UUID | None
    dismissal_reason: DismissalReason | None
    event_version: int


@dataclass(frozen=True, slots=True)
class EventCount:
    """How many events have a kind, a state and a priority."""

    kind: Kind
    state: EventState
    priority: Priority
    events: int


def begun(event_id: UUID, first: SignalRevision, now: datetime) -> Event:
    """The event that a signal opens, before that signal is taken in."""
    return Event(
        event_id=event_id,
        venue=first.venue,
        kind=first.kind,
        state=EventState.NEW,
        severity=first.severity,
        score=first.score,
        reason=first.reason,
        cameras=(),
        zones=(),
        open_time=first.open_time,
        last_close_time=None,
        raise_time=first.raise_time,
        record_time=now,
        update_time=now,
        signal_count=0,
        open_signals=0,
        version=0,
        priority=priority(first.kind, first.severity),
        drill=first.drill,
    )


def with_signal(event: Event, before: Signal | None, after: Signal) -> Event:
    """The event once a signal of it is new (`before` is None) or has changed. Its state is a person's to change."""
    was_open = before is not None and before.close_time is None
    is_open = after.close_time is None
    closes = [time for time in (event.last_close_time, after.close_time) if time is not None]
    return replace(
        event,
        cameras=_including(event.cameras, after.camera),
        zones=_including(event.zones, after.zone) if after.zone else event.zones,
        open_time=min(event.open_time, after.open_time),
        last_close_time=max(closes, default=None),
        signal_count=event.signal_count + (before is None),
        open_signals=event.open_signals + is_open - was_open,
    )


def with_revision(event: Event, revision: SignalRevision) -> Event:
    """The event once a revision of one of its signals has said how much it presses. Severity and score never fall."""
    rises = revision.severity > event.severity
    return replace(
        event,
        severity=max(event.severity, revision.severity),
        priority=max(event.priority, priority(event.kind, revision.severity)),
        score=max(event.score, revision.score),
        reason=revision.reason if rises else event.reason,
    )


def _including(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return names if name in names else tuple(sorted((*names, name)))
