"""What a decision on an act does to the cameras of its venue. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from services.coordination.domain.authorizations import allowed_kinds, stands
from vigie.v1 import venues_pb2
from vigie.vocabulary import Kind

Allowed = Mapping[str, frozenset[Kind]]


def allowed(venue: venues_pb2.Venue, now: datetime) -> Allowed:
    """For what each camera of a venue is analysed at a moment: what it watches for and some act allows."""
    begun = [act for act in venue.authorizations if stands(act, now) and act.start_time.ToDatetime(now.tzinfo) <= now]
    return {
        camera.name: _watched(camera) & frozenset(Kind(kind) for act in begun for kind in allowed_kinds(act, camera.name))
        for camera in venue.cameras
    }


def effect(before: Allowed, after: Allowed) -> str:
    """What changes at the cameras, in words."""
    lost = {camera: kinds - after.get(camera, frozenset()) for camera, kinds in before.items()}
    gained = {camera: kinds - before.get(camera, frozenset()) for camera, kinds in after.items()}
    stopping = [camera for camera, kinds in lost.items() if kinds and not after.get(camera)]
    starting = [camera for camera, kinds in gained.items() if kinds and not before.get(camera)]
    parts = (
        (stopping, "stops", "stop", ""),
        (starting, "starts", "start", ""),
        _partly(lost, stopping, "stops looking for", "stop looking for"),
        _partly(gained, starting, "begins to look for", "begin to look for"),
    )
    said = [f"{_count(cameras)} {one if len(cameras) == 1 else many}{what}" for cameras, one, many, what in parts if cameras]
    return f"{', '.join(said)} within seconds" if said else "nothing changes at the cameras for now"


def _watched(camera: venues_pb2.Camera) -> frozenset[Kind]:
    return frozenset(Kind[kind.upper()] for rule in camera.rules if (kind := rule.WhichOneof("parameters")))


def _partly(changed: Allowed, wholly: Iterable[str], one: str, many: str) -> tuple[list[str], str, str, str]:
    partly = {camera: kinds for camera, kinds in changed.items() if kinds and camera not in wholly}
    kinds = sorted({kind for each in partly.values() for kind in each})
    return list(partly), one, many, f" {' and '.join(kind.name for kind in kinds)}"


def _count(cameras: list[str]) -> str:
    return f"{len(cameras)} camera{'s' if len(cameras) > 1 else ''}"
