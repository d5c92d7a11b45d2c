"""`vigie bench control`: what supervising costs a camera, from a hundred of them to a hundred thousand, without decoding any."""

import gc
import json
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from statistics import median
from typing import Annotated

import psutil
import typer
from rich import box
from rich.console import Console
from rich.table import Table

from cluster.placement import Node
from cluster.reporting.client import AssignmentBook
from cluster.runtime.collector import collect_seldom
from cluster.runtime.supervision_loop import Plan, SupervisionLoop
from tools.bench.simulated_fleet import SimulatedFleet
from tools.connection import AsJson
from tools.display import console
from vigie.names import camera_name
from vigie.v1 import assignment_service_pb2, assignments_pb2, venues_pb2, vocabulary_pb2

SIZES = (185, 1_000, 10_000, 100_000)
FLAT_SIZES = (1_000, 100_000)
CAMERAS_PER_VENUE = 100
CAMERAS_PER_NODE = 64
CAMERAS_PER_GROUP = 8
ARRIVING_TOGETHER = 256
STEADY_STEPS = 5
MOST_STEPS = 50


@dataclass(frozen=True, slots=True)
class Figures:
    """What so many cameras cost the process of the supervisor.

    Attributes:
        cameras: how many.
        assigning_cpu_s: CPU seconds in which all assignments are read from their messages.
        starting_cpu_s: in which a supervisor that finds nothing starts all groups and gives all cameras to them.
        longest_step_cpu_s: of these, in the step that took most: that in which every camera is placed and given.
        steady_cpu_s: of a step in which nothing is to be done, the median.
        node_lost_cpu_s: in which the cameras of a node that is lost are given to others.
        memory_bytes: that a camera takes: its assignment and what is known of it.
    """

    cameras: int
    assigning_cpu_s: float
    starting_cpu_s: float
    longest_step_cpu_s: float
    steady_cpu_s: float
    node_lost_cpu_s: float
    memory_bytes: float


def control(
    sizes: Annotated[list[int] | None, typer.Option("--cameras", min=1, max=1_000_000, help="How many; may be repeated.")] = None,
    as_json: AsJson = False,
) -> None:
    """Measures what the supervisor costs a camera: the messages of its assignment, its placement, and each step after that.

    Everything of the supervisor's process is there but Ray's part of its calls; what groups say is unpickled as it would be. Each
    number of cameras has processes of its own, one for time and one for memory.

    Example: vigie bench control --cameras 1000 --cameras 10000
    """
    found = []
    with Console(stderr=True).status("") as status:
        for count in sizes or SIZES:
            status.update(f"{count:,} cameras")
            found.append(Figures(count, **_in_a_process("time", count), **_in_a_process("memory", count)))
    if as_json:
        print(json.dumps({"figures": [asdict(figures) for figures in found], "cost_of_most_to_few": _flatness(found)}))
    else:
        _print(found)


def measured_time(count: int) -> dict[str, float]:
    """What so many cameras take, in CPU seconds; see Figures."""
    book, messages = AssignmentBook(), list(_messages(count))
    assigning_cpu_s = sum(_cpu_s(lambda message=message: _hear(book, message)) for message in messages)  # type: ignore[misc]
    fleet, loop = _supervised(book, count)
    gc.collect()
    starting = list(_until_settled(fleet, loop))
    steady = [_step_cpu_s(fleet, loop) for _ in range(STEADY_STEPS)]
    fleet.lose(fleet.machines[0].node_id)
    return {
        "assigning_cpu_s": assigning_cpu_s,
        "starting_cpu_s": sum(starting),
        "longest_step_cpu_s": max(starting),
        "steady_cpu_s": median(steady),
        "node_lost_cpu_s": sum(_until_settled(fleet, loop)),
    }


def measured_memory(count: int) -> dict[str, float]:
    """What so many cameras take, in bytes a camera: assignments by the size of the process, the rest by what Python allocates."""
    book, before_bytes = AssignmentBook(), psutil.Process().memory_info().rss
    for message in _messages(count):
        _hear(book, message)
    gc.collect()
    assignments_bytes = psutil.Process().memory_info().rss - before_bytes
    fleet, loop = _supervised(book, count)
    tracemalloc.start()
    for _ in _until_settled(fleet, loop):
        pass
    vars(fleet).update(statuses={}, orders=[], _said={})
    gc.collect()
    return {"memory_bytes": (assignments_bytes + tracemalloc.get_traced_memory()[0]) / count}


def _supervised(book: AssignmentBook, count: int) -> tuple[SimulatedFleet, SupervisionLoop]:
    nodes = tuple(Node(f"{index:056x}"[::-1], 16) for index in range(max(count // CAMERAS_PER_NODE, 2)))
    fleet = SimulatedFleet(nodes)
    plan = Plan(CAMERAS_PER_GROUP, cpus_for_inference=1)
    return fleet, SupervisionLoop(fleet, book.assignments, lambda: 60.0, plan, now=time.time, clock=time.monotonic)


def _until_settled(fleet: SimulatedFleet, loop: SupervisionLoop) -> Iterator[float]:
    """CPU seconds of each step until one changes nothing."""
    for _ in range(MOST_STEPS):
        yield _step_cpu_s(fleet, loop)
        if not fleet.orders:
            return
    raise RuntimeError(f"the supervisor comes to no end within {MOST_STEPS} steps")


def _step_cpu_s(fleet: SimulatedFleet, loop: SupervisionLoop) -> float:
    fleet.catch_up()
    return _cpu_s(loop.step)


def _cpu_s(work: Callable[[], None]) -> float:
    start_s = time.process_time()
    work()
    return time.process_time() - start_s


def _hear(book: AssignmentBook, message: bytes) -> None:
    book.apply(assignment_service_pb2.WatchAssignmentsResponse.FromString(message))
    book.assignments()


def _messages(count: int) -> Iterator[bytes]:
    for start in range(0, count, ARRIVING_TOGETHER):
        numbers = range(start, min(start + ARRIVING_TOGETHER, count))
        response = assignment_service_pb2.WatchAssignmentsResponse(
            assignments=[_assignment(number) for number in numbers], synced=numbers.stop == count
        )
        yield response.SerializeToString()


def _assignment(number: int) -> assignments_pb2.Assignment:
    name = camera_name(f"venue-{number // CAMERAS_PER_VENUE:04}", f"camera-{number:06}")
    message = assignments_pb2.Assignment(time_zone="Europe/Paris")
    camera = message.camera
    camera.name, camera.stream.url = name, f"rtsp://10.0.0.1/{number}"
    camera.picture_size.width, camera.picture_size.height = 704, 576
    corners = ((100, 50), (600, 50), (600, 550), (100, 550))
    camera.zones.add(id="gate").polygon.points.extend(venues_pb2.Point(x=x, y=y) for x, y in corners)
    camera.rules.add().zone_intrusion.zone = "gate"
    act = message.authorizations.add(reference="2026-1", cameras=[name], kinds=[vocabulary_pb2.KIND_ZONE_INTRUSION])
    act.start_time.FromSeconds(0)
    act.end_time.FromSeconds(2_000_000_000)
    return message


def _in_a_process(what: str, count: int) -> dict[str, float]:
    command = [sys.executable, "-m", "tools.bench.control", what, str(count)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)  # noqa: S603 - this module
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _flatness(found: list[Figures]) -> dict[str, float]:
    """What a camera costs among the most in what it costs among few."""
    few, most = ([figures for figures in found if figures.cameras == size] for size in FLAT_SIZES)
    if not few or not most:
        return {}
    costs = ("assigning_cpu_s", "starting_cpu_s", "steady_cpu_s")
    return {name: _each(most[0], name) / _each(few[0], name) for name in costs}


def _each(figures: Figures, name: str) -> float:
    return float(getattr(figures, name)) / figures.cameras


def _print(found: list[Figures]) -> None:
    table = Table("CPU-ms a camera", *(f"{figures.cameras:,}" for figures in found), box=box.SIMPLE)
    for title, name in (
        ("assignments read", "assigning_cpu_s"),
        ("all started and given", "starting_cpu_s"),
        ("a step with nothing to do", "steady_cpu_s"),
    ):
        table.add_row(title, *(f"{1000 * _each(figures, name):.4f}" for figures in found))
    table.add_row("longest step, CPU-s", *(f"{figures.longest_step_cpu_s:.3f}" for figures in found))
    table.add_row("a node lost, CPU-s", *(f"{figures.node_lost_cpu_s:.3f}" for figures in found))
    table.add_row("memory, KiB a camera", *(f"{figures.memory_bytes / 1024:.1f}" for figures in found))
    console().print(table)


if __name__ == "__main__":
    collect_seldom()
    print(json.dumps({"time": measured_time, "memory": measured_memory}[sys.argv[1]](int(sys.argv[2]))))
