"""How people move an event: a table, and nothing else moves it."""

from enum import IntEnum


class EventState(IntEnum):
    """Where a person's judgement of an event stands."""

    NEW = 1
    ACKNOWLEDGED = 2
    CONFIRMED = 3
    DISMISSED = 4
    ESCALATED = 5
    CLOSED = 6
    MERGED = 7


class Decision(IntEnum):
    """What a person may decide."""

    ACKNOWLEDGE = 1
    CONFIRM = 2
    DISMISS = 3
    ESCALATE = 4
    CLOSE = 5


class DismissalReason(IntEnum):
    """Why an event was dismissed; `vigie/v1/events.proto` says what each means. The list is closed."""

    NOTHING_THERE = 1
    LIGHT = 2
    WEATHER = 3
    MISTAKEN = 4
    ALLOWED = 5
    HARMLESS = 6
    CAMERA_FAULT = 7
    DUPLICATE = 8
    OTHER = 9


# How people deal with an event. It is judged before it is closed.
_COURSE = {
    (EventState.NEW, Decision.ACKNOWLEDGE): EventState.ACKNOWLEDGED,
    (EventState.NEW, Decision.CONFIRM): EventState.CONFIRMED,
    (EventState.NEW, Decision.DISMISS): EventState.DISMISSED,
    (EventState.ACKNOWLEDGED, Decision.CONFIRM): EventState.CONFIRMED,
    (EventState.ACKNOWLEDGED, Decision.DISMISS): EventState.DISMISSED,
    (EventState.CONFIRMED, Decision.ESCALATE): EventState.ESCALATED,
    (EventState.CONFIRMED, Decision.CLOSE): EventState.CLOSED,
    (EventState.ESCALATED, Decision.CLOSE): EventState.CLOSED,
}

CORRECTIONS = {
    (EventState.CONFIRMED, Decision.DISMISS): EventState.DISMISSED,
    (EventState.DISMISSED, Decision.CONFIRM): EventState.CONFIRMED,
    (EventState.ESCALATED, Decision.DISMISS): EventState.DISMISSED,
    (EventState.CLOSED, Decision.CONFIRM): EventState.CONFIRMED,
    (EventState.CLOSED, Decision.DISMISS): EventState.DISMISSED,
}
"""What sets an earlier decision aside. A judgement may be corrected, never withdrawn: none leads back to NEW."""

TRANSITIONS = _COURSE | CORRECTIONS
"""Everything that a person may decide. A merged event takes no decision: the one that it became a part of does."""

ENDED = frozenset({EventState.DISMISSED, EventState.CLOSED})
"""People have done with the event."""

OPEN = frozenset(EventState) - ENDED - {EventState.MERGED}
"""The event waits for a person, or is being dealt with."""

UPHELD = frozenset({EventState.CONFIRMED, EventState.ESCALATED, EventState.CLOSED})
"""A person judged the event to be what it was raised as."""


def decisions(state: EventState) -> tuple[Decision, ...]:
    """What may be decided on an event in this state."""
    return tuple(decision for origin, decision in TRANSITIONS if origin is state)
