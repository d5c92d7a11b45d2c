"""OpenCV and ONNX Runtime in a loop, with a process a camera. Run as `python -m tools.bench.peers.plain URL...`."""

import multiprocessing
import sys

from tools.bench.peers.detector import due_frames, fitted, session
from tools.bench.peers.tally import Tally


def watch(url: str, tally: Tally) -> None:
    """Finds things in one camera's frames."""
    network = session()
    for picture in due_frames(url):
        (found,) = network.detect([fitted(picture, network)])
        tally.add(len(found))


def main() -> None:
    """Watches all cameras until killed."""
    tally = Tally()
    context = multiprocessing.get_context("spawn")
    for url in sys.argv[1:]:
        context.Process(target=watch, args=(url, tally), daemon=True).start()
    tally.tell()


if __name__ == "__main__":
    main()
