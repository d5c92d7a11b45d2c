"""HTTP servers that behave as cameras do, well and badly."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np


class Folder(SimpleHTTPRequestHandler):
    """Serves the files of a folder."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Says nothing."""


class Locked(Folder):
    """Lets no one in."""

    def do_GET(self) -> None:
        """Refuses the credentials."""
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="camera"')
        self.send_header("Content-Length", "0")
        self.end_headers()


class Silent(BaseHTTPRequestHandler):
    """Takes a request and never answers it."""

    def do_GET(self) -> None:
        """Waits until the client goes."""
        self.rfile.read()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Says nothing."""


class MotionJpeg(Folder):
    """A camera that sends one JPEG after another, then nothing more."""

    def do_GET(self) -> None:
        """Sends ten pictures."""
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=picture")
        self.end_headers()
        jpeg = cv2.imencode(".jpg", np.full((48, 64, 3), 99, np.uint8))[1].tobytes()
        for _ in range(10):
            self.wfile.write(b"--picture\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%b\r\n" % (len(jpeg), jpeg))


@contextmanager
def http(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[str]:
    """A server on a free port; its host and port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
