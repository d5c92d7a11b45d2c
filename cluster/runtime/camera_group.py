"""The actor that owns cameras."""

import os
import sys
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, cast

import ray

from cluster.config import ClusterConfig
from cluster.inference.models import Models
from cluster.runtime.group import Group, Identity
from cluster.runtime.picture_board import PictureBoard
from cluster.runtime.shard import Answer, Picture
from cluster.runtime.status import GroupStatus, Pulse, ShardStatus
from cluster.supervision import Holding, Task
from vigie.v1 import assignments_pb2


class RayShard:
    """A shard that is an actor, as one group calls it, one call at a time.

    Pictures for a shard on the same machine are posted on a board. Where a call fails they go through Ray's object store from
    then on, as they do to other machines.
    """

    def __init__(self, handle: Any, *, caller: str, board: PictureBoard | None) -> None:
        self._handle = handle
        self._caller = caller
        self._board = board

    def submit(self, pictures: list[Picture], armed: list[bool]) -> Future[Answer]:
        """Hands pictures over; weapons are looked for only in those that `armed` says."""
        handed = self._board.post(pictures) if self._board else pictures
        future = cast("Future[Answer]", self._handle.detect.remote(self._caller, handed, armed).future())
        future.add_done_callback(self._note)
        return future

    def _note(self, future: Future[Answer]) -> None:
        if future.exception() and self._board:
            self._board = None


class CameraGroup:
    """Owns cameras in one process."""

    def __init__(self, name: str, coordination: str) -> None:
        """Raises ConfigurationError and ModelError for what this machine's environment and model packs get wrong."""
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
        is_here = sys.platform == "linux" and shard.node_id == self._identity.node_id
        board = PictureBoard(f"{self._identity.process} {shard.process}") if is_here else None
        return RayShard(handle, caller=self._identity.name, board=board)
