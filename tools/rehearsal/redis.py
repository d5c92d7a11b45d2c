"""The Redis in which the head of a Ray cluster keeps what it knows, so that another head can go on where it stopped."""

import shutil
from pathlib import Path

from tools.errors import CommandError
from tools.rehearsal.daemon import Daemon
from tools.rehearsal.network import Place

_PORT = 6380


def redis_server(folder: Path, place: Place) -> Daemon:
    """A server that keeps every change on disk before it answers. Raises CommandError where there is none to start."""
    if shutil.which("redis-server") is None:
        raise CommandError("needs redis-server: run tools/install-test-servers.sh")
    data = folder / "redis"
    data.mkdir(exist_ok=True)
    options = ("--bind", place.address, "--port", str(_PORT), "--protected-mode", "no", "--dir", str(data), "--appendonly", "yes")
    return Daemon("Redis", place.command(["redis-server", *options]), log=folder / "redis.log", environment={})


def redis_address(place: Place) -> str:
    """Where it listens, HOST:PORT."""
    return f"{place.address}:{_PORT}"
