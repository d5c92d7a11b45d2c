import json
import sys

import pytest

from cluster.reporting.outbox import OutboxCounts
from cluster.reporting.report import CameraReport, CameraState, Ownership
from cluster.runtime.status import ClusterStatus, GroupStatus
from tools.display import console
from tools.run.display import Display, JsonLines, PlainLines, camera_table, farewell, sentence
from tools.run.summary import summarize

CAMERA = "venues/v/cameras/a"


def status(state: CameraState, **numbers: float) -> ClusterStatus:
    report = CameraReport(Ownership(CAMERA, 1), state, detail="no frame for 5 s", dropped={"stale": 3}, **numbers)  # type: ignore[arg-type]
    counts = OutboxCounts(pending=1, raised=4, recorded=2, rejected=1)
    group = GroupStatus("1", 1, "node", 0.0, {}, {}, {}, (report,), counts, 0)
    return ClusterStatus(synced=True, assigned=frozenset({CAMERA}), groups={"group-0": group})


def shown(display: Display, capsys: pytest.CaptureFixture[str], *statuses: ClusterStatus | None) -> str:
    for each in statuses:
        display.show(each)
    return capsys.readouterr().out


def test_json_is_an_object_a_status(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(JsonLines(sys.stdout), capsys, status(CameraState.LIVE), None).splitlines()
    first, second = map(json.loads, lines)
    assert (first["cameras"], first["delivered"], first["pending"]) == ({"live": 1}, 2, 1)
    assert second == {"problems": ["the supervisor does not answer"]}


def test_lines_come_when_a_state_changes_and_not_with_every_frame(capsys: pytest.CaptureFixture[str]) -> None:
    calm = [status(CameraState.LIVE, analysed_rate_hz=rate) for rate in (1.0, 2.0, 3.0)]
    lines = shown(PlainLines(sys.stdout), capsys, *calm, status(CameraState.STALLED), None).splitlines()
    assert [line.split(";")[0] for line in lines] == [
        "cameras: 1 live",
        "cameras: 1 stalled",
        "the supervisor does not answer",
    ]
    assert "2 of 4 recorded, 1 waiting, 1 rejected" in lines[0]


def test_lines_come_now_and_then_without_a_cause(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(shown(PlainLines(sys.stdout), capsys, *[status(CameraState.LIVE)] * 21).splitlines()) == 3


def test_table_names_each_camera_and_what_is_wrong_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    console().print(camera_table(status(CameraState.STALLED)))
    text = capsys.readouterr().out
    for part in (CAMERA, "stalled", "no frame for 5 s", "stale 3"):
        assert part in text


def test_camera_that_is_slowed_down_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    rates = {"analysed_rate_hz": 3.0, "target_rate_hz": 3.25}
    console().print(camera_table(status(CameraState.LIVE, wanted_rate_hz=5.0, **rates)))
    console().print(camera_table(status(CameraState.LIVE, wanted_rate_hz=3.25, **rates)))
    slowed, as_wanted = capsys.readouterr().out.split(CAMERA)[1:]
    assert "3.0 of 3.25 (5 wanted)" in slowed
    assert "wanted" not in as_wanted


def test_nothing_is_said_of_cameras_before_the_service_was_heard() -> None:
    assert sentence(summarize(ClusterStatus())) == "waiting for the coordination service"


@pytest.mark.parametrize(
    ("left", "words"), [(0, "all signals are recorded"), (7, "7 revisions of signals wait on disk"), (None, "not in order")]
)
def test_end_says_what_is_left(left: int | None, words: str) -> None:
    assert words in farewell(left)
