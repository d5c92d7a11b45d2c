"""The actor that runs the models."""

import os
import time
from dataclasses import replace

import ray

from cluster.config import ClusterConfig
from cluster.inference.models import Models
from cluster.runtime.names import CALLS
from cluster.runtime.picture_board import PictureReader, Posting
from cluster.runtime.shard import Answer, Picture, Shard, batch_policy
from cluster.runtime.status import ShardStatus


class InferenceShard:
    """Runs the model packs of its machine on one core or one GPU, for the groups that call it."""

    def __init__(self) -> None:
        """Raises ConfigurationError and ModelError for what this machine's environment and model packs get wrong."""
        config = ClusterConfig.from_environment(os.environ)
        models = Models.load(config.pack, config.weapon_pack)
        context = ray.get_runtime_context()
        share: float = context.get_assigned_resources().get("GPU", 1.0)  # type: ignore[no-untyped-call] # not in its types
        detector = models.detector(replace(config.hardware, gpu_share=min(share, 1.0)))
        self._packs = models.name
        self._provider = detector.provider
        self._process, self._node_id = context.get_actor_id() or "", context.get_node_id()
        self._shard = Shard(detector, batch_policy(detector.batch), clock=time.monotonic)
        self._reader = PictureReader()

    @ray.method(concurrency_group=CALLS)
    def detect(self, caller: str, pictures: list[Picture] | Posting, armed: list[bool]) -> Answer:
        """What is in each picture, where it is given or posted on this machine. Raises ModelError, and OSError for a posting."""
        return self._shard.detect(caller, self._reader.read(pictures) if isinstance(pictures, Posting) else pictures, armed)

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
        )
