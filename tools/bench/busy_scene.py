"""A scene in which every rule has something to do: people of the demo's clip, and drawn into it what the clip has not.

Someone puts a case down and leaves with a weapon in the hand, something burns, and someone falls. The scene is there to measure
what rules cost, not how well they find: what is drawn is said to be seen.
"""

from collections.abc import Iterator
from urllib.parse import quote

import cv2
import numpy as np
from google.protobuf.duration_pb2 import Duration

from cluster.analysis.scene import Box, Picture
from cluster.detections import Detections
from cluster.video.frame import Frame
from tools.demo.scene import CLIP
from vigie.names import camera_name
from vigie.v1 import assignments_pb2, venues_pb2, vocabulary_pb2
from vigie.vocabulary import ObjectClass

WIDTH, HEIGHT = 416, 234
"""Of its pictures. Rules look at pixels at 320x180 then."""

CAMERA = camera_name("bench", "busy")
# The clip's picture: the upper quarter is cut off, and four of its points are known on the ground, in pixels and metres.
_CUT = 0.25
_GROUND = ((108, 64, 0.0, 0.0), (281, 45, 5.3, 5.7), (411, 147, 13.4, -3.0), (205, 95, 6.0, -1.7))
_ZONE = ((0, 40), (WIDTH, 40), (WIDTH, HEIGHT), (0, HEIGHT))

_PUT_DOWN_S, _LIT_S = 4.0, 2.0
_FALL_S, _FALL_LENGTH_S = 5.0, 0.6
_CASE: Box = (160, 176, 172, 185)
_OWNER: Box = (140, 128, 158, 182)
_OWNER_PX_PER_S = -22.0
_STANDING: Box = (60, 120, 80, 180)
_LYING: Box = (58, 164, 112, 182)
_FLAMES: Box = (20, 60, 48, 100)
_CLOTHES, _LEATHER = (60, 40, 30), (20, 30, 50)
_SCORE = 0.9


def assignment() -> assignments_pb2.Assignment:
    """The scene's camera, which watches for all eight kinds."""
    person = [vocabulary_pb2.OBJECT_CLASS_PERSON]
    low = venues_pb2.DensityThresholds(warning_per_m2=0.01)
    left = venues_pb2.Direction(x=-1)
    zone = "ground"
    camera = venues_pb2.Camera(
        name=CAMERA,
        stream=venues_pb2.Stream(url=f"file:{quote(str(CLIP))}", pace=venues_pb2.PACE_FASTEST),
        picture_size=venues_pb2.PictureSize(width=WIDTH, height=HEIGHT),
        ground_plane=venues_pb2.GroundPlane(
            picture_points=[venues_pb2.Point(x=x, y=y) for x, y, _, _ in _GROUND],
            ground_points=[venues_pb2.GroundPoint(x_m=x_m, y_m=y_m) for _, _, x_m, y_m in _GROUND],
        ),
        zones=[venues_pb2.Zone(id=zone, polygon=venues_pb2.Polygon(points=[venues_pb2.Point(x=x, y=y) for x, y in _ZONE]))],
        rules=[
            venues_pb2.Rule(abandoned_object=venues_pb2.AbandonedObjectRule(stationary=Duration(seconds=5))),
            venues_pb2.Rule(weapon=venues_pb2.WeaponRule()),
            venues_pb2.Rule(wrong_way=venues_pb2.WrongWayRule(zone=zone, allowed_direction=left, who=person)),
            venues_pb2.Rule(zone_intrusion=venues_pb2.ZoneIntrusionRule(zone=zone, who=person)),
            venues_pb2.Rule(person_down=venues_pb2.PersonDownRule()),
            venues_pb2.Rule(crowd_movement=venues_pb2.CrowdMovementRule()),
            venues_pb2.Rule(crowd_density=venues_pb2.CrowdDensityRule(zone=zone, moving=low, standing=low)),
            venues_pb2.Rule(fire=venues_pb2.FireRule()),
        ],
    )
    camera.stream.start_time.SetInParent()
    return assignments_pb2.Assignment(camera=camera, time_zone="UTC")


def staged(frame: Frame) -> Frame:
    """The scene's frame, made of the clip's."""
    picture = _drawn(frame.picture, frame.capture_time_s)
    return Frame(frame.capture_time_s, picture, WIDTH, HEIGHT, lambda: picture)


def _drawn(picture: Picture, time_s: float) -> Picture:
    kept = picture[round(_CUT * picture.shape[0]) :]
    canvas = np.asarray(cv2.resize(kept, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)
    for box, object_class in _made(time_s):
        if object_class is not ObjectClass.WEAPON:
            _fill(canvas, box, _LEATHER if object_class is ObjectClass.SUITCASE else _CLOTHES)
    if time_s >= _LIT_S:
        _burn(canvas, time_s)
    return canvas


def with_made(found: Detections, time_s: float) -> Detections:
    """What was found in such a frame, and what was drawn into it."""
    boxes, classes = zip(*_made(time_s), strict=True)
    made = Detections(np.array(boxes, np.float32), np.full(len(boxes), _SCORE, np.float32), np.array(classes, np.int16))
    return found.joined(made)


def _made(time_s: float) -> Iterator[tuple[Box, ObjectClass]]:
    """Whom and what is drawn, and where."""
    owner = _moved(_OWNER, _OWNER_PX_PER_S * max(0.0, time_s - _PUT_DOWN_S))
    yield owner, ObjectClass.PERSON
    yield _between(_STANDING, _LYING, (time_s - _FALL_S) / _FALL_LENGTH_S), ObjectClass.PERSON
    if time_s >= _PUT_DOWN_S:
        yield _CASE, ObjectClass.SUITCASE
    yield (owner[0], owner[1] + 20, owner[0] + 6, owner[1] + 24), ObjectClass.WEAPON


def _moved(box: Box, x_px: float) -> Box:
    return box[0] + x_px, box[1], box[2] + x_px, box[3]


def _between(start: Box, end: Box, share: float) -> Box:
    """A box on its way from one to another, of which it has gone a share."""
    x0, y0, x1, y1 = np.array(start) + min(1.0, max(0.0, share)) * (np.array(end) - np.array(start))
    return float(x0), float(y0), float(x1), float(y1)


def _fill(canvas: Picture, box: Box, color: tuple[int, int, int]) -> None:
    x0, y0, x1, y1 = (max(0, round(side)) for side in box)
    canvas[y0:y1, x0:x1] = color


def _burn(canvas: Picture, time_s: float) -> None:
    """Flames: warm blobs that brighten and darken each by itself."""
    x0, y0, x1, y1 = map(round, _FLAMES)
    random = np.random.default_rng(round(time_s * 1000))
    heat = random.uniform(0.4, 1.0, ((y1 - y0) // 4, (x1 - x0) // 4)).astype(np.float32)
    flames = cv2.resize(heat, (x1 - x0, y1 - y0), interpolation=cv2.INTER_CUBIC)[..., None]
    canvas[y0:y1, x0:x1] = np.clip(flames * (60, 160, 255), 0, 255).astype(np.uint8)
