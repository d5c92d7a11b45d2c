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


def with_signals(event: Event, changes: Iterable[tuple[Signal | None, Signal]]) -> Event:
    """The event once signals of it are new (what was before is None) or have changed. Its state is a person's to change."""
    cameras, zones = set(event.cameras), set(event.zones)
    open_time, last_open_time, last_close_time = event.open_time, event.last_open_time, event.last_close_time
    added = opened = folded = 0
    for before, after in changes:
        cameras.add(after.camera)
        zones.add(after.zone)
        open_time = min(open_time, after.open_time)
        last_open_time = _latest(last_open_time, after.open_time)
        last_close_time = _latest(last_close_time, after.close_time)
        added += before is None
        opened += (after.close_time is None) - (before is not None and before.close_time is None)
        folded += after.folded - (before is not None and before.folded)
    return replace(
        event,
        cameras=tuple(sorted(cameras)),
        zones=tuple(sorted(zones - {""})),
        open_time=open_time,
        last_open_time=last_open_time,
        last_close_time=last_close_time,
        signal_count=event.signal_count + added,
        open_signals=event.open_signals + opened,
        folded_signal_count=event.folded_signal_count + folded,
    )


def with_revisions(event: Event, revisions: Iterable[SignalRevision]) -> Event:
    """The event once revisions of its signals have said how much they press. Severity and score never fall.

    The reason is that of the first revision with the highest severity.
    """
    lead, score, raise_time = _lead_of(event), event.score, event.raise_time
    for revision in revisions:
        lead = min(lead, (-revision.severity, revision.update_time, revision.reason))
        score = max(score, revision.score)
        raise_time = min(raise_time, revision.raise_time)
    return replace(_led(event, lead), score=score, raise_time=raise_time)


def with_event(event: Event, other: Event) -> Event:
    """The event once all signals of another are its own."""
    return replace(
        _led(event, min(_lead_of(event), _lead_of(other))),
        score=max(event.score, other.score),
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


def merged(event: Event, into: UUID) -> Event:
    """An event that nobody judged, once another has all its signals."""
    return replace(event, state=EventState.MERGED, merged_into=into, signal_count=0, open_signals=0, folded_signal_count=0)


def recounted(event: Event, signals: Iterable[Signal], revisions: Iterable[SignalRevision]) -> Event:
    """The event as its signals and all their revisions have it, and as people left it."""
    first, *others = revisions
    whole = with_signals(begun(event.event_id, first, event.record_time), ((None, signal) for signal in signals))
    whole = with_revisions(whole, others)
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


def reopened(event: Event, now: datetime) -> Event:
    """An event that people had done with, once a signal came late: it waits for them again."""
    return replace(
        event,
        state=EventState.NEW,
        dismissal_reason=None,
        end_time=None,
        reopen_count=event.reopen_count + 1,
        reopen_time=now,
    )


_Lead = tuple[int, datetime, str]
"""How much it presses, reversed; when; and why. The least is the first of those that press most."""


def _lead_of(event: Event) -> _Lead:
    return -event.severity, event.reason_time or event.open_time, event.reason


def _led(event: Event, lead: _Lead) -> Event:
    severity = Severity(-lead[0])
    return replace(event, severity=severity, priority=priority(event.kind, severity), reason_time=lead[1], reason=lead[2])


def _latest(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(one, other) if one and other else one or other
