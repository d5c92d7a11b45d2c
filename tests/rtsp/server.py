"""A camera for tests: an RTSP server of GStreamer on the loopback, run by the system's own Python, which alone knows GStreamer.

Prints the port that it listens on, then serves a moving ball at `/camera` until it is killed; or a clip, which each caller sees
from its beginning, at its own pace.
"""

import argparse
import sys

import gi  # type: ignore[import-not-found]

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # type: ignore[import-not-found]  # noqa: E402

ADDRESS = "127.0.0.1"
ROLE = "viewer"
BALL = (
    "( videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,framerate=25/1"
    " ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=25 ! rtph264pay name=pay0 pt=96 )"
)
CLIP = '( filesrc location="{}" ! qtdemux ! h264parse ! rtph264pay name=pay0 pt=96 config-interval=-1 )'


def ask_for_credentials(
    server: GstRtspServer.RTSPServer, factory: GstRtspServer.RTSPMediaFactory, user: str, password: str
) -> None:
    """Lets in only who knows the user name and password."""
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", ROLE)
    auth = GstRtspServer.RTSPAuth()
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    server.set_auth(auth)
    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_role(ROLE)
    for permission in ("media.factory.access", "media.factory.construct"):
        permissions.add_permission_for_role(ROLE, permission, True)
    factory.set_permissions(permissions)


def main() -> None:
    """Serves until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", default="0")
    parser.add_argument("--user")
    parser.add_argument("--password")
    parser.add_argument("--clip", help="an MP4 file with H.264")
    arguments = parser.parse_args()
    Gst.init(None)
    server = GstRtspServer.RTSPServer(address=ADDRESS, service=arguments.port)
    factory = GstRtspServer.RTSPMediaFactory(launch=CLIP.format(arguments.clip) if arguments.clip else BALL)
    if arguments.user:
        ask_for_credentials(server, factory, arguments.user, arguments.password)
    server.get_mount_points().add_factory("/camera", factory)
    if not server.attach(None):
        sys.exit(f"cannot listen on port {arguments.port}")
    print(server.get_bound_port(), flush=True)  # noqa: T201 - how the fixture learns the port
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
