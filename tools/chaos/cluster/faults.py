"""Everything that is done to a cluster: what dies, what freezes, what is cut off, and how each is undone."""

import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

from tools.chaos.cluster.world import World
from tools.rehearsal.daemon import Daemon
from tools.rehearsal.network import Place, send
from tools.rehearsal.ray_nodes import GCS, GROUP, RAYLET, SHARD, SUPERVISOR, found

_SLOW_KILOBITS_PER_S = 1_000

Undo = Callable[[], object]
Strike = Callable[[World, Random], Undo | None]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        name: for people.
        strike: makes it go wrong; gives back what undoes it, None where it cannot be undone or there is nobody to strike.
        heals: the cluster is to come back while it lasts; otherwise it comes back once it is undone, after a while.
        blinds: it keeps pictures from being analysed though no camera changes hands.
    """

    name: str
    strike: Strike
    heals: bool = True
    blinds: bool = False


def deck(faults: Sequence[Fault], count: int, random: Random) -> list[Fault]:
    """So many faults in a random order, each as often as any other, give or take one."""
    drawn: list[Fault] = []
    while len(drawn) < count:
        drawn += random.sample(faults, len(faults))
    return drawn[:count]


def _killed(what: str) -> Strike:
    """Kills one process of a kind, somewhere in the cluster; who starts it again is not our affair."""
    return lambda world, random: nothing if _signalled(world, what, random, signal.SIGKILL) else None


def _frozen(what: str) -> Strike:
    """Freezes one process of a kind, somewhere in the cluster."""

    def strike(world: World, random: Random) -> Undo | None:
        pid = _signalled(world, what, random, signal.SIGSTOP)
        return partial(send, pid, signal.SIGCONT) if pid else None

    return strike


def _signalled(world: World, what: str, random: Random, number: signal.Signals) -> int:
    places = world.workers if what == RAYLET else (world.head, *world.workers)  # the head has a raylet, and no work for it
    pids = [pid for place in places for pid in found(place, what)]
    pid = random.choice(pids) if pids else 0
    return pid if pid and send(pid, number) else 0


def _killed_daemon(choose: Callable[[World], Daemon]) -> Strike:
    def strike(world: World, _: Random) -> Undo:
        choose(world).kill()
        return nothing

    return strike


def _frozen_daemon(choose: Callable[[World], Daemon]) -> Strike:
    def strike(world: World, _: Random) -> Undo:
        choose(world).freeze()
        return choose(world).thaw

    return strike


def _killed_postgres(world: World, _: Random) -> Undo:
    world.postgres.kill()
    return world.postgres.start


def _frozen_postgres(world: World, _: Random) -> Undo:
    world.postgres.freeze()
    return world.postgres.thaw


def _power_cut(world: World, random: Random) -> Undo:
    random.choice(world.workers).kill()
    return nothing


def _unplugged(world: World, random: Random) -> Undo:
    place = random.choice(world.workers)
    place.cut()
    return place.join


def _slow(world: World, random: Random) -> Undo:
    place = random.choice(world.workers)
    place.slow(_SLOW_KILOBITS_PER_S)
    return place.hasten


def _apart(choose: Callable[[World], Place]) -> Strike:
    """Keeps a worker and another machine from hearing each other."""

    def strike(world: World, random: Random) -> Undo:
        place, other = random.choice(world.workers), choose(world)
        place.lose_sight_of(other)
        return partial(place.see_again, other)

    return strike


def _full_disk(world: World, random: Random) -> Undo:
    disk = random.choice(world.disks)
    disk.fill()
    return disk.free


def nothing() -> None:
    """What died is started again by others."""


FAULTS = (
    Fault("group killed", _killed(GROUP)),
    Fault("group frozen", _frozen(GROUP)),
    Fault("shard killed", _killed(SHARD), blinds=True),
    Fault("shard frozen", _frozen(SHARD), blinds=True),
    Fault("supervisor killed", _killed(SUPERVISOR)),
    Fault("supervisor frozen", _frozen(SUPERVISOR), heals=False),
    Fault("raylet killed", _killed(RAYLET)),
    Fault("raylet frozen", _frozen(RAYLET)),
    Fault("node lost power", _power_cut),
    Fault("head's GCS killed", _killed(GCS)),
    Fault("head's GCS frozen", _frozen(GCS), heals=False),
    Fault("Redis killed", _killed_daemon(lambda world: world.redis)),
    Fault("Redis frozen", _frozen_daemon(lambda world: world.redis), heals=False),
    Fault("service killed", _killed_daemon(lambda world: world.replica)),
    Fault("service frozen", _frozen_daemon(lambda world: world.replica), heals=False),
    Fault("PostgreSQL killed", _killed_postgres, heals=False),
    Fault("PostgreSQL frozen", _frozen_postgres, heals=False),
    Fault("node unplugged", _unplugged, blinds=True),
    Fault("node slow", _slow, heals=False, blinds=True),
    Fault("node and head apart", _apart(lambda world: world.head)),
    Fault("node and service apart", _apart(lambda world: world.office), heals=False),
    Fault("node and cameras apart", _apart(lambda world: world.street), heals=False, blinds=True),
    Fault("cameras killed", _killed_daemon(lambda world: world.cameras), blinds=True),
    Fault("cameras frozen", _frozen_daemon(lambda world: world.cameras), heals=False, blinds=True),
    Fault("disk full", _full_disk, heals=False),
)
