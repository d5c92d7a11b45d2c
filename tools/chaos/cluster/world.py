"""A cluster with all that it needs, each part on a machine of its own, kept running as an orchestrator would keep it."""

import asyncio
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tools.chaos.cluster.keeper import Keeper, Ward
from tools.chaos.cluster.venues import Venues
from tools.demo.serving import calling_environment
from tools.rehearsal.blobs import write_pack
from tools.rehearsal.cameras import camera_server
from tools.rehearsal.daemon import Daemon
from tools.rehearsal.disks import Disk
from tools.rehearsal.network import Network, Place
from tools.rehearsal.postgres import PostgresServer
from tools.rehearsal.ray_nodes import HEAD_PORT, clear, head_address, head_node, worker_node
from tools.rehearsal.redis import redis_server
from tools.rehearsal.replicas import Replica, migrate
from tools.rehearsal.site import Site
from vigie.identity import CLUSTER

_CLUSTER = "rehearsal"
_RAY = "ray"
_DISK_MIB = 24
_OUTBOX_MIB = 16
_START_S = 90.0


@dataclass(frozen=True, slots=True)
class Layout:
    """How large it is.

    Attributes:
        venues: with their cameras.
        workers: nodes beside the head.
        cameras_per_group: at most; with room for the cameras of a node that is lost.
    """

    venues: Venues
    workers: int
    cameras_per_group: int


@dataclass(frozen=True, slots=True)
class World:
    """Everything that runs.

    Attributes:
        folder: of logs and data.
        venues: with their cameras.
        head: where Ray's head is, and `vigie run`.
        workers: nodes that analyse.
        store: where Redis is.
        office: where the coordination service is.
        street: where the cameras are.
        disks: of the workers, where signals wait, in the same order.
        nodes: Ray on each worker, in the same order.
        redis, replica, cameras, run: the processes there.
        postgres: the record's server.
        record: its URL.
        site: who may call.
        environment: what every process of the cluster is told.
        keeper: starts again what has ended.
    """

    folder: Path
    venues: Venues
    head: Place
    workers: tuple[Place, ...]
    store: Place
    office: Place
    street: Place
    disks: tuple[Disk, ...]
    nodes: tuple[Daemon, ...]
    redis: Daemon
    replica: Replica
    cameras: Daemon
    run: Daemon
    postgres: PostgresServer
    record: str
    site: Site
    environment: Mapping[str, str]
    keeper: Keeper

    @property
    def outboxes(self) -> list[Path]:
        """The files of the outboxes of all workers."""
        return sorted(path for disk in self.disks for path in disk.folder.glob(f"outbox/{_CLUSTER}/*/outbox.sqlite"))


@contextmanager
def running(folder: Path, layout: Layout) -> Iterator[World]:
    """Everything, started; at the end nothing of it is left. Raises CommandError where it cannot be had."""
    with ExitStack() as stack:
        postgres = PostgresServer()
        stack.callback(postgres.remove)
        network = stack.enter_context(Network())
        world, head = _built(folder, layout, network, postgres, stack)
        stack.callback(world.keeper.end)
        _start(world, head)
        yield world


def _built(folder: Path, layout: Layout, network: Network, postgres: PostgresServer, stack: ExitStack) -> tuple[World, Daemon]:
    head, store, office, street = (network.place(name) for name in ("head", "store", "office", "street"))
    workers = tuple(network.place(f"w{number}") for number in range(1, layout.workers + 1))
    disks = tuple(stack.enter_context(Disk(folder / "state" / place.name, _DISK_MIB)) for place in workers)
    site, record = Site(folder, venues=0), postgres.new_database()
    site.make_identities([office.address])
    replica = Replica(0, site, record, office)
    told = _environment(folder, site, replica.address, layout)
    ray = folder / _RAY
    ray.mkdir()
    world = World(
        folder=folder,
        venues=layout.venues,
        head=head,
        workers=workers,
        store=store,
        office=office,
        street=street,
        disks=disks,
        nodes=tuple(
            worker_node(ray, place, head, {**told, "VIGIE_STATE_DIR": str(disk.folder)})
            for place, disk in zip(workers, disks, strict=True)
        ),
        redis=redis_server(folder, store),
        replica=replica,
        cameras=camera_server(folder, street, layout.venues.paths(), layout.venues.scene),
        run=_run(folder, head, replica.address, told),
        postgres=postgres,
        record=record,
        site=site,
        environment=told,
        keeper=Keeper(),
    )
    return world, head_node(ray, head, store, {**told, "VIGIE_STATE_DIR": str(folder / "state" / "head")})


def _environment(folder: Path, site: Site, coordination: str, layout: Layout) -> Mapping[str, str]:
    """What every process of the cluster is told."""
    return {
        **calling_environment(coordination, site.identities / CLUSTER),
        "VIGIE_CLUSTER": _CLUSTER,
        "VIGIE_PACK": str(write_pack(folder / "pack")),
        "VIGIE_CAMERAS_PER_GROUP": str(layout.cameras_per_group),
        "VIGIE_OUTBOX_LIMIT_MIB": str(_OUTBOX_MIB),
        # Ray lets in only who knows the token of its cluster.
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
    }


def _run(folder: Path, head: Place, coordination: str, told: Mapping[str, str]) -> Daemon:
    arguments = ["run", "--json", "--coordination", coordination, "--ray-address", head_address(head)]
    command = head.command([sys.executable, "-P", "-m", "tools.main", *arguments])
    return Daemon("vigie run", command, log=folder / "run.log", environment=told)


def _start(world: World, head: Daemon) -> None:
    """Starts one after the other, each once those that it needs answer."""
    keeper = world.keeper
    migrate(world.record, world.folder)
    for daemon in (world.redis, world.replica, world.cameras):
        keeper.keep(Ward(daemon))
    asyncio.run(_apply(world))
    keeper.keep(Ward(head, clear=partial(clear, world.folder / _RAY, world.head)))
    head.wait_until_listening(world.head.address, HEAD_PORT, within_s=_START_S)
    for node, place in zip(world.nodes, world.workers, strict=True):
        keeper.keep(Ward(node, clear=partial(clear, world.folder / _RAY, place)))
    keeper.keep(Ward(world.run))
    keeper.start()


async def _apply(world: World) -> None:
    await world.replica.wait_until_ready()
    await world.venues.apply(world.replica.address, world.site.developer, world.street.address)
