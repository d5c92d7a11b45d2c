"""Which events a command is about: by venue, kind, state and time, or one by its name."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from tools.connection import DEADLINE_S
from tools.errors import CommandError, ExitCode
from vigie.names import ANY_VENUE, is_id, venue_name
from vigie.v1 import event_service_pb2, event_service_pb2_grpc, events_pb2, vocabulary_pb2
from vigie.vocabulary import Kind

STATES = [name.removeprefix("EVENT_STATE_").lower() for name in events_pb2.EventState.keys()[1:]]
EVERY_VENUE = "-"
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


def _kind(text: str) -> Kind:
    if text not in Kind.__members__:
        raise typer.BadParameter(f"{text!r} is none of the eight kinds: {', '.join(Kind.__members__)}")
    return Kind[text]


def _state(text: str) -> str:
    if text not in STATES:
        raise typer.BadParameter(f"{text!r} is no state; states are {', '.join(STATES)}")
    return text


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
Kinds = Annotated[list[Kind], typer.Option("--kind", parser=_kind, metavar="KIND", help="Only of this kind; may be repeated.")]
States = Annotated[
    list[str], typer.Option("--state", parser=_state, metavar="STATE", help=f"Only {', '.join(STATES)}; may be repeated.")
]
Since = Annotated[
    datetime | None, typer.Option("--since", parser=_moment, metavar="TIME", help="Only opened since, such as 2h or a time.")
]


def event_filter(kinds: list[Kind], states: list[str], since: datetime | None = None) -> event_service_pb2.EventFilter:
    """The contract's filter."""
    message = event_service_pb2.EventFilter(
        kinds=[vocabulary_pb2.Kind.ValueType(kind) for kind in kinds],
        states=[events_pb2.EventState.Value(f"EVENT_STATE_{state.upper()}") for state in states],
    )
    if since is not None:
        message.start_time.FromDatetime(since)
    return message


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
