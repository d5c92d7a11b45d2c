"""An assignment as the coordination service sends it, for tests to change."""

from google.protobuf.timestamp_pb2 import Timestamp

from vigie.v1 import assignments_pb2, authorizations_pb2, venues_pb2, vocabulary_pb2

CAMERA = "venues/park/cameras/lawn"
PICTURE = [(200, 262), (520, 228), (760, 415), (380, 320)]
GROUND = [(-9.409, -2.038), (-3.71, -7.373), (-12.365, -15.422), (-11.121, -8.015)]


def polygon(zone: str, *points: tuple[float, float]) -> venues_pb2.Zone:
    return venues_pb2.Zone(id=zone, polygon=venues_pb2.Polygon(points=[venues_pb2.Point(x=x, y=y) for x, y in points]))


def assignment() -> assignments_pb2.Assignment:
    """A camera with a polygon, a line and a ground plane, watched for both kinds."""
    camera = venues_pb2.Camera(
        name=CAMERA,
        stream=venues_pb2.Stream(url="file:lawn.mp4"),
        picture_size=venues_pb2.PictureSize(width=768, height=576),
        ground_plane=venues_pb2.GroundPlane(
            picture_points=[venues_pb2.Point(x=x, y=y) for x, y in PICTURE],
            ground_points=[venues_pb2.GroundPoint(x_m=x, y_m=y) for x, y in GROUND],
        ),
        zones=[
            polygon("road", (200, 230), (520, 228), (760, 415), (380, 320)),
            venues_pb2.Zone(
                id="gate",
                line=venues_pb2.Line(
                    start=venues_pb2.Point(x=0, y=300),
                    end=venues_pb2.Point(x=300, y=300),
                    direction=venues_pb2.CROSSING_DIRECTION_LEFT_TO_RIGHT,
                ),
            ),
        ],
        rules=[
            venues_pb2.Rule(zone_intrusion=venues_pb2.ZoneIntrusionRule(zone="road")),
            venues_pb2.Rule(zone_intrusion=venues_pb2.ZoneIntrusionRule(zone="gate")),
            venues_pb2.Rule(crowd_density=venues_pb2.CrowdDensityRule(zone="road")),
        ],
    )
    act = authorizations_pb2.Authorization(
        name="venues/park/authorizations/a-1",
        reference="2026-1",
        start_time=Timestamp(seconds=1000),
        end_time=Timestamp(seconds=2000),
        cameras=[CAMERA],
        kinds=[vocabulary_pb2.KIND_ZONE_INTRUSION, vocabulary_pb2.KIND_CROWD_DENSITY],
    )
    return assignments_pb2.Assignment(camera=camera, time_zone="Europe/Paris", authorizations=[act])
