"""Makes the clip of `vigie demo` from `vtest.avi` of Debian's package `opencv-doc`.

    python -m tools.demo.make_clip /usr/share/doc/opencv-doc/examples/data/vtest.avi

The same file and the same PyAV give the same bytes.
"""

import hashlib
import sys
from fractions import Fraction
from pathlib import Path

import av

SOURCE_SHA256 = "45cddc9490be69345cbdab64ca583be65987e864ca408038e648db99e10516cf"
START_S, END_S = 45.0, 79.5
FRAMES_PER_S = 10
CLIP = Path(__file__).parent / "clip.mp4"


def make_clip(source: Path, clip: Path) -> None:
    """Encodes the seconds from START_S to END_S of a video as H.264, a frame every tenth of a second."""
    first, last = (round(second * FRAMES_PER_S) for second in (START_S, END_S))
    with av.open(source) as video, av.open(clip, "w", options={"movflags": "faststart"}) as output:
        stream = output.add_stream("libx264", rate=FRAMES_PER_S, options={"crf": "23", "preset": "slow", "threads": "1"})
        stream.width, stream.height, stream.pix_fmt = 768, 576, "yuv420p"
        stream.codec_context.time_base = Fraction(1, FRAMES_PER_S)
        for index, frame in enumerate(video.decode(video=0)):
            if first <= index < last:
                frame.pts, frame.time_base = index - first, Fraction(1, FRAMES_PER_S)
                frame.pict_type = av.video.frame.PictureType.NONE
                output.mux(stream.encode(frame))
        output.mux(stream.encode())


def main() -> None:
    """Checks the source, makes the clip and prints its hash."""
    source = Path(sys.argv[1])
    if hashlib.sha256(source.read_bytes()).hexdigest() != SOURCE_SHA256:
        raise SystemExit(f"{source}: is not the vtest.avi of opencv-doc 4.6.0; its SHA-256 is not {SOURCE_SHA256}")
    make_clip(source, CLIP)
    print(f"{CLIP}: {CLIP.stat().st_size} bytes, SHA-256 {hashlib.sha256(CLIP.read_bytes()).hexdigest()}")


if __name__ == "__main__":
    main()
