"""How the camera of a labelled clip is set: the label's `watch` as the contract's message, read as any camera's."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from cluster.config import DEFAULT_FIT, CameraConfig, camera_config
from cluster.errors import ConfigurationError
from cluster.video.frame import Fit
from tools.evaluate.labels import GroundPlane, Label, Point, Watch
from tools.venue_file import convert_rules
from vigie.names import camera_name
from vigie.v1 import assignments_pb2, venues_pb2
from vigie.vocabulary import Kind

CAMERA = camera_name("evaluation", "clip")


def camera_of(
    label: Label, clip: Path, kinds: frozenset[Kind], *, fit: Fit = DEFAULT_FIT, rate_hz: float | None = None
) -> CameraConfig:
    """The camera that shows a clip, set to watch for those of some kinds that its label names.

    Raises ConfigurationError for a label that asks for what no camera can be set to.

    Args:
        label: of the clip.
        clip: where it is.
        kinds: what to watch for.
        fit: into which its pictures are scaled for the detector.
        rate_hz: frames analysed a second; None: as its rules need.
    """
    camera = camera_message(label, kinds, rate_hz=rate_hz)
    camera.name = CAMERA
    camera.stream.url, camera.stream.pace = f"file:{quote(str(clip.resolve()))}", venues_pb2.PACE_FASTEST
    # The clip's own seconds: its first frame has the time 0.
    camera.stream.start_time.SetInParent()
    return camera_config(assignments_pb2.Assignment(camera=camera, time_zone="UTC"), fit=fit)


def camera_message(label: Label, kinds: frozenset[Kind], *, rate_hz: float | None = None) -> venues_pb2.Camera:
    """The contract's message of such a camera, without its name and its stream. Raises ConfigurationError."""
    watches = [watch for watch in label.watch if watch.kind in kinds]
    return venues_pb2.Camera(
        picture_size=venues_pb2.PictureSize(width=label.width, height=label.height),
        ground_plane=_ground_plane(label.ground_plane) if label.ground_plane else None,
        zones=_zones(watches),
        rules=[convert_rules.rule(watch.rule) for watch in watches],
        analysis_rate_hz=rate_hz or 0,
    )


def _ground_plane(plane: GroundPlane) -> venues_pb2.GroundPlane:
    return venues_pb2.GroundPlane(
        picture_points=_points(plane.image),
        ground_points=[venues_pb2.GroundPoint(x_m=x, y_m=y) for x, y in plane.metres],
    )


def _points(points: Sequence[Point]) -> list[venues_pb2.Point]:
    return [venues_pb2.Point(x=x, y=y) for x, y in points]


def _zones(watches: Sequence[Watch]) -> Iterator[venues_pb2.Zone]:
    """Each zone once, however many rules watch it."""
    shapes: dict[str, tuple[Point, ...]] = {}
    for watch in watches:
        if watch.polygon is None:
            continue
        zone = watch.rule.zone
        if shapes.setdefault(zone, watch.polygon) != watch.polygon:
            raise ConfigurationError(f"watch: zone {zone!r}", "has two shapes; give one of them another name")
    for zone, polygon in shapes.items():
        yield venues_pb2.Zone(id=zone, polygon=venues_pb2.Polygon(points=_points(polygon)))
