"""Which events become one, and which fall apart, where signals are new or have changed.

A signal that is new, or lasts longer than was known, or was elsewhere, may be near to others: all events that it connects become
one. One that was over earlier than was taken for granted, or is folded, may have held together what falls apart without it.
Nothing else can have changed.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from services.coordination.domain.aggregation import Closeness, Neighborhood, Occurrence, Proximity, occurrence
from services.coordination.domain.events import Event
from services.coordination.domain.floods import window_of
from services.coordination.domain.signals import Signal
from vigie.vocabulary import Kind

Link = tuple[Occurrence, Occurrence]
"""Two signals that are near to each other."""

_T = TypeVar("_T")


class Components(Generic[_T]):
    """Things that are connected, directly or through others."""

    def __init__(self) -> None:
        self._parents: dict[_T, _T] = {}

    def root(self, thing: _T) -> _T:
        """One thing that stands for all that are connected with this one."""
        path = []
        while (parent := self._parents.get(thing, thing)) != thing:
            path.append(thing)
            thing = parent
        self._parents.update(dict.fromkeys(path, thing))
        return thing

    def connect(self, one: _T, other: _T) -> None:
        """Connects two things."""
        self._parents[self.root(one)] = self.root(other)

    def groups(self, things: Iterable[_T]) -> list[list[_T]]:
        """These things by what connects them, each group and all groups in the order in which they are given."""
        found: dict[_T, list[_T]] = {}
        for thing in things:
            found.setdefault(self.root(thing), []).append(thing)
        return list(found.values())


def may_connect(before: Signal | None, after: Signal, latest: datetime) -> bool:
    """Whether a signal that has changed may be near to others that it was not near to; none of them begins after `latest`."""
    if after.folded:
        return False
    if before is None:
        return True
    was, now = occurrence(before), occurrence(after)
    later = min(now.end_time, latest) > min(was.end_time, latest)
    return later or _place(was) != _place(now) or now.start_time < was.start_time


def may_disconnect(before: Signal, after: Signal, event: Event, closeness: Closeness) -> bool:
    """Whether others of the event as it was may have been near to a signal that has changed, and no longer are."""
    if event.is_judged or event.signal_count == 1:
        return False
    was, now = occurrence(before), occurrence(after)
    last = event.last_open_time or was.end_time
    shortened = now.end_time < was.end_time and last > now.end_time + closeness.gap
    return shortened or was.ground_point != now.ground_point or after.folded > before.folded


def may_overcount(before: Signal, after: Signal, event: Event) -> bool:
    """Whether an event may have been over later than it now is, because a signal of it was."""
    closed_earlier = after.close_time is None or (before.close_time is not None and after.close_time < before.close_time)
    return before.close_time is not None and closed_earlier and before.close_time == event.last_close_time


def parts(signals: Iterable[Signal], proximity: Proximity) -> list[list[Signal]]:
    """The signals of an event by what connects them, oldest first. Those that are folded go with the first of their window."""
    ordered = sorted(signals, key=age)
    first = {window_of(signal): signal.signal_id for signal in reversed(ordered) if signal.flooded and not signal.folded}
    connected: Components[UUID] = Components()
    around = Neighborhood(proximity.closeness[ordered[0].kind], proximity.neighbors)
    for signal in ordered:
        if signal.folded:
            connected.connect(signal.signal_id, first.get(window_of(signal), signal.signal_id))
            continue
        seen = occurrence(signal)
        for other in around.near(seen):
            connected.connect(seen.signal_id, other.signal_id)
        around.add(seen)
    by_id = {signal.signal_id: signal for signal in ordered}
    return [[by_id[signal_id] for signal_id in group] for group in connected.groups(by_id)]


def links(joining: Iterable[Signal], around: Iterable[Signal], proximities: Mapping[str, Proximity]) -> list[Link]:
    """Pairs of near signals of two events, of which one joins; `around` are those that do not.

    For each that joins and each event next to it there is one pair, with the first signal of that event.
    """
    neighborhoods: dict[tuple[str, Kind], Neighborhood] = {}
    for signal in around:
        _neighborhood(neighborhoods, signal, proximities).add(occurrence(signal))
    found: list[Link] = []
    for signal in joining:
        seen, neighborhood = occurrence(signal), _neighborhood(neighborhoods, signal, proximities)
        found += [(seen, other) for other in _one_an_event(neighborhood.near(seen)) if other.event_id != seen.event_id]
        neighborhood.add(seen)
    return found


def _neighborhood(
    found: dict[tuple[str, Kind], Neighborhood], signal: Signal, proximities: Mapping[str, Proximity]
) -> Neighborhood:
    key = signal.venue, signal.kind
    if key not in found:
        proximity = proximities[signal.venue]
        found[key] = Neighborhood(proximity.closeness[signal.kind], proximity.neighbors)
    return found[key]


def _one_an_event(occurrences: Iterable[Occurrence]) -> Iterable[Occurrence]:
    first: dict[UUID, Occurrence] = {}
    for seen in occurrences:
        known = first.setdefault(seen.event_id, seen)
        if seen.open_time < known.open_time:
            first[seen.event_id] = seen
    return first.values()


def absorptions(links: Iterable[Link], events: Mapping[UUID, Event]) -> dict[UUID, UUID]:
    """Which events become a part of which others, as pairs of near signals connect them.

    What nobody judged becomes a part of the oldest event next to it that somebody judged, or else of the oldest on record.
    """
    judged: dict[UUID, set[UUID]] = defaultdict(set)
    connected: Components[UUID] = Components()
    free: dict[UUID, None] = {}
    for one, other in set(_allowed(links, events)):
        for event_id, next_to in ((one, other), (other, one)):
            if not events[event_id].is_judged:
                free[event_id] = None
                if events[next_to].is_judged:
                    judged[event_id].add(next_to)
                else:
                    connected.connect(event_id, next_to)
    return {
        event_id: target
        for group in connected.groups(free)
        for target in [_target(group, {event for event_id in group for event in judged[event_id]}, events)]
        for event_id in group
        if event_id != target
    }


def _allowed(links: Iterable[Link], events: Mapping[UUID, Event]) -> Iterator[tuple[UUID, UUID]]:
    """Pairs of events, but for those that people had done with before the other's signal began."""
    for one, other in links:
        first, second = events[one.event_id], events[other.event_id]
        if first is not second and _takes(first, other) and _takes(second, one):
            yield one.event_id, other.event_id


def _takes(event: Event, signal: Occurrence) -> bool:
    return event.end_time is None or signal.open_time < event.end_time


def _target(group: Iterable[UUID], judged: Iterable[UUID], events: Mapping[UUID, Event]) -> UUID:
    def rank(event_id: UUID) -> tuple[bool, datetime, UUID]:
        event = events[event_id]
        return event.version == 0, event.open_time, event_id

    return min(list(judged) or group, key=rank)


def age(signal: Signal) -> tuple[datetime, UUID]:
    """Sorts signals by when they began."""
    return signal.open_time, signal.signal_id


def _place(seen: Occurrence) -> tuple[str, tuple[float, float] | None]:
    return seen.zone, seen.ground_point
