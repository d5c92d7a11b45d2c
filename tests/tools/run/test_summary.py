from dataclasses import replace

import pytest

from cluster.reporting.outbox import OutboxCounts
from cluster.reporting.report import CameraReport, CameraState, Ownership
from cluster.runtime.status import ClusterStatus, GroupStatus
from tools.errors import ExitCode
from tools.run.summary import ending, summarize

A, B = "venues/v/cameras/a", "venues/v/cameras/b"
NOTHING = OutboxCounts()


def status(states: dict[str, CameraState], *, outbox: OutboxCounts = NOTHING, held: int = 0) -> ClusterStatus:
    reports = tuple(
        CameraReport(Ownership(camera, 1), state, analysed_rate_hz=5.0, received_rate_hz=25.0) for camera, state in states.items()
    )
    group = GroupStatus("1", 1, "node", 0.0, {}, {}, {}, reports, outbox, held)
    return ClusterStatus(synced=True, assigned=frozenset({A, B}), groups={"group-0": group})


def test_cameras_are_counted_by_state_and_those_without_an_owner_wait() -> None:
    counts = OutboxCounts(pending=2, raised=9, recorded=6, rejected=1)
    summary = summarize(status({A: CameraState.LIVE}, outbox=counts, held=4))
    assert summary.cameras == {"live": 1, "waiting": 1}
    assert (summary.received_rate_hz, summary.analysed_rate_hz) == (25.0, 5.0)
    assert (summary.raised, summary.delivered, summary.pending, summary.held, summary.rejected) == (9, 6, 2, 4, 1)


def test_problems_name_what_is_broken() -> None:
    broken = replace(status({}), problem="UNAVAILABLE: no route", failures={"shard-a-0": "model pack x: is no folder"})
    assert summarize(broken).problems == (
        "assignments cannot be watched: UNAVAILABLE: no route",
        "shard-a-0: model pack x: is no folder",
    )


def test_problems_of_groups_are_told_by_the_group() -> None:
    healthy = status({})
    short = replace(healthy.groups["group-0"], problems=("its shards cannot keep up",))
    assert summarize(replace(healthy, groups={"group-0": short})).problems == ("group-0: its shards cannot keep up",)


def test_supervisor_whose_loop_hangs_is_told_of() -> None:
    (problem,) = summarize(replace(status({}), silent_s=42.0)).problems
    assert problem.startswith("the supervisor has waited for Ray for 42 s")
    assert summarize(replace(status({}), silent_s=2.0)).problems == ()


ENDED = {A: CameraState.ENDED, B: CameraState.ENDED}


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        (status(ENDED), ExitCode.OK),
        (status(ENDED, outbox=OutboxCounts(pending=1)), None),
        (status(ENDED, held=1), None),
        (status({A: CameraState.ENDED, B: CameraState.LIVE}), None),
        (status({A: CameraState.ENDED}), None),
        (status({A: CameraState.ENDED, B: CameraState.MISCONFIGURED}), ExitCode.FAILED),
        (status({A: CameraState.ENDED, B: CameraState.UNAUTHORIZED}), ExitCode.FAILED),
        (ClusterStatus(synced=True), ExitCode.NOT_FOUND),
        (ClusterStatus(), None),
    ],
    ids=["ended", "undelivered", "held", "one plays", "one has no owner", "misconfigured", "unauthorized", "none", "unknown"],
)
def test_recordings_have_ended_when_nothing_is_left_to_play_or_deliver(of: ClusterStatus, expected: ExitCode | None) -> None:
    assert ending(of) is expected
