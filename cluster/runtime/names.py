"""Names, namespace and options of the actors, and how a process starts a Ray cluster or joins one."""

import logging
import os
import socket
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from cluster.errors import ClusterError
from cluster.placement import Seat

NAMESPACE = "vigie"
SUPERVISOR = "supervisor"

# The threads of a shard that serve calls, apart from the one that tells its status.
CALLS = "calls"
CALL_THREADS = 32

LOCAL_ADDRESS = "127.0.0.2"
LISTENING_S = 2.0
OBJECT_STORE_BYTES = 256 << 20
# Where an actor goes is decided by `placement`: Ray is to count it and need not keep a core free for it.
A_LITTLE_CPU = 0.01
# A node that is gone is noticed after 5 to 8 s rather than 15.
HEALTH_CHECKS = {
    "health_check_initial_delay_ms": 1_000,
    "health_check_period_ms": 1_000,
    "health_check_timeout_ms": 2_000,
    "health_check_failure_threshold": 5,
}

# A process that does not end when it is told to, such as one that is frozen, is killed after this instead of 5 s.
PROCESSES = {"kill_worker_timeout_milliseconds": 1_000}
# Without the head of their cluster, nodes and their actors go on for so long, instead of a minute: a camera needs the head for
# nothing but changes. Nodes of other clusters need the same in their own environment, as RAY_gcs_rpc_server_reconnect_timeout_s.
HEADLESS = {"gcs_rpc_server_reconnect_timeout_s": 24 * 3600}

# Timing every event inside Ray's processes costs more than supervising the cluster does.
LOCAL_SETTINGS = HEALTH_CHECKS | PROCESSES | HEADLESS | {"event_stats": False}
# Pictures of some hundred kilobytes come and go with every frame: the C library is to keep their memory rather than give it back
# to the system each time and get it zeroed. Nodes of other clusters need the same in their own environment.
ALLOCATION = {"MALLOC_MMAP_THRESHOLD_": str(32 << 20), "MALLOC_TRIM_THRESHOLD_": str(256 << 20)}


def start_local_ray() -> None:
    """Starts a Ray cluster of this machine alone, that nobody else can reach and that ends with this process."""
    for name, value in ALLOCATION.items():
        os.environ.setdefault(name, value)
    _init(
        address="local",
        _node_ip_address=LOCAL_ADDRESS,
        include_dashboard=False,
        object_store_memory=OBJECT_STORE_BYTES,
        _system_config=LOCAL_SETTINGS,
    )


def join_ray(address: str) -> None:
    """Joins a Ray cluster that is there, by HOST:PORT of its head. Raises ClusterError when it cannot be reached."""
    for name, value in HEADLESS.items():
        os.environ.setdefault(f"RAY_{name}", str(value))
    try:
        _init(address=address)
    except (ConnectionError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        problem = str(error).splitlines()[0]
        raise ClusterError(f"the Ray cluster at {address} cannot be joined: {problem}; give HOST:PORT of its head") from error


def is_listening(address: str) -> bool:
    """Whether something takes connections at HOST:PORT: Ray itself would look for it for minutes, or end this process."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), LISTENING_S).close()
    except OSError:
        return False
    return True


def leave_ray() -> None:
    """Leaves the Ray cluster, and ends it where this process started it."""
    ray.shutdown()


def supervisor_options() -> dict[str, Any]:
    """Ray itself starts the supervisor anew: nothing stands above it."""
    return _options(SUPERVISOR) | {"max_restarts": -1, "max_task_retries": 0}


def group_options(seat: Seat) -> dict[str, Any]:
    """The supervisor is the one who starts a group anew, whether it died or hangs."""
    return _options(seat.name) | _bound_to(seat)


def shard_options(seat: Seat, *, gpu_share: float) -> dict[str, Any]:
    """The supervisor is the one who starts a shard anew, whether it died or hangs. `gpu_share`: of a GPU; 0 for none."""
    return _options(seat.name) | _bound_to(seat) | ({"num_gpus": gpu_share} if gpu_share else {})


def _options(name: str) -> dict[str, Any]:
    return {"name": name, "namespace": NAMESPACE, "lifetime": "detached", "num_cpus": A_LITTLE_CPU}


def _bound_to(seat: Seat) -> dict[str, Any]:
    return {"scheduling_strategy": NodeAffinitySchedulingStrategy(seat.node_id, soft=False), "max_restarts": 0}


def _init(**options: Any) -> None:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Ray says at length that it asks for a token, which is as it should be.
    logging.getLogger("ray").setLevel(logging.ERROR)
    ray.init(namespace=NAMESPACE, log_to_driver=False, logging_level=logging.ERROR, **options)
