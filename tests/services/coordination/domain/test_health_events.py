"""What begins and what ends, as owners report it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

import pytest

from services.coordination.domain.health_events import (
    DOWN_AFTER,
    Excerpt,
    HealthChanges,
    HealthEvent,
    HealthEventKind,
    Site,
    down_since,
    sites_that_matter,
)
from vigie.v1 import cameras_pb2

START = datetime(2026, 5, 1, 20, 0, tzinfo=UTC)
LIVE, STALLED = cameras_pb2.CAMERA_STATE_LIVE, cameras_pb2.CAMERA_STATE_STALLED
UNREACHABLE, QUARANTINED = cameras_pb2.CAMERA_STATE_UNREACHABLE, cameras_pb2.CAMERA_STATE_QUARANTINED
UNAUTHORIZED = cameras_pb2.CAMERA_STATE_UNAUTHORIZED
BLURRED = cameras_pb2.STREAM_FAULT_KIND_BLURRED

CameraId = tuple[str, str]


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def health(
    state: "cameras_pb2.CameraState.ValueType",
    since_s: float = 0,
    host: str = "recorder",
    faults: Sequence["cameras_pb2.StreamFaultKind.ValueType"] = (),
) -> cameras_pb2.CameraHealth:
    message = cameras_pb2.CameraHealth(state=state, host=host, detail="as the owner says")
    message.state_time.FromDatetime(at(since_s))
    for fault in faults:
        message.faults.add(kind=fault, detail="out of focus").since_time.FromDatetime(at(since_s))
    return message


class Record:
    """What the service keeps, in memory: groups of cameras report to it."""

    def __init__(self) -> None:
        self.reports: dict[CameraId, cameras_pb2.CameraHealth] = {}
        self.down: dict[CameraId, datetime] = {}
        self.events: dict[UUID, HealthEvent] = {}
        self._ids = count(1)

    def report(self, now_s: float, reports: Mapping[CameraId, cameras_pb2.CameraHealth]) -> None:
        """Takes what one owner says of its cameras."""
        self.reports |= reports
        since = {camera: down_since(each, self.down.get(camera)) for camera, each in reports.items()}
        self.down = {camera: time for camera, time in (self.down | since).items() if time}
        known = [event for event in self.events.values() if event.end_time is None or self._is_late(event, now_s)]
        down = {camera: time for camera, time in self.down.items() if camera in reports}
        sites = {site: self._site(*site) for site in sites_that_matter(reports, down, known)}
        changes = HealthChanges(Excerpt(reports, down, sites, known), at(now_s), lambda: UUID(int=next(self._ids)))
        self.events |= {event.event_id: event for event in changes.work_out()}

    def of(self, kind: HealthEventKind) -> list[HealthEvent]:
        return [event for event in self.events.values() if event.kind is kind]

    def _is_late(self, event: HealthEvent, now_s: float) -> bool:
        return event.kind is HealthEventKind.SITE_DOWN and event.end_time is not None and event.end_time >= at(now_s) - DOWN_AFTER

    def _site(self, venue: str, host: str) -> Site:
        cameras = [camera for camera, each in self.reports.items() if camera[0] == venue and each.host == host]
        return Site(len(cameras), [self.down[camera] for camera in cameras if camera in self.down])


def cameras(number: int, venue: str = "arena") -> list[CameraId]:
    return [(venue, f"camera-{index}") for index in range(number)]


def play(record: Record, until_s: int, state_of: Callable[[int, float], cameras_pb2.CameraHealth], number: int = 200) -> None:
    """Groups of sixteen report every two seconds, each at its own moment."""
    for step in range(0, until_s, 2):
        for first in range(0, number, 16):
            now_s = step + first / number
            group = list(enumerate(cameras(number)))[first : first + 16]
            record.report(now_s, {camera: state_of(index, now_s) for index, camera in group})


def test_two_hundred_cameras_of_a_host_that_goes_down_are_one_event_from_its_beginning_to_its_end() -> None:
    def state_of(index: int, now_s: float) -> cameras_pb2.CameraHealth:
        lost_s, back_s = 100 + index % 6, 300 + index / 20
        return health(UNREACHABLE, lost_s) if lost_s <= now_s < back_s else health(LIVE)

    record = Record()
    play(record, 400, state_of)
    (event,) = record.events.values()
    assert (event.kind, event.host, event.camera, event.camera_count) == (HealthEventKind.SITE_DOWN, "recorder", "", 200)
    assert at(100) <= event.begin_time <= at(104)
    assert event.end_time is not None
    assert at(304) <= event.end_time <= at(308)
    assert event.detail.startswith("200 of 200 cameras of recorder")


def test_a_camera_that_does_not_come_back_with_its_site_has_an_event_of_its_own() -> None:
    def state_of(index: int, now_s: float) -> cameras_pb2.CameraHealth:
        back_s = 1e9 if index == 7 else 200
        return health(UNREACHABLE, 100) if 100 <= now_s < back_s else health(LIVE)

    record = Record()
    play(record, 260, state_of, number=20)
    (down,) = record.of(HealthEventKind.CAMERA_DOWN)
    assert (down.camera, down.begin_time, down.end_time) == ("camera-7", at(100), None)
    assert len(record.of(HealthEventKind.SITE_DOWN)) == 1


def test_hosts_and_venues_are_sites_of_their_own() -> None:
    record = Record()
    for venue, host in (("arena", "north"), ("arena", "south"), ("bowl", "north")):
        lost = {(venue, f"{host}-{index}"): health(STALLED, host=host) for index in range(4)}
        record.report(0, lost)
        record.report(20, lost)
    assert sorted((event.venue, event.host) for event in record.events.values()) == [
        ("arena", "north"),
        ("arena", "south"),
        ("bowl", "north"),
    ]


@pytest.mark.parametrize(("lost", "kind"), [(2, HealthEventKind.CAMERA_DOWN), (3, HealthEventKind.SITE_DOWN)])
def test_a_site_is_three_cameras_at_least(lost: int, kind: HealthEventKind) -> None:
    record = Record()
    reports = {camera: health(STALLED) for camera in cameras(lost)}
    record.report(0, reports)
    record.report(20, reports)
    assert {event.kind for event in record.events.values()} == {kind}
    assert len(record.events) == (1 if kind is HealthEventKind.SITE_DOWN else lost)


def test_fewer_than_half_are_cameras_and_no_site() -> None:
    record = Record()
    reports = {camera: health(STALLED if index < 4 else LIVE) for index, camera in enumerate(cameras(10))}
    record.report(0, reports)
    record.report(20, reports)
    assert [event.kind for event in record.events.values()] == [HealthEventKind.CAMERA_DOWN] * 4


def test_a_short_silence_is_no_event_and_a_long_one_began_with_its_first_moment() -> None:
    record, (gate,) = Record(), cameras(1)
    record.report(2, {gate: health(STALLED, 1)})
    record.report(4, {gate: health(LIVE, 3)})
    record.report(6, {gate: health(STALLED, 5)})
    record.report(14, {gate: health(UNREACHABLE, 11)})
    assert not record.events
    record.report(16, {gate: health(UNREACHABLE, 11)})
    record.report(20, {gate: health(LIVE, 19)})
    (event,) = record.events.values()
    assert (event.begin_time, event.end_time, event.detail) == (at(5), at(20), "as the owner says")


def test_the_same_report_again_changes_nothing() -> None:
    record, (gate,) = Record(), cameras(1)
    for now_s in range(0, 60, 2):
        record.report(now_s, {gate: health(STALLED, faults=[BLURRED])})
    assert sorted(event.kind for event in record.events.values()) == [HealthEventKind.CAMERA_DOWN, HealthEventKind.STREAM_FAULT]


def test_a_fault_lasts_while_no_picture_tells_otherwise() -> None:
    record, (gate,) = Record(), cameras(1)
    record.report(0, {gate: health(LIVE, faults=[BLURRED])})
    record.report(2, {gate: health(STALLED, 2)})
    (event,) = record.events.values()
    assert (event.kind, event.fault, event.detail) == (HealthEventKind.STREAM_FAULT, BLURRED, "out of focus")
    assert event.end_time is None
    record.report(4, {gate: health(LIVE, 4)})
    assert record.of(HealthEventKind.STREAM_FAULT)[0].end_time == at(4)


def test_quarantine_begins_at_once_and_takes_the_place_of_a_camera_that_is_down() -> None:
    record, (gate,) = Record(), cameras(1)
    record.report(0, {gate: health(STALLED)})
    record.report(12, {gate: health(STALLED)})
    record.report(14, {gate: health(QUARANTINED, 13)})
    down, quarantined = record.of(HealthEventKind.CAMERA_DOWN) + record.of(HealthEventKind.CAMERA_QUARANTINED)
    assert (down.end_time, quarantined.begin_time, quarantined.end_time) == (at(14), at(13), None)
    record.report(16, {gate: health(LIVE, 15)})
    assert record.of(HealthEventKind.CAMERA_QUARANTINED)[0].end_time == at(16)


def test_what_is_no_longer_to_be_analysed_is_not_down() -> None:
    record, (gate,) = Record(), cameras(1)
    record.report(0, {gate: health(STALLED, faults=[BLURRED])})
    record.report(12, {gate: health(STALLED, faults=[BLURRED])})
    record.report(14, {gate: health(UNAUTHORIZED, 13)})
    assert [event.end_time for event in record.events.values()] == [at(14), at(14)]
