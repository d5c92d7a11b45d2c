"""What goes out of an event: the kind, the place, the time and the state, and nothing else.

No picture, reason, score or name of a person leaves the service (décret 2023-828: no link to other processing of personal data).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from services.coordination.domain.lifecycle import EventState
from vigie.vocabulary import Kind


class Format(IntEnum):
    """How a bulletin is written."""

    CLOUD_EVENTS = 1
    CAP = 2


@dataclass(frozen=True, slots=True)
class Reference:
    """A bulletin of the same event that went to the same destination earlier."""

    bulletin_id: UUID
    time: datetime


@dataclass(frozen=True, slots=True)
class Bulletin:
    """What one destination is told of one event at one moment.

    Attributes:
        event: its name, `venues/{venue}/events/{event}`.
        place: the venue's name for people, or its id.
        cameras: names for people of the cameras that saw it.
        zones: ids of the zones in which it was seen.
        time: when people brought it into this state.
        time_zone: the venue's, in which people read times.
        earlier: bulletins that this one corrects, oldest first.
    """

    bulletin_id: UUID
    event: str
    kind: Kind
    state: EventState
    venue: str
    place: str
    cameras: tuple[str, ...]
    zones: tuple[str, ...]
    open_time: datetime
    close_time: datetime | None
    time: datetime
    time_zone: ZoneInfo
    drill: bool
    earlier: tuple[Reference, ...]
