"""What a simulated cluster reports: incidents that several cameras see, late, repeated and out of order as they come. Pure.

The same seed gives the same signals.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from tools.rehearsal.site import KINDS, ZONES, camera_name
from vigie.v1 import signals_pb2, vocabulary_pb2

BATCH = 32
SPAN = timedelta(hours=24)
_LATE_SHARE, _LATEST = 0.05, timedelta(minutes=5)
_REPEATED_SHARE = 0.03
_LEFT_OPEN_SHARE = 0.005
_UPDATED_SHARE = 0.5
_SITE_M = 400.0


@dataclass(frozen=True, slots=True)
class Script:
    """What one cluster does.

    Attributes:
        seed: of all that is random.
        venue: number of the cluster's venue.
        cameras: of the venue.
        signals: how many it raises.
        end_time: before which all of it happens.
    """

    seed: int
    venue: int
    cameras: int
    signals: int
    end_time: datetime

    def batches(self) -> Iterator[list[signals_pb2.Signal]]:
        """Its batches in the order in which they are sent."""
        sent = self.sendings()
        for start in range(0, len(sent), BATCH):
            yield sent[start : start + BATCH]

    def sendings(self) -> list[signals_pb2.Signal]:
        """All revisions in the order in which they are sent, some of them late and some twice."""
        random = Random(f"{self.seed}/{self.venue}")  # noqa: S311 - these signals hide nothing
        due: list[tuple[float, signals_pb2.Signal]] = []
        for revision in self._revisions(random):
            raised_s = revision.raise_time.ToNanoseconds() / 1e9
            for _ in range(2 if random.random() < _REPEATED_SHARE else 1):
                late_s = random.uniform(0, _LATEST.total_seconds()) if random.random() < _LATE_SHARE else 0.0
                due.append((raised_s + late_s, revision))
        return [revision for _, revision in sorted(due, key=lambda each: each[0])]

    def _revisions(self, random: Random) -> Iterator[signals_pb2.Signal]:
        """Incidents, each seen by one to four signals of near cameras and zones, until there are enough."""
        left = self.signals
        while left:
            seen = min(left, random.choice((1, 1, 2, 3, 4)))
            left -= seen
            began = self.end_time - timedelta(seconds=random.uniform(600, SPAN.total_seconds()))
            place, kind = (random.uniform(0, _SITE_M), random.uniform(0, _SITE_M)), random.choice(KINDS)
            camera = random.randrange(self.cameras)
            for index in range(seen):
                opened = began + timedelta(seconds=index * random.uniform(0, 25))
                yield from self._signal(random, kind, (camera + index) % self.cameras, place, opened)

    def _signal(
        self,
        random: Random,
        kind: "vocabulary_pb2.Kind.ValueType",
        camera: int,
        place: tuple[float, float],
        opened: datetime,
    ) -> Iterator[signals_pb2.Signal]:
        lasts = timedelta(seconds=random.uniform(2, 60))
        first = signals_pb2.Signal(
            signal_id=str(_uuid7(opened, random)),
            revision=1,
            camera=camera_name(self.venue, camera),
            incarnation=1,
            sequence=1,
            kind=kind,
            zone=random.choice(ZONES),
            severity=vocabulary_pb2.SEVERITY_NOTICE,
            score=round(random.uniform(0.5, 1), 3),
            reason="a person in the zone for 1.2 s",
            open_time=_timestamp(opened),
            update_time=_timestamp(opened),
            raise_time=_timestamp(opened + timedelta(seconds=0.2)),
            box=signals_pb2.Box(x0=10, y0=20, x1=30, y1=80),
        )
        if random.random() < 0.5:
            first.ground_point.x_m, first.ground_point.y_m = (at_m + random.uniform(-3, 3) for at_m in place)
        yield first
        number = 1
        if random.random() < _UPDATED_SHARE:
            number = 2
            yield _revised(first, number, opened + lasts / 2)
        if random.random() >= _LEFT_OPEN_SHARE:
            yield _revised(first, number + 1, opened + lasts, closes=True)


def _revised(first: signals_pb2.Signal, number: int, moment: datetime, *, closes: bool = False) -> signals_pb2.Signal:
    revision = signals_pb2.Signal()
    revision.CopyFrom(first)
    revision.revision = revision.sequence = number
    revision.severity = vocabulary_pb2.SEVERITY_WARNING
    revision.update_time.CopyFrom(_timestamp(moment))
    revision.raise_time.CopyFrom(_timestamp(moment + timedelta(seconds=0.2)))
    if closes:
        revision.close_time.CopyFrom(_timestamp(moment))
    return revision


def _uuid7(moment: datetime, random: Random) -> UUID:
    """RFC 9562, section 5.7: 48 bits of milliseconds, then the version, the variant and 74 random bits."""
    milliseconds = int(moment.timestamp() * 1000)
    bits = milliseconds << 80 | 7 << 76 | random.getrandbits(12) << 64 | 0b10 << 62 | random.getrandbits(62)
    return UUID(int=bits)


def _timestamp(moment: datetime) -> Timestamp:
    message = Timestamp()
    message.FromDatetime(moment)
    return message
