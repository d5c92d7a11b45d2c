"""Nodes of a Ray cluster, each a machine of its own, started with `ray start` as for real."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import psutil

from cluster.runtime.names import ALLOCATION, LOCAL_SETTINGS
from tools.rehearsal.daemon import Daemon
from tools.rehearsal.network import Place
from tools.rehearsal.redis import redis_address

HEAD_PORT = 6379
_STORE_BYTES = 80 << 20
_RAY = str(Path(sys.executable).with_name("ray"))

GROUP, SHARD, SUPERVISOR = "ray::CameraGroup", "ray::InferenceShard", "ray::Supervisor"
RAYLET, GCS = "raylet", "gcs_server"


def head_node(folder: Path, place: Place, store: Place, environment: Mapping[str, str]) -> Daemon:
    """The head, on which nothing of Vigie runs but the supervisor; what it knows is in the Redis of `store`."""
    options = ["--head", "--port", str(HEAD_PORT), "--num-cpus", "0", "--include-dashboard", "false"]
    options += ["--system-config", json.dumps(LOCAL_SETTINGS)]
    return _node(folder, place, options, {**environment, "RAY_REDIS_ADDRESS": redis_address(store)})


def worker_node(folder: Path, place: Place, head: Place, environment: Mapping[str, str]) -> Daemon:
    """A node that works, with one core as far as Ray knows."""
    return _node(folder, place, ["--address", head_address(head), "--num-cpus", "1"], environment)


def head_address(head: Place) -> str:
    """Where the head listens, HOST:PORT."""
    return f"{head.address}:{HEAD_PORT}"


def clear(folder: Path, place: Place) -> None:
    """Ends all that a node left running, and what it noted of a head that runs: Ray sees the processes of all namespaces."""
    place.kill()
    (folder / place.name / "ray_current_cluster").unlink(missing_ok=True)


def found(place: Place, what: str) -> list[int]:
    """Ids of the processes of a place that are what was asked for: GROUP, SHARD, SUPERVISOR, RAYLET or GCS."""
    return [pid for pid in place.pids() if _title(pid).startswith(what)]


def _node(folder: Path, place: Place, options: list[str], environment: Mapping[str, str]) -> Daemon:
    # Paths of sockets below it have room for a hundred letters.
    temporary = folder / place.name
    usual = ["--node-ip-address", place.address, "--temp-dir", str(temporary), "--object-store-memory", str(_STORE_BYTES)]
    command = place.command(
        [_RAY, "start", "--block", "--disable-usage-stats", "--include-log-monitor", "false", *usual, *options]
    )
    told = {**ALLOCATION, "RAY_DISABLE_IMPORT_WARNING": "1", **environment}
    return Daemon(f"the Ray node {place.name}", command, log=folder / f"{place.name}.log", environment=told)


def _title(pid: int) -> str:
    """What a process calls itself: a program without its folder, or what Ray named it."""
    try:
        first = psutil.Process(pid).cmdline()[0]
    except (psutil.Error, IndexError):
        return ""
    return first if first.startswith("ray::") else Path(first).name
