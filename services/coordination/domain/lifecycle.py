"""How people move an event: a table, and nothing else moves it."""

from enum import IntEnum


class EventState(IntEnum):
    """Where a person's judgement of an event stands."""

    NEW = 1
    ACKNOWLEDGED = 2
    CONFIRMED = 3
    DISMISSED = 4


class Decision(IntEnum):
    """What a person may decide."""

    ACKNOWLEDGE = 1
    CONFIRM = 2
    DISMISS = 3


# A judgement may be corrected, never withdrawn: no decision leads back to NEW.
TRANSITIONS = {
    (EventState.NEW, Decision.ACKNOWLEDGE): EventState.ACKNOWLEDGED,
    (EventState.NEW, Decision.CONFIRM): EventState.CONFIRMED,
    (EventState.NEW, Decision.DISMISS): EventState.DISMISSED,
    (EventState.ACKNOWLEDGED, Decision.CONFIRM): EventState.CONFIRMED,
    (EventState.ACKNOWLEDGED, Decision.DISMISS): EventState.DISMISSED,
    (EventState.CONFIRMED, Decision.DISMISS): EventState.DISMISSED,
    (EventState.DISMISSED, Decision.CONFIRM): EventState.CONFIRMED,
}


def decisions(state: EventState) -> tuple[Decision, ...]:
    """What may be decided on an event in this state."""
    return tuple(decision for origin, decision in TRANSITIONS if origin is state)
