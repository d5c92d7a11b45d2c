"""Valid messages and values that tests change in one place."""

import hashlib
import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp
from uuid_utils.compat import uuid7

from vigie.v1 import authorizations_pb2, signals_pb2, venues_pb2, vocabulary_pb2

ZONE_INTRUSION, CROWD_DENSITY = vocabulary_pb2.KIND_ZONE_INTRUSION, vocabulary_pb2.KIND_CROWD_DENSITY

_pictures = itertools.count()


def utc_now() -> datetime:
    return datetime.now(UTC)


def ago(**span: float) -> datetime:
    return utc_now() - timedelta(**span)


def timestamp(moment: datetime) -> Timestamp:
    message = Timestamp()
    message.FromDatetime(moment)
    return message


def milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


OWNER = milliseconds(ago(hours=1))
"""The ownership of each camera that signals speak for unless a test says otherwise."""


DERBY = (ago(days=2), ago(days=-2))
"""The period of the act under which the arena is watched."""


def points(*pairs: tuple[float, float]) -> list[venues_pb2.Point]:
    return [venues_pb2.Point(x=x, y=y) for x, y in pairs]


def camera(name: str = "venues/arena/cameras/gate") -> venues_pb2.Camera:
    square = venues_pb2.Polygon(points=points((0, 0), (300, 0), (300, 300), (0, 300)))
    line = venues_pb2.Line(start=venues_pb2.Point(x=10, y=10), end=venues_pb2.Point(x=200, y=10))
    ground = [venues_pb2.GroundPoint(x_m=x, y_m=y) for x, y in ((0, 0), (10, 0), (10, 10), (0, 10))]
    return venues_pb2.Camera(
        name=name,
        stream=venues_pb2.Stream(url="rtsp://${GATE_USER}:${GATE_PASSWORD}@10.0.0.7/main"),
        picture_size=venues_pb2.PictureSize(width=640, height=480),
        ground_plane=venues_pb2.GroundPlane(picture_points=points((0, 0), (640, 0), (600, 480), (40, 480)), ground_points=ground),
        zones=[venues_pb2.Zone(id="pitch", polygon=square), venues_pb2.Zone(id="fence", line=line)],
        rules=[
            venues_pb2.Rule(zone_intrusion=venues_pb2.ZoneIntrusionRule(zone="pitch")),
            venues_pb2.Rule(crowd_density=venues_pb2.CrowdDensityRule(zone="pitch")),
        ],
    )


def authorization(cameras: Sequence[str], venue: str = "arena") -> authorizations_pb2.Authorization:
    return authorizations_pb2.Authorization(
        name=f"venues/{venue}/authorizations/derby",
        reference="75-2026-0117",
        controller="Préfecture de police",
        motive="a derby",
        start_time=timestamp(DERBY[0]),
        end_time=timestamp(DERBY[1]),
        cameras=cameras,
        kinds=[ZONE_INTRUSION, CROWD_DENSITY],
    )


def venue(venue_id: str = "arena", cameras: Sequence[str] = ("gate", "stand"), *, acts: bool = True) -> venues_pb2.Venue:
    names = [f"venues/{venue_id}/cameras/{camera_id}" for camera_id in cameras]
    return venues_pb2.Venue(
        name=f"venues/{venue_id}",
        display_name="Arena",
        time_zone="Europe/Paris",
        cameras=[camera(name) for name in names],
        authorizations=[authorization(names, venue_id)] if acts else [],
    )


def signal(
    *,
    signal_id: UUID | None = None,
    revision: int = 1,
    camera_id: str = "gate",
    opened: datetime | None = None,
    closed: datetime | None = None,
    jpeg: bytes | None = None,
) -> signals_pb2.Signal:
    opened = opened or ago(seconds=1)
    message = signals_pb2.Signal(
        signal_id=str(signal_id or uuid7()),
        revision=revision,
        camera=f"venues/arena/cameras/{camera_id}",
        incarnation=OWNER,
        sequence=revision,
        kind=ZONE_INTRUSION,
        zone="pitch",
        severity=vocabulary_pb2.SEVERITY_NOTICE,
        score=0.75,
        reason="a person in the zone for 1.2 s",
        open_time=timestamp(opened),
        update_time=timestamp(closed or opened),
        close_time=timestamp(closed) if closed else None,
        raise_time=timestamp(utc_now()),
        box=signals_pb2.Box(x0=10, y0=20, x1=30, y1=80),
    )
    if jpeg is not None:
        message.evidence.CopyFrom(evidence(jpeg))
    return message


def picture(size_bytes: int = 200) -> bytes:
    """A different picture each time, as far as the service looks."""
    return (b"\xff\xd8\xff\xe0" + str(next(_pictures)).encode()).ljust(size_bytes, b"\0")


def evidence(jpeg: bytes) -> signals_pb2.Evidence:
    return signals_pb2.Evidence(sha256=hashlib.sha256(jpeg).hexdigest(), size_bytes=len(jpeg), jpeg=jpeg)
