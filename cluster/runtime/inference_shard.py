"""The actor that runs a model."""

import os
import time

import ray

from cluster.config import ClusterConfig
from cluster.inference.pack import default_pack_path, load_pack
from cluster.inference.session import ModelSession
from cluster.runtime.names import CALLS
from cluster.runtime.picture_board import PictureReader, Posting
from cluster.runtime.shard import CPU_POLICY, GPU_POLICY, Answer, Picture, Shard
from cluster.runtime.status import ShardStatus


class InferenceShard:
    """Runs the model pack of its machine on one core or one GPU, for the groups that call it."""

    def __init__(self) -> None:
        """Raises ConfigurationError and ModelError for what this machine's environment and model pack get wrong."""
        pack = load_pack(ClusterConfig.from_environment(os.environ).pack or default_pack_path())
        session = ModelSession(pack)
        context = ray.get_runtime_context()
        self._pack = f"{pack.manifest.name} {pack.manifest.version}"
        self._provider = session.provider
        self._process, self._node_id = context.get_actor_id() or "", context.get_node_id()
        policy = CPU_POLICY if session.provider == "CPUExecutionProvider" else GPU_POLICY
        self._shard = Shard(session, policy, clock=time.monotonic)
        self._reader = PictureReader()

    @ray.method(concurrency_group=CALLS)
    def detect(self, caller: str, pictures: list[Picture] | Posting) -> Answer:
        """What is in each picture, where it is given or posted on this machine. Raises ModelError, and OSError for a posting."""
        return self._shard.detect(caller, self._reader.read(pictures) if isinstance(pictures, Posting) else pictures)

    def status(self) -> ShardStatus:
        """What the shard says of itself."""
        return ShardStatus(
            process=self._process,
            pid=os.getpid(),
            node_id=self._node_id,
            silent_s=self._shard.silent_s,
            pack=self._pack,
            provider=self._provider,
            work=self._shard.work,
        )
