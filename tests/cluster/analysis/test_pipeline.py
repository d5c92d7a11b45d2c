from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.analysis.pipeline import Analysis, CameraPipeline
from cluster.analysis.signals import SignalRevision
from cluster.config import camera_config
from cluster.detections import Detections
from cluster.video.frame import Frame
from tests.cluster.assignments import assignment
from vigie.vocabulary import Kind, ObjectClass

if TYPE_CHECKING:
    from uuid import UUID

ALL = frozenset(Kind)
ON_THE_ROAD = (430, 200, 460, 300)
OFF_THE_ROAD = (30, 400, 60, 500)
SCALE = 416 / 768


def frame(time_s: float) -> Frame:
    picture = np.zeros((312, 416, 3), np.uint8)
    return Frame(time_s, picture, 768, 576, lambda: picture)


def seen(*boxes: tuple[float, float, float, float]) -> Detections:
    """People in pixels of the frame's picture, given in pixels of the camera's picture size."""
    return Detections(
        np.array(boxes, np.float32).reshape(-1, 4) * np.float32(SCALE),
        np.full(len(boxes), 0.8, np.float32),
        np.full(len(boxes), ObjectClass.PERSON, np.int16),
    )


def pipeline() -> CameraPipeline:
    return CameraPipeline(camera_config(assignment()))


def step(subject: CameraPipeline, time_s: float, detections: Detections, permitted: frozenset[Kind] = ALL) -> Analysis:
    return subject.step(frame(time_s), detections, permitted)


def play(subject: CameraPipeline, times_s: list[float], detections: Detections) -> list[SignalRevision]:
    return [revision for time_s in times_s for revision in step(subject, time_s, detections).revisions]


def fifths(start_s: float, end_s: float) -> list[float]:
    return [place / 5 for place in range(round(start_s * 5), round(end_s * 5))]


def test_revisions_of_a_signal_rise_from_one() -> None:
    subject = pipeline()

    first, last = play(subject, fifths(0, 4), seen(ON_THE_ROAD)) + play(subject, fifths(4, 10), seen(OFF_THE_ROAD))

    assert (first.revision, last.revision) == (1, 2)
    assert first.signal_id == last.signal_id
    assert (first.kind, first.zone) == (Kind.ZONE_INTRUSION, "road")
    assert first.opened_s == first.updated_s == last.opened_s
    assert first.closed_s is None
    assert last.closed_s == last.updated_s > first.opened_s


def test_detections_are_scaled_to_the_picture_size_of_the_camera() -> None:
    scene = step(pipeline(), 0, seen(ON_THE_ROAD)).scene

    np.testing.assert_allclose(scene.detections.boxes, [ON_THE_ROAD], atol=1e-3)


def test_signal_id_is_a_version_7_uuid_of_its_opening_time() -> None:
    (opened,) = play(pipeline(), [1_795_000_000 + time_s for time_s in fifths(0, 2)], seen(ON_THE_ROAD))

    assert opened.signal_id.version == 7
    assert opened.signal_id.variant == "specified in RFC 4122"
    assert opened.signal_id.int >> 80 == round(opened.opened_s * 1000)


def test_same_frames_give_the_same_revisions() -> None:
    def revisions() -> list[SignalRevision]:
        subject = pipeline()
        return play(subject, fifths(0, 4), seen(ON_THE_ROAD)) + play(subject, fifths(4, 10), seen())

    assert revisions() == revisions()


def test_other_moments_and_cameras_give_other_ids() -> None:
    other = assignment()
    other.camera.name = "venues/park/cameras/other"

    ids = {
        play(pipeline(), fifths(0, 2), seen(ON_THE_ROAD))[0].signal_id,
        play(pipeline(), fifths(10, 12), seen(ON_THE_ROAD))[0].signal_id,
        play(CameraPipeline(camera_config(other)), fifths(0, 2), seen(ON_THE_ROAD))[0].signal_id,
    }

    assert len(ids) == 3


def test_kind_that_is_no_longer_permitted_is_closed_and_not_watched() -> None:
    subject = pipeline()
    (opened,) = play(subject, fifths(0, 2), seen(ON_THE_ROAD))

    (closed,) = step(subject, 2, seen(ON_THE_ROAD), frozenset({Kind.CROWD_DENSITY})).revisions
    after = [step(subject, time_s, seen(ON_THE_ROAD), frozenset({Kind.CROWD_DENSITY})).revisions for time_s in fifths(2.2, 6)]

    assert (closed.signal_id, closed.revision, closed.closed_s) == (opened.signal_id, 2, 2)
    assert closed.reason == "no act in force allows ZONE_INTRUSION here"
    assert not any(after)


def test_rule_that_needs_no_time_is_not_run_for_a_single_frame_without_a_permission() -> None:
    message = assignment()
    message.camera.rules[0].zone_intrusion.dwell.FromSeconds(0)
    subject = CameraPipeline(camera_config(message))

    others = frozenset({Kind.CROWD_DENSITY})
    found = [step(subject, time_s, seen(ON_THE_ROAD), others) for time_s in fifths(0, 2)]

    assert any(len(analysis.scene.tracks) for analysis in found)
    assert not any(analysis.revisions for analysis in found)
    assert step(subject, 2, seen(ON_THE_ROAD)).revisions


def test_nothing_is_tracked_without_a_permitted_kind() -> None:
    subject = pipeline()

    for time_s in fifths(0, 2):
        analysis = step(subject, time_s, seen(ON_THE_ROAD), frozenset({Kind.FIRE}))
        assert (len(analysis.scene.tracks), len(analysis.scene.detections), analysis.revisions) == (0, 0, ())


def test_dwell_begins_anew_when_a_kind_is_permitted_again() -> None:
    subject = pipeline()
    play(subject, fifths(0, 1), seen(ON_THE_ROAD))
    step(subject, 1, seen(ON_THE_ROAD), frozenset())

    (opened,) = play(subject, fifths(1.2, 4), seen(ON_THE_ROAD))

    assert opened.opened_s > 2


@pytest.mark.parametrize(
    ("next_s", "reason"), [(1.0, "frames went back by 1.8 s"), (2.8, "frames went back by 0.0 s"), (9.0, "no frame for 6.2 s")]
)
def test_jump_of_time_closes_what_is_open_and_begins_anew(next_s: float, reason: str) -> None:
    subject = pipeline()
    (opened,) = play(subject, fifths(0, 3), seen(ON_THE_ROAD))

    (closed,) = step(subject, next_s, seen(ON_THE_ROAD)).revisions

    assert (closed.signal_id, closed.closed_s, closed.reason) == (opened.signal_id, 2.8, reason)
    (again,) = play(subject, [next_s + time_s for time_s in fifths(0.2, 3)], seen(ON_THE_ROAD))
    assert again.signal_id != opened.signal_id


def test_reset_closes_what_is_open() -> None:
    subject = pipeline()
    play(subject, fifths(0, 3), seen(ON_THE_ROAD))

    (closed,) = subject.reset(3.5)

    assert (closed.revision, closed.closed_s, closed.reason) == (2, 3.5, "the camera's analysis was stopped")
    assert subject.reset(4) == ()


def test_signal_never_closes_before_its_last_revision() -> None:
    subject = pipeline()
    (opened,) = play(subject, fifths(0, 3), seen(ON_THE_ROAD))

    assert subject.reset(0)[0].closed_s == opened.opened_s


boxes = st.tuples(st.floats(0, 700), st.floats(0, 500), st.floats(1, 60), st.floats(1, 70)).map(
    lambda box: (box[0], box[1], box[0] + box[2], box[1] + box[3])
)


@given(st.lists(st.tuples(st.floats(-7, 7), st.lists(boxes, max_size=4), st.booleans()), max_size=30))
def test_whatever_comes_every_signal_is_told_in_order(frames: list[tuple[float, list[tuple[float, ...]], bool]]) -> None:
    subject, time_s = pipeline(), 100.0
    told: dict[UUID, list[SignalRevision]] = {}
    for elapsed_s, people, is_permitted in frames:
        time_s += elapsed_s
        people_seen = seen(*people)  # type: ignore[arg-type]
        for revision in step(subject, time_s, people_seen, ALL if is_permitted else frozenset()).revisions:
            told.setdefault(revision.signal_id, []).append(revision)

    for revision in subject.reset(time_s):
        told[revision.signal_id].append(revision)
    for revisions in told.values():
        assert [revision.revision for revision in revisions] == list(range(1, len(revisions) + 1))
        assert [revision.closed_s is not None for revision in revisions] == [False] * (len(revisions) - 1) + [True]
