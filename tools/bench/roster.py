"""Which camera of a benchmark shows what: one in five is busy, and no two are at the same place of a reel."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tools.bench.encoding import Reel
from tools.bench.scenes import RATE_HZ
from tools.evaluate.setting import camera_message
from vigie.names import authorization_name, camera_name, venue_name
from vigie.v1 import authorizations_pb2, venues_pb2, vocabulary_pb2

VENUE = "bench"
BUSY_EVERY = 5
_GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True, slots=True)
class Post:
    """A camera.

    Attributes:
        camera: its id.
        reel: what it shows.
        ahead_s: how far it is ahead of the clock.
    """

    camera: str
    reel: Reel
    ahead_s: float


def roster(reels: Sequence[Reel], cameras: int) -> Iterator[Post]:
    """So many cameras, of which one in five shows a busy reel; each kind of reel is shown in turn."""
    busy = [reel for reel in reels if reel.scene.is_busy]
    quiet = [reel for reel in reels if not reel.scene.is_busy]
    for number in range(cameras):
        turn, place = divmod(number, BUSY_EVERY)
        reel = quiet[(turn * (BUSY_EVERY - 1) + place - 1) % len(quiet)] if place else busy[turn % len(busy)]
        # Multiples of the golden ratio lie apart however many there are. The clock of a camera ticks with its pictures.
        pictures = round(number * _GOLDEN % 1 * reel.length_s * RATE_HZ)
        yield Post(f"camera-{number:03}", reel, pictures / RATE_HZ)


def venue(posts: Sequence[Post], urls: Mapping[str, str], rate_hz: float, now: datetime) -> venues_pb2.Venue:
    """The venue of these cameras, each set to watch for what its label says, with an act that is in force for a day.

    Args:
        posts: its cameras.
        urls: of their streams, by their ids.
        rate_hz: frames of each that are analysed a second.
        now: an aware moment.
    """
    act = authorizations_pb2.Authorization(
        name=authorization_name(VENUE, "bench"),
        reference="bench",
        controller="whoever runs this",
        motive="to measure",
        cameras=[camera_name(VENUE, post.camera) for post in posts],
        kinds=vocabulary_pb2.Kind.values()[1:],
    )
    act.start_time.FromDatetime(now.astimezone(UTC) - timedelta(hours=1))
    act.end_time.FromDatetime(now.astimezone(UTC) + timedelta(days=1))
    return venues_pb2.Venue(
        name=venue_name(VENUE),
        display_name="Bench",
        time_zone="UTC",
        cameras=[_camera(post, urls[post.camera], rate_hz) for post in posts],
        authorizations=[act],
    )


def _camera(post: Post, url: str, rate_hz: float) -> venues_pb2.Camera:
    label = post.reel.scene.label
    camera = camera_message(label, label.watched, rate_hz=rate_hz)
    camera.name, camera.display_name = camera_name(VENUE, post.camera), post.camera
    camera.stream.url = url
    return camera
