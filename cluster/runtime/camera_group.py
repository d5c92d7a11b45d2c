"""The actor that owns cameras."""

import os
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import ray
from numpy.typing import NDArray

from cluster.config import ClusterConfig
from cluster.inference.pack import default_pack_path, load_pack
from cluster.runtime.group import Group, Identity
from cluster.runtime.shard import Answer
from cluster.runtime.status import GroupStatus
from cluster.supervision import Lease, Task
from cluster.video.frame import Fit
from vigie.v1 import assignments_pb2


@dataclass(frozen=True, slots=True)
class RayShard:
    """A shard that is an actor, as one group calls it."""

    handle: Any
    caller: str

    def submit(self, pictures: list[NDArray[np.uint8]]) -> Future[Answer]:
        """Hands pictures over through Ray's object store."""
        return cast("Future[Answer]", self.handle.detect.remote(self.caller, pictures).future())


class CameraGroup:
    """Owns cameras in one process."""

    def __init__(self, name: str, coordination: str) -> None:
        """Raises ConfigurationError and ModelError for what this machine's environment and model pack get wrong."""
        self._name = name
        config = replace(ClusterConfig.from_environment(os.environ), coordination=coordination)
        model_input = load_pack(config.pack or default_pack_path()).manifest.input
        context = ray.get_runtime_context()
        identity = Identity(name, context.get_node_id(), context.get_actor_id() or "")
        self._group = Group(identity, config, Fit(model_input.width, model_input.height))
        self._group.start()

    def status(self) -> GroupStatus:
        """What the group says of itself."""
        return self._group.status()

    def connect(self, shards: Mapping[str, Any], processes: Mapping[str, str]) -> None:
        """Uses these shards, given by their handles, from now on."""
        self._group.connect({name: RayShard(handle, self._name) for name, handle in shards.items()}, processes)

    def give(self, assignment: bytes, lease: Lease) -> None:
        """Takes a camera into the group's hands."""
        self._group.give(assignments_pb2.Assignment.FromString(assignment), lease)

    def permit(self, assignment: bytes, task: Task) -> None:
        """Replaces the acts that allow a camera of the group."""
        self._group.permit(assignments_pb2.Assignment.FromString(assignment), task)

    def take(self, camera: str) -> None:
        """Lets a camera go."""
        self._group.take(camera)

    def stop(self, grace_s: float) -> int:
        """Lets all cameras go and delivers for at most `grace_s` more; returns how many revisions are left on disk."""
        return self._group.stop(grace_s)
