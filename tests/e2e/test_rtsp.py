"""A live camera from its RTSP server to recorded events, while that server dies and freezes."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.site import Health, Site, running_site
from tests.eventually import eventually
from tests.rtsp.camera import RtspCamera
from tests.rtsp.loop import write_loop
from tools.demo.scene import CLIP

pytestmark = [pytest.mark.ray, pytest.mark.rtsp]

SEVERAL_ATTEMPTS = timedelta(seconds=8)
"""So long after a camera has gone, the pauses between attempts to reach it are at their longest."""


@pytest.fixture(scope="module")
def site(gstreamer: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The demo's lawn as a live camera that all tests share."""
    folder = tmp_path_factory.mktemp("site")
    with RtspCamera(clip=write_loop(CLIP, folder / "clip.mp4", times=8)) as camera, running_site(folder, camera) as site:
        yield site


def test_live_camera_is_analysed_and_its_events_come(site: Site) -> None:
    live_with_signals_open(site)
    (event, *_) = map(json.loads, site.vigie("events", "list", "--json").splitlines())
    assert (event["kind"], event["cameras"]) == ("KIND_ZONE_INTRUSION", ["venues/campus/cameras/lawn"])
    site.check_that_nothing_is_lost_or_doubled()


def test_killed_camera_is_live_within_5_s_of_its_return(site: Site) -> None:
    live_with_signals_open(site)
    site.camera.kill()
    gone = site.health_when("UNREACHABLE", lambda health: moment(health, "report") - moment(health, "state") > SEVERAL_ATTEMPTS)
    assert "nothing listens on port" in gone["detail"]
    left_open = site.open_signals()

    site.camera.start()
    returned = datetime.now(UTC)
    back = site.health_when("LIVE", lambda health: analysed(health) > analysed(gone))
    assert moment(back, "state") - returned < timedelta(seconds=5)
    eventually(lambda: not left_open & site.open_signals())
    site.check_that_nothing_is_lost_or_doubled()


def test_frozen_camera_is_shown_as_stalled_within_10_s_and_is_live_again_once_it_thaws(site: Site) -> None:
    live_with_signals_open(site)
    site.camera.freeze()
    frozen = datetime.now(UTC)
    stalled = site.health_when("STALLED")
    assert datetime.now(UTC) - frozen < timedelta(seconds=10)
    assert "restart the camera" in stalled["detail"]
    assert "stalled" in site.vigie("cameras")
    site.health_when("STALLED", lambda health: "takes connections, but did not answer" in health["detail"])
    left_open = site.open_signals()

    site.camera.thaw()
    site.health_when("LIVE", lambda health: analysed(health) > analysed(stalled))
    eventually(lambda: not left_open & site.open_signals())
    site.check_that_nothing_is_lost_or_doubled()


def test_stopped_cluster_leaves_nothing_open_or_behind(site: Site) -> None:
    live_with_signals_open(site)
    site.stop_cluster()
    site.check_that_nothing_is_lost_or_doubled()
    assert not site.open_signals()
    events = map(json.loads, site.vigie("events", "list", "--json", "--limit", "1000").splitlines())
    assert sum(event["signal_count"] for event in events) == len({signal_id for signal_id, _ in site.recorded()})


def live_with_signals_open(site: Site) -> None:
    """Waits until frames are analysed and signals are open."""
    before = site.health_when("LIVE")
    site.health_when("LIVE", lambda health: analysed(health) > analysed(before))
    eventually(site.open_signals)


def analysed(health: Health) -> int:
    return int(health["analysed_frames"])


def moment(health: Health, of: str) -> datetime:
    return datetime.fromisoformat(health[f"{of}_time"])
