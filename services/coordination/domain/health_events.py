"""What is wrong with cameras and their hosts, from its beginning to its end, by what owners report. Pure.

Owners say every two seconds how each camera does. Here that becomes one health event an occurrence. A host that takes its cameras
down is one event, whichever clusters tell of it and however many cameras there are: while it is down, and for as long afterwards
as a camera may be silent, none of its cameras has an event of its own.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from uuid import UUID

from services.coordination.domain.ledger import CameraId
from vigie.v1 import cameras_pb2

DOWN_AFTER = timedelta(seconds=10)
"""For so long a camera or a site is silent before that is an event: from a short fault a camera comes back within 5 s."""

LEAST_CAMERAS = 3
"""Cameras that make a site."""

_DOWN = frozenset(
    {
        cameras_pb2.CAMERA_STATE_CONNECTING,
        cameras_pb2.CAMERA_STATE_STALLED,
        cameras_pb2.CAMERA_STATE_UNREACHABLE,
        cameras_pb2.CAMERA_STATE_MISCONFIGURED,
    }
)
WATCHED_STATES = _DOWN | {cameras_pb2.CAMERA_STATE_LIVE}
"""States of cameras that should give frames."""


class HealthEventKind(IntEnum):
    """What can be wrong; `vigie/v1/cameras.proto` says what each means. The list is closed."""

    SITE_DOWN = 1
    CAMERA_DOWN = 2
    CAMERA_QUARANTINED = 3
    STREAM_FAULT = 4


# What an owner cannot say anything of while its camera is in one of these states, so that it may still last.
_UNTOLD = {
    HealthEventKind.CAMERA_DOWN: _DOWN,
    HealthEventKind.STREAM_FAULT: _DOWN | {cameras_pb2.CAMERA_STATE_QUARANTINED},
}


@dataclass(frozen=True, slots=True)
class HealthEvent:
    """Something that is or was wrong.

    Attributes:
        camera: id; empty where a site is down.
        host: that is down; empty for all other kinds.
        fault: what is wrong with the pictures, as a number of the contract; 0 for all other kinds.
        detail: what was said when it began.
        camera_count: the most cameras that it concerned at one time.
        end_time: None while it lasts.
    """

    event_id: UUID
    venue: str
    kind: HealthEventKind
    camera: str
    host: str
    fault: int
    detail: str
    camera_count: int
    begin_time: datetime
    end_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """The cameras of one host at one venue that should be analysed now and are reported.

    Attributes:
        cameras: how many.
        down_since: since when each of those gives no frames that gives none.
    """

    cameras: int
    down_since: Sequence[datetime] = ()

    @property
    def is_down(self) -> bool:
        """Whether so many are silent that it is not for them."""
        return len(self.down_since) >= self._least

    @property
    def fell(self) -> datetime:
        """When it went down. Those that are silent for longest may have been so long before."""
        return sorted(self.down_since)[self._least - 1]

    @property
    def _least(self) -> int:
        return max(LEAST_CAMERAS, (self.cameras + 1) // 2)


SiteId = tuple[str, str]
"""Id of a venue, and a host."""


def down_since(health: cameras_pb2.CameraHealth, before: datetime | None) -> datetime | None:
    """Since when a camera that should be analysed gives no frames, as its owner says now; None where it gives some.

    Args:
        health: what its owner says.
        before: what this was after the report before.
    """
    if health.state not in _DOWN:
        return None
    return before or health.state_time.ToDatetime(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """All of the record that decides which health events begin and end with some reports.

    Attributes:
        reports: what owners say of their cameras.
        down_since: of those of them that are down.
        sites: the hosts that matter to them.
        events: those of their venues that last, and of sites those that have ended within DOWN_AFTER.
    """

    reports: Mapping[CameraId, cameras_pb2.CameraHealth]
    down_since: Mapping[CameraId, datetime]
    sites: Mapping[SiteId, Site]
    events: Sequence[HealthEvent]

    def site_of(self, camera: CameraId) -> SiteId:
        """The site of a camera that is reported."""
        return camera[0], self.reports[camera].host


@dataclass(slots=True)
class HealthChanges:
    """Works out what begins, grows and ends. Made for one excerpt.

    Args:
        excerpt: of the record.
        now: when the reports came.
        ids: for what begins.
    """

    excerpt: Excerpt
    now: datetime
    ids: Callable[[], UUID]
    _changed: dict[UUID, HealthEvent] = field(default_factory=dict)

    def work_out(self) -> list[HealthEvent]:
        """Events that are new or have changed."""
        for site_id, site in self.excerpt.sites.items():
            self._step_site(site_id, site)
        for camera, health in self.excerpt.reports.items():
            self._step_camera(camera, health)
        return list(self._changed.values())

    def _step_site(self, site_id: SiteId, site: Site) -> None:
        event = next((event for event in self._of_site(site_id) if event.end_time is None), None)
        if event and not site.is_down:
            self._keep(replace(event, end_time=self.now))
        elif event and len(site.down_since) > event.camera_count:
            self._keep(replace(event, camera_count=len(site.down_since)))
        elif not event and site.is_down and self.now - site.fell >= DOWN_AFTER:
            (venue, host), count = site_id, len(site.down_since)
            detail = f"{count} of {site.cameras} cameras of {host} give no frames; look at it, its power and its network"
            kind = HealthEventKind.SITE_DOWN
            self._keep(HealthEvent(self.ids(), venue, kind, "", host, 0, detail, count, site.fell))

    def _step_camera(self, camera: CameraId, health: cameras_pb2.CameraHealth) -> None:
        found = {(event.kind, event.fault): event for event in self._troubles(camera, health)}
        of_camera = (event for event in self.excerpt.events if (event.venue, event.camera) == camera)
        lasting = {(event.kind, event.fault): event for event in of_camera}
        for key in found.keys() - lasting.keys():
            self._keep(found[key])
        for key in lasting.keys() - found.keys():
            if health.state not in _UNTOLD.get(key[0], ()):
                self._keep(replace(lasting[key], end_time=self.now))

    def _troubles(self, camera: CameraId, health: cameras_pb2.CameraHealth) -> Iterator[HealthEvent]:
        """What is wrong with a camera now, each as an event that begins."""
        venue, name = camera

        def event(kind: HealthEventKind, detail: str, begin: datetime, fault: int = 0) -> HealthEvent:
            return HealthEvent(self.ids(), venue, kind, name, "", fault, detail, 1, begin)

        if health.state == cameras_pb2.CAMERA_STATE_QUARANTINED:
            begin = health.state_time.ToDatetime(tzinfo=UTC)
            yield event(HealthEventKind.CAMERA_QUARANTINED, health.detail, begin)
        since = self.excerpt.down_since.get(camera)
        if since and self._is_alone(camera) and self.now - max(since, self._site_back(camera)) >= DOWN_AFTER:
            yield event(HealthEventKind.CAMERA_DOWN, health.detail, since)
        for fault in health.faults:
            yield event(HealthEventKind.STREAM_FAULT, fault.detail, fault.since_time.ToDatetime(tzinfo=UTC), fault.kind)

    def _is_alone(self, camera: CameraId) -> bool:
        site = self.excerpt.sites.get(self.excerpt.site_of(camera))
        return site is None or not site.is_down

    def _site_back(self, camera: CameraId) -> datetime:
        """When its site came back last, if that was lately."""
        ends = (event.end_time for event in self._of_site(self.excerpt.site_of(camera)))
        return max((end for end in ends if end), default=datetime.min.replace(tzinfo=UTC))

    def _of_site(self, site_id: SiteId) -> Iterator[HealthEvent]:
        """Events of a site as they stand by now."""
        known = {event.event_id: event for event in self.excerpt.events} | self._changed
        return (event for event in known.values() if (event.venue, event.host) == site_id)

    def _keep(self, event: HealthEvent) -> None:
        self._changed[event.event_id] = event


def sites_that_matter(
    reports: Mapping[CameraId, cameras_pb2.CameraHealth], down: Iterable[CameraId], events: Iterable[HealthEvent]
) -> set[SiteId]:
    """Sites of reported cameras that are down, or of which one camera is."""
    reported = {(venue, health.host) for (venue, _), health in reports.items()}
    lasting = {(event.venue, event.host) for event in events if event.end_time is None}
    of_cameras = {(camera[0], reports[camera].host) for camera in down}
    return {site for site in of_cameras | (reported & lasting) if site[1]}
