"""How soon a person should look at an event."""

from enum import IntEnum

from vigie.vocabulary import Kind, Severity


class Priority(IntEnum):
    """How soon a person should look."""

    LOW = 1
    NORMAL = 2
    HIGH = 3
    URGENT = 4


# A weapon always comes first. Where minutes count, each severity is one higher; a thing that was left or one who walks the wrong
# way can wait for those.
_RAISED = frozenset({Kind.FIRE, Kind.PERSON_DOWN, Kind.CROWD_MOVEMENT, Kind.CROWD_DENSITY})


def priority(kind: Kind, severity: Severity) -> Priority:
    """The priority of a situation of a kind and severity."""
    if kind is Kind.WEAPON:
        return Priority.URGENT
    return Priority(min(severity + (kind in _RAISED), Priority.URGENT))
