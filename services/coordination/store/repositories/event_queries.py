"""Which events are wanted, as SQL whose cost does not grow with how many events there are.

The table of events has an index for each way in which people look at them: by venue, by state and priority, by both, by kind, and
all of them, each sorted by time. A query with several values for an index's first columns is a merge of as many sorted runs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import product
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, select, tuple_, union_all

from services.coordination.domain.lifecycle import EventState
from services.coordination.domain.priority import Priority
from services.coordination.store.models import EventRow, SignalRow
from services.coordination.store.repositories.cameras import CameraId
from vigie.vocabulary import Kind

MAX_RUNS = 64
"""Sorted runs that a page is merged from; a query that would need more leaves more to filtering."""

_Condition = ColumnElement[bool]
_NEWEST_FIRST = EventRow.open_time.desc(), EventRow.event_id.desc()


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Which events; what is empty or None does not restrict.

    Attributes:
        venues: ids.
        cameras: events that one of them saw.
        zones: ids; events in one of them.
        drill: only exercises, or only what is none.
        before: open time and id of the event after which to go on, newest first.
    """

    venues: frozenset[str] | None = None
    kinds: frozenset[Kind] = frozenset()
    states: frozenset[EventState] = frozenset()
    priorities: frozenset[Priority] = frozenset()
    cameras: frozenset[CameraId] = frozenset()
    zones: frozenset[str] = frozenset()
    drill: bool | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    before: tuple[datetime, UUID] | None = None


def page(query: EventQuery, size: int) -> Select[EventRow]:
    """The first `size` events, newest first."""
    query = _of_its_cameras(query)
    wanted = list(_conditions(query))
    runs = [select(EventRow.event_id, EventRow.open_time).where(*run, *wanted) for run in _runs(query)]
    first = [run.order_by(*_NEWEST_FIRST).limit(size).subquery() for run in runs]
    found = union_all(*(select(run.c.event_id, run.c.open_time) for run in first)).subquery()
    ids = select(found.c.event_id).order_by(found.c.open_time.desc(), found.c.event_id.desc()).limit(size)
    return select(EventRow).where(EventRow.event_id.in_(ids)).order_by(*_NEWEST_FIRST)


def counts(query: EventQuery) -> Select[int, int, int, int]:
    """How many events there are of each kind, state and priority."""
    query = _of_its_cameras(query)
    key = EventRow.kind, EventRow.state, EventRow.priority
    return select(*key, func.count()).where(*_conditions(query)).group_by(*key).order_by(*key)


def _of_its_cameras(query: EventQuery) -> EventQuery:
    """The same query, which knows that an event is of its cameras' venue."""
    if not query.cameras:
        return query
    venues = frozenset(venue for venue, _ in query.cameras)
    return replace(query, venues=venues if query.venues is None else venues & query.venues)


def _runs(query: EventQuery) -> Sequence[tuple[_Condition, ...]]:
    """Conditions that each fix the first columns of an index, so that what remains is sorted in it."""
    venues = [EventRow.venue_id == venue for venue in sorted(query.venues or ())]
    if query.states or query.priorities:
        pairs = product(sorted(query.states or EventState), sorted(query.priorities or Priority))
        judgements = [and_(EventRow.state == state, EventRow.priority == priority) for state, priority in pairs]
    elif query.venues is None:
        judgements = [EventRow.kind == kind for kind in sorted(query.kinds)]
    else:
        judgements = []
    axes = [axis for axis in (venues, judgements) if axis]
    while len(runs := list(product(*axes))) > MAX_RUNS:
        axes.remove(max(axes, key=len))
    return runs


def _conditions(query: EventQuery) -> Iterator[_Condition]:
    """All that an event must meet."""
    columns = (
        (EventRow.venue_id, query.venues),
        (EventRow.kind, query.kinds or None),
        (EventRow.state, query.states or None),
        (EventRow.priority, query.priorities or None),
    )
    yield from (column.in_(sorted(values)) for column, values in columns if values is not None)
    if query.drill is not None:
        yield EventRow.drill.is_(query.drill)
    if query.start_time is not None:
        yield EventRow.open_time >= query.start_time
    if query.end_time is not None:
        yield EventRow.open_time < query.end_time
    if query.before is not None:
        yield tuple_(EventRow.open_time, EventRow.event_id) < query.before
    if query.cameras:
        yield _seen(query, tuple_(SignalRow.venue_id, SignalRow.camera_id).in_(sorted(query.cameras)))
    if query.zones:
        yield _seen(query, SignalRow.zone.in_(sorted(query.zones)))


def _seen(query: EventQuery, where: _Condition) -> _Condition:
    of_venues = () if query.venues is None else (SignalRow.venue_id.in_(sorted(query.venues)),)
    return EventRow.event_id.in_(select(SignalRow.event_id).where(where, *of_venues))
