"""How all venues do, as one message."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from services.coordination.domain.authorizations import allowed_kinds
from services.coordination.rpc.cameras import REPORTED_LATELY
from services.coordination.rpc.convert import timestamp
from services.coordination.store.repositories.cameras import CameraId
from services.coordination.store.repositories.overviews import KindTally, OpenEvents
from services.coordination.store.unit_of_work import UnitOfWork
from vigie.names import parse_camera, venue_name
from vigie.v1 import authorizations_pb2, cameras_pb2, events_pb2, venue_service_pb2, vocabulary_pb2

LAST_DAY = timedelta(hours=24)

# A camera that should be watched over and is in one of these is not.
_UNHEALTHY = frozenset(
    {
        cameras_pb2.CAMERA_STATE_UNSPECIFIED,
        cameras_pb2.CAMERA_STATE_STALLED,
        cameras_pb2.CAMERA_STATE_UNREACHABLE,
        cameras_pb2.CAMERA_STATE_MISCONFIGURED,
    }
)


async def overview(work: UnitOfWork, venues: frozenset[str] | None, now: datetime) -> list[venue_service_pb2.VenueOverview]:
    """How some venues or (None) all do, by id. Raises OverloadedError."""
    rows = await work.overviews.venues(venues)
    opened = await work.overviews.open_events(venues)
    tallies = await work.overviews.tallies(venues, now - LAST_DAY)
    states = await work.overviews.camera_states(venues, now - REPORTED_LATELY)
    acts = await work.authorizations.standing([row.venue_id for row in rows], now)
    authorized = states.keys() & set(_authorized(acts, now))
    cameras, watched = _by_venue(states), _by_venue(authorized)
    unhealthy = _by_venue(camera for camera in authorized if states[camera] in _UNHEALTHY)
    found = []
    for row in rows:
        one = venue_service_pb2.VenueOverview(
            venue=venue_name(row.venue_id),
            display_name=row.display_name,
            time_zone=row.time_zone,
            cameras=cameras[row.venue_id],
            authorized_cameras=watched[row.venue_id],
            unhealthy_cameras=unhealthy[row.venue_id],
            last_day=map(_kind_count, tallies.get(row.venue_id, ())),
        )
        if row.venue_id in opened:
            _add_open(one, opened[row.venue_id])
        found.append(one)
    return found


def _authorized(acts: Iterable[authorizations_pb2.Authorization], now: datetime) -> Iterator[CameraId]:
    """Cameras that one of some acts that are not over allows to be analysed now."""
    for act in acts:
        if act.start_time.ToDatetime(UTC) <= now:
            yield from (parse_camera(camera) for camera in act.cameras if allowed_kinds(act, camera))


def _by_venue(cameras: Iterable[CameraId]) -> Counter[str]:
    return Counter(venue for venue, _ in cameras)


def _add_open(one: venue_service_pb2.VenueOverview, opened: OpenEvents) -> None:
    one.open_events, one.new_events = opened.events, opened.new
    if opened.highest_new is not None:
        one.highest_new_priority = events_pb2.Priority.ValueType(opened.highest_new)
    if opened.oldest_new is not None:
        one.oldest_new_time.CopyFrom(timestamp(opened.oldest_new))


def _kind_count(tally: KindTally) -> venue_service_pb2.KindCount:
    kind = vocabulary_pb2.Kind.ValueType(tally.kind)
    return venue_service_pb2.KindCount(kind=kind, events=tally.events, confirmed=tally.confirmed, dismissed=tally.dismissed)
