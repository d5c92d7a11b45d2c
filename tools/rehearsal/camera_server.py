"""Many cameras in one process: an RTSP server of GStreamer, run by the system's own Python, which alone knows GStreamer.

Pictures were encoded before, and are sent by the clock: what a camera shows depends on the time of day and on nothing else, so
that whoever calls again sees what he would have seen had he stayed. Each caller begins with a key frame, which has the parameters
of the stream before it: GStreamer is not to add them, since it does so before each slice, which tears a picture of several.
"""

import argparse
import json
import struct
import sys
import time
from functools import cache
from pathlib import Path
from typing import NamedTuple

import gi  # type: ignore[import-not-found]

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # type: ignore[import-not-found]  # noqa: E402

_MEDIA = (
    "( appsrc name=pictures is-live=true do-timestamp=true format=time"
    " caps=video/x-h264,stream-format=byte-stream,alignment=au,framerate={rate}/1"
    " ! h264parse ! rtph264pay name=pay0 pt=96 )"
)
_TICK_MS = 20
_THREADS = 64


class Pace(NamedTuple):
    """Pictures a second, and of how many one is a key frame."""

    rate_hz: int
    key_every: int


class Caller:
    """Somebody who watches a camera."""

    def __init__(self, pictures: Gst.Element, units: "list[bytes]", ahead_s: float) -> None:
        self._pictures = pictures
        self._units = units
        self._ahead_s = ahead_s
        self._next: int | None = None

    def serve(self, pace: Pace, now_s: float) -> None:
        """Sends what is due by now, from a key frame on; what is late by a second, after the server was frozen, is left out."""
        now = int((now_s + self._ahead_s) * pace.rate_hz)
        if self._next is not None and now - self._next > pace.rate_hz:
            self._next = None
        if self._next is None and now % pace.key_every == 0:
            self._next = now
        while self._next is not None and self._next <= now:
            self._pictures.emit("push-buffer", Gst.Buffer.new_wrapped(self._units[self._next % len(self._units)]))
            self._next += 1


class Server:
    """Cameras, and whoever watches them."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._callers: dict[int, Caller] = {}

    def camera(self, units: "list[bytes]", ahead_s: float) -> GstRtspServer.RTSPMediaFactory:
        """A camera that is ahead of the clock."""
        factory = GstRtspServer.RTSPMediaFactory(launch=_MEDIA.format(rate=self._pace.rate_hz))
        factory.connect("media-configure", lambda _, media: self._answer(media, units, ahead_s))
        return factory

    def step(self) -> bool:
        """Serves everybody."""
        now_s = time.time()
        for caller in list(self._callers.values()):
            caller.serve(self._pace, now_s)
        return True

    def _answer(self, media: GstRtspServer.RTSPMedia, units: "list[bytes]", ahead_s: float) -> None:
        self._callers[hash(media)] = Caller(media.get_element().get_by_name("pictures"), units, ahead_s)
        media.connect("unprepared", lambda gone: self._callers.pop(hash(gone), None))


@cache
def access_units(path: str) -> "list[bytes]":
    """The access units of a file, each after its length in four bytes."""
    content, place, units = Path(path).read_bytes(), 0, []
    while place < len(content):
        (size,) = struct.unpack_from("!I", content, place)
        units.append(content[place + 4 : place + 4 + size])
        place += 4 + size
    return units


def main() -> None:
    """Serves until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--address", required=True)
    parser.add_argument("--port", required=True)
    parser.add_argument("--rate-hz", type=int, required=True)
    parser.add_argument("--key-every", type=int, required=True, help="of so many pictures one is a key frame, the first one")
    parser.add_argument("--cameras", type=Path, required=True, help="JSON: what each shows (`Showing`), by its path")
    arguments = parser.parse_args()
    Gst.init(None)
    cameras = Server(Pace(arguments.rate_hz, arguments.key_every))
    server = GstRtspServer.RTSPServer(address=arguments.address, service=arguments.port)
    # A caller is answered once the first picture is there: nobody else is to wait for that.
    server.get_thread_pool().set_max_threads(_THREADS)
    for path, shown in json.loads(arguments.cameras.read_text()).items():
        factory = cameras.camera(access_units(shown["pictures"]), shown["ahead_s"])
        server.get_mount_points().add_factory(path, factory)
    if not server.attach(None):
        sys.exit(f"cannot listen on port {arguments.port}")
    GLib.timeout_add(_TICK_MS, cameras.step)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
