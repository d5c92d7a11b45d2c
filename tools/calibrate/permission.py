"""Whether a live camera may be looked at: only one that an act in force covers."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from cluster.config import camera_config
from cluster.permissions import permitted_kinds
from cluster.video.frame import Frame
from cluster.video.url import redact
from tools.errors import CommandError, ExitCode
from tools.venue_file import load_venue
from vigie.v1 import assignments_pb2, venues_pb2

Allowed = Callable[[], bool]


def allowed(url: str, venue: Path | None, camera: str | None) -> Allowed:
    """Says at each moment whether an act of a venue file allows the live camera with this URL to be analysed.

    Raises CommandError where the file does not say so now.
    """
    if venue is None or camera is None:
        problem = "is a live camera, which may be looked at only under an act in force"
        raise CommandError(
            f"{redact(url)}: {problem}; name the venue file that has both, and the camera: --venue FILE --camera ID",
            ExitCode.BAD_INPUT,
        )
    file = load_venue(venue)
    message = file.camera(camera)
    if message.stream.url != url:
        raise CommandError(
            f"{venue}: camera {camera} has another stream than {redact(url)}; give the URL as it stands there", ExitCode.BAD_INPUT
        )
    is_allowed = _in_force(message, file.venue)
    if not is_allowed():
        raise CommandError(f"{venue}: no act in force now covers camera {camera}; it may not be looked at", ExitCode.FAILED)
    return is_allowed


def while_allowed(frames: Iterator[Frame], is_allowed: Allowed) -> Iterator[Frame]:
    """The frames until the act that allows them ends."""
    for frame in frames:
        if not is_allowed():
            return
        yield frame


def _in_force(camera: venues_pb2.Camera, venue: venues_pb2.Venue) -> Allowed:
    bare = venues_pb2.Camera(name=camera.name, stream=camera.stream, picture_size=camera.picture_size)
    assignment = assignments_pb2.Assignment(camera=bare, time_zone=venue.time_zone, authorizations=venue.authorizations)
    permissions = camera_config(assignment).permissions
    return lambda: bool(permitted_kinds(permissions, time.time()))
