"""An event as the service keeps it, and how signals change it.

All that signals say of an event adds up the same in any order.
"""

from collections.abc import Iterable
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
        last_open_time: when the last of its signals opened. None if nobody noted it.
        reason_time: capture time of the revision whose reason it has. None if nobody noted it.
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
    last_open_time: datetime | None = None
    reason_time: datetime | None = None

    @property
    def close_time(self) -> datetime | None:
        """When it was over; None while a signal of it is open."""
        return None if self.open_signals else self.last_close_time

    @property
    def etag(self) -> str:
        """A text that changes with every change."""
        return f"{self.version:x}"

    @property
    def is_judged(self) -> bool:
        """Whether somebody ever decided on it."""
        return self.state is not EventState.NEW or self.reopen_count > 0

    @property
    def full_reason(self) -> str:
        """Its reason, and what was folded into it."""
        if not self.folded_signal_count:
            return self.reason
        more = "1 more signal is" if self.folded_signal_count == 1 else f"{self.folded_signal_count} more signals are"
        return f"{self.reason} ({more} folded into this event: more than a camera may raise in ten minutes)"


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
        last_open_time=first.open_time,
        reason_time=first.update_time,
    )


def with_signal(event: Event, before: Signal | None, after: Signal) -> Event:
    """The event once a signal of it is new (`before` is None) or has changed. Its state is a person's to change."""
    was_open = before is not None and before.close_time is None
    is_open = after.close_time is None
    was_folded = before is not None and before.folded
    return replace(
        event,
        cameras=_including(event.cameras, after.camera),
        zones=_including(event.zones, after.zone) if after.zone else event.zones,
        open_time=min(event.open_time, after.open_time),
        last_open_time=_latest(event.last_open_time, after.open_time),
        last_close_time=_latest(event.last_close_time, after.close_time),
        signal_count=event.signal_count + (before is None),
        open_signals=event.open_signals + is_open - was_open,
        folded_signal_count=event.folded_signal_count + after.folded - was_folded,
    )


def with_revision(event: Event, revision: SignalRevision) -> Event:
    """The event once a revision of one of its signals has said how much it presses. Severity and score never fall.

    The reason is that of the first revision with the highest severity.
    """
    leads = _lead(revision.severity, revision.update_time, revision.reason) < _lead_of(event)
    if not (leads or revision.score > event.score or revision.raise_time < event.raise_time):
        return event
    severity = max(event.severity, revision.severity)
    return replace(
        event,
        severity=severity,
        priority=priority(event.kind, severity),
        score=max(event.score, revision.score),
        reason=revision.reason if leads else event.reason,
        reason_time=revision.update_time if leads else event.reason_time,
        raise_time=min(event.raise_time, revision.raise_time),
    )


def with_event(event: Event, other: Event, now: datetime) -> Event:
    """The event once all signals of another are its own. If people had done with it, it waits for them again."""
    leads = _lead_of(other) < _lead_of(event)
    severity = max(event.severity, other.severity)
    whole = replace(
        event,
        severity=severity,
        priority=priority(event.kind, severity),
        score=max(event.score, other.score),
        reason=other.reason if leads else event.reason,
        reason_time=other.reason_time if leads else event.reason_time,
        cameras=tuple(sorted({*event.cameras, *other.cameras})),
        zones=tuple(sorted({*event.zones, *other.zones})),
        open_time=min(event.open_time, other.open_time),
        last_open_time=_latest(event.last_open_time, other.last_open_time),
        last_close_time=_latest(event.last_close_time, other.last_close_time),
        raise_time=min(event.raise_time, other.raise_time),
        record_time=min(event.record_time, other.record_time),
        signal_count=event.signal_count + other.signal_count,
        open_signals=event.open_signals + other.open_signals,
        folded_signal_count=event.folded_signal_count + other.folded_signal_count,
    )
    return whole if whole.end_time is None else _reopened(whole, now)


def merged(event: Event, into: UUID) -> Event:
    """An event that nobody judged, once another has all its signals."""
    return replace(event, state=EventState.MERGED, merged_into=into, signal_count=0, open_signals=0, folded_signal_count=0)


def recounted(event: Event, signals: Iterable[Signal], revisions: Iterable[SignalRevision]) -> Event:
    """The event as its signals and all their revisions have it, and as people left it."""
    signals, revisions = list(signals), list(revisions)
    whole = begun(event.event_id, revisions[0], event.record_time)
    for signal in signals:
        whole = with_signal(whole, None, signal)
    for revision in revisions:
        whole = with_revision(whole, revision)
    return replace(
        whole,
        state=event.state,
        update_time=event.update_time,
        version=event.version,
        drill=event.drill,
        dismissal_reason=event.dismissal_reason,
        end_time=event.end_time,
        reopen_count=event.reopen_count,
        reopen_time=event.reopen_time,
        acknowledge_time=event.acknowledge_time,
    )


def _reopened(event: Event, now: datetime) -> Event:
    return replace(
        event,
        state=EventState.NEW,
        dismissal_reason=None,
        end_time=None,
        reopen_count=event.reopen_count + 1,
        reopen_time=now,
    )


def _lead_of(event: Event) -> tuple[int, datetime, str]:
    return _lead(event.severity, event.reason_time or event.open_time, event.reason)


def _lead(severity: Severity, moment: datetime, reason: str) -> tuple[int, datetime, str]:
    """Sorts reasons: the highest severity first, then the earliest."""
    return -severity, moment, reason


def _latest(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((moment for moment in (one, other) if moment is not None), default=None)


def _including(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return names if name in names else tuple(sorted((*names, name)))
