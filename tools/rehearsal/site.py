"""Where a rehearsal takes place: its folder, its venues, and who may call."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
from grpc import aio

from services.coordination.access.caller import ALL_VENUES, Grant, Role
from tools.init.certificates import Subject, caller
from tools.init.folder import grant_name, make_identities, make_identity, make_local_authority
from vigie.channel import channel_credentials
from vigie.identity import DEVELOPER, Proof
from vigie.v1 import authorizations_pb2, venue_service_pb2, venue_service_pb2_grpc, venues_pb2, vocabulary_pb2

KINDS = (vocabulary_pb2.KIND_ZONE_INTRUSION, vocabulary_pb2.KIND_CROWD_DENSITY)
ZONES = ("north", "east", "south", "west")
ACT_BEFORE, ACT_AFTER = timedelta(days=2), timedelta(days=2)
_DEADLINE_S = 30.0
_OPTIONS = (
    ("grpc.enable_http_proxy", 0),
    ("grpc.max_reconnect_backoff_ms", 1000),
    # Callers of one process that have the same certificate still have connections of their own.
    ("grpc.use_local_subchannel_pool", 1),
)


@dataclass(frozen=True, slots=True)
class Site:
    """What those who take part know.

    Attributes:
        folder: of identities, logs and evidence.
        venues: how many there are; each has a cluster and an operator of its own.
        cameras: of each venue.
    """

    folder: Path
    venues: int
    cameras: int = 8

    @property
    def identities(self) -> Path:
        """The folder of identities."""
        return self.folder / "identity"

    def cluster(self, number: int) -> Proof:
        """With what the cluster of a venue calls."""
        return Proof(self.identities / "clusters" / venue_id(number))

    def operator(self, number: int) -> Proof:
        """With what an operator of a venue calls."""
        return Proof(self.identities / "people" / venue_id(number))

    @property
    def developer(self) -> Proof:
        """With what somebody calls who may do everything."""
        return Proof(self.identities / DEVELOPER)

    def make_identities(self, hosts: Iterable[str] = ()) -> None:
        """Makes those of the service, which is found at these hosts too, of each cluster and of each operator."""
        now = datetime.now(UTC)
        make_identities(self.identities, hosts=hosts, now=now)
        authority = make_local_authority(self.identities, now=now)
        for number in range(self.venues):
            venue = venue_id(number)
            for proof, role in ((self.cluster(number), Role.CLUSTER), (self.operator(number), Role.OPERATOR)):
                if proof.folder is not None:
                    make_identity(proof.folder, _caller(role, venue), authority, now=now)

    async def apply_venues(self, address: str) -> None:
        """Applies all venues, each with an act that is in force for two days on either side of now."""
        async with channel(address, self.developer) as opened:
            stub = venue_service_pb2_grpc.VenueServiceStub(opened)
            for number in range(self.venues):
                request = venue_service_pb2.ApplyVenueRequest(venue=_venue(number, self.cameras), author="rehearsal")
                await stub.ApplyVenue(request, timeout=_DEADLINE_S)


def venue_id(number: int) -> str:
    """`venue-000` and so on."""
    return f"venue-{number:03}"


def camera_name(venue: int, camera: int) -> str:
    """The resource name of a camera."""
    return f"venues/{venue_id(venue)}/cameras/camera-{camera}"


def channel(address: str, proof: Proof) -> aio.Channel:
    """A channel to a replica that proves who calls."""
    credentials = channel_credentials(address, proof)
    if credentials is None:
        return aio.insecure_channel(address, options=_OPTIONS)
    return aio.secure_channel(address, credentials, options=_OPTIONS)


def is_passing(error: aio.AioRpcError) -> bool:
    """Whether a call may be made again: the replica is away, stops, or is slow."""
    passing = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.DEADLINE_EXCEEDED)
    # What gRPC's own client says of a message that it was sending when the connection broke.
    broken = error.code() is grpc.StatusCode.INTERNAL and error.details() == "Internal error from Core"
    return broken or error.code() in (*passing, grpc.StatusCode.CANCELLED)


def _caller(role: Role, venue: str) -> Subject:
    place = ALL_VENUES if role is Role.OPERATOR and venue == venue_id(0) else venue
    return caller(venue, [grant_name(Grant(role, place))])


def _venue(number: int, cameras: int) -> venues_pb2.Venue:
    names = [camera_name(number, camera) for camera in range(cameras)]
    now = datetime.now(UTC)
    act = authorizations_pb2.Authorization(
        name=f"venues/{venue_id(number)}/authorizations/rehearsal",
        reference="rehearsal",
        controller="whoever runs this",
        motive="to rehearse",
        cameras=names,
        kinds=KINDS,
    )
    act.start_time.FromDatetime(now - ACT_BEFORE)
    act.end_time.FromDatetime(now + ACT_AFTER)
    return venues_pb2.Venue(
        name=f"venues/{venue_id(number)}",
        display_name=f"Venue {number}",
        time_zone="UTC",
        cameras=[_camera(name) for name in names],
        authorizations=[act],
    )


def _camera(name: str) -> venues_pb2.Camera:
    corners = [venues_pb2.Point(x=x, y=y) for x, y in ((0, 0), (300, 0), (300, 300), (0, 300))]
    return venues_pb2.Camera(
        name=name,
        stream=venues_pb2.Stream(url="rtsp://camera.invalid/main"),
        picture_size=venues_pb2.PictureSize(width=640, height=480),
        zones=[venues_pb2.Zone(id=zone, polygon=venues_pb2.Polygon(points=corners)) for zone in ZONES],
        rules=[venues_pb2.Rule(zone_intrusion=venues_pb2.ZoneIntrusionRule(zone=zone)) for zone in ZONES],
    )
