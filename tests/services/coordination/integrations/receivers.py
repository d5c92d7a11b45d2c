"""Real receivers of what goes out, on loopback."""

import http.server
import socket
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from amqtt.broker import Broker


@dataclass(frozen=True, slots=True)
class Post:
    """A request that came in."""

    path: str
    headers: Mapping[str, str]
    content: bytes


@dataclass(slots=True)
class Receiver:
    """An HTTP server that keeps what it gets, and answers with the statuses that it is given, then with 204."""

    url: str = ""
    posts: list[Post] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)


@contextmanager
def receiver() -> Iterator[Receiver]:
    """A receiver that runs."""
    got = Receiver()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["content-length"]))
            got.posts.append(Post(self.path, {name.lower(): value for name, value in self.headers.items()}, content))
            self.send_response(got.statuses.pop(0) if got.statuses else 204)
            self.send_header("location", "http://127.0.0.1:9/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    got.url = f"http://127.0.0.1:{server.server_port}/hook"
    try:
        yield got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@asynccontextmanager
async def broker() -> AsyncIterator[int]:
    """The port of an MQTT broker that runs."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    listeners = {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}}
    running = Broker(
        {
            "listeners": listeners,
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
    )
    await running.start()
    try:
        yield port
    finally:
        await running.shutdown()
