"""Which events a command is about: by venue, place, kind, state, priority and time, or one by its name."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from tools.connection import DEADLINE_S
from tools.errors import CommandError, ExitCode
from vigie.names import ANY_VENUE, InvalidNameError, camera_name, is_id, parse_camera, parse_venue, venue_name
from vigie.v1 import event_service_pb2, event_service_pb2_grpc, events_pb2, vocabulary_pb2
from vigie.vocabulary import Kind

EVERY_VENUE = "-"
STATES = [name.removeprefix("EVENT_STATE_").lower() for name in events_pb2.EventState.keys()[1:]]
PRIORITIES = [name.removeprefix("PRIORITY_").lower() for name in events_pb2.Priority.keys()[1:]]
DRILLS = {
    "with": event_service_pb2.DRILL_FILTER_UNSPECIFIED,
    "without": event_service_pb2.DRILL_FILTER_WITHOUT,
    "only": event_service_pb2.DRILL_FILTER_ONLY,
}
_PERIOD = re.compile(r"(\d{1,6})([smhd])")
_PERIOD_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LEAST_SUFFIX = 4
_SEARCHED_EVENTS = 1000


def _venue(text: str) -> str:
    if text == EVERY_VENUE:
        return ANY_VENUE
    venue = text.removeprefix("venues/")
    if not is_id(venue):
        raise typer.BadParameter(f"{text!r} is no venue's id; ids are 1 to 63 of a-z, 0-9 and '-'")
    return venue_name(venue)


def read_kind(text: str) -> Kind:
    """Reads one of the eight kinds."""
    if text not in Kind.__members__:
        raise typer.BadParameter(f"{text!r} is none of the eight kinds: {', '.join(Kind.__members__)}")
    return Kind[text]


def read_zone(text: str) -> str:
    """Reads the id of a zone."""
    if not is_id(text):
        raise typer.BadParameter(f"{text!r} is no zone's id; ids are 1 to 63 of a-z, 0-9 and '-'")
    return text


def one_of(words: Collection[str], what: str) -> Callable[[str], str]:
    """Reads one of some words."""

    def read(text: str) -> str:
        if text not in words:
            raise typer.BadParameter(f"{text!r} is no {what}; it may be {', '.join(words)}")
        return text

    return read


def _moment(text: str) -> datetime:
    if period := _PERIOD.fullmatch(text):
        return datetime.now(UTC) - timedelta(**{_PERIOD_UNITS[period[2]]: int(period[1])})
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise typer.BadParameter(f"{text!r} is neither a period such as 2h nor a time such as 2026-11-28T14:00:00+01:00")
    return moment


Venue = Annotated[str, typer.Option("--venue", parser=_venue, metavar="VENUE", help="Only of this venue; - is every venue.")]
Kinds = Annotated[
    list[Kind], typer.Option("--kind", parser=read_kind, metavar="KIND", help="Only of this kind; may be repeated.")
]
States = Annotated[
    list[str],
    typer.Option("--state", parser=one_of(STATES, "state"), metavar="STATE", help=f"Only {', '.join(STATES)}; may be repeated."),
]
Priorities = Annotated[
    list[str],
    typer.Option(
        "--priority",
        parser=one_of(PRIORITIES, "priority"),
        metavar="PRIORITY",
        help=f"Only {', '.join(PRIORITIES)}; may be repeated.",
    ),
]
Cameras = Annotated[
    list[str],
    typer.Option("--camera", metavar="CAMERA", help="Only what it saw: its id with --venue, else VENUE/CAMERA; may be repeated."),
]
Zones = Annotated[list[str], typer.Option("--zone", parser=read_zone, metavar="ZONE", help="Only in this zone; may be repeated.")]
Drills = Annotated[
    str, typer.Option("--drills", parser=one_of(DRILLS, "choice"), metavar="CHOICE", help="Drills: with, without or only.")
]
Since = Annotated[
    datetime | None, typer.Option("--since", parser=_moment, metavar="TIME", help="Only opened since, such as 2h or a time.")
]
Until = Annotated[datetime | None, typer.Option("--until", parser=_moment, metavar="TIME", help="Only opened before.")]
InUtc = Annotated[bool, typer.Option("--utc", help="Show times in UTC, not in each venue's time zone.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the options of a command choose; nothing does not restrict.

    Attributes:
        venue: name of a venue, or of any.
        cameras: as a user names them.
    """

    venue: str
    kinds: list[Kind]
    states: list[str]
    priorities: list[str]
    cameras: list[str]
    zones: list[str]
    drills: str
    since: datetime | None = None
    until: datetime | None = None

    def filter(self) -> event_service_pb2.EventFilter:
        """The contract's filter. Raises CommandError."""
        message = event_service_pb2.EventFilter(
            kinds=[vocabulary_pb2.Kind.ValueType(kind) for kind in self.kinds],
            states=[events_pb2.EventState.Value(f"EVENT_STATE_{state.upper()}") for state in self.states],
            priorities=[events_pb2.Priority.Value(f"PRIORITY_{priority.upper()}") for priority in self.priorities],
            cameras=[named_camera(camera, self.venue) for camera in self.cameras],
            zones=self.zones,
            drills=DRILLS[self.drills],
        )
        if self.since is not None:
            message.start_time.FromDatetime(self.since)
        if self.until is not None:
            message.end_time.FromDatetime(self.until)
        return message


def named_camera(text: str, venue: str = ANY_VENUE) -> str:
    """The name of the camera that a full name, VENUE/CAMERA, or an id at a venue stands for. Raises CommandError."""
    parts = text.split("/")
    try:
        if len(parts) == 4:
            return camera_name(*parse_camera(text))
        if len(parts) == 2:
            return camera_name(*parse_camera(camera_name(*parts)))
        if len(parts) == 1 and venue != ANY_VENUE:
            return camera_name(*parse_camera(camera_name(parse_venue(venue), text)))
    except InvalidNameError as error:
        raise CommandError(str(error), ExitCode.BAD_INPUT) from error
    raise CommandError(f"{text!r} names no camera; write VENUE/CAMERA, such as arena/gate-1", ExitCode.BAD_INPUT)


def find_event(stub: event_service_pb2_grpc.EventServiceStub, text: str) -> str:
    """The name of the event that a full name, an id, or the end of a recent event's id stands for. Raises CommandError."""
    if "/" in text:
        return text
    if len(text) < _LEAST_SUFFIX:
        raise CommandError(f"{text!r} is too short for an event; give its name or the last 8 characters", ExitCode.BAD_INPUT)
    request = event_service_pb2.ListEventsRequest(parent=ANY_VENUE, page_size=_SEARCHED_EVENTS)
    names = [event.name for event in stub.ListEvents(request, timeout=DEADLINE_S).events if event.name.endswith(text)]
    if not names:
        where = f"the last {_SEARCHED_EVENTS} events"
        raise CommandError(f"no event among {where} ends in {text!r}; look with `vigie events list`", ExitCode.NOT_FOUND)
    if len(names) > 1:
        raise CommandError(f"{text!r} may be any of {', '.join(names)}; name one", ExitCode.BAD_INPUT)
    return names[0]
