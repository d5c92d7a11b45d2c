"""The actor that owns cameras."""

import os
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from typing import Any, cast

import cv2
import ray

from cluster.config import ClusterConfig
from cluster.inference.models import Models
from cluster.runtime.group import Group, Identity
from cluster.runtime.picture_board import PictureBoard
from cluster.runtime.shard import Answer, Picture
from cluster.runtime.shard_door import NearShard
from cluster.runtime.status import GroupStatus, Pulse, ShardStatus
from cluster.supervision import Holding, Task
from vigie.v1 import assignments_pb2


class RayShard:
    """A shard that is an actor, as one group calls it, one call at a time.

    One of the same machine is called through its door, past Ray, with the pictures on a board: that is cheaper for a group of any
    size, a quarter of the processor time for 16 pictures and a twenty-fifth for one (`vigie bench handover`). Where it cannot be,
    it is called through Ray from then on, as those of other machines are, and pictures are Ray's objects.
    """

    def __init__(self, handle: Any, *, caller: str, near: NearShard | None) -> None:
        self._handle = handle
        self._caller = caller
        self._near = near

    def submit(self, pictures: list[Picture], armed: list[bool]) -> Future[Answer]:
        """Hands pictures over; weapons are looked for only in those that `armed` says."""
        if self._near:
            with suppress(OSError):
                future = self._near.submit(pictures, armed)
                future.add_done_callback(self._note)
                return future
            self.close()
        return cast("Future[Answer]", self._handle.detect.remote(self._caller, pictures, armed).future())

    def close(self) -> None:
        """Leaves its door."""
        near, self._near = self._near, None
        if near:
            near.close()

    def _note(self, future: Future[Answer]) -> None:
        if isinstance(future.exception(), OSError):
            self.close()


class CameraGroup:
    """Owns cameras in one process."""

    def __init__(self, name: str, coordination: str) -> None:
        """Raises ConfigurationError and ModelError for what this machine's environment and model packs get wrong."""
        cv2.setNumThreads(1)  # the other cores have other cameras
        config = replace(ClusterConfig.from_environment(os.environ), coordination=coordination)
        fits = Models.load(config.pack, config.weapon_pack).fits
        context = ray.get_runtime_context()
        self._identity = Identity(name, context.get_node_id(), context.get_actor_id() or "")
        self._shards: dict[str, RayShard] = {}
        self._group = Group(self._identity, config, fits)
        self._group.start()

    def status(self) -> GroupStatus:
        """What the group says of itself and of each camera."""
        return self._group.status()

    def news(self, edition: str) -> GroupStatus | Pulse:
        """The same, unless nothing has changed since that edition but how each camera does."""
        status = self._group.status()
        return Pulse(status.silent_s, edition) if status.edition == edition else status

    def connect(self, handles: Mapping[str, Any], shards: Mapping[str, ShardStatus]) -> None:
        """Uses these shards, given by their handles and by what they say of themselves, from now on.

        Those of other machines are spares, for while none of its own is usable.
        """
        processes = {shard.process for shard in shards.values()}
        for process in self._shards.keys() - processes:
            self._shards[process].close()
        self._shards = {
            shard.process: self._shards.get(shard.process) or self._shard(handles[name], shard) for name, shard in shards.items()
        }
        near: dict[str, RayShard] = {}
        spares: dict[str, RayShard] = {}
        for name, shard in shards.items():
            (near if shard.node_id == self._identity.node_id else spares)[name] = self._shards[shard.process]
        self._group.connect(near, spares, {name: shard.process for name, shard in shards.items()})

    def give(self, assignment: bytes, holding: Holding, lease_s: float) -> None:
        """Takes a camera into the group's hands, at first for `lease_s`."""
        self._group.give(assignments_pb2.Assignment.FromString(assignment), holding, lease_s)

    def prepare(self, assignment: bytes, task: Task, lease_s: float) -> None:
        """Opens the stream of a camera that it is about to be given, for `lease_s` at most."""
        self._group.prepare(assignments_pb2.Assignment.FromString(assignment), task, lease_s)

    def permit(self, assignment: bytes, task: Task) -> None:
        """Replaces the acts that allow a camera of the group."""
        self._group.permit(assignments_pb2.Assignment.FromString(assignment), task)

    def take(self, camera: str) -> None:
        """Lets a camera go, or prepares for it no longer."""
        self._group.take(camera)

    def stop(self, grace_s: float) -> int:
        """Lets all cameras go and delivers for at most `grace_s` more; returns how many revisions are left on disk."""
        return self._group.stop(grace_s)

    def _shard(self, handle: Any, shard: ShardStatus) -> RayShard:
        near: NearShard | None = None
        if shard.node_id == self._identity.node_id:
            with suppress(OSError):
                near = NearShard(shard.door, caller=self._identity.name, board=PictureBoard())
        return RayShard(handle, caller=self._identity.name, near=near)
