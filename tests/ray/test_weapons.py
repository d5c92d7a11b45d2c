"""Somebody with a weapon, from a recording through Ray and gRPC into the record; and a camera that cannot look for any."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.ray.blobs import MAGENTA, WEAPONS, write_clip
from tests.ray.command import end_of, running
from tests.ray.world import World
from tools.rehearsal.blobs import write_pack
from vigie.v1 import (
    camera_service_pb2,
    camera_service_pb2_grpc,
    cameras_pb2,
    event_service_pb2,
    event_service_pb2_grpc,
    events_pb2,
)
from vigie.v1.vocabulary_pb2 import KIND_WEAPON, SEVERITY_CRITICAL

pytestmark = pytest.mark.ray

WATCHED = ("kind: WEAPON, zone: z2",)


@pytest.fixture
def world(tmp_path: Path, pack: Path) -> Iterator[World]:
    """A service that runs, and a tape of somebody who carries something magenta."""
    tape = write_clip(tmp_path / "armed.mp4", seconds=20, carries=MAGENTA)
    world = World(tmp_path, tape, tape, pack)
    world.start_service()
    yield world
    world.stop_service()


def play(world: World) -> int:
    """Has a cluster play the tape to its end; its exit status."""
    world.apply_recording("tape", datetime.now(UTC) - timedelta(hours=1), WATCHED)
    with running(world, "--until-ended", "--venue", "arena") as process:
        return end_of(process)[0]


def events(world: World) -> list[events_pb2.Event]:
    with world.channel() as channel:
        stub = event_service_pb2_grpc.EventServiceStub(channel)
        return list(stub.ListEvents(event_service_pb2.ListEventsRequest(parent="venues/arena"), timeout=10).events)


def health(world: World) -> cameras_pb2.CameraHealth:
    with world.channel() as channel:
        stub = camera_service_pb2_grpc.CameraServiceStub(channel)
        (status,) = stub.ListCameras(camera_service_pb2.ListCamerasRequest(parent="venues/arena"), timeout=10).cameras
        return status.health


def test_weapon_becomes_an_event_of_the_highest_priority(world: World, tmp_path: Path) -> None:
    world.weapon_pack = write_pack(tmp_path / "weapons", WEAPONS)
    code = play(world)
    world.check_that_everything_raised_is_recorded_once()
    (event,) = events(world)
    assert code == 0
    assert (event.kind, event.severity) == (KIND_WEAPON, SEVERITY_CRITICAL)
    assert event.reason.startswith("weapon seen in 4 of the last 4 frames, 1.00 on average, carried by a person in zone z2;")
    assert "No validated detector exists" in event.known_limits[0]


def test_camera_that_watches_for_weapons_is_refused_without_a_pack_for_them(world: World) -> None:
    play(world)
    told = health(world)
    assert told.state == cameras_pb2.CAMERA_STATE_MISCONFIGURED
    assert "rules[0].weapon: no validated weapon pack exists, so none ships; install one whose task is weapon" in told.detail
    assert events(world) == []
