"""Ray Serve with `@serve.batch`, a replica a core; OpenCV reads the cameras, a thread each.

Run as `python -m tools.bench.peers.ray_serve URL...`.
"""

import os
import sys
import threading
from typing import TYPE_CHECKING

import ray
from ray import serve

from tools.bench.peers.detector import Picture, due_frames, fitted, session
from tools.bench.peers.tally import Tally

if TYPE_CHECKING:
    from ray.serve.handle import DeploymentHandle

_BATCH = 8
_WAIT_S = 0.01


@serve.deployment(num_replicas=os.cpu_count() or 1, ray_actor_options={"num_cpus": 0})
class Detector:
    """Finds things in pictures that come one by one."""

    def __init__(self) -> None:
        self._network = session()

    @serve.batch(max_batch_size=_BATCH, batch_wait_timeout_s=_WAIT_S)
    async def __call__(self, pictures: list[Picture]) -> list[int]:
        """How many things there are in each."""
        return [len(found) for found in self._network.detect(pictures)]


def watch(url: str, detector: "DeploymentHandle[int]", tally: Tally) -> None:
    """Sends one camera's frames."""
    network = session()
    for picture in due_frames(url):
        tally.add(detector.remote(fitted(picture, network)).result())


def main() -> None:
    """Watches all cameras until killed."""
    ray.init(include_dashboard=False, log_to_driver=False, configure_logging=False)
    detector = serve.run(Detector.bind(), route_prefix=None)  # type: ignore[attr-defined] # the decorator makes it a deployment
    tally = Tally()
    for url in sys.argv[1:]:
        threading.Thread(target=watch, args=(url, detector, tally), daemon=True).start()
    tally.tell()


if __name__ == "__main__":
    main()
