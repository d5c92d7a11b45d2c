"""A venue file's content as the contract's message."""

from pathlib import Path
from urllib.parse import quote

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from tools.venue_file import schema
from vigie.names import authorization_name, camera_name, venue_name
from vigie.v1 import authorizations_pb2, venues_pb2, vocabulary_pb2


def venue(content: schema.Venue, folder: Path) -> venues_pb2.Venue:
    """The venue that a file in `folder` describes; `file:` streams are meant from there."""
    return venues_pb2.Venue(
        name=venue_name(content.venue),
        display_name=content.name or content.venue,
        time_zone=content.time_zone,
        cameras=[_camera(camera, content.venue, folder) for camera in content.cameras],
        authorizations=[_authorization(act, content) for act in content.authorizations],
    )


def _authorization(act: schema.Authorization, content: schema.Venue) -> authorizations_pb2.Authorization:
    every = schema.EVERY_CAMERA in act.cameras
    cameras = dict.fromkeys(camera.id for camera in content.cameras) if every else act.cameras
    message = authorizations_pb2.Authorization(
        name=authorization_name(content.venue, act.id),
        reference=act.reference,
        controller=act.controller,
        motive=act.motive,
        cameras=[camera_name(content.venue, camera) for camera in cameras],
        kinds=[vocabulary_pb2.Kind.ValueType(kind) for kind in act.kinds],
    )
    message.start_time.FromDatetime(act.start)
    message.end_time.FromDatetime(act.end)
    return message


def _camera(camera: schema.Camera, venue_id: str, folder: Path) -> venues_pb2.Camera:
    return venues_pb2.Camera(
        name=camera_name(venue_id, camera.id),
        display_name=camera.name or camera.id,
        stream=_stream(camera.stream, folder),
        picture_size=venues_pb2.PictureSize(width=camera.picture.width, height=camera.picture.height),
        ground_plane=_ground_plane(camera.ground_plane) if camera.ground_plane else None,
        zones=[_zone(zone_id, zone) for zone_id, zone in camera.zones.items()],
        rules=[_rule(rule) for rule in camera.rules],
        analysis_rate_hz=camera.rate_hz or 0,
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


def _point(point: schema.Point) -> venues_pb2.Point:
    return venues_pb2.Point(x=point[0], y=point[1])


def _zone(zone_id: str, zone: schema.Zone) -> venues_pb2.Zone:
    if zone.line is None:
        points = [_point(point) for point in zone.polygon or ()]
        return venues_pb2.Zone(id=zone_id, polygon=venues_pb2.Polygon(points=points))
    direction = venues_pb2.CrossingDirection.ValueType((zone.direction or schema.Direction.ANY).value)
    start, end = map(_point, zone.line)
    return venues_pb2.Zone(id=zone_id, line=venues_pb2.Line(start=start, end=end, direction=direction))


def _rule(rule: schema.ZoneIntrusion | schema.CrowdDensity) -> venues_pb2.Rule:
    if isinstance(rule, schema.ZoneIntrusion):
        return venues_pb2.Rule(zone_intrusion=_zone_intrusion(rule))
    return venues_pb2.Rule(crowd_density=_crowd_density(rule))


def _zone_intrusion(rule: schema.ZoneIntrusion) -> venues_pb2.ZoneIntrusionRule:
    return venues_pb2.ZoneIntrusionRule(
        zone=rule.zone,
        who=[vocabulary_pb2.ObjectClass.ValueType(who) for who in rule.who],
        dwell=_duration(rule.dwell_s),
        clear=_duration(rule.clear_s),
        schedule=[
            venues_pb2.ScheduleWindow(
                days=[venues_pb2.Weekday.ValueType(day.value) for day in window.days],
                start_minute=window.start,
                end_minute=window.end,
            )
            for window in rule.schedule
        ],
    )


def _crowd_density(rule: schema.CrowdDensity) -> venues_pb2.CrowdDensityRule:
    thresholds = rule.thresholds or schema.DensityThresholds()
    moving, standing = map(_thresholds, (thresholds.moving, thresholds.standing))
    if rule.threshold_per_m2 is not None:
        moving = standing = venues_pb2.DensityThresholds(warning_per_m2=rule.threshold_per_m2)
    return venues_pb2.CrowdDensityRule(
        zone=rule.zone,
        moving=moving,
        standing=standing,
        sustain=_duration(rule.sustain_s),
        clear=_duration(rule.clear_s),
    )


def _thresholds(values: schema.Thresholds | None) -> venues_pb2.DensityThresholds | None:
    if values is None:
        return None
    notice, warning, critical = values
    return venues_pb2.DensityThresholds(notice_per_m2=notice, warning_per_m2=warning, critical_per_m2=critical)


def _duration(seconds: float | None) -> Duration | None:
    if seconds is None:
        return None
    duration = Duration()
    duration.FromNanoseconds(round(seconds * 1e9))
    return duration
