"""The head of a Ray cluster is lost: cameras go on without it, and `vigie run` brings back whoever looks after them."""

import json
import secrets
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from cluster.runtime.names import HEADLESS, HEALTH_CHECKS, PROCESSES, is_listening
from tests.eventually import eventually
from tests.ray.command import running
from tests.ray.world import World
from tools.rehearsal.daemon import Daemon
from vigie.v1.camera_service_pb2 import ListCamerasRequest
from vigie.v1.camera_service_pb2_grpc import CameraServiceStub
from vigie.v1.cameras_pb2 import CAMERA_STATE_LIVE, CameraHealth

pytestmark = pytest.mark.ray

CAMERAS = ("gate-1", "gate-2")
_RAY = str(Path(sys.executable).with_name("ray"))


class Machine:
    """A node of a Ray cluster under an address of its own, kept running by nobody but the test."""

    def __init__(self, world: World, host: str, *options: str) -> None:
        # Sockets stand below it, whose paths have room for a hundred letters.
        self._folder = Path(tempfile.mkdtemp(prefix="vigie-ray-"))
        settings = {f"RAY_{name}": str(value) for name, value in (PROCESSES | HEADLESS).items()}
        usual = ("--block", "--disable-usage-stats", "--node-ip-address", host, "--object-store-memory", "80000000")
        self._options = [_RAY, "start", *usual, *options]
        self._environment = {**world.environment, **settings}
        self._lives = 0
        self.start()

    def start(self) -> None:
        """Starts it with nothing left of what it was before."""
        self._lives += 1
        place = self._folder / str(self._lives)
        self._daemon = Daemon(
            "ray", [*self._options, "--temp-dir", str(place)], log=self._folder / "log", environment=self._environment
        )
        self._daemon.start()

    def lose(self) -> None:
        """Ends all that runs on it at once."""
        self._daemon.kill()
        for process in psutil.process_iter(["cmdline"]):
            if any(str(self._folder) in part for part in process.info["cmdline"] or ()):
                process.kill()

    def remove(self) -> None:
        self.lose()
        shutil.rmtree(self._folder, ignore_errors=True)


class Cluster:
    """A head on which nothing works, and a machine that does."""

    def __init__(self, world: World) -> None:
        with closing(socket.socket()) as probe:
            probe.bind(("127.0.0.2", 0))
            self.address = f"127.0.0.2:{probe.getsockname()[1]}"
        port = self.address.partition(":")[2]
        checks = json.dumps(HEALTH_CHECKS)
        self.head = Machine(
            world,
            "127.0.0.2",
            "--head",
            "--port",
            port,
            "--num-cpus",
            "0",
            "--include-dashboard",
            "false",
            "--system-config",
            checks,
        )
        eventually(lambda: is_listening(self.address), within_s=30)
        self.worker = Machine(world, "127.0.0.3", "--address", self.address, "--num-cpus", "1")


@pytest.fixture
def nodes(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    monkeypatch.setenv("RAY_AUTH_MODE", "token")  # by which machines, and whoever joins, know each other
    monkeypatch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
    nodes = Cluster(world)
    yield nodes
    nodes.worker.remove()
    nodes.head.remove()


def live(world: World) -> dict[str, CameraHealth]:
    """What is said of each camera, where all are analysed."""
    with world.channel() as channel:
        statuses = CameraServiceStub(channel).ListCameras(ListCamerasRequest(parent="venues/arena"), timeout=10).cameras
    healths = {status.camera.name: status.health for status in statuses}
    are_live = len(healths) == len(CAMERAS) and all(
        health.state == CAMERA_STATE_LIVE and health.analysed_frames > 5 for health in healths.values()
    )
    return healths if are_live else {}


def newer(world: World, than: dict[str, CameraHealth]) -> bool:
    """Whether all cameras are analysed by newer owners."""
    now = live(world)
    return bool(now) and all(now[camera].incarnation > than[camera].incarnation for camera in than)


def test_cameras_go_on_without_a_head_and_a_new_one_is_made_to_look_after_them(world: World, nodes: Cluster) -> None:
    world.apply(*CAMERAS)
    with running(world, "--ray-address", nodes.address) as run:
        before = eventually(lambda: live(world), within_s=90)

        nodes.head.lose()
        count = len(world.recorded())
        eventually(lambda: len(world.recorded()) > count + 10, within_s=60)
        assert {health.incarnation for health in live(world).values()} == {health.incarnation for health in before.values()}

        # It forgot all it knew: the machine that works belongs to a cluster which is no more, and is started anew as well.
        nodes.head.start()
        eventually(lambda: is_listening(nodes.address), within_s=30)
        nodes.worker.lose()
        nodes.worker.start()
        eventually(lambda: newer(world, before), within_s=120)
        assert run.poll() is None
    world.check_that_everything_raised_is_recorded_once()
