"""When each camera was analysed, to half a second: `python -m tools.chaos.cluster.probe RAY_ADDRESS`.

It asks every group itself, several times a second, on a machine of the cluster. For each round it prints a line of JSON: when the
last frame was taken, by camera, of those that were analysed since the round before.
"""

import json
import sys
import time
from typing import Any

import ray
from ray.exceptions import RayError

from cluster.placement import GROUP_PREFIX
from cluster.reporting.report import CameraReport
from cluster.runtime.names import NAMESPACE, join_ray

_EVERY_S = 0.3
_NEW_GROUPS_S = 2.0


class Probe:
    """Asks the groups of a cluster, one call to each at a time: one that does not answer keeps no other waiting."""

    def __init__(self) -> None:
        self._groups: dict[str, Any] = {}
        self._asked: dict[Any, str] = {}
        self._analysed: dict[str, tuple[int, int]] = {}
        self._looked_s = 0.0

    def step(self) -> dict[str, float]:
        """When the last frame was taken, of cameras that were analysed since the last step."""
        if time.monotonic() - self._looked_s > _NEW_GROUPS_S:
            self._find()
        for name in self._groups.keys() - self._asked.values():
            self._asked[self._groups[name].status.remote()] = name
        ready, _ = ray.wait(list(self._asked), num_returns=len(self._asked), timeout=_EVERY_S) if self._asked else ([], [])
        return {camera: time_s for answer in ready for camera, time_s in self._taken(answer).items()}

    def _find(self) -> None:
        names = {name for name in ray.util.list_named_actors() if name.startswith(GROUP_PREFIX)}
        self._groups = {name: group for name, group in self._groups.items() if name in names}
        for name in names - self._groups.keys():
            try:
                self._groups[name] = ray.get_actor(name, NAMESPACE)
            except ValueError:  # it is gone by now
                continue
        self._looked_s = time.monotonic()

    def _taken(self, answer: Any) -> dict[str, float]:
        name = self._asked.pop(answer)
        try:
            reports: tuple[CameraReport, ...] = ray.get(answer).cameras
        except RayError:
            self._groups.pop(name, None)
            return {}
        return {
            report.ownership.camera: report.last_frame_s for report in reports if report.last_frame_s and self._is_new(report)
        }

    def _is_new(self, report: CameraReport) -> bool:
        """Whether more was analysed than is known; what a former owner says is old."""
        known, said = self._analysed.get(report.ownership.camera, (0, 0)), (report.ownership.incarnation, report.analysed)
        if said <= known or not report.analysed:
            return False
        self._analysed[report.ownership.camera] = said
        return True


def main() -> None:
    """Prints until it is killed."""
    join_ray(sys.argv[1])
    probe = Probe()
    while True:
        began_s = time.monotonic()
        try:
            taken = probe.step()
        except RayError as error:  # the head is away
            print(error, file=sys.stderr)
            taken = {}
        if taken:
            print(json.dumps(taken), flush=True)
        time.sleep(max(0.0, began_s + _EVERY_S - time.monotonic()))


if __name__ == "__main__":
    main()
