"""The actor that runs the models."""

import os
import sys
import time
from dataclasses import replace

import cv2
import ray

from cluster.config import ClusterConfig
from cluster.inference.models import Models
from cluster.runtime.names import CALLS
from cluster.runtime.shard import Answer, Picture, Shard, batch_policy
from cluster.runtime.shard_door import ShardDoor
from cluster.runtime.status import ShardStatus


class InferenceShard:
    """Runs the model packs of its machine on one core or one GPU, for the groups that call it."""

    def __init__(self) -> None:
        """Raises ConfigurationError and ModelError for what this machine's environment and model packs get wrong."""
        cv2.setNumThreads(1)  # the other cores have other shards
        config = ClusterConfig.from_environment(os.environ)
        models = Models.load(config.pack, config.weapon_pack)
        context = ray.get_runtime_context()
        share: float = context.get_assigned_resources().get("GPU", 1.0)  # type: ignore[no-untyped-call] # not in its types
        detector = models.detector(replace(config.hardware, gpu_share=min(share, 1.0)))
        self._packs = models.name
        self._provider = detector.provider
        self._process, self._node_id = context.get_actor_id() or "", context.get_node_id()
        self._shard = Shard(detector, batch_policy(detector.batch), clock=time.monotonic)
        self._door = ShardDoor(self._shard.detect) if sys.platform == "linux" else None

    @ray.method(concurrency_group=CALLS)
    def detect(self, caller: str, pictures: list[Picture], armed: list[bool]) -> Answer:
        """What is in each picture. Raises ModelError. Groups of the same machine come through the door instead."""
        return self._shard.detect(caller, pictures, armed)

    def status(self) -> ShardStatus:
        """What the shard says of itself."""
        return ShardStatus(
            process=self._process,
            pid=os.getpid(),
            node_id=self._node_id,
            silent_s=self._shard.silent_s,
            packs=self._packs,
            provider=self._provider,
            work=self._shard.work,
            door=self._door.address if self._door else "",
        )
