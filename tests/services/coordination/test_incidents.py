"""From signals to events: the same, whatever the order in which they arrive."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from uuid_utils.compat import uuid7

from services.coordination.domain.signals import SignalRevision
from services.coordination.store.database import Database
from tests.services.coordination.incidents import CAMERAS, NOW, Record, batched, expected, later, revision
from vigie.vocabulary import Severity

any_order = settings(
    max_examples=40,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
async def record(database_url: str, tmp_path: Path) -> AsyncIterator[Record]:
    database = Database(database_url, now=lambda: NOW)
    await database.migrate()
    yield Record(database, tmp_path)
    await database.close()


@st.composite
def histories(draw: st.DrawFn, cameras: Sequence[str] = CAMERAS, starts: int = 900) -> list[SignalRevision]:
    """All revisions of a signal."""
    start, length = draw(st.integers(0, starts)), draw(st.sampled_from([None, 0, 3, 10, 40, 200]))
    first = replace(
        revision(UUID(int=0), 1, opened_s=start, camera=draw(st.sampled_from(cameras))),
        zone=draw(st.sampled_from(["", "pitch", "fence"])),
        ground_point=draw(st.sampled_from([None, (0.0, 0.0), (4.0, 0.0), (8.0, 0.0), (12.0, 0.0)])),
    )
    moments = [
        start,
        *([start + (length or 5) / 2] if draw(st.booleans()) else []),
        *([] if length is None else [start + length]),
    ]
    return [
        later(
            first, number, moment, closed=length is not None and number == len(moments), severity=draw(st.sampled_from(Severity))
        )
        for number, moment in enumerate(moments, start=1)
    ]


scenes = st.lists(histories(), min_size=1, max_size=14)


def of_venue(scene: list[list[SignalRevision]], venue: str) -> list[SignalRevision]:
    return [replace(each, signal_id=signal_id, venue=venue) for said in scene for signal_id in [uuid7()] for each in said]


@any_order
@given(scenes, st.data())
async def test_any_order_batching_and_repetition_makes_the_same_events(
    record: Record, scene: list[list[SignalRevision]], data: st.DataObject
) -> None:
    venue = await record.new_venue()
    revisions = of_venue(scene, venue)
    again = data.draw(st.lists(st.sampled_from(revisions), max_size=5))
    order = data.draw(st.permutations([*revisions, *again]))
    for group in batched(order, data.draw(st.lists(st.integers(1, 8), max_size=12))):
        (outcome,) = await record.recorder.record(group)
        assert not outcome.rejections
    assert await record.outcomes(venue) == expected(revisions)
