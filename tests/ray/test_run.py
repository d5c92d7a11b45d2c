"""`vigie run` as a user starts and stops it."""

import ctypes
import signal
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.eventually import eventually
from tests.ray.command import end_of, running
from tests.ray.world import World
from tools.errors import ExitCode

if TYPE_CHECKING:
    import subprocess

pytestmark = pytest.mark.ray


@pytest.fixture(autouse=True, scope="module")
def orphans_come_to_us() -> None:
    """Has processes whose parents die become children of this one, so that none gets out of sight (Linux: prctl(2))."""
    set_child_subreaper = 36
    assert ctypes.CDLL(None).prctl(set_child_subreaper, 1, 0, 0, 0) == 0


def check_that_nothing_is_left_running(world: World) -> None:
    eventually(lambda: processes() <= {world.service.pid if world.service else 0})


def processes() -> set[int]:
    """Every process that was started from this one, directly or not, and has not ended."""
    alive = [child for child in psutil.Process().children(recursive=True) if child.status() != psutil.STATUS_ZOMBIE]
    return {child.pid for child in alive}


def signals_flow(world: World) -> None:
    count = len(world.recorded())
    eventually(lambda: len(world.recorded()) > count + 3, within_s=60)


def kill_a_shard() -> None:
    """Kills one as soon as there is one: signals flow before that, where an earlier cluster has left some behind."""
    eventually(shards, within_s=60)[0].kill()


def shards() -> list[psutil.Process]:
    children = psutil.Process().children(recursive=True)
    return [child for child in children if child.status() != psutil.STATUS_ZOMBIE and child.name().startswith("ray::Inference")]


def interrupted_again(process: "subprocess.Popen[str]") -> bool:
    """Interrupts a process once more; whether it has ended."""
    process.send_signal(signal.SIGINT)
    return process.poll() is not None


def test_recording_is_played_to_its_end_and_everything_is_recorded(world: World) -> None:
    world.apply_recording("tape", datetime.now(UTC) - timedelta(hours=1))
    with running(world, "--until-ended", "--venue", "arena") as process:
        assert end_of(process) == (0, {"left": 0})
    assert len(world.recorded_of("tape")) > 50
    world.check_that_everything_raised_is_recorded_once()
    assert world.open_signals() == 0
    check_that_nothing_is_left_running(world)


def test_stopping_while_the_service_is_away_leaves_the_signals_for_the_next_run(world: World) -> None:
    world.apply("gate")
    with running(world) as process:
        signals_flow(world)
        world.stop_service(signal.SIGKILL)
        eventually(lambda: len(world.unsettled()) > 3)
        process.send_signal(signal.SIGTERM)
        code, said = end_of(process)
    assert code == 0
    assert said == {"left": len(world.unsettled())}
    assert said["left"] > 3
    check_that_nothing_is_left_running(world)


def test_one_interrupt_stops_in_order_though_a_shard_has_died(world: World) -> None:
    world.start_service()
    world.apply("gate")
    with running(world) as process:
        signals_flow(world)
        kill_a_shard()
        signals_flow(world)
        process.send_signal(signal.SIGINT)
        assert end_of(process) == (0, {"left": 0})
    world.check_that_everything_raised_is_recorded_once()
    assert world.open_signals() == 0
    check_that_nothing_is_left_running(world)


def test_second_interrupt_ends_at_once(world: World) -> None:
    world.apply("gate")
    with running(world) as process:
        signals_flow(world)
        world.stop_service(signal.SIGKILL)
        eventually(world.unsettled)
        process.send_signal(signal.SIGINT)
        eventually(lambda: interrupted_again(process))
        assert process.returncode == ExitCode.FAILED
    check_that_nothing_is_left_running(world)
