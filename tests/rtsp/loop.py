"""Clips that go on for longer than they are."""

from pathlib import Path

import av


def write_loop(clip: Path, target: Path, *, times: int) -> Path:
    """Writes a clip several times, one after the other, as one; its pictures stay as they are encoded."""
    with av.open(clip) as recording, av.open(target, "w") as output:
        video = recording.streams.video[0]
        stream = output.add_stream_from_template(video)
        length = video.duration or 0
        for start in range(0, times * length, length):
            recording.seek(0)
            for packet in recording.demux(video):
                if packet.dts is None or packet.pts is None:  # the one that says that there are no more
                    continue
                packet.dts, packet.pts, packet.stream = packet.dts + start, packet.pts + start, stream
                output.mux(packet)
    return target
