import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import pytest

from tools.demo.scene import CLIP, CLIP_LENGTH, recording_start, venue_text
from tools.venue_file import load_venue
from vigie.v1 import venues_pb2

NOW = datetime(2026, 11, 28, 0, 0, 20, 500_000, tzinfo=UTC)
START = datetime(2026, 11, 27, 23, 59, 46, tzinfo=UTC)


def written(folder: Path, start_time: datetime, now: datetime) -> venues_pb2.Venue:
    path = folder / "venue.yaml"
    path.write_text(venue_text(start_time, now))
    return load_venue(path).venue


@pytest.mark.parametrize("age", [timedelta(0), timedelta(days=27), timedelta(days=28), timedelta(days=400)])
def test_act_is_in_force_whenever_the_demo_is_run(age: timedelta, tmp_path: Path) -> None:
    (act,) = written(tmp_path, START, NOW + age).authorizations

    assert act.start_time.ToDatetime(UTC) <= NOW + age < act.end_time.ToDatetime(UTC)


def test_act_lasts_four_weeks_from_the_day_of_the_recording(tmp_path: Path) -> None:
    (act,) = written(tmp_path, START, NOW).authorizations

    assert act.start_time.ToDatetime(UTC) == datetime(2026, 11, 27, tzinfo=UTC)
    assert act.end_time.ToDatetime(UTC) == datetime(2026, 12, 25, tzinfo=UTC)


def test_recording_is_over_when_the_demo_begins_and_keeps_its_time(tmp_path: Path) -> None:
    record = tmp_path / "recording-start"

    first = recording_start(record, NOW)

    assert first == START
    assert first + CLIP_LENGTH <= NOW
    assert recording_start(record, NOW + timedelta(days=40)) == first


@pytest.mark.parametrize("content", ["", "yesterday", "2026-11-27T23:00:00", "2030-01-01T00:00:00+00:00"])
def test_recorded_start_that_cannot_be_is_replaced(content: str, tmp_path: Path) -> None:
    record = tmp_path / "recording-start"
    record.write_text(content)

    assert recording_start(record, NOW) == START


def test_clip_is_the_one_whose_provenance_is_told() -> None:
    provenance = (CLIP.parent / "PROVENANCE.md").read_text()

    assert hashlib.sha256(CLIP.read_bytes()).hexdigest() in provenance
    assert CLIP.stat().st_size <= 3_000_000


def test_clip_is_as_long_and_as_large_as_the_scene_says(tmp_path: Path) -> None:
    (camera,) = written(tmp_path, START, NOW).cameras
    with av.open(CLIP) as clip:
        stream = clip.streams.video[0]
        frames = sum(1 for _ in clip.decode(stream))

        assert frames / 10 == CLIP_LENGTH.total_seconds()
        assert (stream.width, stream.height) == (camera.picture_size.width, camera.picture_size.height)
