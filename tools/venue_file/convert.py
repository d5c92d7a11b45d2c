"""A venue file's content as the contract's message."""

from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from google.protobuf.timestamp_pb2 import Timestamp

from tools.venue_file import schema
from tools.venue_file.convert_rules import duration, rule
from tools.venue_file.parts import Point
from vigie.names import authorization_name, camera_name, venue_name
from vigie.v1 import authorizations_pb2, venues_pb2, vocabulary_pb2


def venue(content: schema.Venue, folder: Path) -> venues_pb2.Venue:
    """The venue that a file in `folder` describes; `file:` streams are meant from there."""
    return venues_pb2.Venue(
        name=venue_name(content.venue),
        display_name=content.name or content.venue,
        time_zone=content.time_zone,
        cameras=[_camera(camera, content, folder) for camera in content.cameras],
        authorizations=acts(content.authorizations, content.venue, [camera.id for camera in content.cameras]),
        aggregation=[_aggregation(rule) for rule in content.aggregation],
    )


def acts(
    content: Iterable[schema.Authorization], venue_id: str, cameras: Iterable[str]
) -> list[authorizations_pb2.Authorization]:
    """Acts of a venue that has these cameras, by their ids."""
    every = list(dict.fromkeys(cameras))
    return [_act(act, venue_id, every if schema.EVERY_CAMERA in act.cameras else act.cameras) for act in content]


def _act(act: schema.Authorization, venue_id: str, cameras: Iterable[str]) -> authorizations_pb2.Authorization:
    message = authorizations_pb2.Authorization(
        name=authorization_name(venue_id, act.id),
        reference=act.reference,
        controller=act.controller,
        motive=act.motive,
        cameras=[camera_name(venue_id, camera) for camera in cameras],
        kinds=[vocabulary_pb2.Kind.ValueType(kind) for kind in act.kinds],
        max_cameras=act.max_cameras,
        contact=act.contact,
    )
    message.start_time.FromDatetime(act.start)
    message.end_time.FromDatetime(act.end)
    return message


def _camera(camera: schema.Camera, venue: schema.Venue, folder: Path) -> venues_pb2.Camera:
    return venues_pb2.Camera(
        name=camera_name(venue.venue, camera.id),
        display_name=camera.name or camera.id,
        stream=_stream(camera.stream, folder),
        picture_size=venues_pb2.PictureSize(width=camera.picture.width, height=camera.picture.height),
        ground_plane=_ground_plane(camera.ground_plane) if camera.ground_plane else None,
        zones=[_zone(zone_id, zone) for zone_id, zone in camera.zones.items()],
        rules=[rule(content) for content in camera.rules],
        analysis_rate_hz=camera.rate_hz or 0,
        neighbors=[camera_name(venue.venue, neighbor) for neighbor in camera.neighbors],
        site=venue.site if camera.site is None else camera.site,
    )


def _aggregation(rule: schema.Aggregation) -> venues_pb2.AggregationRule:
    return venues_pb2.AggregationRule(
        kind=vocabulary_pb2.Kind.ValueType(rule.kind),
        gap=duration(rule.gap_s),
        distance_m=rule.distance_m,
        flood_signals=rule.flood_signals or 0,
    )


def _stream(stream: schema.Stream, folder: Path) -> venues_pb2.Stream:
    url = stream.url
    path = url.removeprefix("file:")
    if path != url and not path.startswith("/"):
        url = f"file:{quote(str(folder.resolve()))}/{path}"
    start_time = Timestamp()
    if stream.start_time is not None:
        start_time.FromDatetime(stream.start_time)
    return venues_pb2.Stream(
        url=url,
        start_time=start_time if stream.start_time else None,
        pace=venues_pb2.Pace.ValueType(stream.pace.value if stream.pace else 0),
    )


def _ground_plane(plane: schema.GroundPlane) -> venues_pb2.GroundPlane:
    return venues_pb2.GroundPlane(
        picture_points=[_point(point) for point in plane.picture],
        ground_points=[venues_pb2.GroundPoint(x_m=x, y_m=y) for x, y in plane.metres],
    )


def _point(point: Point) -> venues_pb2.Point:
    return venues_pb2.Point(x=point[0], y=point[1])


def _zone(zone_id: str, zone: schema.Zone) -> venues_pb2.Zone:
    if zone.line is None:
        points = [_point(point) for point in zone.polygon or ()]
        return venues_pb2.Zone(id=zone_id, polygon=venues_pb2.Polygon(points=points))
    direction = venues_pb2.CrossingDirection.ValueType((zone.direction or schema.Direction.ANY).value)
    start, end = map(_point, zone.line)
    return venues_pb2.Zone(id=zone_id, line=venues_pb2.Line(start=start, end=end, direction=direction))
