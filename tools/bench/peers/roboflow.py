"""Roboflow's `InferencePipeline` with our network as its function. Run as `python -m tools.bench.peers.roboflow URL...`."""

import sys

from inference import InferencePipeline
from inference.core.interfaces.camera.entities import VideoFrame

from tools.bench.peers.detector import RATE_HZ, fitted, session
from tools.bench.peers.tally import Tally


def main() -> None:
    """Watches all cameras until killed."""
    network, tally = session(), Tally()

    def detect(frames: list[VideoFrame]) -> list[int]:
        counts = [len(found) for found in network.detect([fitted(frame.image, network) for frame in frames])]
        for count in counts:
            tally.add(count)
        return counts

    urls = sys.argv[1:]
    pipeline = InferencePipeline.init_with_custom_logic(
        video_reference=urls,
        on_video_frame=detect,
        on_prediction=lambda *_: None,
        max_fps=RATE_HZ * len(urls),  # shared out among the cameras
    )
    tally.start_telling()
    pipeline.start()
    pipeline.join()


if __name__ == "__main__":
    main()
