"""What is to be analysed, as the pure part of the supervisor wants to know it."""

from collections.abc import Mapping
from hashlib import sha256

from cluster.placement import Demand
from cluster.supervision import Task
from vigie.v1 import assignments_pb2

Assignments = Mapping[str, assignments_pb2.Assignment]

# What a camera is taken to cost until its group has measured it: 25 pictures a second are decoded, and some of them analysed.
DECODED_HZ = 25.0
COST_A_PIXEL_S = 4.5e-9
ANALYSIS_COST = 0.02


class Wishes:
    """The cameras that are to be analysed, by their names; what is derived of an assignment is kept until it changes.

    Attributes:
        tasks: what each is to be analysed for; None while that is not known.
        demands: where each is to be, and what it costs.
        version: another whenever something but a cost has changed.
    """

    def __init__(self) -> None:
        self.tasks: dict[str, Task] | None = None
        self.demands: dict[str, Demand] = {}
        self.version = 0
        self._seen: Assignments = {}

    def learn(self, assignments: Assignments | None) -> None:
        """Takes in what is assigned now; None: it is not known any more or not yet."""
        if assignments is None or self.tasks is None:
            self.tasks, self.demands, self._seen = None if assignments is None else {}, {}, {}
            self.version += 1
        if assignments is None or self.tasks is None or assignments is self._seen:
            return
        self.version += 1
        for camera in self._seen.keys() - assignments.keys():
            del self.tasks[camera], self.demands[camera]
        for camera, assignment in assignments.items():
            if self._seen.get(camera) is not assignment:
                self.tasks[camera], self.demands[camera] = task_of(assignment), demand_of(assignment)
        self._seen = assignments

    def task(self, camera: str) -> Task:
        """What a camera is to be analysed for."""
        return (self.tasks or {})[camera]

    def site(self, camera: str) -> str:
        """Where a camera is to be; empty where that is all the same."""
        return self.demands[camera].site if camera in self.demands else ""

    def note_costs(self, costs: Mapping[str, float]) -> None:
        """Cameras cost this, as measured."""
        for camera, cost in costs.items():
            before = self.demands.get(camera)
            if before and before.cost != cost:
                self.demands[camera] = Demand(before.site, cost, before.stays)


def task_of(assignment: assignments_pb2.Assignment) -> Task:
    """What an assignment asks for, as fingerprints."""
    analysis, acts = assignments_pb2.Assignment(), assignments_pb2.Assignment(authorizations=assignment.authorizations)
    analysis.CopyFrom(assignment)
    analysis.ClearField("authorizations")
    return Task(_fingerprint(analysis), _fingerprint(acts))


def demand_of(assignment: assignments_pb2.Assignment) -> Demand:
    """Where a camera is to be, and what it is taken to cost by the size of its picture."""
    camera = assignment.camera
    pixels = camera.picture_size.width * camera.picture_size.height
    cost = pixels * DECODED_HZ * COST_A_PIXEL_S + ANALYSIS_COST
    return Demand(camera.site, cost, stays=camera.stream.url.startswith("file:"))


def _fingerprint(message: assignments_pb2.Assignment) -> str:
    return sha256(message.SerializeToString(deterministic=True)).hexdigest()[:16]
