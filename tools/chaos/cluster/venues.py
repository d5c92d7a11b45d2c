"""The venues of a rehearsal: their cameras, what those watch for, and the act that allows it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tools.rehearsal.blobs import HEIGHT, WIDTH
from tools.rehearsal.cameras import PORT
from tools.rehearsal.round import Round
from tools.rehearsal.site import channel, venue_id
from vigie.identity import Proof
from vigie.names import authorization_name, camera_name, venue_name
from vigie.v1 import authorizations_pb2, venue_service_pb2, venue_service_pb2_grpc, venues_pb2, vocabulary_pb2

_ACT = timedelta(days=2)
_DEADLINE_S = 30.0
_DWELL_S = 0.2
_ZONE = "all"


@dataclass(frozen=True, slots=True)
class Venues:
    """Who is where, when.

    Attributes:
        cameras: how many there are.
        venues: over which they are spread, one after the other.
        scene: what all of them show.
        rate_hz: pictures of each that are analysed a second.
    """

    cameras: int
    venues: int
    scene: Round
    rate_hz: float

    def names(self) -> dict[str, int]:
        """The number of each camera, by its resource name."""
        return {camera_name(venue_id(number % self.venues), f"camera-{number:03}"): number for number in range(self.cameras)}

    def offset_s(self, number: int) -> float:
        """How far a camera is ahead of the clock: their visits are spread over the round."""
        return number * self.scene.length_s / self.cameras

    def paths(self) -> dict[str, float]:
        """How far each camera is ahead of the clock, by its path at their server."""
        return {_path(number): self.offset_s(number) for number in range(self.cameras)}

    async def apply(self, address: str, proof: Proof, cameras_host: str) -> None:
        """Tells the service at an address of all venues."""
        async with channel(address, proof) as opened:
            stub = venue_service_pb2_grpc.VenueServiceStub(opened)
            for venue in range(self.venues):
                request = venue_service_pb2.ApplyVenueRequest(venue=self._venue(venue, cameras_host), author="rehearsal")
                await stub.ApplyVenue(request, timeout=_DEADLINE_S)

    def _venue(self, venue: int, host: str) -> venues_pb2.Venue:
        names = {name: number for name, number in self.names().items() if number % self.venues == venue}
        now = datetime.now(UTC)
        act = authorizations_pb2.Authorization(
            name=authorization_name(venue_id(venue), "rehearsal"),
            reference="rehearsal",
            controller="whoever runs this",
            motive="to rehearse",
            cameras=names,
            kinds=[vocabulary_pb2.KIND_ZONE_INTRUSION],
        )
        act.start_time.FromDatetime(now - _ACT)
        act.end_time.FromDatetime(now + _ACT)
        return venues_pb2.Venue(
            name=venue_name(venue_id(venue)),
            display_name=f"Venue {venue}",
            time_zone="UTC",
            cameras=[self._camera(name, f"rtsp://{host}:{PORT}{_path(number)}") for name, number in names.items()],
            authorizations=[act],
        )

    def _camera(self, name: str, url: str) -> venues_pb2.Camera:
        corners = [venues_pb2.Point(x=x, y=y) for x, y in ((0, 0), (WIDTH, 0), (WIDTH, HEIGHT), (0, HEIGHT))]
        rule = venues_pb2.ZoneIntrusionRule(zone=_ZONE)
        rule.dwell.FromMilliseconds(int(_DWELL_S * 1000))
        rule.clear.FromMilliseconds(int(_DWELL_S * 1000))
        return venues_pb2.Camera(
            name=name,
            stream=venues_pb2.Stream(url=url),
            picture_size=venues_pb2.PictureSize(width=WIDTH, height=HEIGHT),
            analysis_rate_hz=self.rate_hz,
            zones=[venues_pb2.Zone(id=_ZONE, polygon=venues_pb2.Polygon(points=corners))],
            rules=[venues_pb2.Rule(zone_intrusion=rule)],
        )


def _path(number: int) -> str:
    return f"/camera-{number:03}"
