"""Which events a list, a count or a watch is about: checked, then as a query of the record or as a test of one event."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from services.coordination.domain import checks
from services.coordination.domain.lifecycle import EventState
from services.coordination.domain.priority import Priority
from services.coordination.rpc.convert import moment
from services.coordination.rpc.requests import invalid, venues_of
from services.coordination.store.repositories.event_queries import EventQuery
from services.coordination.watch import Matches
from vigie.names import InvalidNameError, is_id, parse_camera, parse_event
from vigie.v1 import event_service_pb2, events_pb2
from vigie.vocabulary import Kind

MAX_VALUES = 100
"""Of one field of a filter."""

_VOCABULARIES: dict[str, Iterable[int]] = {"kinds": Kind, "states": EventState, "priorities": Priority}
_DRILLS = {event_service_pb2.DRILL_FILTER_WITHOUT: False, event_service_pb2.DRILL_FILTER_ONLY: True}


def event_query(parent: str, wanted: event_service_pb2.EventFilter, position: list[str] | None = None) -> EventQuery:
    """The query of the record for a filter; `position` is where the page before ended. Raises InvalidRequestError."""
    _check(wanted)
    return EventQuery(
        venues=venues_of(parent),
        kinds=frozenset(map(Kind, wanted.kinds)),
        states=frozenset(map(EventState, wanted.states)),
        priorities=frozenset(map(Priority, wanted.priorities)),
        cameras=frozenset(map(parse_camera, wanted.cameras)),
        zones=frozenset(wanted.zones),
        drill=_DRILLS.get(wanted.drills),
        start_time=moment(wanted.start_time) if wanted.HasField("start_time") else None,
        end_time=moment(wanted.end_time) if wanted.HasField("end_time") else None,
        before=(datetime.fromisoformat(position[0]), UUID(position[1])) if position else None,
    )


def event_test(parent: str, wanted: event_service_pb2.EventFilter) -> Matches:
    """Whether an event is among those that a filter wants. Raises InvalidRequestError."""
    _check(wanted)
    venues, drill = venues_of(parent), _DRILLS.get(wanted.drills)
    kinds, states, priorities = frozenset(wanted.kinds), frozenset(wanted.states), frozenset(wanted.priorities)
    cameras, zones = frozenset(wanted.cameras), frozenset(wanted.zones)
    start_ns = wanted.start_time.ToNanoseconds() if wanted.HasField("start_time") else None
    end_ns = wanted.end_time.ToNanoseconds() if wanted.HasField("end_time") else None

    def matches(event: events_pb2.Event) -> bool:
        opened_ns = event.open_time.ToNanoseconds()
        return (
            (venues is None or parse_event(event.name)[0] in venues)
            and (not kinds or event.kind in kinds)
            and (not states or event.state in states)
            and (not priorities or event.priority in priorities)
            and (not cameras or not cameras.isdisjoint(event.cameras))
            and (not zones or not zones.isdisjoint(event.zones))
            and (drill is None or event.drill == drill)
            and (start_ns is None or opened_ns >= start_ns)
            and (end_ns is None or opened_ns < end_ns)
        )

    return matches


def _check(wanted: event_service_pb2.EventFilter) -> None:
    for field in ("kinds", "states", "priorities", "cameras", "zones"):
        if (count := len(getattr(wanted, field))) > MAX_VALUES:
            raise invalid(f"filter.{field}", f"has {count} entries; at most {MAX_VALUES} are allowed")
    for field, vocabulary in _VOCABULARIES.items():
        for index, value in enumerate(getattr(wanted, field)):
            _check_among(f"{field}[{index}]", value, vocabulary)
    _check_among("drills", wanted.drills, event_service_pb2.DrillFilter.values())
    for index, camera in enumerate(wanted.cameras):
        _check_camera(f"filter.cameras[{index}]", camera)
    for index, zone in enumerate(wanted.zones):
        if not is_id(zone):
            raise invalid(f"filter.zones[{index}]", "is no id of a zone; ids are 1 to 63 of a-z, 0-9 and '-'")
    for field in ("start_time", "end_time"):
        if problem := checks.moment(getattr(wanted, field)):
            raise invalid(f"filter.{field}", problem)


def _check_among(field: str, value: int, vocabulary: Iterable[int]) -> None:
    if value not in list(vocabulary):
        raise invalid(f"filter.{field}", f"{value} is not in the vocabulary")


def _check_camera(field: str, camera: str) -> None:
    try:
        parse_camera(camera)
    except InvalidNameError as error:
        raise invalid(field, str(error)) from error
